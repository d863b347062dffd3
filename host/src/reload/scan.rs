//! Which adapter files there are, and what is in them. A file is known by its `Stamp` while nobody has read it, and by its
//! [`Digest`] afterwards.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sha2::{Digest as _, Sha256};

/// The largest file that is read. Python guests, the largest known, have 18 MB.
const LIMIT: u64 = 128 << 20;

/// The SHA-256 of a file. Prints as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What the file system says of a file without reading it. While it stays the same, so does the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    /// Device, inode and time of the last change of either, where there are such things: another file under the same name differs
    /// here even if its times were copied along.
    identity: [i64; 4],
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            len: meta.len(),
            modified: meta.modified().ok(),
            identity: identity(meta),
        }
    }

    /// Nobody has written to the file for at least `pause`. False if the times are of no use, as on a clock that is ahead.
    pub(super) fn quiet_for(&self, pause: Duration) -> bool {
        self.modified
            .and_then(|at| at.elapsed().ok())
            .is_some_and(|age| age >= pause)
    }
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> [i64; 4] {
    use std::os::unix::fs::MetadataExt;
    [
        meta.dev().cast_signed(),
        meta.ino().cast_signed(),
        meta.ctime(),
        meta.ctime_nsec(),
    ]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i64; 4] {
    [0; 4]
}

/// The adapter files in `dir`: `*.wasm` at its top, links followed, hidden files left out (editors and copying tools write there).
/// An error if the directory itself cannot be read.
pub(super) fn list(dir: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if !is_adapter_name(&path) {
            continue;
        }
        // A file that went away since, or a link to nowhere, is not there.
        if let Ok(meta) = fs::metadata(&path)
            && meta.is_file()
        {
            files.insert(path, Stamp::of(&meta));
        }
    }
    Ok(files)
}

fn is_adapter_name(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension().is_some_and(|extension| extension == "wasm")
}

/// A file's content, read once.
#[derive(Debug)]
pub struct Content {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Of those bytes.
    pub digest: Digest,
}

/// Reads an adapter file. The error says what to do about it.
pub fn read(path: &Path) -> Result<Content, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| format!("{shown} cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    let result = file.take(LIMIT + 1).read_to_end(&mut bytes);
    result.map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if bytes.len() as u64 > LIMIT {
        return Err(format!(
            "{shown} is larger than {} MiB: no adapter needs that",
            LIMIT >> 20
        ));
    }
    let digest = Digest::of(&bytes);
    Ok(Content { bytes, digest })
}

/// Whether the file at `path` still is the one that had this stamp.
pub(super) fn unchanged(path: &Path, stamp: &Stamp) -> bool {
    fs::metadata(path).is_ok_and(|meta| Stamp::of(&meta) == *stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_wasm_files_at_the_top_count() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "b.wasm",
            "a.wasm",
            ".a.wasm.swp",
            ".hidden.wasm",
            "a.wasm.part",
            "a.wasm~",
            "notes.txt",
        ] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir(dir.path().join("folder.wasm")).unwrap();
        fs::write(dir.path().join("folder.wasm/inner.wasm"), "x").unwrap();
        let files = list(dir.path()).unwrap();
        let names: Vec<_> = files
            .keys()
            .map(|path| path.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["a.wasm", "b.wasm"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_broken_ones_are_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("target");
        fs::write(&target, "one").unwrap();
        std::os::unix::fs::symlink(&target, dir.path().join("link.wasm")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("broken.wasm")).unwrap();
        let before = list(dir.path()).unwrap();
        assert_eq!(before.len(), 1);
        fs::write(&target, "other").unwrap();
        assert_ne!(list(dir.path()).unwrap(), before, "a change behind the link is seen");
    }

    #[test]
    fn another_file_under_the_same_name_has_another_stamp() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wasm");
        let at = SystemTime::now() - Duration::from_secs(100);
        let write = |path: &Path, text: &str| {
            fs::write(path, text).unwrap();
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(at)
                .unwrap();
        };
        write(&path, "one");
        let before = list(dir.path()).unwrap();
        let new = dir.path().join("new");
        write(&new, "two");
        fs::rename(&new, &path).unwrap();
        let after = list(dir.path()).unwrap();
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        #[cfg(unix)]
        assert_ne!(before, after);
    }
}
