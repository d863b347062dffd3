//! Where a command has the configuration from: a file, or what is found.

use std::path::PathBuf;

use clap::Args;

use super::{Failed, progress};
use crate::{
    config::Config,
    serve::{self, Core, Options},
};

/// The options of every command that needs the configuration.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Source {
    /// The configuration, TOML or JSON; without one, what is found on this machine
    #[arg(long, value_name = "FILE", env = "WITGATE_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// The options of every command that needs adapters too.
#[derive(Args, Clone, Debug)]
pub(super) struct Place {
    /// Where adapters lie instead of what the configuration says
    #[arg(long, value_name = "DIR")]
    adapters: Option<PathBuf>,
    /// Where compiled adapters are kept
    #[arg(long, value_name = "DIR", default_value = ".witgate", env = "WITGATE_DATA")]
    data: PathBuf,
}

impl Source {
    /// The configuration, with what is found if it says so.
    pub(super) async fn read(&self) -> Result<Config, Failed> {
        self.read_with(&self.options(None)).await
    }

    /// The same for commands that need adapters, and what they are prepared with.
    pub(super) async fn read_for(&self, place: &Place) -> Result<(Config, Options), Failed> {
        let options = self.options(Some(place));
        Ok((self.read_with(&options).await?, options))
    }

    async fn read_with(&self, options: &Options) -> Result<Config, Failed> {
        serve::configure(options).await.map_err(Failed::config)
    }

    fn options(&self, place: Option<&Place>) -> Options {
        Options {
            config: self.config.clone(),
            listen: None,
            adapters: place.and_then(|place| place.adapters.clone()),
            data: place.map(|place| place.data.clone()).unwrap_or_default(),
        }
    }
}

/// The gateway for `config`, without a listener.
pub(super) async fn prepare(config: Config, options: &Options) -> Result<Core, Failed> {
    let work = serve::prepare(config, options);
    progress::meanwhile("Loading the adapters", work)
        .await
        .map_err(Failed::of_start)
}

/// No provider is called `id`.
pub(super) fn no_provider(config: &Config, id: &str) -> Failed {
    let known: Vec<_> = config.providers.iter().map(|provider| provider.id.as_str()).collect();
    if known.is_empty() {
        return Failed::new(
            "there is no provider: give --config FILE, set a provider's key variable, or start a local model server",
        );
    }
    Failed::new(format!("there is no provider `{id}`: there are {}", known.join(", ")))
}
