//! [`Site`]: one provider, served by one version of an adapter. What both have to say is brought together once, when a snapshot is
//! built, so that a call has little left to do.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::{auth::Credentials, load::Adapter, parked::Parked};
use crate::{
    config::DropParams,
    error::{Error, Result},
    secret::Secret,
    transport::{Upstream, renewed::Renewed, signer::Signer, tokens::Tokens},
};

/// The config key of the provider's own key.
const API_KEY: &str = "api_key";

/// One provider, served by one version of an adapter.
pub struct Site {
    /// The provider.
    pub upstream: Arc<Upstream>,
    /// What speaks for it.
    pub adapter: Arc<Adapter>,
    /// What is to become of fields that the provider has nothing for.
    pub(super) drop_params: DropParams,
    /// The settings without secrets, as a JSON object that lacks its closing brace.
    settings: String,
    secrets: BTreeMap<String, Secret>,
    /// What its adapter's `authenticate` found.
    pub(super) credentials: Renewed<Credentials>,
    /// Instances of the adapter that have served a call of this provider and may serve another.
    pub(super) parked: Parked,
    /// Signs its requests or gets their tokens, where the adapter declares that and the operator says nothing else.
    pub(super) signer: Option<Signer>,
}

impl Site {
    /// Brings a provider and an adapter together. `settings` are the provider's own, valid against the adapter's schema; of them,
    /// and of `secrets`, the adapter gets as a token what its permissions name, and the provider's key as `api_key`. A secret inside
    /// an object is taken out of it: its token stands beside the others, under the name that the permissions give it.
    pub fn new(
        upstream: Arc<Upstream>,
        adapter: Arc<Adapter>,
        mut settings: Map<String, Value>,
        secrets: &BTreeMap<String, Secret>,
        drop_params: DropParams,
    ) -> Arc<Self> {
        let signer = Signer::take(adapter.manifest.auth.as_ref(), &upstream, &mut settings, secrets);
        // What signs stands in the key's place: both on one request would be refused.
        let upstream = if signer.is_some() && upstream.key.is_some() {
            let key = None;
            Arc::new(Upstream {
                key,
                ..Upstream::clone(&upstream)
            })
        } else {
            upstream
        };
        let mut held = BTreeMap::new();
        if let Some(Value::String(plain)) = settings.remove(API_KEY) {
            held.insert(API_KEY.to_owned(), Secret::new(plain));
        }
        for name in &adapter.manifest.permissions.secrets {
            let plain = take(&mut settings, name).and_then(|value| value.as_str().map(Secret::new));
            if let Some(secret) = secrets.get(name).cloned().or(plain) {
                held.insert(name.clone(), secret);
            }
        }
        if let Some(key) = &upstream.key {
            held.insert(API_KEY.to_owned(), key.clone());
        }
        // What the operator calls secret stays out of sight also where the manifest does not ask for it.
        settings.retain(|name, _| !secrets.contains_key(name));
        let mut settings = Value::Object(settings).to_string();
        settings.pop();
        Arc::new(Self {
            upstream,
            adapter,
            drop_params,
            settings,
            secrets: held,
            credentials: Renewed::default(),
            parked: Parked::default(),
            signer,
        })
    }

    /// The settings for one call, with fresh tokens for the secrets.
    pub(super) fn config(&self, tokens: &mut Tokens) -> Result<String> {
        let mut config = String::with_capacity(self.settings.len() + self.secrets.len() * 64 + 1);
        config.push_str(&self.settings);
        for (name, secret) in &self.secrets {
            let token = tokens.issue(secret.clone()).ok_or(NO_RANDOM)?;
            let comma = if config.len() > 1 { "," } else { "" };
            // A token needs no escaping.
            config.push_str(&format!("{comma}{}:\"{token}\"", Value::from(name.as_str())));
        }
        config.push('}');
        Ok(config)
    }

    /// A secret the guest may use by name.
    pub(super) fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }
}

/// Takes a setting out. `name` is a key, or the way to one inside objects, with dots.
fn take(settings: &mut Map<String, Value>, name: &str) -> Option<Value> {
    if let Some(value) = settings.remove(name) {
        return Some(value);
    }
    let (outer, inner) = name.split_once('.')?;
    take(settings.get_mut(outer)?.as_object_mut()?, inner)
}

/// Without random bytes there are no tokens, and without tokens a guest would see secrets.
pub(super) const NO_RANDOM: Error = Error::Internal("the system gives no random bytes");

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("provider", &self.upstream.id)
            .field("adapter", &self.adapter.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_inside_an_object_is_taken_out_of_it() {
        let mut settings = Map::new();
        settings.insert("account".to_owned(), json!({"key": {"pem": "k", "id": 1}, "mail": "m"}));
        settings.insert("a.b".to_owned(), json!("plain"));
        assert_eq!(take(&mut settings, "account.key.pem"), Some(json!("k")));
        assert_eq!(take(&mut settings, "account.mail.no"), None);
        assert_eq!(take(&mut settings, "a.b"), Some(json!("plain")));
        assert_eq!(
            Value::Object(settings),
            json!({"account": {"key": {"id": 1}, "mail": "m"}})
        );
    }
}
