//! `cargo xtask toolchain`: a cargo that can build for `wasm32-unknown-unknown`, the target of adapters.
//!
//! The first that works is taken: the cargo named by `WITGATE_WASM_CARGO`; the active toolchain, when it has the target's
//! standard library; a private toolchain in `target/wasm-toolchain`, made of Debian's packages. The last is for machines where
//! rustup may fetch nothing: there it leaves out the target that `rust-toolchain.toml` asks for without a word.

use crate::layout;
use crate::process::{self, Outcome};
use std::path::{Path, PathBuf};

/// The target adapters are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const NEITHER_WORKED: &str = "\
the Rust standard library for wasm32-unknown-unknown is missing. Do one of these:
  - with rustup:                  rustup target add wasm32-unknown-unknown
  - on Debian or a child of it:   run this command as root once, or after an `apt-get update`:
                                  it then makes a private toolchain out of the packages rustc-web and rust-web-src
  - with another toolchain:       WITGATE_WASM_CARGO=/path/to/a/cargo/that/has/the/target";

/// Prints the path of that cargo, and only that, so that it can stand in a command line.
pub(crate) fn run(_: &[String]) -> Outcome {
    println!("{}", wasm_cargo()?.display());
    Ok(())
}

/// The cargo that builds adapters. The first call on a machine without the target may take a minute.
pub(crate) fn wasm_cargo() -> Result<PathBuf, String> {
    if let Some(chosen) = std::env::var_os("WITGATE_WASM_CARGO").filter(|value| !value.is_empty()) {
        return Ok(chosen.into());
    }
    if active_toolchain_has_the_target() {
        return Ok(std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from));
    }
    let private = layout::root().join("target/wasm-toolchain");
    let cargo = private.join("cargo");
    if !cargo.is_file() {
        make(&private).map_err(|reason| format!("{NEITHER_WORKED}\n({reason})"))?;
    }
    Ok(cargo)
}

fn active_toolchain_has_the_target() -> bool {
    let folder = process::output(process::program("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_some_and(|folder| has_core(Path::new(&folder)))
}

/// rustc names the folder whether or not it is there, so look for what is needed.
fn has_core(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .into_iter()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn make(folder: &Path) -> Outcome {
    for needed in ["apt-get", "dpkg-deb", "bash"] {
        process::find(needed).ok_or_else(|| format!("there is no `{needed}` here to take Debian's packages with"))?;
    }
    eprintln!("The active Rust toolchain has no {TARGET}: making one out of Debian's packages (under a minute) ...");
    let script = layout::root().join(".cargo/xtask/wasm-toolchain.sh");
    process::run_quietly(process::program("bash").arg(script).arg(folder))
}
