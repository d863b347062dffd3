//! Requests signed as AWS wants it, for adapters that declare the auth kind `aws-sigv4`. [`Signer`] is what a provider has of it: it
//! finds credentials (`chain`), keeps them until shortly before they expire, and signs the final bytes of each request (`sigv4`).
//! An adapter sees neither the credentials nor the signature.
//!
//! All of it is our own, over `ring`, the HTTP/1.1 client that is here anyway, and files: `aws-sigv4` brings twenty crates, other
//! versions of the hashes among them, and `aws-config` more than the rest of the gateway, for a few hundred lines. What is signed is
//! held against every published vector, and against botocore.

mod caller;
mod chain;
mod metadata;
mod profile;
mod sigv4;
mod sts;
mod time;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use url::{Position, Url};

pub(super) use self::caller::{Caller, Places};
pub use self::chain::Found;
use self::{chain::Chain, time::Stamp};
use super::{
    environment::Environment,
    http::Outgoing,
    renewed::{Held, Renewed},
};
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
/// What does not say when it expires is looked up again after this time: files change.
const LOOKED_UP: Duration = Duration::from_mins(5);
/// What is missing where nothing names a region.
const NO_REGION: &str = "it has no `region`, and neither its `base_url` nor AWS_REGION nor the profile names one";

/// Who a request is from.
#[derive(Clone, Debug)]
pub struct Credentials {
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
    credentials: Renewed<Found>,
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
            credentials: Renewed::default(),
        }))
    }

    /// Signs a request over its final bytes, and says by what. One that has an `authorization` already keeps it: the operator's
    /// headers win.
    pub async fn sign(&self, request: &mut Outgoing) -> Result<Option<Arc<Held<Found>>>> {
        if request.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let found = self.credentials().await?;
        let inner = &self.0;
        let put = match (&**found, &inner.region) {
            (Found::Bearer(key), _) => put(request, AUTHORIZATION, &format!("Bearer {}", key.expose())),
            (Found::Keys(credentials), Some(region)) => put_signature(request, credentials, region, &inner.service),
            (Found::Keys(_), None) => Err(NO_REGION),
        };
        put.map_err(|reason| inner.misconfigured(reason))?;
        Ok(Some(found))
    }

    /// Forgets credentials that a provider calls expired. False if there is nothing newer to be had.
    pub fn forget(&self, refused: &Arc<Held<Found>>) -> bool {
        self.0.credentials.forget(refused);
        let expires = matches!(&***refused, Found::Keys(keys) if keys.session_token.is_some());
        expires && self.0.chain.access_key_id.is_none()
    }

    async fn credentials(&self) -> Result<Arc<Held<Found>>> {
        let look = || {
            let inner = Arc::clone(&self.0);
            async move { inner.look().await }
        };
        self.0.credentials.get(&self.0.provider, look).await
    }
}

impl Inner {
    async fn look(&self) -> Result<Held<Found>> {
        let found = self.chain.find(self.region.as_deref()).await;
        found.map(held).map_err(|reason| self.misconfigured(&reason))
    }

    fn misconfigured(&self, reason: &str) -> Error {
        Error::Misconfigured {
            provider: self.provider.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// What was found, for as long as it says that it serves.
fn held(found: Found) -> Held<Found> {
    let expire = match &found {
        Found::Keys(keys) => keys.expire,
        Found::Bearer(_) => None,
    };
    match expire {
        Some(at) => Held::new(found, Some(at.duration_since(SystemTime::now()).unwrap_or_default())),
        None => Held::looked_up_again(found, LOOKED_UP),
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
    let hash = sigv4::hex_sha256_of(&request.body);
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
