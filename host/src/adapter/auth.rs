//! Credentials that an adapter finds out by itself (its `authenticate`): cached per provider, fetched by one call at a time while the
//! others wait, renewed before they expire while they still serve, dropped after a 401.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::sync::Semaphore;
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
    transport::tokens::{Escape, Tokens},
};

/// Credentials are renewed when this much of their life is left, or a fifth of it if that is less.
const EARLY: Duration = Duration::from_mins(1);

/// How long a failure is the answer for everybody.
const FAILED: Duration = Duration::from_secs(1);

/// The credentials of one provider.
pub(super) struct Cache {
    current: ArcSwapOption<Credentials>,
    /// Held by whoever is fetching new ones.
    fetching: Arc<Semaphore>,
    /// The last time they could not be had. For a moment it is the answer for all who ask, so that a crowd of callers does not ask a
    /// provider that refuses one after the other.
    failed: ArcSwapOption<(Instant, Error)>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            current: ArcSwapOption::empty(),
            fetching: Arc::new(Semaphore::new(1)),
            failed: ArcSwapOption::empty(),
        }
    }
}

/// What `authenticate` returned.
pub(super) struct Credentials {
    headers: HeaderMap,
    query: Vec<(String, Secret)>,
    vars: Vec<(String, Var)>,
    renew: Option<Instant>,
    expire: Option<Instant>,
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
    pub(super) fn read(json: &str, tokens: &Tokens) -> Result<Self, &'static str> {
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
        let ttl = wire.ttl_ms.map(Duration::from_millis);
        let now = Instant::now();
        Ok(Self {
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
            renew: ttl.and_then(|ttl| now.checked_add(ttl - EARLY.min(ttl / 5))),
            expire: ttl.and_then(|ttl| now.checked_add(ttl)),
        })
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

    fn good(&self) -> bool {
        self.expire.is_none_or(|at| Instant::now() < at)
    }

    fn ripe(&self) -> bool {
        self.renew.is_some_and(|at| at <= Instant::now())
    }
}

impl Cache {
    /// Forgets `refused`, which a provider did not take; but not what somebody has fetched since.
    pub(super) fn forget(&self, refused: Option<&Arc<Credentials>>) {
        let current = self.current.load_full();
        if let (Some(current), Some(refused)) = (current, refused)
            && Arc::ptr_eq(&current, refused)
        {
            self.current.compare_and_swap(&current, None);
        }
    }

    fn failed(&self) -> Option<Error> {
        let failed = self.failed.load();
        let (at, error) = failed.as_deref()?;
        (at.elapsed() < FAILED).then(|| error.clone())
    }

    fn good(&self) -> Option<Arc<Credentials>> {
        self.current.load_full().filter(|credentials| credentials.good())
    }
}

/// The credentials for a call to `site`; `None` if its adapter declares an auth kind the host does natively.
pub(super) async fn credentials(
    runtime: &Runtime,
    site: &Arc<Site>,
    record: &Arc<Record>,
) -> Result<Option<Arc<Credentials>>> {
    if site.adapter.manifest.auth.is_some() {
        return Ok(None);
    }
    let cache = &site.credentials;
    if let Some(good) = cache.good() {
        if good.ripe() {
            renew(runtime, site, record);
        }
        return Ok(Some(good));
    }
    let fetching = cache.fetching.acquire().await;
    let _alone = fetching.map_err(|_| Error::Draining)?;
    if let Some(good) = cache.good() {
        return Ok(Some(good));
    }
    if let Some(failed) = cache.failed() {
        return Err(failed);
    }
    let fetched = fetch(runtime.clone(), Arc::clone(site), Arc::clone(record)).await;
    if let Err(error) = &fetched {
        cache.failed.store(Some(Arc::new((Instant::now(), error.clone()))));
    }
    fetched.map(Some)
}

/// Fetches new credentials beside the call that found the old ones near their end; one at a time. A failure is only logged: the old
/// ones still serve.
fn renew(runtime: &Runtime, site: &Arc<Site>, record: &Arc<Record>) {
    let Ok(alone) = Arc::clone(&site.credentials.fetching).try_acquire_owned() else {
        return;
    };
    let work = fetch(runtime.clone(), Arc::clone(site), Arc::clone(record));
    let provider = site.upstream.id.clone();
    runtime.wind_down(async move {
        let _alone = alone;
        if let Err(error) = work.await {
            tracing::warn!(provider, "credentials could not be renewed: {error}");
        }
    });
}

/// An exchange of its own. Boxed, since an exchange may need credentials.
fn fetch(
    runtime: Runtime,
    site: Arc<Site>,
    record: Arc<Record>,
) -> Pin<Box<dyn Future<Output = Result<Arc<Credentials>>> + Send>> {
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
        let fresh = Credentials::read(&json, exchange.tokens()).map_err(|what| exchange.lie(what))?;
        let fresh = Arc::new(fresh);
        site.credentials.current.store(Some(Arc::clone(&fresh)));
        Ok(fresh)
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

    #[test]
    fn credentials_are_renewed_before_they_expire() {
        let read = |json: &str| Credentials::read(json, &Tokens::default()).unwrap();
        let forever = read("{}");
        assert!(forever.good() && !forever.ripe());
        let gone = read(r#"{"ttl_ms":0}"#);
        assert!(!gone.good() && gone.ripe());
        let hour = read(r#"{"ttl_ms":3600000}"#);
        assert!(hour.expire.unwrap() - hour.renew.unwrap() == EARLY);
    }
}
