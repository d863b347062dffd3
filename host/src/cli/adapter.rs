//! `witgate adapter`: making one, building it, what a file is, and what adapters there are.

mod build;
mod inspect;
mod list;
mod new;
mod place;

use clap::{Args, Subcommand};

use super::Outcome;

/// Adapters: make the project of one, build it, look into a file, list those in the folder.
#[derive(Args)]
pub(super) struct Adapter {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    New(new::New),
    List(list::List),
    Inspect(inspect::Inspect),
    Build(build::Build),
}

impl Adapter {
    pub(super) fn run(self) -> Outcome {
        match self.command {
            Command::New(command) => command.run(),
            Command::List(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Build(command) => command.run(),
        }
    }
}
