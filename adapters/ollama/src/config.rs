//! The operator's settings, and where the server is.

use std::collections::BTreeMap;

use serde::Deserialize;
use witgate_sdk::json::Raw;

/// The provider's settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config<'a> {
    /// options for clients that do not set them: `num_ctx`, …
    #[serde(borrow)]
    pub(crate) options: BTreeMap<String, Raw<'a>>,
    /// how long the model stays loaded
    #[serde(borrow)]
    pub(crate) keep_alive: Option<Raw<'a>>,
}

/// What base URLs are written with behind the host: those of Ollama's translation to OpenAI's API, too.
const ENDINGS: [&str; 5] = ["/v1", "/api/chat", "/api", "/v1/", "/"];

/// The URL of `path` ("chat").
pub(crate) fn url(base: &str, path: &str) -> String {
    let bare = ENDINGS.iter().find_map(|ending| base.strip_suffix(ending));
    [bare.unwrap_or(base), "/api/", path].concat()
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn every_way_to_write_the_base_url_leads_to_the_same_place() {
        for ending in ["", "/", "/v1", "/v1/", "/api", "/api/chat"] {
            let base = format!("http://localhost:11434{ending}");
            assert_eq!(url(&base, "chat"), "http://localhost:11434/api/chat", "{base}");
        }
    }
}
