//! Files that hold keys, tokens, and what is said about them. They are small, and whoever hands them out renews them: they are read
//! each time they are needed.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// A larger one is a mistake.
const LIMIT: u64 = 1 << 20;

/// The text of a file. While nothing waits for the reader, as when a configuration is read.
///
/// # Errors
/// If there is none, or it is too long or no text. They do not name the file, nor what it holds.
pub fn read_blocking(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(io::Error::other(format!("it is longer than {LIMIT} bytes")));
    }
    Ok(text)
}

/// What may be shown of a setting that should be a path: not what seems to be the key itself.
pub fn shown(setting: &str) -> &str {
    if setting.len() > 1024 || setting.contains(['{', '\n']) {
        "what it says is no path"
    } else {
        setting
    }
}

/// What a file holds, read beside the requests that are under way. Errors as those of [`read_blocking`].
pub(super) async fn read(path: impl Into<PathBuf>) -> io::Result<String> {
    let path = path.into();
    beside(move || read_blocking(&path)).await?
}

/// Does work that may wait for a disk, beside the requests that are under way.
pub(super) async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_place_of_a_path_is_not_shown() {
        assert_eq!(shown("/etc/key.json"), "/etc/key.json");
        for key in ["{\"private_key\": ", "-----BEGIN PRIVATE KEY-----\nMII"] {
            assert_eq!(shown(key), "what it says is no path");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_too_long_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, vec![b'x'; usize::try_from(LIMIT).unwrap()]).unwrap();
        assert_eq!(read(&path).await.unwrap().len() as u64, LIMIT);
        std::fs::write(&path, vec![b'x'; 2 << 20]).unwrap();
        assert!(read(&path).await.unwrap_err().to_string().contains("longer"));
    }
}
