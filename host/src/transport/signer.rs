//! What is put on a provider's requests as they leave, where an adapter declares that and the operator gives no key: a signature, or an
//! access token. Whoever asks for it sees neither that nor what it is made of.

use std::{collections::BTreeMap, sync::Arc};

use hyper::HeaderMap;
use serde_json::{Map, Value};

use super::{Auth, Upstream, aws, environment::Environment, http::Outgoing, oauth, renewed::Held};
use crate::{error::Result, secret::Secret};

/// Signs the requests to one provider. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Signer {
    /// By AWS's signature.
    Aws(aws::Signer),
    /// By an access token.
    OAuth(oauth::Client),
}

/// What was put on a request.
#[derive(Clone)]
pub enum Signed {
    /// A signature by these.
    Aws(Arc<Held<aws::Found>>),
    /// This access token.
    OAuth(Arc<Held<Secret>>),
}

/// The settings that are for it, and not for the adapter.
pub fn settings(declared: Option<&Auth>) -> &'static [&'static str] {
    match declared {
        Some(Auth::AwsSigV4 { .. }) => aws::SETTINGS,
        Some(Auth::OAuth { issuer, .. }) => oauth::settings(*issuer),
        _ => &[],
    }
}

impl Signer {
    /// Takes what is for it out of the provider's settings, whether it is used or not. It is where the operator gives no key and does not
    /// say how one travels, or where he names in its settings what is to go before a key; the settings then have what it knows.
    pub fn take(
        declared: Option<&Auth>,
        upstream: &Upstream,
        settings: &mut Map<String, Value>,
        secrets: &BTreeMap<String, Secret>,
    ) -> Option<Self> {
        let environment = Environment::of_process();
        let signer = match declared? {
            Auth::AwsSigV4 { service } => Self::Aws(aws::Signer::take(
                &upstream.id,
                service,
                &upstream.base,
                settings,
                secrets,
                environment,
            )),
            Auth::OAuth { issuer, scope, key } => Self::OAuth(oauth::Client::take(
                &upstream.id,
                &oauth::Declared {
                    issuer: *issuer,
                    scope: scope.as_deref(),
                    key: key.as_ref(),
                },
                settings,
                secrets,
                environment,
            )),
            _ => return None,
        };
        let used = signer.is_used(upstream);
        if let (true, Self::OAuth(client)) = (used, &signer) {
            client.complete(settings);
        }
        used.then_some(signer)
    }

    fn is_used(&self, upstream: &Upstream) -> bool {
        let (named, fit) = match self {
            Self::Aws(_) => (false, true),
            Self::OAuth(client) => (client.is_named(), client.goes_to(&upstream.base)),
        };
        let told_otherwise = upstream.auth.is_some() || upstream.key.is_some();
        !upstream.client.is_canned() && (named || (fit && !told_otherwise))
    }

    /// Puts it on a request, over its final bytes; `None` where the operator's headers say already who asks.
    pub async fn sign(&self, request: &mut Outgoing) -> Result<Option<Signed>> {
        Ok(match self {
            Self::Aws(signer) => signer.sign(request).await?.map(Signed::Aws),
            Self::OAuth(client) => client.sign(request).await?.map(Signed::OAuth),
        })
    }

    /// Hears of a refusal. True if it says that what was put on the request is no longer good, and there may be something newer.
    pub fn refused(&self, signed: &Signed, status: u16, headers: &HeaderMap) -> bool {
        match (self, signed) {
            (Self::Aws(signer), Signed::Aws(found)) => {
                let kind = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
                let expired = kind.is_some_and(|kind| kind.starts_with("ExpiredToken"));
                expired && (400..=403).contains(&status) && signer.forget(found)
            }
            (Self::OAuth(client), Signed::OAuth(token)) if status == 401 => {
                client.forget(token);
                true
            }
            _ => false,
        }
    }
}
