//! `witgate serve`: the gateway itself.

use std::path::PathBuf;

use clap::Args;

use super::{Failed, Outcome, block_on};
use crate::{config::check_listen, serve, telemetry};

/// Serve: OpenAI's API in front of every provider of the configuration.
///
/// Without --config the gateway looks for model servers on this machine's usual ports and for providers whose usual key variables are
/// set, says what it found, and serves that.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate serve
  witgate serve --config witgate.toml --listen localhost:4000
  RUST_LOG=witgate=debug witgate serve --config witgate.toml")]
pub(super) struct Serve {
    /// The configuration, TOML or JSON
    #[arg(long, value_name = "FILE", env = "WITGATE_CONFIG")]
    config: Option<PathBuf>,
    /// Where to listen instead of what the configuration says
    #[arg(long, value_name = "ADDR", value_parser = check_listen)]
    listen: Option<String>,
    /// Where adapters lie instead of what the configuration says
    #[arg(long, value_name = "DIR")]
    adapters: Option<PathBuf>,
    /// Where compiled adapters are kept
    #[arg(long, value_name = "DIR", default_value = ".witgate", env = "WITGATE_DATA")]
    data: PathBuf,
    /// Log as JSON, one object a line
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(super) fn run(self) -> Outcome {
        let _log = telemetry::log_to_stderr(self.json);
        let options = serve::Options {
            config: self.config,
            listen: self.listen,
            adapters: self.adapters,
            data: self.data,
        };
        block_on(async { serve::run(options).await.map_err(Failed::of_start) })
    }
}
