//! Credentials that an adapter finds out by itself (its `authenticate`): kept per provider, forgotten after a 401.

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::{
    engine::Runtime,
    exchange::{Exchange, Turn},
    site::{NO_RANDOM, Site},
    task::{Role, Task},
};
use crate::{
    error::{Error, Result},
    record::Record,
    secret::Secret,
    transport::{
        renewed::Held,
        tokens::{Escape, Tokens},
    },
};

/// What `authenticate` returned.
pub(super) struct Credentials {
    headers: HeaderMap,
    query: Vec<(String, Secret)>,
    vars: Vec<(String, Var)>,
}

/// A value for the guest's `auth.KEY`. One that holds a secret gets a token in every call.
enum Var {
    Plain(String),
    Hidden(Secret),
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    vars: BTreeMap<String, String>,
    ttl_ms: Option<u64>,
}

impl Credentials {
    /// Reads what `authenticate` answered. Its tokens are those of its own call, so the secrets are put in now.
    pub(super) fn read(json: &str, tokens: &Tokens) -> Result<Held<Self>, &'static str> {
        let wire: Wire =
            serde_json::from_str(json).map_err(|_| "credentials that are not {headers, query, ttl_ms, vars}")?;
        let mut headers = HeaderMap::with_capacity(wire.headers.len());
        for (name, value) in &wire.headers {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| "credentials with a header name that is none")?;
            let mut value = HeaderValue::from_str(&tokens.reveal(value, Escape::Plain))
                .map_err(|_| "credentials with a control character in a header")?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let query = wire.query.into_iter();
        let vars = wire.vars.into_iter();
        let credentials = Self {
            headers,
            query: query
                .map(|(name, value)| (name, Secret::new(tokens.reveal(&value, Escape::Plain))))
                .collect(),
            vars: vars
                .map(|(name, value)| match tokens.reveal(&value, Escape::Plain) {
                    std::borrow::Cow::Borrowed(_) => (name, Var::Plain(value)),
                    std::borrow::Cow::Owned(secret) => (name, Var::Hidden(Secret::new(secret))),
                })
                .collect(),
        };
        Ok(Held::new(credentials, wire.ttl_ms.map(Duration::from_millis)))
    }

    /// Adds them to a request.
    pub(super) fn put(&self, url: &mut Url, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.query {
            url.query_pairs_mut().append_pair(name, value.expose());
        }
    }

    /// The guest's `auth.KEY` pairs.
    pub(super) fn vars(&self, tokens: &mut Tokens) -> Result<Vec<(String, String)>> {
        let mut pairs = Vec::with_capacity(self.vars.len());
        for (name, var) in &self.vars {
            let value = match var {
                Var::Plain(value) => value.clone(),
                Var::Hidden(secret) => tokens.issue(secret.clone()).ok_or(NO_RANDOM)?.to_owned(),
            };
            pairs.push((format!("auth.{name}"), value));
        }
        Ok(pairs)
    }
}

/// The credentials for a call to `site`; `None` if its adapter declares an auth kind the host does natively.
pub(super) async fn credentials(
    runtime: &Runtime,
    site: &Arc<Site>,
    record: &Arc<Record>,
) -> Result<Option<Arc<Held<Credentials>>>> {
    if site.adapter.manifest.auth.is_some() {
        return Ok(None);
    }
    let fetch = || fetch(runtime.clone(), Arc::clone(site), Arc::clone(record));
    site.credentials.get(&site.upstream.id, fetch).await.map(Some)
}

/// An exchange of its own. Boxed, since an exchange may need credentials.
fn fetch(
    runtime: Runtime,
    site: Arc<Site>,
    record: Arc<Record>,
) -> Pin<Box<dyn Future<Output = Result<Held<Credentials>>> + Send>> {
    Box::pin(async move {
        let task = Task::bare(Role::Authenticate);
        let mut exchange = Exchange::begin(&runtime, &site, task, &record).await?;
        let limit = runtime.limits().wall_clock;
        let turn = tokio::time::timeout(limit, exchange.advance()).await;
        let turn = turn.map_err(|_| Error::AdapterTimeout {
            adapter: site.adapter.id.to_string(),
            limit,
        })??;
        let Turn::Answer(json) = turn else {
            return Err(exchange.lie("an authentication that ends without credentials"));
        };
        Credentials::read(&json, exchange.tokens()).map_err(|what| exchange.lie(what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_with_a_token_keep_the_secret_and_a_var_with_one_gets_a_new_token() {
        let mut tokens = Tokens::default();
        let token = tokens.issue(Secret::new("s3cret")).unwrap().to_owned();
        let json = format!(
            r#"{{"headers":{{"authorization":"Key {token}"}},"query":{{"k":"{token}"}},"vars":{{"a":"1","b":"{token}"}},"ttl_ms":1000}}"#
        );
        let credentials = Credentials::read(&json, &tokens).unwrap();
        let (mut url, mut headers) = (Url::parse("https://h/x").unwrap(), HeaderMap::new());
        credentials.put(&mut url, &mut headers);
        assert_eq!(url.as_str(), "https://h/x?k=s3cret");
        assert_eq!(headers["authorization"], "Key s3cret");
        let mut later = Tokens::default();
        let vars = credentials.vars(&mut later).unwrap();
        assert_eq!(vars[0], ("auth.a".to_owned(), "1".to_owned()));
        assert_ne!(vars[1].1, token);
        assert_eq!(later.reveal(&vars[1].1, Escape::Plain), "s3cret");
    }
}
