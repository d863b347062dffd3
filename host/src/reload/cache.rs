//! The compile cache: machine code of adapters, found by the digest of the file it was made from and by the engine it was made for.
//!
//! Machine code is run as it stands, so the cache must never be fed by strangers: every entry ends with a MAC under a key that lies
//! beside it, readable by this user alone. What is not authentic is not there. An entry is mapped into memory by whoever runs it, so
//! it begins with the code, and is never written to again: a new one takes its place by name.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use blake3::{Hash, Hasher};

use super::scan::Digest;

/// How much the cache holds before the entries that were not used for longest go: room for some ten large (Python) guests.
const LIMIT: u64 = 1 << 30;
const KEY_FILE: &str = "key";
const MAC_LEN: usize = blake3::OUT_LEN;
/// The layout of an entry. It is part of what is authenticated.
const FORMAT: &[u8] = b"witgate code 4\0";

/// What entries are authenticated with.
type Key = [u8; blake3::KEY_LEN];

/// The cache of one data directory, for one engine.
pub(super) struct Cache {
    dir: PathBuf,
    key: Key,
    engine: String,
    limit: u64,
}

impl Cache {
    /// Opens the cache in `dir`, which is made if it is missing. `engine` names the compiler and its settings: code for another one
    /// is never returned.
    pub(super) fn open(dir: &Path, engine: String) -> io::Result<Self> {
        make_private_dir(dir)?;
        let path = dir.join(KEY_FILE);
        let key = match read_key(&path) {
            Some(key) => key,
            None => make_key(&path)?,
        };
        Ok(Self {
            dir: dir.to_owned(),
            key,
            engine,
            limit: LIMIT,
        })
    }

    /// A file that begins with the code made from the file of this digest, if there is one and it is authentic.
    pub(super) fn get(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.entry(digest);
        let file = File::open(&path).ok()?;
        let len = file.metadata().ok().filter(fs::Metadata::is_file)?.len();
        if len > self.limit {
            return None;
        }
        if !self.is_authentic(digest, &file, len).unwrap_or(false) {
            tracing::warn!(file = %path.display(), "an entry of the compile cache is not authentic and is ignored");
            return None;
        }
        // The next eviction shall know that it is in use. If this fails the entry only looks older than it is.
        let _ = file.set_modified(SystemTime::now());
        Some(path)
    }

    /// Whether the end of an entry, which has `len` bytes, is the MAC of the rest.
    fn is_authentic(&self, digest: &Digest, mut file: &File, len: u64) -> io::Result<bool> {
        let Some(code) = len.checked_sub(MAC_LEN as u64) else {
            return Ok(false);
        };
        let mut hasher = self.hasher(digest);
        hasher.update_reader(file.take(code))?;
        let mut mac = [0; MAC_LEN];
        file.read_exact(&mut mac)?;
        // It takes the same time wherever they differ.
        Ok(hasher.finalize() == Hash::from_bytes(mac))
    }

    /// Keeps `code`, made from the file of this digest. A full disk costs the next start some time, and nothing else.
    pub(super) fn put(&self, digest: &Digest, code: &[u8]) {
        let mac = self.hasher(digest).update(code).finalize();
        if let Err(error) = write_private(&self.entry(digest), &[code, mac.as_bytes()]) {
            tracing::warn!(%error, dir = %self.dir.display(), "the compile cache cannot be written");
        }
        self.evict();
    }

    fn entry(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{digest}-{}.code", self.engine))
    }

    /// What the MAC covers before the code: an entry moved to another digest's or engine's name is not authentic either.
    fn hasher(&self, digest: &Digest) -> Hasher {
        let mut hasher = Hasher::new_keyed(&self.key);
        for named in [FORMAT, self.engine.as_bytes(), b"\0", digest.to_string().as_bytes()] {
            hasher.update(named);
        }
        hasher
    }

    /// Removes what was not used for longest until the rest fits. What a crash left half-written goes the same way.
    fn evict(&self) {
        let Ok(listing) = fs::read_dir(&self.dir) else { return };
        let mut entries: Vec<_> = listing
            .flatten()
            .filter(|entry| entry.file_name() != KEY_FILE)
            .filter_map(|entry| {
                let meta = entry.metadata().ok()?;
                Some((meta.modified().ok()?, meta.len(), entry.path()))
            })
            .collect();
        entries.sort_unstable();
        let mut total: u64 = entries.iter().map(|(_, len, _)| len).sum();
        for (_, len, path) in entries {
            if total <= self.limit {
                break;
            }
            // Another process may have removed it; either way it is gone.
            let _ = fs::remove_file(path);
            total = total.saturating_sub(len);
        }
    }
}

