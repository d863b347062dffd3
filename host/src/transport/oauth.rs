//! Access tokens as bearers, for adapters that declare one of OAuth's auth kinds. [`Client`] keeps a provider's token and puts it on
//! requests; who gives it out, and for what, is `grant`'s (client credentials, at the operator's address), `entra`'s (Microsoft's) and
//! `google`'s.

mod entra;
mod google;
mod grant;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use self::{entra::Identity, google::Account, grant::Grant};
use super::{
    Issuer,
    ask::ask,
    environment::Environment,
    http::Outgoing,
    renewed::{Held, Renewed},
};
use crate::{
    error::{Error, Result},
    secret::Secret,
};

/// How long a token is kept whose life is not told.
const UNTOLD: Duration = Duration::from_mins(5);
/// The setting that the adapter sees too.
const PROJECT: &str = "project_id";
/// No token is kept longer.
const LONGEST: Duration = Duration::from_hours(24);

/// The settings that are for an issuer's tokens, and not for the adapter.
pub fn settings(issuer: Issuer) -> &'static [&'static str] {
    match issuer {
        Issuer::Named => grant::SETTINGS,
        Issuer::Entra => entra::SETTINGS,
        Issuer::Google => google::SETTINGS,
    }
}

/// What an adapter declares of it.
#[derive(Clone, Copy, Debug)]
pub struct Declared<'a> {
    /// Who gives the tokens out.
    pub issuer: Issuer,
    /// What a token is to allow, unless the operator says otherwise.
    pub scope: Option<&'a str>,
    /// The header of a provider's own key.
    pub key: Option<&'a HeaderName>,
}

/// Who a provider's requests are from, and the token that says so. Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    provider: String,
    /// A header that stands for a token, if the operator sets it himself.
    key: Option<HeaderName>,
    source: Source,
    token: Renewed<Secret>,
}

/// Where tokens come from.
enum Source {
    Named(Grant),
    Entra(Identity),
    Google(Account),
}

/// What the operator said of the tokens, and the environment.
struct Said<'a> {
    settings: Map<String, Value>,
    secrets: &'a BTreeMap<String, Secret>,
    environment: Environment,
}

/// What whoever gives out tokens answers.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    /// In seconds from now.
    expires_in: Option<Value>,
    /// In seconds since 1970.
    expires_on: Option<Value>,
}

/// How it says no.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    #[serde(alias = "message")]
    error_description: String,
}

impl Client {
    /// The client that asks for `provider`'s tokens. What is for it is taken out of the provider's settings.
    pub fn take(
        provider: &str,
        declared: &Declared<'_>,
        settings: &mut Map<String, Value>,
        secrets: &BTreeMap<String, Secret>,
        environment: Environment,
    ) -> Self {
        let taken = self::settings(declared.issuer).iter();
        let said = Said {
            settings: taken.filter_map(|name| settings.remove_entry(*name)).collect(),
            secrets,
            environment,
        };
        let source = match declared.issuer {
            Issuer::Named => Source::Named(Grant::new(&said, declared.scope)),
            Issuer::Entra => Source::Entra(Identity::new(said, declared.scope)),
            Issuer::Google => Source::Google(Account::new(said, declared.scope)),
        };
        Self(Arc::new(Inner {
            provider: provider.to_owned(),
            key: declared.key.cloned(),
            source,
            token: Renewed::default(),
        }))
    }

    /// The operator says where the tokens come from, so that they go before a key.
    pub fn is_named(&self) -> bool {
        matches!(&self.0.source, Source::Google(account) if account.is_named())
    }

    /// Whether the tokens may go to `base`.
    pub fn goes_to(&self, base: &Url) -> bool {
        match &self.0.source {
            Source::Google(account) => account.goes_to(base),
            Source::Named(_) | Source::Entra(_) => true,
        }
    }

    /// Puts into the adapter's settings what the operator left out and the credentials know: Google's key files name a project.
    pub fn complete(&self, settings: &mut Map<String, Value>) {
        if let Source::Google(account) = &self.0.source
            && !settings.contains_key(PROJECT)
            && let Some(project) = account.project()
        {
            settings.insert(PROJECT.to_owned(), project.into());
        }
    }

    /// Puts a token on a request, and says which. One that has an `authorization`, or the header of a key, already keeps it: the
    /// operator's headers win.
    pub async fn sign(&self, request: &mut Outgoing) -> Result<Option<Arc<Held<Secret>>>> {
        let own = self.0.key.as_ref().is_some_and(|key| request.headers.contains_key(key));
        if own || request.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let fetch = || {
            let inner = Arc::clone(&self.0);
            async move { inner.fetch().await }
        };
        let token = self.0.token.get(&self.0.provider, fetch).await?;
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let mut value = value.map_err(|_| self.0.misconfigured("its access token has control characters in it"))?;
        value.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, value);
        Ok(Some(token))
    }

    /// Forgets a token that a provider did not take.
    pub fn forget(&self, refused: &Arc<Held<Secret>>) {
        self.0.token.forget(refused);
    }
}

