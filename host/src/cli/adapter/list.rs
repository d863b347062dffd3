//! `witgate adapter list`: every file in the adapter folder, and what has become of it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use crate::{
    adapter::{Limits, Runtime},
    cli::{Failed, Outcome, print, progress},
    config::Config,
    reload::{Adapters, Pace, Reload, Settings, State, Status, Version, fit::Need},
    telemetry::Telemetry,
};

/// Every file in the adapter folder: what it is, whether it can serve, and if not, why.
///
/// Loads them as the gateway would at a start, with their own tests, but asks no provider anything. What the gateway that runs now
/// serves is at GET /admin/adapters.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate adapter list
  witgate adapter list --config witgate.toml
  witgate adapter list --adapters /etc/witgate/adapters --json")]
pub(super) struct List {
    /// The configuration that names the adapter folder, and the providers whose settings have to fit
    #[arg(long, value_name = "FILE", env = "WITGATE_CONFIG")]
    config: Option<PathBuf>,
    /// The adapter folder instead of what the configuration says
    #[arg(long, value_name = "DIR")]
    adapters: Option<PathBuf>,
    /// Where compiled adapters are kept
    #[arg(long, value_name = "DIR", default_value = ".witgate", env = "WITGATE_DATA")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> Outcome {
        let config = match &self.config {
            Some(file) => Config::load(file).map_err(Failed::config)?,
            None => Config::default(),
        };
        let dir = self.adapters.as_ref().unwrap_or(&config.adapters.dir);
        if !dir.is_dir() {
            let dir = dir.display();
            return Err(Failed::new(format!(
                "there is no folder `{dir}`: name the adapter folder with --adapters DIR"
            )));
        }
        let states = self.load(dir, &config)?;
        if self.json {
            print::json(&serde_json::json!({ "adapters": *states }));
        } else if states.is_empty() {
            print::line(format_args!(
                "No adapters: there is no *.wasm file in {}.",
                dir.display()
            ));
        } else {
            show(&states);
        }
        Ok(())
    }

    fn load(&self, dir: &Path, config: &Config) -> Result<Arc<Vec<State>>, Failed> {
        let runtime = Runtime::new(&Limits::default()).map_err(Failed::new)?;
        let adapters = Arc::new(Adapters::default());
        let settings = Settings {
            dir: dir.to_owned(),
            cache: Some(self.data.join("compiled")),
            needs: config
                .providers
                .iter()
                .filter_map(|provider| Need::of(provider))
                .collect(),
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
