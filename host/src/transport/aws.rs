//! Requests signed as AWS wants it, for adapters that declare the auth kind `aws-sigv4`. [`Signer`] is what a provider has of it: it
//! finds credentials (`chain`), keeps them until shortly before they expire, and signs the final bytes of each request (`sigv4`).
//! An adapter sees neither the credentials nor the signature.
//!
//! All of it is our own, over `ring`, the HTTP/1.1 client that is here anyway, and files: `aws-sigv4` brings twenty crates, other
//! versions of the hashes among them, and `aws-config` more than the rest of the gateway, for a few hundred lines. What is signed is
//! held against every published vector, and against botocore.

mod chain;
mod metadata;
mod profile;
mod sigv4;
mod sts;
mod time;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwapOption;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use url::{Position, Url};

pub use self::chain::Environment;
use self::{
    chain::{Chain, Found},
    time::Stamp,
};
use super::http::Outgoing;
use crate::{
    error::{Error, Result},
    secret::Secret,
};

/// The settings that are for the signature, and not for the adapter; beside them the secrets `secret_access_key` and `session_token`.
pub const SETTINGS: &[&str] = &[
    "access_key_id",
    "profile",
    "role_arn",
    "role_session_name",
    "web_identity_token_file",
    "credentials",
];
/// The setting that the adapter sees too, and gets from elsewhere where the operator leaves it out.
const REGION: &str = "region";
/// Credentials are renewed when this much of their life is left, or a fifth of it if that is less.
const EARLY: Duration = Duration::from_mins(5);
/// What does not say when it expires is looked up again after this time: files change.
const LOOKED_UP: Duration = Duration::from_mins(5);
/// What is missing where nothing names a region.
const NO_REGION: &str = "it has no `region`, and neither its `base_url` nor AWS_REGION nor the profile names one";
/// How long a failure is the answer for everybody.
const FAILED: Duration = Duration::from_secs(1);

/// Who a request is from.
#[derive(Clone, Debug)]
struct Credentials {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    expire: Option<SystemTime>,
}

/// What a provider's requests are signed with. Cheap to clone.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    provider: String,
    service: String,
    region: Option<String>,
    chain: Chain,
    current: ArcSwapOption<Held>,
    /// Held by whoever is looking for new ones.
    looking: Arc<Semaphore>,
    /// The last time there were none: for a moment the answer for all who ask.
    failed: ArcSwapOption<(Instant, Error)>,
}

/// Credentials, and how long they serve.
struct Held {
    found: Found,
    renew: Instant,
    expire: Option<Instant>,
}

impl Signer {
    /// The signer of `provider`'s requests to `service`. What is for it is taken out of the provider's settings, and the region put
    /// in where it is left out: that of the base URL, the environment or the profile.
    pub fn take(
        provider: &str,
        service: &str,
        base: &Url,
        settings: &mut Map<String, Value>,
        secrets: &BTreeMap<String, Secret>,
        environment: Environment,
    ) -> Self {
        let mut text = |name: &str| match settings.remove(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        };
        let chain = Chain {
            access_key_id: text("access_key_id"),
            secret_access_key: secrets.get("secret_access_key").cloned(),
            session_token: secrets.get("session_token").cloned(),
            profile: text("profile"),
            role_arn: text("role_arn"),
            role_session_name: text("role_session_name"),
            web_identity_token_file: text("web_identity_token_file"),
            only: text("credentials"),
            bearer_variable: format!(
                "AWS_BEARER_TOKEN_{}",
                service.to_ascii_uppercase().replace(['-', ' '], "_")
            ),
            environment,
        };
        let region = text(REGION)
            .or_else(|| region_of(base).map(str::to_owned))
            .or_else(|| chain.region());
        if let Some(region) = &region {
            settings.insert(REGION.to_owned(), region.as_str().into());
        }
        Self(Arc::new(Inner {
            provider: provider.to_owned(),
            service: service.to_owned(),
            region,
            chain,
            current: ArcSwapOption::empty(),
            looking: Arc::new(Semaphore::new(1)),
            failed: ArcSwapOption::empty(),
        }))
    }

    /// Signs a request over its final bytes. One that has an `authorization` already keeps it: the operator's headers win.
    pub async fn sign(&self, request: &mut Outgoing) -> Result<()> {
        if request.headers.contains_key(AUTHORIZATION) {
            return Ok(());
        }
        let held = self.credentials().await?;
        let inner = &self.0;
        let put = match (&held.found, &inner.region) {
            (Found::Bearer(key), _) => put(request, AUTHORIZATION, &format!("Bearer {}", key.expose())),
            (Found::Keys(credentials), Some(region)) => put_signature(request, credentials, region, &inner.service),
            (Found::Keys(_), None) => Err(NO_REGION),
        };
        put.map_err(|reason| inner.misconfigured(reason))
    }

    /// Forgets credentials that a provider calls expired. False if there is nothing newer to be had.
    pub fn forget(&self) -> bool {
        let inner = &self.0;
        let expires = |held: &Arc<Held>| matches!(&held.found, Found::Keys(keys) if keys.session_token.is_some());
        let known = inner.current.load_full().is_some_and(|held| expires(&held));
        inner.current.store(None);
        known && inner.chain.access_key_id.is_none()
    }

