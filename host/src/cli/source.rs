//! Where a command has the configuration from: a file, or what is found.

use std::path::PathBuf;

use clap::Args;

use super::Failed;
use crate::config::{self, Config};

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

impl Source {
    /// The configuration, with what is found if it says so.
    pub(super) async fn read(&self) -> Result<Config, Failed> {
        let mut config = match &self.config {
            Some(file) => Config::load(file).map_err(Failed::config)?,
            None => Config {
                discover: true,
                ..Config::default()
            },
        };
        if config.discover {
            config::discover::add(&mut config).await;
        }
        Ok(config)
    }
}
