//! `cargo xtask build`: the program at `target/release/witgate`, each adapter at `adapters/<folder>.wasm`.
//!
//! What ships is optimised across crates, which saves a fifth of the processor time of a request and takes minutes to link; trained
//! ([`trained`]) it needs a quarter less again, and twice the time to build. `run` and `test` do without ([`quickly`]).

use crate::layout;
use crate::process::{self, Outcome};
use crate::toolchain::{self, TARGET};
use crate::trained;
use std::fs;
use std::path::Path;

/// The option for the program that was trained.
pub(crate) const TRAINED: &str = "--trained";

/// Builds all that is shipped.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    match arguments {
        [] => {
            process::run(process::cargo().args(["build", "--profile", "dist", "--package", "witgate"]))?;
            place(&layout::shipped())?;
        }
        [option] if option == TRAINED => {
            let program = trained::build(|counting| {
                place(counting)?;
                adapters()
            });
            place(&program?)?;
        }
        _ => return Err(format!("the only option is {TRAINED}")),
    }
    adapters()
}

/// Puts a program where everybody looks for it.
fn place(made: &Path) -> Outcome {
    let program = layout::program();
    let aside = program.with_extension("new");
    // Beside its place and then there: one that runs is not written over.
    fs::create_dir_all(layout::root().join("target/release"))
        .and_then(|()| fs::copy(made, &aside))
        .and_then(|_| fs::rename(&aside, &program))
        .map_err(|error| format!("{} could not be put in place: {error}", layout::shown(&program)))
}

/// The same program and adapters, built in less time.
pub(crate) fn quickly() -> Outcome {
    process::run(process::cargo().args(["build", "--release", "--package", "witgate"]))?;
    adapters()
}

/// All first-party adapters, each by the gateway's own command, as anybody builds theirs.
fn adapters() -> Outcome {
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