    /// Good credentials: those that are here, else new ones, looked for by one request at a time.
    async fn credentials(&self) -> Result<Arc<Held>> {
        let inner = &self.0;
        if let Some(good) = inner.good() {
            if good.renew <= Instant::now() {
                self.renew();
            }
            return Ok(good);
        }
        let looking = inner.looking.acquire().await;
        let _alone = looking.map_err(|_| Error::Draining)?;
        if let Some(good) = inner.good() {
            return Ok(good);
        }
        if let Some((at, error)) = inner.failed.load().as_deref()
            && at.elapsed() < FAILED
        {
            return Err(error.clone());
        }
        let looked = inner.look().await;
        if let Err(error) = &looked {
            inner.failed.store(Some(Arc::new((Instant::now(), error.clone()))));
        }
        looked
    }

    /// Looks for new ones beside the request that found the old near their end. A failure is only logged: the old still serve.
    fn renew(&self) {
        let Ok(alone) = Arc::clone(&self.0.looking).try_acquire_owned() else {
            return;
        };
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let _alone = alone;
            if let Err(error) = inner.look().await {
                tracing::warn!(
                    provider = inner.provider,
                    "AWS credentials could not be renewed: {error}"
                );
            }
        });
    }
}

impl Inner {
    fn good(&self) -> Option<Arc<Held>> {
        let held = self.current.load_full()?;
        held.expire.is_none_or(|at| Instant::now() < at).then_some(held)
    }

    async fn look(&self) -> Result<Arc<Held>> {
        let region = self.region.as_deref();
        let found = self
            .chain
            .find(region)
            .await
            .map_err(|reason| self.misconfigured(&reason))?;
        let held = Arc::new(Held::new(found));
        self.current.store(Some(Arc::clone(&held)));
        Ok(held)
    }

    fn misconfigured(&self, reason: &str) -> Error {
        Error::Misconfigured {
            provider: self.provider.clone(),
            reason: reason.to_owned(),
        }
    }
}

impl Held {
    fn new(found: Found) -> Self {
        let now = Instant::now();
        let expire = match &found {
            Found::Keys(Credentials { expire: Some(at), .. }) => {
                Some(now + at.duration_since(SystemTime::now()).unwrap_or_default())
            }
            _ => None,
        };
        let serves = expire.map_or(LOOKED_UP, |at| {
            let life = at - now;
            life - EARLY.min(life / 5)
        });
        Self {
            found,
            renew: now + serves,
            expire,
        }
    }
}

/// The headers that are part of what is signed: not those that somebody between here and there may change.
fn signed(headers: &hyper::HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    const CHANGING: [&str; 5] = ["accept", "user-agent", "x-amzn-trace-id", "expect", "content-length"];
    headers
        .iter()
        .filter(|(name, _)| !CHANGING.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

/// Signs a request as it stands; nothing of it may change afterwards.
fn put_signature(
    request: &mut Outgoing,
    credentials: &Credentials,
    region: &str,
    service: &str,
) -> Result<(), &'static str> {
    let now = Stamp::of(SystemTime::now());
    let hash = sigv4::hex_sha256(&request.body);
    put(request, HeaderName::from_static("x-amz-date"), &now.basic())?;
    put(request, HeaderName::from_static("x-amz-content-sha256"), &hash)?;
    if let Some(token) = &credentials.session_token {
        put(request, HeaderName::from_static("x-amz-security-token"), token.expose())?;
    }
    let mut headers: Vec<(&str, &str)> = signed(&request.headers).collect();
    // What the connection will write.
    headers.push((HOST.as_str(), &request.url[Position::BeforeHost..Position::AfterPort]));
    // The one service that takes paths as they are.
    let plain = service == "s3";
    let scope = sigv4::Scope {
        region,
        service,
        at: &now,
    };
    let authorization = sigv4::Request {
        method: request.method.as_str(),
        path: request.url.path(),
        query: request.url.query().unwrap_or_default(),
        headers,
        payload_hash: &hash,
        plain_path: plain,
        normal_path: !plain,
    }
    .authorization(credentials, &scope);
    put(request, AUTHORIZATION, &authorization)
}

fn put(request: &mut Outgoing, name: HeaderName, value: &str) -> Result<(), &'static str> {
    let mut value = HeaderValue::from_str(value).map_err(|_| "its AWS credentials have control characters in them")?;
    value.set_sensitive(true);
    request.headers.insert(name, value);
    Ok(())
}

/// The region that an address of AWS's names: `us-east-1` in `bedrock-runtime.us-east-1.amazonaws.com`.
fn region_of(base: &Url) -> Option<&str> {
    let host = base.domain()?;
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"]
        .iter()
        .find_map(|suffix| host.strip_suffix(suffix))?
        .split('.')
        .rfind(|label| is_region(label))
}

/// Words with dashes between them and a digit at the end: `us-gov-west-1`.
fn is_region(label: &str) -> bool {
    let mut words = label.split('-');
    let short = words.next().is_some_and(|word| (2..=4).contains(&word.len()));
    let number = words
        .next_back()
        .is_some_and(|word| word.len() == 1 && word.as_bytes()[0].is_ascii_digit());
    let mut between = words.peekable();
    short && number && between.peek().is_some() && between.all(|word| word.bytes().all(|b| b.is_ascii_lowercase()))
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("service", &self.0.service)
            .field("region", &self.0.region)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
