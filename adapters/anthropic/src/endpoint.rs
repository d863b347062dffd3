//! Where a request goes and what its headers say.

use serde::Deserialize;
use witgate_sdk::{Context, Request};

/// The version of the API that this adapter was written for.
const VERSION: &str = "2023-06-01";

/// The provider's settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    anthropic_version: Option<String>,
    anthropic_beta: Option<String>,
    /// `max_tokens` for clients that name none
    pub(crate) default_max_tokens: Option<u64>,
}

impl Config {
    /// Adds the headers that tell the API's version: the operator's, else the one that the client's own request is written for.
    /// `needed`: the beta that this request needs.
    pub(crate) fn versions(&self, request: Request, ctx: &Context, needed: Option<&str>) -> Request {
        let client = ctx.ext("header.anthropic-version");
        let version = self.anthropic_version.as_deref().or(client).unwrap_or(VERSION);
        let request = request.header("anthropic-version", version);
        let betas = self.betas(ctx.ext("header.anthropic-beta"), needed);
        if betas.is_empty() {
            return request;
        }
        request.header("anthropic-beta", betas)
    }

    /// The beta words of operator, client and request, each once.
    fn betas(&self, client: Option<&str>, needed: Option<&str>) -> String {
        let mut betas: Vec<&str> = Vec::new();
        for list in [self.anthropic_beta.as_deref(), client, needed].into_iter().flatten() {
            for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
                if !betas.contains(&word) {
                    betas.push(word);
                }
            }
        }
        betas.join(",")
    }
}

/// The URL of `path` ("messages", "models"): base URLs are written with and without `/v1`, and by some with `/v1/messages`.
pub(crate) fn url(base: &str, path: &str) -> String {
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix("/messages").unwrap_or(base);
    let base = base.strip_suffix("/v1").unwrap_or(base);
    [base, "/v1/", path].concat()
}

#[cfg(test)]
mod tests {
    use super::{Config, url};

    #[test]
    fn every_way_to_write_the_base_url_leads_to_the_same_place() {
        for base in [
            "https://a.example",
            "https://a.example/v1",
            "https://a.example/v1/messages",
            "https://a.example/v1/",
        ] {
            assert_eq!(url(base, "messages"), "https://a.example/v1/messages");
        }
        assert_eq!(
            url("http://b.example/anthropic", "models"),
            "http://b.example/anthropic/v1/models"
        );
    }

    #[test]
    fn beta_words_of_operator_client_and_request_are_joined_once_each() {
        let config = Config {
            anthropic_beta: Some("a, b".to_owned()),
            ..Config::default()
        };
        assert_eq!(config.betas(Some("b,c"), Some("d")), "a,b,c,d");
        assert_eq!(Config::default().betas(None, None), "");
    }
}
