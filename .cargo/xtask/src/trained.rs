//! `cargo xtask build --trained`: the program as the compiler makes it when it knows what is done often. It is built once so that it
//! counts what it does, does for a minute what gateways do (`bench train`, in `tests/bench`), and is built again by those counts: code
//! of the usual way lies together and is inlined, the rest lies apart. A request takes a quarter less processor time. Both builds take
//! as long as the plain one.

use crate::layout;
use crate::process::{self, Outcome};
use crate::tools;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Builds the trained program. `place` puts a program where the training and everybody else look for it, with its adapters.
pub(crate) fn build(place: impl Fn(&Path) -> Outcome) -> Result<PathBuf, String> {
    let compiler = Compiler::ask()?;
    let merge = compiler.profdata()?;
    let folder = layout::root().join("target/trained");
    let counts = folder.join("counts");
    // What is not there need not be removed.
    let _ = fs::remove_dir_all(&counts);
    place(&compiler.build(&folder, &format!("-Cprofile-generate={}", counts.display()))?)?;
    train()?;
    // Named by its time: cargo builds anew when the flags change, not when a file does.
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let merged = folder.join(format!("{time}.profdata"));
    let mut merging = process::program(&merge);
    process::run_quietly(merging.arg("merge").arg("-o").arg(&merged).arg(&counts))?;
    // Code that the training did not reach has no counts, which is no reason for a warning each.
    let quiet = "-Cllvm-args=-pgo-warn-missing-function=false";
    compiler.build(&folder, &format!("-Cprofile-use={} {quiet}", merged.display()))
}

fn train() -> Outcome {
    let suite = layout::root().join("tests/bench");
    let mut build = process::cargo();
    process::run(build.current_dir(&suite).args(["build", "--release", "--bins"]))?;
    process::run(process::program(suite.join("target/release/bench")).arg("train"))
}

/// What `rustc` says of itself.
struct Compiler {
    host: String,
    llvm: String,
    sysroot: PathBuf,
}

impl Compiler {
    fn ask() -> Result<Self, String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
        let ask = |arguments: &[&str]| {
            process::output(process::program(&rustc).args(arguments)).ok_or("rustc does not say what it is")
        };
        let about = ask(&["-vV"])?;
        let said = |name: &str| {
            about
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
        };
        let llvm = said("LLVM version: ").ok_or("rustc does not say which LLVM it has")?;
        Ok(Self {
            host: said("host: ").ok_or("rustc does not say what it builds for")?,
            llvm: llvm.split('.').next().unwrap_or_default().to_owned(),
            sysroot: ask(&["--print", "sysroot"])?.into(),
        })
    }

    /// Builds what ships with these flags. That a target is named keeps them from what runs while building.
    fn build(&self, folder: &Path, flags: &str) -> Result<PathBuf, String> {
        let mut build = process::cargo();
        build
            .args([
                "build",
                "--profile",
                "dist",
                "--package",
                "witgate",
                "--target",
                &self.host,
                "--target-dir",
            ])
            .arg(folder)
            .env("RUSTFLAGS", flags);
        process::run(&mut build)?;
        let program = layout::program();
        let name = program.file_name().unwrap_or_default();
        Ok(folder.join(&self.host).join("dist").join(name))
    }

    /// The `llvm-profdata` that reads what this compiler's programs count: rustup's, one on the search path, or Debian's.
    fn profdata(&self) -> Result<PathBuf, String> {
        let name = format!("llvm-profdata{}", std::env::consts::EXE_SUFFIX);
        let component = self.sysroot.join("lib/rustlib").join(&self.host).join("bin").join(name);
        let unpacked = layout::root().join(format!("target/tools/llvm-{}", self.llvm));
        let wrapped = unpacked.join("llvm-profdata");
        let of_this_version = format!("llvm-profdata-{}", self.llvm);
        let found = || {
            let known = [
                Some(component.clone()),
                process::find(&of_this_version),
                Some(wrapped.clone()),
            ];
            known.into_iter().flatten().find(|path| path.is_file())
        };
        found().map_or_else(
            || {
                let unpacking = self.unpack(&unpacked, &wrapped);
                unpacking.map(|()| wrapped.clone()).map_err(|reason| {
                    format!(
                        "LLVM {}'s llvm-profdata is needed: `rustup component add llvm-tools`, or Debian's package llvm-{0} \
                         ({reason})",
                        self.llvm
                    )
                })
            },
            Ok,
        )
    }

    /// Debian's, unpacked, with a script that starts it with its own library.
    fn unpack(&self, folder: &Path, script: &Path) -> Outcome {
        let llvm = &self.llvm;
        tools::unpack(&[&format!("llvm-{llvm}"), &format!("libllvm{llvm}")], folder)?;
        let root = folder.display();
        let libraries = format!("$(ls -d {root}/usr/lib/*-linux-gnu {root}/usr/lib/llvm-{llvm}/lib | paste -sd:)");
        let start = format!("exec {root}/usr/lib/llvm-{llvm}/bin/llvm-profdata \"$@\"");
        let text = format!("#!/bin/sh\nLD_LIBRARY_PATH=\"{libraries}\" {start}\n");
        fs::write(script, text).map_err(|error| error.to_string())?;
        process::run_quietly(process::program("chmod").arg("+x").arg(script))
    }
}
