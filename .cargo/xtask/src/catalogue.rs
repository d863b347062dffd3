//! `cargo xtask catalogue`: makes the table of models that is compiled in from the newest public price list.
//!
//! The list is LiteLLM's (MIT licence), as its Python package has it. What is new in it, and what is gone, is told.

use crate::layout;
use crate::process::{self, Outcome};
use std::fs;
use std::path::Path;

/// Where the package has the list.
const LIST: &str = "litellm/model_prices_and_context_window_backup.json";
const TABLE: &str = "host/src/catalogue/built-in.tsv";

/// Fetches the list and writes the table.
pub(crate) fn run(_: &[String]) -> Outcome {
    let folder = layout::root().join("target/tools/litellm");
    // What an earlier run has left would be a second package.
    let _ = fs::remove_dir_all(&folder);
    let mut fetch = process::program("python3");
    fetch.args(["-m", "pip", "download", "--quiet", "--no-deps", "--dest"]);
    process::run_quietly(fetch.arg(&folder).arg("litellm"))?;
    let package = only_file(&folder)?;
    let mut unpack = process::program("python3");
    unpack.args(["-m", "zipfile", "--extract"]).arg(&package).arg(&folder);
    process::run_quietly(&mut unpack)?;
    process::run(process::cargo().args(["build", "--release", "--package", "witgate"]))?;
    let table = process::output_shown(
        process::program(layout::program())
            .arg("catalogue")
            .arg(folder.join(LIST)),
    )?;
    let version = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let version = version.split('-').nth(1).unwrap_or_default();
    fs::write(
        layout::root().join(TABLE),
        format!("# litellm {version}, package of PyPI; made by `cargo xtask catalogue`.\n{table}"),
    )
    .map_err(|error| error.to_string())
}

fn only_file(folder: &Path) -> Result<std::path::PathBuf, String> {
    let files = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut files = files.flatten().map(|entry| entry.path());
    files.next().ok_or_else(|| "pip downloaded nothing".to_owned())
}
