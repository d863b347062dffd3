//! `witgate route`: where a model name leads.

use clap::Args;
use serde_json::json;

use super::{Failed, Outcome, block_on, print, source::Source};
use crate::{config::Config, route::Table};

/// Explain which provider a model name leads to, and what it is called there.
///
/// A name is looked up in three tiers, each over all providers: a registered model, a provider's name, `provider/model`. Ends with 1 if
/// the name leads nowhere.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate route our-large --config witgate.toml
  witgate route \"Our models/some-model:32b\" --config witgate.toml
  witgate route our-models --json")]
pub(super) struct Route {
    /// The name, as a client writes it in `model`
    model: String,
    #[command(flatten)]
    source: Source,
}

impl Route {
    pub(super) fn run(self) -> Outcome {
        block_on(async {
            let config = self.source.read().await?;
            let table = Table::new(&config.providers);
            if self.source.json {
                print::json(&decision(&config, &table, &self.model));
            } else {
                for line in table.explain(&self.model) {
                    print::line(line);
                }
            }
            table.resolve(&self.model).map(|_| ()).map_err(|_| Failed::said())
        })
    }
}

/// The decision for programs.
fn decision(config: &Config, table: &Table, model: &str) -> serde_json::Value {
    match table.resolve(model) {
        Err(missing) => json!({ "model": model, "candidates": [], "hint": missing.to_string() }),
        Ok(found) => {
            let candidates: Vec<_> = found
                .iter()
                .filter_map(|candidate| {
                    let provider = config.providers.get(candidate.provider)?;
                    Some(json!({
                        "provider": provider.id,
                        "model": candidate.model,
                        "matched_by": candidate.matched_by.as_str(),
                        "priority": provider.priority,
                    }))
                })
                .collect();
            json!({ "model": model, "candidates": candidates })
        }
    }
}
