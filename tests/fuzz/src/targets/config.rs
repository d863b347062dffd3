//! `config::Config::parse`: the operator's file, as TOML and as JSON.

use witgate::config::{Config, Format};

use crate::memory;

/// What every variable of the environment holds. No message may show it: it may be a key.
const SECRET: &str = "sk-the-value-of-a-variable";

/// Reads the bytes as both formats.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for (format, file) in [(Format::Toml, "witgate.toml"), (Format::Json, "witgate.json")] {
        let environment = |name: &str| (!name.starts_with("NO")).then(|| SECRET.to_owned());
        // A tree of nodes with keys and lines, and a message for each mistake.
        let read = || Config::parse(text, format, file, &environment);
        match memory::within(2048 * data.len() + (4 << 20), read) {
            Ok(config) => {
                let names = config.providers.iter().map(|provider| &provider.id);
                assert!(names.clone().all(|id| !id.is_empty()), "a provider without a name");
            }
            Err(error) => {
                assert!(!error.problems.is_empty(), "who is refused is told why");
                let told = format!("{error} {error:?}");
                assert!(!told.contains(SECRET), "the value of a variable is in an error: {told}");
            }
        }
    }
}
