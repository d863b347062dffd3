//! Inputs to begin with: the recordings of `tests/fixtures`, the target's own in `seeds/`, and what once broke it in `crashes/`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::targets::Target;

/// Recordings longer than this only make every step slow: 64 KiB.
const LONGEST: u64 = 64 << 10;

/// The folder of the fuzz targets.
pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a target starts from: seeds and recordings, in the order of their names.
pub fn of(target: &Target) -> Vec<Vec<u8>> {
    let mut found = read_all(&home().join("seeds").join(target.name));
    for folder in target.like {
        let recordings = read_all(&home().join("../fixtures").join(folder));
        found.extend(recordings.into_iter().filter(|(path, _)| is_recording(path)));
    }
    found.into_iter().map(|(_, bytes)| bytes).collect()
}

/// What once broke a target, with the names of the files.
pub fn crashes(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    read_all(&folder(target))
}

/// Keeps an input that breaks a target.
pub fn keep(target: &Target, data: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder(target))?;
    let path = folder(target).join(format!("{:016x}", crate::random::Random::of(data).number()));
    fs::write(&path, data)?;
    Ok(path)
}

/// The words that the parsers know, from `words.dict` (libFuzzer's format: one in quotation marks a line).
pub fn words() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(home().join("words.dict")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'))
        .map(unescape)
        .collect()
}

/// Where the inputs that break a target are kept.
pub fn folder(target: &Target) -> PathBuf {
    home().join("crashes").join(target.name)
}

/// What was recorded, and not where it is from, or how it is built.
fn is_recording(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = [".json", ".jsonl", ".sse", ".bin", ".toml", ".wasm"]
        .iter()
        .any(|end| name.ends_with(end));
    end && !name.ends_with(".meta.json")
}

fn read_all(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let short = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LONGEST);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(short).collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| fs::read(&path).ok().map(|bytes| (path, bytes)))
        .collect()
}

/// `\xNN`, `\"` and `\\`.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
        } else if let Some(digits) = after.strip_prefix(b"x").and_then(|digits| digits.first_chunk::<2>()) {
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            out.push(u8::from_str_radix(digits, 16).unwrap_or_default());
            rest = after.get(3..).unwrap_or_default();
        } else if let Some((escaped, after)) = after.split_first() {
            out.push(*escaped);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{of, unescape, words};
    use crate::targets::ALL;

    #[test]
    fn every_target_has_inputs_to_begin_with() {
        for target in ALL {
            assert!(!of(target).is_empty(), "{}", target.name);
        }
    }

    #[test]
    fn the_dictionary_is_read_as_libfuzzer_reads_it() {
        assert_eq!(unescape(r#"a\x0d\x0A\"\\b"#), b"a\r\n\"\\b");
        assert!(words().contains(&b"data: ".to_vec()));
    }
}