impl Inner {
    async fn fetch(&self) -> Result<Held<Secret>> {
        let fetched = match &self.source {
            Source::Named(grant) => grant.fetch().await,
            Source::Entra(identity) => identity.fetch().await,
            Source::Google(account) => account.fetch().await,
        };
        fetched.map_err(|reason| self.misconfigured(&format!("no access token: {reason}")))
    }

    fn misconfigured(&self, reason: &str) -> Error {
        Error::Misconfigured {
            provider: self.provider.clone(),
            reason: reason.to_owned(),
        }
    }
}

impl Said<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.settings.get(name)?.as_str().and_then(worded)
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        let secret = self.secrets.get(name).cloned();
        secret.or_else(|| self.text(name).map(Secret::new))
    }
}

/// A text without what surrounds it, if it says anything.
fn worded(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The request that exchanges the fields of a form for a token.
fn form(url: &str, fields: &[(&str, &str)]) -> Result<Outgoing, String> {
    let headers = [
        (CONTENT_TYPE, "application/x-www-form-urlencoded"),
        (ACCEPT, "application/json"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    let mut body = form_urlencoded::Serializer::new(String::new());
    Ok(Outgoing {
        method: Method::POST,
        url: Url::parse(url).map_err(|_| "the address of the tokens is no URL".to_owned())?,
        headers: HeaderMap::from_iter(headers),
        body: Bytes::from(body.extend_pairs(fields).finish()).into(),
        timeout: None,
    })
}

/// Sends such a request.
async fn exchange(request: Outgoing) -> Result<Held<Secret>, String> {
    let (status, text) = ask(request).await?;
    read(status, &text)
}

/// Reads what whoever gives out tokens answers.
fn read(status: u16, text: &str) -> Result<Held<Secret>, String> {
    if !(200..300).contains(&status) {
        let said: Refusal = serde_json::from_str(text).unwrap_or_default();
        // Microsoft's descriptions go on with ids of the case, line by line.
        let description = said.error_description.lines().next().unwrap_or_default();
        return Err(match (said.error.as_str(), description) {
            ("", "") => format!("status {status}"),
            ("", text) | (text, "") => text.to_owned(),
            (error, description) => format!("{error}: {description}"),
        });
    }
    let answer: Answer = serde_json::from_str(text).map_err(|_| "an answer without a token".to_owned())?;
    let until = |at: u64| {
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at))?;
        Some(at.duration_since(SystemTime::now()).unwrap_or_default())
    };
    let life = seconds(answer.expires_in).map(Duration::from_secs);
    let life = life.or_else(|| seconds(answer.expires_on).and_then(until));
    let life = life.unwrap_or(UNTOLD).min(LONGEST);
    Ok(Held::new(Secret::new(answer.access_token), Some(life)))
}

/// Some write a number as a text.
fn seconds(told: Option<Value>) -> Option<u64> {
    match told? {
        Value::String(text) => text.parse().ok(),
        told => told.as_u64(),
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("provider", &self.0.provider)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_and_a_refusal_names_its_reason() {
        let held = read(200, r#"{"access_token":"t","expires_in":"3600"}"#).unwrap();
        assert_eq!(held.expose(), "t");
        let refused = r#"{"error":"invalid_client","error_description":"The secret is wrong.\r\nTrace ID: 1"}"#;
        let said = read(401, refused).err();
        assert_eq!(said.as_deref(), Some("invalid_client: The secret is wrong."));
        assert_eq!(read(502, "<html>").err().as_deref(), Some("status 502"));
        assert!(read(200, "{}").is_err());
    }

    #[test]
    fn whatever_is_for_the_token_is_out_of_the_adapters_sight() {
        for issuer in [Issuer::Named, Issuer::Entra, Issuer::Google] {
            let all = settings(issuer).iter().map(|name| ((*name).to_owned(), "v".into()));
            let mut settings: Map<String, Value> = all.chain([("other".to_owned(), "v".into())]).collect();
            let declared = Declared {
                issuer,
                scope: None,
                key: None,
            };
            Client::take(
                "p",
                &declared,
                &mut settings,
                &BTreeMap::new(),
                Environment::new(|_| None),
            );
            assert_eq!(Value::Object(settings), serde_json::json!({"other": "v"}));
        }
    }
}
