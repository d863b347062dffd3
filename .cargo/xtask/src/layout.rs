//! Where things lie in the repository: its root, its cargo workspaces, its adapters.

use std::fs;
use std::path::{Path, PathBuf};

/// How deep below the root a workspace may lie (`sdk/rust` is at 2, an example in a folder of its own at 3).
const DEPTH: usize = 3;

const PROGRAM: &str = if cfg!(windows) { "witgate.exe" } else { "witgate" };

/// The repository's root, as an absolute path.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable whenever it runs us, so a checkout that was moved after the build is still found.
    let here =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = here.join("../..");
    root.canonicalize().unwrap_or(root)
}

/// The gateway that `build` leaves.
pub(crate) fn program() -> PathBuf {
    root().join("target/release").join(PROGRAM)
}

/// Where cargo puts what ships.
pub(crate) fn shipped() -> PathBuf {
    root().join("target/dist").join(PROGRAM)
}

/// The folders of all cargo workspaces, the root's first. A crate that belongs to no workspace counts as one.
pub(crate) fn workspaces() -> Vec<PathBuf> {
    workspaces_below(&root())
}

/// The cargo workspaces at or below `folder`, in the order of their names.
pub(crate) fn workspaces_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect_workspaces(folder, DEPTH, &mut found);
    found
}

fn collect_workspaces(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    if manifest.lines().any(|line| line.trim_end() == "[workspace]") {
        found.push(folder.to_path_buf());
    }
    if depth > 0 {
        for inner in folders(folder) {
            collect_workspaces(&inner, depth - 1, found);
        }
    }
}

/// The crates directly in `folder` (`adapters`, `tests/guests`), in the order of their names.
pub(crate) fn crates(folder: &str) -> Vec<PathBuf> {
    folders(&root().join(folder))
        .into_iter()
        .filter(|inner| inner.join("Cargo.toml").is_file())
        .collect()
}

/// The folders directly in `folder`, sorted, without build output and hidden ones.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut inner: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir() && !matches!(name(path).as_str(), "target" | "node_modules"))
        .filter(|path| !name(path).starts_with('.'))
        .collect();
    inner.sort();
    inner
}

/// The last part of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A path as a reader of our output wants it: relative to the root.
pub(crate) fn shown(path: &Path) -> String {
    match path.strip_prefix(root()) {
        Ok(inner) if inner.as_os_str().is_empty() => "the root workspace".to_owned(),
        Ok(inner) => inner.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}
