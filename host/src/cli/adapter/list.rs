//! `witgate adapter list`: every file in the adapter folder, and what has become of it.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use crate::{
    adapter::{Limits, Runtime},
    cli::{Failed, Outcome, print, progress},
    reload::{Adapters, Pace, Reload, Settings, State, Status, Version},
    telemetry::Telemetry,
};

/// Every file in the adapter folder: what it is, whether it can serve, and if not, why.
///
/// Loads them as the gateway would at a start, with their own tests, but asks no provider anything. What the gateway that runs now
/// serves is at GET /admin/adapters.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate adapter list
  witgate adapter list --adapters /etc/witgate/adapters --json")]
pub(super) struct List {
    /// The adapter folder
    #[arg(long, value_name = "DIR", default_value = "adapters")]
    adapters: PathBuf,
    /// Where compiled adapters are kept
    #[arg(long, value_name = "DIR", default_value = ".witgate", env = "WITGATE_DATA")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> Outcome {
        if !self.adapters.is_dir() {
            let dir = self.adapters.display();
            return Err(Failed::new(format!(
                "there is no folder `{dir}`: name the adapter folder with --adapters DIR"
            )));
        }
        let states = self.load()?;
        if self.json {
            print::json(&serde_json::json!({ "adapters": *states }));
        } else if states.is_empty() {
            print::line(format_args!(
                "No adapters: there is no *.wasm file in {}.",
                self.adapters.display()
            ));
        } else {
            show(&states);
        }
        Ok(())
    }

    fn load(&self) -> Result<Arc<Vec<State>>, Failed> {
        let runtime = Runtime::new(&Limits::default()).map_err(Failed::new)?;
        let adapters = Arc::new(Adapters::default());
        let settings = Settings {
            dir: self.adapters.clone(),
            cache: Some(self.data.join("compiled")),
            needs: Vec::new(),
            // Nobody waits here for a file to be finished.
            pace: Pace {
                patience: std::time::Duration::ZERO,
                ..Pace::default()
            },
        };
        progress::during(
            || compiling(&adapters.states()),
            || {
                drop(Reload::open(
                    settings,
                    Arc::clone(&adapters),
                    runtime,
                    Arc::new(Telemetry::default()),
                ));
            },
        );
        Ok(adapters.states())
    }
}

fn compiling(states: &[State]) -> String {
    let busy: Vec<_> = states
        .iter()
        .filter(|state| matches!(state.status, Status::Compiling | Status::Waiting))
        .map(|state| state.file.as_str())
        .collect();
    format!("Compiling {}", busy.join(", "))
}

fn show(states: &[State]) {
    let mut table = print::table(&["Adapter", "Version", "Status", "Types", "Digest", "File"]);
    for state in states {
        let serving = state.serving.as_ref();
        let of = |what: fn(&Version) -> String| serving.map_or_else(|| "-".to_owned(), what);
        table.add_row([
            state.id.clone().unwrap_or_else(|| "-".to_owned()),
            of(|version| version.version.clone()),
            state.status.as_str().to_owned(),
            of(|version| version.types.join(", ")),
            of(|version| version.digest.to_string().chars().take(12).collect()),
            state.file.clone(),
        ]);
    }
    print::line(table);
    for state in states {
        if let Some(reason) = &state.reason {
            print::line(format_args!("\n{}: {reason}", state.file));
        }
    }
}
