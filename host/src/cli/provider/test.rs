//! `witgate provider test`: the five tests of one provider, through the pipeline that serves clients.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::trial::Trial;
use crate::{
    cli::{
        Failed, Outcome, block_on, print, progress,
        source::{Place, Source, no_provider, prepare},
    },
    config::{self, Config},
};

/// How long one test may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Try a provider: its key, its list of models, a chat, a stream, an error.
///
/// One test that fails does not stop the others; if any fails the command ends with 1. The tests send a few tokens' worth of requests,
/// to a provider that is disabled too.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate provider test our-models --config witgate.toml
  witgate provider test our-models --only chat --model our-large
  witgate provider test our-models --json")]
pub(super) struct Test {
    /// The provider's id or name
    provider: String,
    /// Only these tests
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Kind>,
    /// The model to chat with; else the provider's default, its first, or the first that it lists
    #[arg(long)]
    model: Option<String>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    place: Place,
}

/// One of the five tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// It takes the key
    #[value(alias = "authentication")]
    Auth,
    /// It lists its models
    Models,
    /// It answers
    Chat,
    /// It streams
    Streaming,
    /// It refuses what is wrong in a way that can be told to a client
    Errors,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Auth => "Authentication",
            Self::Models => "Model Listing",
            Self::Chat => "Basic Chat",
            Self::Streaming => "Streaming",
            Self::Errors => "Error Handling",
        }
    }
}

/// What a test came to.
struct Verdict {
    kind: Kind,
    /// What was seen, or what went wrong.
    outcome: Result<String, String>,
    latency: Duration,
}

impl Test {
    pub(super) fn run(self) -> Outcome {
        block_on(async {
            let (mut config, options) = self.source.read_for(&self.place).await?;
            config.providers = vec![chosen(&config, &self.provider)?];
            let core = prepare(config, &options).await?;
            let gateway = core.app.gateway();
            let trial = Trial::new(gateway, self.model.clone()).map_err(Failed::new)?;
            let mut verdicts = Vec::new();
            for kind in Kind::value_variants().iter().copied() {
                if self.only.is_empty() || self.only.contains(&kind) {
                    verdicts.push(progress::meanwhile(kind.name(), judge(&trial, kind)).await);
                }
            }
            self.show(&verdicts);
            if verdicts.iter().all(|verdict| verdict.outcome.is_ok()) {
                Ok(())
            } else {
                Err(Failed::said())
            }
        })
    }

    fn show(&self, verdicts: &[Verdict]) {
        if self.source.json {
            let tests: Vec<_> = verdicts.iter().map(Verdict::for_programs).collect();
            return print::json(&json!({ "provider": self.provider, "tests": tests }));
        }
        let mut table = print::table(&["Test", "Result", "Latency", ""]);
        for verdict in verdicts {
            let (word, good, detail) = match &verdict.outcome {
                Ok(seen) => ("passed", true, seen),
                Err(wrong) => ("failed", false, wrong),
            };
            let latency = format!("{} ms", verdict.latency.as_millis());
            table.add_row([
                verdict.kind.name().into(),
                print::verdict(word, good),
                latency.into(),
                detail.into(),
            ]);
        }
        print::line(table);
    }
}

impl Verdict {
    fn for_programs(&self) -> serde_json::Value {
        let latency = u64::try_from(self.latency.as_millis()).unwrap_or(u64::MAX);
        let (status, key, detail) = match &self.outcome {
            Ok(seen) => ("passed", "result", seen),
            Err(wrong) => ("failed", "error", wrong),
        };
        json!({ "name": self.kind.name(), "status": status, key: detail, "latency_ms": latency })
    }
}

/// The provider alone, and switched on.
fn chosen(config: &Config, wanted: &str) -> Result<Arc<config::Provider>, Failed> {
    let found = config.providers.iter().find(|provider| provider.is_called(wanted));
    let found = found.ok_or_else(|| no_provider(config, wanted))?;
    Ok(Arc::new(config::Provider {
        enabled: true,
        ..config::Provider::clone(found)
    }))
}

async fn judge(trial: &Trial, kind: Kind) -> Verdict {
    let started = Instant::now();
    let test = async {
        match kind {
            Kind::Auth => trial.authentication().await,
            Kind::Models => trial.model_listing().await,
            Kind::Chat => trial.basic_chat().await,
            Kind::Streaming => trial.streaming().await,
            Kind::Errors => trial.error_handling().await,
        }
    };
    let late = || {
        Err(format!(
            "no answer within {} seconds: is the server running and reachable?",
            PATIENCE.as_secs()
        ))
    };
    let outcome = tokio::time::timeout(PATIENCE, test).await.unwrap_or_else(|_| late());
    Verdict {
        kind,
        outcome,
        latency: started.elapsed(),
    }
}
