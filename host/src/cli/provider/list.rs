//! `witgate provider list`

use clap::Args;
use serde_json::json;

use crate::{
    cli::{Outcome, block_on, print, source::Source},
    config::{Provider, Via},
};

/// List the providers: where each is, where its key comes from (never the key), what it has.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate provider list
  witgate provider list --config witgate.toml --json")]
pub(super) struct List {
    #[command(flatten)]
    source: Source,
}

impl List {
    pub(super) fn run(self) -> Outcome {
        block_on(async {
            let config = self.source.read().await?;
            if self.source.json {
                let all: Vec<_> = config.providers.iter().map(|provider| for_programs(provider)).collect();
                print::json(&json!({ "providers": all }));
                return Ok(());
            }
            print::line(match config.providers.len() {
                0 => "No provider: give --config FILE, set a provider's key variable, or start a local model server."
                    .to_owned(),
                1 => "1 provider:".to_owned(),
                several => format!("{several} providers:"),
            });
            if !config.providers.is_empty() {
                print::line(for_people(&config.providers));
            }
            Ok(())
        })
    }
}

fn for_people(providers: &[std::sync::Arc<Provider>]) -> comfy_table::Table {
    let mut table = print::table(&[
        "Provider",
        "Base URL",
        "API key",
        "Speaks",
        "Models",
        "Default model",
        "Priority",
        "",
    ]);
    for provider in providers {
        let state = match (provider.enabled, provider.built_in) {
            (false, _) => "disabled",
            (true, true) => "found",
            (true, false) => "",
        };
        table.add_row([
            called(provider),
            base_url(provider).to_owned(),
            provider.key.source.to_string(),
            speaks(provider),
            models(provider),
            provider.default_model.clone().unwrap_or_default(),
            provider.priority.to_string(),
            state.to_owned(),
        ]);
    }
    table
}

fn for_programs(provider: &Provider) -> serde_json::Value {
    let models: Vec<_> = provider.models.iter().map(|model| &model.id).collect();
    json!({
        "id": provider.id,
        "name": provider.name,
        "type": provider.type_,
        "api": provider.api.as_str(),
        "adapter": provider.adapter,
        "base_url": provider.base_url.as_ref().map(|_| base_url(provider)),
        "api_key": provider.key.source.to_string(),
        "has_key": provider.key.secret.is_some(),
        "default_model": provider.default_model,
        "models": models,
        "priority": provider.priority,
        "enabled": provider.enabled,
        "found": provider.built_in,
    })
}

fn called(provider: &Provider) -> String {
    if provider.id == provider.name {
        provider.id.clone()
    } else {
        format!("{} ({})", provider.id, provider.name)
    }
}

fn base_url(provider: &Provider) -> &str {
    provider
        .base_url
        .as_ref()
        .map_or("", |url| url.as_str().trim_end_matches('/'))
}

fn speaks(provider: &Provider) -> String {
    match provider.via() {
        Via::Native => provider.api.as_str().to_owned(),
        Via::Adapter(id) => format!("adapter {id}"),
        Via::Type(type_) => format!("adapter for {type_}"),
    }
}

fn models(provider: &Provider) -> String {
    match provider.models.len() {
        0 => "any".to_owned(),
        count => count.to_string(),
    }
}
