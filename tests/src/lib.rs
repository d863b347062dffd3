//! What the tests of the whole program share: [`Witgate`], the real binary with a configuration of the test's, and [`Provider`], a
//! loopback server that plays a model provider and remembers what it was asked.

pub mod folder;
pub mod guest;
pub mod program;
pub mod provider;
pub mod proxy;
pub mod rows;
pub mod tls;

pub use program::Witgate;
pub use provider::{Asked, Played, Provider};
pub use proxy::Proxy;
pub use tls::Authority;

use std::path::{Path, PathBuf};

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the project")
        .to_owned()
}

/// A recording or another file below `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    root().join("tests/fixtures").join(path)
}
