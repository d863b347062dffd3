//! `cargo xtask test`: everything CI checks, in stages. All run, whatever an earlier one found; one failure fails the whole.

use crate::process::{self, Outcome};
use crate::{build, layout, tools};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One part of the checks, with its own heading.
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn() -> Outcome,
}

/// What is quick to fail and quick to mend comes first; what others load is built before they run.
const STAGES: &[Stage] = &[
    Stage {
        name: "format",
        about: "rustfmt, every workspace",
        run: format,
    },
    Stage {
        name: "spelling",
        about: "typos",
        run: spelling,
    },
    Stage {
        name: "build",
        about: "the program, the adapters, the guests of the tests",
        run: build_all,
    },
    Stage {
        name: "lint",
        about: "clippy without a warning, every workspace",
        run: lint,
    },
    Stage {
        name: "docs",
        about: "rustdoc without a warning, every workspace",
        run: docs,
    },
    Stage {
        name: "dependencies",
        about: "cargo-deny: licences, sources, duplicates",
        run: dependencies,
    },
    Stage {
        name: "host",
        about: "unit, wire, hostile-guest and documentation tests",
        run: host,
    },
    Stage {
        name: "adapters",
        about: "adapters against their recorded fixtures",
        run: || tests_in("adapters"),
    },
    Stage {
        name: "sdk",
        about: "the guest SDKs",
        run: || tests_in("sdk"),
    },
    Stage {
        name: "examples",
        about: "the examples",
        run: || tests_in("examples"),
    },
    Stage {
        name: "bench",
        about: "the benchmark suite's own tests",
        run: || tests_in("tests/bench"),
    },
    Stage {
        name: "clients",
        about: "real SDK clients against the running program",
        run: || clients(&[]),
    },
    Stage {
        name: "llama",
        about: "the same in front of a real llama.cpp server with a real model",
        run: || clients(&["--llama"]),
    },
    Stage {
        name: "fuzz",
        about: "each fuzz target, for a moment",
        run: fuzz,
    },
];

/// Runs all stages, or those named by `--only a,b`; `--list` names them.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let only: Vec<&str> = match arguments {
        [] => Vec::new(),
        [list] if list == "--list" => {
            STAGES
                .iter()
                .for_each(|stage| println!("{:<14}{}", stage.name, stage.about));
            return Ok(());
        }
        [option, names] if option == "--only" => names.split(',').collect(),
        _ => return Err("the options are --list and --only STAGE[,STAGE]".to_owned()),
    };
    if let Some(unknown) = only.iter().find(|name| STAGES.iter().all(|stage| stage.name != **name)) {
        return Err(format!("there is no stage `{unknown}`; see cargo xtask test --list"));
    }
    let chosen = STAGES
        .iter()
        .filter(|stage| only.is_empty() || only.contains(&stage.name));
    report(&chosen.map(carry_out).collect::<Vec<_>>())
}

/// How a stage went.
struct Verdict {
    stage: &'static str,
    outcome: Outcome,
    took: Duration,
}

fn carry_out(stage: &'static Stage) -> Verdict {
    println!("\n==== {}: {} ====", stage.name, stage.about);
    let start = Instant::now();
    let outcome = (stage.run)();
    if let Err(reason) = &outcome {
        eprintln!("FAILED: {reason}");
    }
    Verdict {
        stage: stage.name,
        outcome,
        took: start.elapsed(),
    }
}

fn report(verdicts: &[Verdict]) -> Outcome {
    println!("\n==== stages ====");
    for Verdict { stage, outcome, took } in verdicts {
        let word = outcome
            .as_ref()
            .map_or_else(|reason| format!("FAILED: {reason}"), |()| "ok".to_owned());
        println!("{stage:<14}{:>6.0} s  {word}", took.as_secs_f64());
    }
    match verdicts.iter().filter(|verdict| verdict.outcome.is_err()).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} stages failed", verdicts.len())),
    }
}

/// Goes on after a failure, so that one run shows all there is to mend.
fn each(folders: Vec<PathBuf>, step: impl Fn(PathBuf) -> Outcome) -> Outcome {
    let failures: Vec<String> = folders.into_iter().filter_map(|folder| step(folder).err()).collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("; "))
    }
}

fn format() -> Outcome {
    each(layout::workspaces(), |folder| {
        process::run(process::cargo().current_dir(folder).args(["fmt", "--all", "--check"]))
    })
}

fn spelling() -> Outcome {
    process::run(process::program(tools::TYPOS.path()?).args(["--config", ".typos.toml"]))
}

fn dependencies() -> Outcome {
    let deny = tools::CARGO_DENY.path()?;
    each(layout::workspaces(), |folder| {
        let mut check = process::program(&deny);
        check.arg("--manifest-path").arg(folder.join("Cargo.toml"));
        check.arg("--config").arg(layout::root().join(".cargo/deny.toml"));
        // Advisories are left to whoever can reach their database: a test must not fail for the want of a network.
        process::run(check.args(["--log-level", "error", "check", "bans", "licenses", "sources"]))
    })
}

fn build_all() -> Outcome {
    build::quickly()?;
    each(
        layout::workspaces_below(&layout::root().join("tests/guests")),
        |folder| build::guests(&folder),
    )
}

/// In the release profile, as all that follows: dependencies are then built once.
fn lint() -> Outcome {
    each(layout::workspaces(), |folder| {
        let mut clippy = process::cargo();
        clippy.current_dir(folder).args([
            "clippy",
            "--release",
            "--workspace",
            "--all-targets",
            "--",
            "-Dwarnings",
        ]);
        process::run(&mut clippy)
    })
}

fn docs() -> Outcome {
    each(layout::workspaces(), |folder| {
        let mut doc = process::cargo();
        doc.current_dir(folder).env("RUSTDOCFLAGS", "-Dwarnings");
        process::run(doc.args(["doc", "--release", "--workspace", "--no-deps"]))
    })
}

fn host() -> Outcome {
    cargo_test(layout::root())
}

fn tests_in(folder: &str) -> Outcome {
    let workspaces = layout::workspaces_below(&layout::root().join(folder));
    if workspaces.is_empty() {
        println!("there is nothing in {folder}");
    }
    each(workspaces, cargo_test)
}

fn cargo_test(folder: PathBuf) -> Outcome {
    process::run(
        process::cargo()
            .current_dir(folder)
            .args(["test", "--release", "--workspace", "--no-fail-fast"]),
    )
}

fn clients(options: &[&str]) -> Outcome {
    if process::find("python3").is_none() {
        return left_out("there is no python3 to run them with");
    }
    script("tests/clients/run.sh", options)
}

fn fuzz() -> Outcome {
    script("tests/fuzz/smoke.sh", &[])
}

/// A part with a runner of its own, which finds the gateway in `WITGATE`.
fn script(path: &str, options: &[&str]) -> Outcome {
    let script = layout::root().join(path);
    if !script.is_file() {
        println!("there is no {path}");
        return Ok(());
    }
    process::run(
        process::program("bash")
            .arg(script)
            .args(options)
            .env("WITGATE", layout::program()),
    )
}

/// Where somebody develops, what cannot run is said and left out. In CI nothing is.
fn left_out(reason: &str) -> Outcome {
    if std::env::var_os("CI").is_some() {
        return Err(reason.to_owned());
    }
    println!("left out: {reason}");
    Ok(())
}
