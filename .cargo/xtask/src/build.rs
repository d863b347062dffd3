//! `cargo xtask build`: the program at `target/release/witgate`, each adapter at `adapters/<folder>.wasm`.

use crate::layout;
use crate::process::{self, Outcome};
use crate::toolchain::{self, TARGET};
use std::fs;
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

/// All first-party adapters. The gateway's own command builds them, as it does for anybody's adapter.
pub(crate) fn adapters() -> Outcome {
    let folders = layout::crates("adapters");
    if folders.is_empty() {
        return Ok(());
    }
    let cargo = toolchain::wasm_cargo()?;
    for folder in folders {
        core_module(&folder, &cargo)?;
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

fn core_module(folder: &Path, cargo: &Path) -> Outcome {
    process::run(
        process::program(cargo)
            .current_dir(folder)
            .args(["build", "--release", "--target", TARGET]),
    )?;
    let module = package(folder)?.replace('-', "_") + ".wasm";
    let made = layout::root()
        .join("adapters/target")
        .join(TARGET)
        .join("release")
        .join(module);
    place(&made, &folder.with_extension("wasm"))
}

/// Copies beside its place and moves there: a gateway that watches the folder never reads half a file.
fn place(made: &Path, wasm: &Path) -> Outcome {
    let aside = wasm.with_extension("wasm.part");
    fs::copy(made, &aside)
        .and_then(|_| fs::rename(&aside, wasm))
        .map_err(|error| format!("{} could not be put in place: {error}", layout::shown(wasm)))
}

/// The package's name, which is the first `name` in a manifest.
fn package(folder: &Path) -> Result<String, String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let name = manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.map(str::to_owned)
        .ok_or_else(|| format!("{}/Cargo.toml names no package", layout::shown(folder)))
}
