//! `cargo xtask`: the project's own commands, for people and for CI alike.
//!
//! `main` holds the table of commands and nothing else. Each command is a file: [`build`] (with [`trained`]), [`catalogue`], [`run`], [`mod@test`], [`mod@bench`],
//! [`toolchain`]. Below them lie [`layout`] (where things are), [`tools`] (programs of others that the checks need),
//! [`demo`] (the provider that `run` shows) and [`process`] (how a program is started and its failure told).
#![expect(clippy::print_stdout, reason = "what a command prints is what it is for")]

mod bench;
mod build;
mod catalogue;
mod demo;
mod layout;
mod process;
mod run;
mod test;
mod toolchain;
mod tools;
mod trained;

use process::Outcome;
use std::process::ExitCode;

/// One row per command; a new command is a file and a row.
const COMMANDS: &[Command] = &[
    Command {
        name: "run",
        about: "build, and start the gateway with what it finds and a demo provider",
        run: run::run,
    },
    Command {
        name: "test",
        about: "check everything: format, lints, documentation, tests",
        run: test::run,
    },
    Command {
        name: "build",
        about: "leave target/release/witgate and adapters/<name>.wasm",
        run: build::run,
    },
    Command {
        name: "bench",
        about: "measure the gateway beside nginx and peers",
        run: bench::run,
    },
    Command {
        name: "catalogue",
        about: "renew the table of models and prices that is compiled in",
        run: catalogue::run,
    },
    Command {
        name: "toolchain",
        about: "print the cargo that builds adapters, preparing it if need be",
        run: toolchain::run,
    },
    Command {
        name: "demo",
        about: "serve the demo provider that `run` starts, alone",
        run: demo::run,
    },
];

struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Outcome,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask run                              start and try it: the curl line is printed
  cargo xtask run --config my.toml             the same with your own configuration
  cargo xtask test                             everything CI checks
  cargo xtask test --list                      its stages
  cargo xtask test --only lint,host            some of them
  cargo xtask build                            the program and the adapters
  cargo xtask build --trained                  the same, a quarter faster, in twice the time
  cargo xtask bench --quick                    a first impression, in a minute
  cargo xtask bench --only nginx,witgate       some contenders
  $(cargo xtask toolchain) build --release --target wasm32-unknown-unknown
                                               build an adapter of your own by hand
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        help();
        return ExitCode::from(64);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") || rest.iter().any(|word| word == "--help" || word == "-h") {
        help();
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("There is no command `{name}`.\n");
        help();
        return ExitCode::from(64);
    };
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\nxtask {name}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn help() {
    println!("Usage: cargo xtask COMMAND [OPTIONS]\n\nCommands:");
    for command in COMMANDS {
        println!("  {:<11}{}", command.name, command.about);
    }
    println!("\n{EXAMPLES}");
}
