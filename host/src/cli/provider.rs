//! `witgate provider`: the providers, one by one.

mod list;
mod models;
mod test;
mod trial;

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
    Models(models::Models),
    Test(test::Test),
}

impl Provider {
    pub(super) fn run(self) -> Outcome {
        match self.command {
            Command::List(command) => command.run(),
            Command::Models(command) => command.run(),
            Command::Test(command) => command.run(),
        }
    }
}
