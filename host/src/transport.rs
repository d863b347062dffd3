//! The way to a provider and back: one HTTP client per provider with its TLS settings, a rule for where requests may go, and the
//! cutting of streams into frames. [`Upstream`] is a provider as the wire sees it; both ways of talking to one, `passthrough` and
//! `adapter`, send through it.

mod ask;
pub mod aws;
pub mod canned;
mod connect;
pub mod egress;
mod encoding;
pub mod environment;
pub mod frame;
pub mod http;
mod http1;
pub mod key_file;
mod metadata;
pub mod oauth;
pub mod pieces;
mod pool;
pub mod renewed;
#[cfg(test)]
mod service;
pub mod signer;
pub mod tls;
pub mod tokens;

use std::time::Duration;

use hyper::header::{self, HeaderMap, HeaderValue};
use url::Url;

pub use crate::config::{Auth, Issuer};
use crate::secret::Secret;

/// A provider as the wire sees it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The provider's id.
    pub id: String,
    /// Where it is: no query, no fragment, no trailing slash, and without a `/chat/completions` that was copied along.
    pub base: Url,
    /// Its key, if it has one.
    pub key: Option<Secret>,
    /// How the key travels, where the operator said so; else the adapter says, and without one it is [`Auth::Bearer`].
    pub auth: Option<Auth>,
    /// Headers of the operator's for every request, `{api_key}` already filled in. They win over [`Upstream::auth`].
    pub headers: HeaderMap,
    /// The operator's values for fields that a client left out: the key and the JSON text of each.
    pub defaults: Vec<(String, String)>,
    /// From sending to the head of the answer.
    pub timeout: Duration,
    /// The longest silence inside an answer.
    pub idle_timeout: Duration,
    /// How often a failed try is repeated.
    pub retries: u32,
    /// Where requests may go.
    pub egress: egress::Policy,
    /// Connections.
    pub client: http::Client,
}

impl Upstream {
    /// `path` (with a leading slash) below the base URL, the base URL's own path kept.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let joined = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&joined);
        url
    }

    /// Puts the credentials on a request to this provider's own origin.
    pub fn authorize(&self, auth: &Auth, url: &mut Url, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        let Some(key) = self.key.as_ref().map(Secret::expose).filter(|key| !key.is_empty()) else {
            return;
        };
        let (name, value) = match auth {
            Auth::None => return,
            Auth::Query { name } => {
                url.query_pairs_mut().append_pair(name, key);
                return;
            }
            // A key goes before a signature: it is a token for the same service.
            Auth::Bearer | Auth::AwsSigV4 { .. } | Auth::OAuth { key: None, .. } => {
                (header::AUTHORIZATION, format!("Bearer {key}"))
            }
            Auth::Header { name, prefix } => (name.clone(), format!("{prefix}{key}")),
            Auth::OAuth { key: Some(name), .. } => (name.clone(), key.to_owned()),
            Auth::Basic => (header::AUTHORIZATION, basic(key)),
        };
        if !self.headers.contains_key(&name)
            && let Ok(mut value) = HeaderValue::try_from(value)
        {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
}

fn basic(key: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let pair = if key.contains(':') {
        key.to_owned()
    } else {
        format!("{key}:")
    };
    format!("Basic {}", STANDARD.encode(pair))
}
