//! The command line: one file a command. A command says what it does, with examples, in its own file.

mod adapter;
mod catalogue;
mod check;
mod completions;
mod print;
mod progress;
mod provider;
mod route;
mod serve;
mod source;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use serde_json::{Value, json};

use crate::{
    config::{ConfigError, Problem},
    serve as serve_gateway,
};

/// An LLM gateway whose provider adapters are WebAssembly components.
#[derive(Parser)]
#[command(name = "witgate", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// To add a command: a variant here, and its file.
#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Serve(serve::Serve),
    Route(route::Route),
    Provider(provider::Provider),
    Adapter(adapter::Adapter),
    Catalogue(catalogue::Catalogue),
    Completions(completions::Completions),
}

/// What a command ends with: nothing, or what went wrong and the exit code that tells it.
pub(crate) type Outcome = Result<(), Failed>;

/// Why a command failed.
pub(crate) struct Failed {
    /// One line that says what is wrong and what to do; more lines for more mistakes.
    pub(crate) message: String,
    /// The same for programs: `{file, line, key, message, remedy}` each.
    errors: Vec<Value>,
    /// 64 for a wrong configuration (sysexits' EX_USAGE), 1 for the rest.
    pub(crate) code: u8,
}

impl Failed {
    /// Something went wrong while doing it.
    pub(crate) fn new(error: impl std::fmt::Display) -> Self {
        let message = error.to_string();
        Self {
            errors: vec![json!({ "file": null, "line": null, "key": null, "message": message, "remedy": null })],
            message,
            code: 1,
        }
    }

    /// The configuration is wrong; nothing was done.
    pub(crate) fn config(error: ConfigError) -> Self {
        let message = error.to_string();
        let told = |problem: Problem| {
            json!({
                "file": error.file, "line": problem.line, "key": problem.key,
                "message": problem.message, "remedy": problem.remedy,
            })
        };
        Self {
            errors: error.problems.into_iter().map(told).collect(),
            message,
            code: 64,
        }
    }

    /// The gateway does not start.
    pub(crate) fn of_start(error: serve_gateway::Error) -> Self {
        match error {
            serve_gateway::Error::Config(error) => Self::config(error),
            other => Self::new(other),
        }
    }

    /// The command's own output has said it all.
    pub(crate) fn said() -> Self {
        Self::new("")
    }
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let matches = Arguments::command().get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let outcome = match arguments.command {
        Command::Check(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Route(command) => command.run(),
        Command::Provider(command) => command.run(),
        Command::Adapter(command) => command.run(),
        Command::Catalogue(command) => command.run(),
        Command::Completions(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            if !failed.message.is_empty() {
                if wants_json(&matches) {
                    print::json(&json!({ "ok": false, "errors": failed.errors }));
                } else {
                    print::aside(&failed.message);
                }
            }
            ExitCode::from(failed.code)
        }
    }
}

/// True if `--json` was given to the command that ran.
fn wants_json(matches: &ArgMatches) -> bool {
    let here = matches
        .try_get_one::<bool>("json")
        .is_ok_and(|json| json == Some(&true));
    here || matches.subcommand().is_some_and(|(_, below)| wants_json(below))
}

/// Runs a command's future on a runtime with a thread a processor.
pub(crate) fn block_on<F: Future<Output = Outcome>>(work: F) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime
        .map_err(|error| Failed::new(format!("threads cannot be started: {error}")))?
        .block_on(work)
}
