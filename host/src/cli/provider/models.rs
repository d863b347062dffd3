//! `witgate provider models`

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{
        Failed, Outcome, block_on, print, progress,
        source::{Place, Source, no_provider, prepare},
    },
    pipeline,
};

/// List the models that clients can name: the registered ones, and for a provider without any those it lists itself.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate provider models
  witgate provider models our-models --config witgate.toml
  witgate provider models --json")]
pub(super) struct Models {
    /// Only those of this provider
    provider: Option<String>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    place: Place,
}

impl Models {
    pub(super) fn run(self) -> Outcome {
        block_on(async {
            let (mut config, options) = self.source.read_for(&self.place).await?;
            if let Some(wanted) = &self.provider {
                if !config.providers.iter().any(|provider| provider.is_called(wanted)) {
                    return Err(no_provider(&config, wanted));
                }
                config.providers.retain(|provider| provider.is_called(wanted));
            }
            let core = prepare(config, &options).await?;
            let gateway = core.app.gateway();
            let models = progress::meanwhile("Asking for models", pipeline::models::list(&gateway)).await;
            for provider in &gateway.providers {
                if let Some(reason) = provider.unusable() {
                    print::aside(format_args!("provider `{}` cannot be used: {reason}", provider.id()));
                }
            }
            if self.source.json {
                print::json(&json!({ "object": "list", "data": models }));
            } else {
                show(&models);
            }
            if models.is_empty() { Err(Failed::said()) } else { Ok(()) }
        })
    }
}

fn show(models: &[Value]) {
    if models.is_empty() {
        return print::line("No models: `witgate provider test ID` says why a provider lists none.");
    }
    let mut table = print::table(&[
        "Model",
        "Provider",
        "Name",
        "Context window",
        "Longest answer",
        "USD per 1M in",
        "out",
        "Deprecated from",
    ]);
    let text = |model: &Value, key| match model.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    for model in models {
        let price = |key| model.get("pricing").map(|price| text(price, key)).unwrap_or_default();
        table.add_row([
            text(model, "id"),
            text(model, "owned_by"),
            text(model, "name"),
            text(model, "context_window"),
            text(model, "max_output_tokens"),
            price("input"),
            price("output"),
            text(model, "deprecation_date"),
        ]);
    }
    print::line(table);
}
