//! `cargo xtask bench`: builds what is measured, then hands over to the suite in `tests/bench`, with all options.

use crate::process::{self, Outcome};
use crate::{build, layout};
use std::fs;
use std::path::Path;

/// Measures. `--quick`, `--only a,b`, `--rounds N` and others are explained in `tests/bench/README.md`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    build::run(&[])?;
    let suite = layout::root().join("tests/bench");
    process::run(
        process::cargo()
            .current_dir(&suite)
            .args(["build", "--release", "--bins"]),
    )?;
    let mut bench = process::program(suite.join("target/release/bench"));
    bench.arg("--nginx").arg(nginx()?).args(arguments);
    process::run(&mut bench)
}

/// The nginx everything is compared with: the installed one, else Debian's package unpacked into `target/tools`.
/// Installing it would start a server on port 80.
fn nginx() -> Result<std::path::PathBuf, String> {
    let unpacked = layout::root().join("target/tools/nginx");
    let places = [
        process::find("nginx"),
        Some("/usr/sbin/nginx".into()),
        Some(unpacked.join("usr/sbin/nginx")),
    ];
    let found = || places.iter().flatten().find(|path| path.is_file()).cloned();
    if found().is_none() {
        unpack_nginx(&unpacked).map_err(|reason| format!("nginx is not installed, and {reason}"))?;
    }
    found().ok_or_else(|| "Debian's package nginx holds no nginx".to_owned())
}

fn unpack_nginx(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    // Without root the package lists are taken as they are.
    let _ = process::output(process::program("apt-get").args(["update", "-qq"]));
    let mut download = process::program("apt-get");
    download
        .current_dir(folder)
        .args(["download", "-qq", "-o", "APT::Sandbox::User=root", "nginx"]);
    process::run_quietly(&mut download)?;
    let packages = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let package = packages
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "deb"));
    let package = package.ok_or("apt-get downloaded no package")?;
    process::run_quietly(process::program("dpkg-deb").arg("-x").arg(package).arg(folder))
}
