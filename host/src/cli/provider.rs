//! `witgate provider`: the providers, one by one.

mod list;

use clap::{Args, Subcommand};

use super::Outcome;

/// List providers, and try them.
#[derive(Args)]
pub(super) struct Provider {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
}

impl Provider {
    pub(super) fn run(self) -> Outcome {
        match self.command {
            Command::List(command) => command.run(),
        }
    }
}
