//! `cargo xtask build`: the program at `target/release/witgate`, each adapter at `adapters/<folder>.wasm`.

use crate::layout;
use crate::process::{self, Outcome};
use crate::toolchain::{self, TARGET};
use std::path::Path;

/// Builds all that is shipped.
pub(crate) fn run(_: &[String]) -> Outcome {
    program()?;
    adapters()
}

/// The gateway itself.
pub(crate) fn program() -> Outcome {
    process::run(process::cargo().args(["build", "--release", "--package", "witgate"]))
}

/// All first-party adapters, each by the gateway's own command, as anybody builds theirs.
pub(crate) fn adapters() -> Outcome {
    let folders = layout::crates("adapters");
    if folders.is_empty() {
        return Ok(());
    }
    let cargo = toolchain::wasm_cargo()?;
    for folder in folders {
        let mut build = process::program(layout::program());
        build.args(["adapter", "build"]).arg(layout::shown(&folder));
        process::run(build.env("WITGATE_WASM_CARGO", &cargo))?;
    }
    Ok(())
}

/// The hostile and other guests that tests load, as core modules in `tests/guests/target`.
pub(crate) fn guests(folder: &Path) -> Outcome {
    process::run(process::program(toolchain::wasm_cargo()?).current_dir(folder).args([
        "build",
        "--release",
        "--target",
        TARGET,
    ]))
}
