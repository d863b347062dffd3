//! `witgate adapter`: what adapters there are, what a file is, and building one.

mod build;
mod inspect;
mod list;

use clap::{Args, Subcommand};

use super::Outcome;

/// Adapters: list those in the folder, look into a file, build one from source.
#[derive(Args)]
pub(super) struct Adapter {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Inspect(inspect::Inspect),
    Build(build::Build),
}

impl Adapter {
    pub(super) fn run(self) -> Outcome {
        match self.command {
            Command::List(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Build(command) => command.run(),
        }
    }
}
