//! The providers that are known by name (`known.toml`): what discovery looks for, and what `type = "groq"` stands for. No other file
//! of the host knows a provider; those whose API is their own are adapters.

use std::sync::LazyLock;

use serde::Deserialize;
use url::Url;

use super::{Api, base_url};

/// `known.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    pub(super) servers: Vec<Server>,
    pub(super) described: Vec<Described>,
    pub(super) hosted: Vec<Hosted>,
}

/// A model server that people run themselves. It speaks OpenAI's API below `/v1`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) id: String,
    #[serde(default)]
    pub(super) also: Vec<String>,
    /// It has an API of its own too, which an adapter serves under this type; found by its port, it is asked in OpenAI's.
    #[serde(rename = "type")]
    pub(super) type_: Option<String>,
    pub(super) port: u16,
    pub(super) owned_by: Option<String>,
}

/// A provider that variables describe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Described {
    pub(super) id: String,
    pub(super) base_url: String,
    pub(super) key: String,
    pub(super) model: Option<String>,
    pub(super) instead_of: Option<String>,
}

/// A provider on the network.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hosted {
    pub(super) id: String,
    #[serde(default)]
    pub(super) also: Vec<String>,
    /// Its API is its own, and an adapter serves it under this type.
    #[serde(rename = "type")]
    pub(super) type_: Option<String>,
    pub(super) base_url: String,
    pub(super) key: String,
    #[serde(default)]
    pub(super) claims: Vec<String>,
    /// Its APIs beside Chat Completions.
    #[serde(default)]
    pub(super) apis: Vec<Api>,
}

/// What a provider `type` of the table stands for: OpenAI's API at a certain place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stands {
    /// Its name in the table.
    pub(super) id: &'static str,
    /// Where it is, unless the operator says otherwise.
    pub(super) base_url: Url,
    /// The variable its key is usually in; `None` for servers that want none.
    pub(super) key: Option<&'static str>,
    /// The APIs it has beside Chat Completions.
    pub(super) apis: &'static [Api],
}

/// The table.
pub(super) fn table() -> &'static Known {
    static TABLE: LazyLock<Known> = LazyLock::new(|| {
        toml::from_str(include_str!("known.toml")).expect("the table is part of the program, and a test reads it")
    });
    &TABLE
}

/// What `type_` stands for, if it is a provider that speaks OpenAI's API itself; case does not count.
pub(super) fn stands_for(type_: &str) -> Option<Stands> {
    let Known { servers, hosted, .. } = table();
    let is = |id: &str, also: &[String]| {
        id.eq_ignore_ascii_case(type_) || also.iter().any(|a| a.eq_ignore_ascii_case(type_))
    };
    if let Some(row) = hosted.iter().find(|row| row.type_.is_none() && is(&row.id, &row.also)) {
        let (base_url, _) = base_url::normalise(&row.base_url).ok()?;
        return Some(Stands {
            id: &row.id,
            base_url,
            key: Some(&row.key),
            apis: &row.apis,
        });
    }
    let row = servers
        .iter()
        .find(|row| row.type_.is_none() && is(&row.id, &row.also))?;
    Some(Stands {
        id: &row.id,
        base_url: row.base_url()?,
        key: None,
        apis: &[],
    })
}

/// The provider on the network that is at `url`, if it is one of the table.
pub(super) fn at(url: &Url) -> Option<&'static str> {
    let here = |row: &&Hosted| Url::parse(&row.base_url).is_ok_and(|base| base.host() == url.host());
    table().hosted.iter().find(here).map(|row| row.id.as_str())
}

impl Server {
    /// Where it listens if nobody told it otherwise.
    pub(super) fn base_url(&self) -> Option<Url> {
        Some(
            base_url::normalise(&format!("http://127.0.0.1:{}/v1", self.port))
                .ok()?
                .0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let Known { servers, hosted, .. } = table();
        for row in hosted {
            let (url, cut) = base_url::normalise(&row.base_url).unwrap_or_else(|_| panic!("{}", row.id));
            assert_eq!((url.scheme(), cut), ("https", None), "{}", row.id);
            let lower = row.claims.iter().all(|claim| claim.to_lowercase() == *claim);
            assert!(lower, "{}", row.id);
        }
        let hosted = hosted.iter().flat_map(|row| std::iter::once(&row.id).chain(&row.also));
        let servers = servers.iter().flat_map(|row| std::iter::once(&row.id).chain(&row.also));
        let mut names: Vec<_> = hosted.chain(servers).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "a name stands for one provider");
    }

    #[test]
    fn a_type_of_the_table_is_a_place_and_a_key() {
        let groq = stands_for("Groq").unwrap();
        assert_eq!(
            (groq.base_url.as_str(), groq.key),
            ("https://api.groq.com/openai/v1", Some("GROQ_API_KEY"))
        );
        let vllm = stands_for("vllm").unwrap();
        assert_eq!((vllm.base_url.as_str(), vllm.key), ("http://127.0.0.1:8000/v1", None));
        assert_eq!(stands_for("togetherai"), stands_for("together"));
        assert_eq!(stands_for("anthropic"), None, "its API is its own");
        assert_eq!(stands_for("openai-compatible"), None);
    }
}