/// The key, if there is one that nobody else can know.
fn read_key(path: &Path) -> Option<Key> {
    let mut file = File::open(path).ok()?;
    if !is_private(&file.metadata().ok()?) {
        tracing::warn!(file = %path.display(), "others could read or write the compile cache's key: a new one is made");
        return None;
    }
    let mut key = Key::default();
    file.read_exact(&mut key).ok()?;
    Some(key)
}

fn make_key(path: &Path) -> io::Result<Key> {
    let mut key = Key::default();
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    write_private(path, &[&key])?;
    Ok(key)
}

/// Writes a file that only this user can read, whole or not at all.
fn write_private(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let written = write_new(&partial, parts).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // What is left of it, if anything is.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn write_new(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    // Left by a process of the same number that was killed.
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))
}

fn make_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(unix)]
fn is_private(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    meta.is_file() && meta.mode() & 0o077 == 0 && meta.uid() == rustix::process::geteuid().as_raw()
}

/// Elsewhere the data directory lies in the user's profile, which the system keeps from others.
#[cfg(not(unix))]
fn is_private(meta: &fs::Metadata) -> bool {
    meta.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(dir: &Path) -> Cache {
        Cache::open(dir, "engine".to_owned()).unwrap()
    }

    fn the_entry(dir: &Path) -> PathBuf {
        let mut entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        entries
            .find(|path| path.extension().is_some_and(|e| e == "code"))
            .unwrap()
    }

    #[test]
    fn code_comes_back_for_its_own_file_and_engine_only() {
        let dir = tempfile::tempdir().unwrap();
        let (file, other) = (Digest::of(b"file"), Digest::of(b"other"));
        cache(dir.path()).put(&file, b"code");
        let kept = cache(dir.path()).get(&file).unwrap();
        assert!(fs::read(kept).unwrap().starts_with(b"code"));
        assert!(cache(dir.path()).get(&other).is_none());
        let other_engine = Cache::open(dir.path(), "another".to_owned()).unwrap();
        assert!(other_engine.get(&file).is_none());
    }

    #[test]
    fn an_entry_that_was_tampered_with_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"file");
        cache(dir.path()).put(&digest, b"code");
        let entry = the_entry(dir.path());
        let mut bytes = fs::read(&entry).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&entry, &bytes).unwrap();
        assert!(cache(dir.path()).get(&digest).is_none());
        fs::write(&entry, b"short").unwrap();
        assert!(cache(dir.path()).get(&digest).is_none());
    }

    #[test]
    fn an_authentic_entry_under_another_files_name_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let (harmless, wanted) = (Digest::of(b"harmless"), Digest::of(b"wanted"));
        let cache = cache(dir.path());
        cache.put(&harmless, b"code");
        fs::rename(cache.entry(&harmless), cache.entry(&wanted)).unwrap();
        assert!(cache.get(&wanted).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_could_read_is_replaced_and_its_entries_are_gone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"file");
        cache(dir.path()).put(&digest, b"code");
        let key = dir.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(the_entry(dir.path())).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(cache(dir.path()).get(&digest).is_none());
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_full_cache_loses_what_was_not_used_for_longest() {
        let dir = tempfile::tempdir().unwrap();
        let mut cache = cache(dir.path());
        cache.limit = 3 * (MAC_LEN as u64 + 100);
        let digests: Vec<_> = (0..4_u8).map(|n| Digest::of(&[n])).collect();
        for (age, digest) in (1..).zip(&digests[..3]) {
            cache.put(digest, &[0; 100]);
            let old = SystemTime::now() - std::time::Duration::from_secs(100 * age);
            File::open(cache.entry(digest)).unwrap().set_modified(old).unwrap();
        }
        assert!(cache.get(&digests[2]).is_some(), "the oldest is used once more");
        cache.put(&digests[3], &[0; 100]);
        let kept: Vec<_> = digests.iter().map(|digest| cache.entry(digest).exists()).collect();
        assert_eq!(kept, [true, false, true, true]);
    }
}
