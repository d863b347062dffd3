//! `cargo xtask bench`: builds what is measured, then hands over to the suite in `tests/bench`, with all options.

use crate::process::{self, Outcome};
use crate::{build, layout, tools};

/// Measures; with `--trained`, the trained program. `--quick`, `--only a,b`, `--rounds N` and others are explained in `tests/bench/README.md`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let trained = arguments.iter().find(|word| *word == build::TRAINED);
    build::run(trained.cloned().as_slice())?;
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
        tools::unpack(&["nginx"], &unpacked).map_err(|reason| format!("nginx is not installed, and {reason}"))?;
    }
    found().ok_or_else(|| "Debian's package nginx holds no nginx".to_owned())
}
