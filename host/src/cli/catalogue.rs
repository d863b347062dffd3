//! `witgate catalogue`

use std::path::PathBuf;

use clap::Args;

use super::{Failed, Outcome, print};
use crate::catalogue::{Catalogue as BuiltIn, Table};

/// Read a list of models' facts and prices, and print what the gateway takes from it.
///
/// It is LiteLLM's `model_prices_and_context_window.json`, or what this printed before. `[catalogue]` in the configuration reads both.
/// Models that are new in it, or gone, compared with those this program was built with, are told on stderr.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate catalogue model_prices_and_context_window.json > catalogue.tsv")]
pub(super) struct Catalogue {
    /// The list
    file: PathBuf,
}

impl Catalogue {
    pub(super) fn run(self) -> Outcome {
        let shown = self.file.display();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Failed::new(format!("{shown} cannot be read: {error}")))?;
        let table = Table::read(text).map_err(|wrong| Failed::new(format!("{shown} cannot be used: {wrong}")))?;
        let before = BuiltIn::default().current();
        for (word, one, other) in [("new", &*before, &table), ("gone", &table, &*before)] {
            for (provider, id) in other.models().filter(|(provider, id)| one.get(provider, id).is_none()) {
                print::aside(format_args!("{word}: {provider} {id}"));
            }
        }
        print::text(table);
        Ok(())
    }
}
