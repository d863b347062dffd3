//! `witgate check`: the configuration and every adapter, without serving.

use clap::Args;
use serde_json::json;

use super::{
    Failed, Outcome, block_on, print,
    source::{Place, Source, prepare},
};
use crate::{
    config::{Config, Note},
    gateway::Gateway,
    reload::{State, Status},
};

/// Check the configuration and every adapter. No port is bound and nothing is sent.
///
/// Ends with 64 if the configuration is wrong, and with 1 if an adapter is refused or a provider cannot be used.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate check --config witgate.toml
  witgate check --config witgate.toml --json")]
pub(super) struct Check {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    place: Place,
}

/// What was seen.
struct Findings {
    warnings: Vec<Note>,
    later: Vec<Note>,
    adapters: Vec<State>,
    /// Provider, and why it cannot be used.
    unusable: Vec<(String, String)>,
    providers: usize,
}

impl Check {
    pub(super) fn run(self) -> Outcome {
        block_on(async {
            let (config, options) = self.source.read_for(&self.place).await?;
            let Config { warnings, later, .. } = config.clone();
            let core = prepare(config, &options).await?;
            let findings = Findings::of(
                &core.app.gateway(),
                core.app.adapters.states().to_vec(),
                warnings,
                later,
            );
            if self.source.json {
                findings.for_programs();
            } else {
                findings.for_people();
            }
            if findings.good() { Ok(()) } else { Err(Failed::said()) }
        })
    }
}

impl Findings {
    fn of(gateway: &Gateway, adapters: Vec<State>, warnings: Vec<Note>, later: Vec<Note>) -> Self {
        let enabled = gateway.providers.iter().filter(|provider| provider.config.enabled);
        let unusable = enabled.filter_map(|p| Some((p.id().to_owned(), p.unusable()?.to_owned())));
        Self {
            warnings,
            later,
            adapters,
            unusable: unusable.collect(),
            providers: gateway.providers.len(),
        }
    }

    fn good(&self) -> bool {
        self.unusable.is_empty() && self.adapters.iter().all(|adapter| adapter.status == Status::Serving)
    }

    fn for_people(&self) {
        for note in &self.warnings {
            print::line(format_args!("warning: {}`{}` {}", place(note), note.key, note.message));
        }
        for note in &self.later {
            print::line(format_args!(
                "later: {}`{}` is read and checked, and acts in a later version ({})",
                place(note),
                note.key,
                note.message
            ));
        }
        if !self.adapters.is_empty() {
            let mut table = print::table(&["Adapter", "Version", "Status", ""]);
            for adapter in &self.adapters {
                let version = adapter.serving.as_ref().map(|serving| serving.version.clone());
                table.add_row([
                    adapter.id.clone().unwrap_or_else(|| adapter.file.clone()).into(),
                    version.unwrap_or_default().into(),
                    print::verdict(adapter.status.as_str(), adapter.status == Status::Serving),
                    adapter.reason.clone().unwrap_or_default().into(),
                ]);
            }
            print::line(table);
        }
        for (provider, reason) in &self.unusable {
            print::line(format_args!("provider `{provider}` cannot be used: {reason}"));
        }
        let (providers, adapters) = (self.providers, self.adapters.len());
        let verdict = if self.good() { "All is good" } else { "Not all is good" };
        print::line(format_args!(
            "{verdict}: {} and {}.",
            count(providers, "provider"),
            count(adapters, "adapter")
        ));
    }

    fn for_programs(&self) {
        let notes = |notes: &[Note]| -> Vec<_> {
            let note = |note: &Note| json!({ "line": note.line, "key": note.key, "message": note.message });
            notes.iter().map(note).collect()
        };
        let unusable: Vec<_> = self
            .unusable
            .iter()
            .map(|(id, reason)| json!({ "provider": id, "reason": reason }))
            .collect();
        print::json(&json!({
            "ok": self.good(),
            "warnings": notes(&self.warnings),
            "later": notes(&self.later),
            "adapters": self.adapters,
            "unusable": unusable,
        }));
    }
}

fn place(note: &Note) -> String {
    note.line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
