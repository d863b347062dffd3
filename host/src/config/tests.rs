//! What the configuration promises to its author.

mod examples;
mod mistakes;
mod seeds;
mod values;

use super::{Config, ConfigError, Format};

/// Reads TOML with `variables` as its environment.
fn toml(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    read(text, Format::Toml, variables)
}

fn read(text: &str, format: Format, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Config::parse(text, format, "witgate.toml", &lookup)
}

/// The one provider of a configuration.
fn only(config: &Config) -> &super::Provider {
    assert_eq!(config.providers.len(), 1);
    config.providers.first().expect("just counted")
}
