//! The snapshot: everything a request needs, built aside, checked, and then put into service as one ([`Gateway`]). A request keeps
//! the snapshot it began with, so nothing changes under it.

mod files;
mod known;
mod listed;
mod provider;

use std::{collections::HashMap, sync::Arc};

use hyper::HeaderMap;

use crate::{
    adapter::{Adapter, Runtime},
    catalogue::Catalogue,
    config::Config,
    dialect::kept::Kept,
    error::{Error, Result},
    route,
    telemetry::Telemetry,
};
pub use known::Known;
pub use listed::Listed;
pub use provider::{Provider, Speaks};

/// The adapters in service, by id.
type Adapters = HashMap<String, Arc<Adapter>>;

/// What a request needs.
pub struct Gateway {
    /// The configuration as read.
    pub config: Arc<Config>,
    /// In the order of the configuration; [`route::Table`] speaks of them by index.
    pub providers: Vec<Arc<Provider>>,
    /// Model to provider.
    pub routes: route::Table,
    /// Where adapters run.
    pub runtime: Runtime,
    /// What is known of models. It is refreshed in its place: a request looks once.
    pub catalogue: Arc<Catalogue>,
    /// Metrics and the log.
    pub telemetry: Arc<Telemetry>,
    /// What providers want back and clients may have dropped. All snapshots share it.
    pub kept: Kept,
}

impl Gateway {
    /// A snapshot of `config` served by `adapters`. Providers that did not change keep their connections: they are taken from
    /// `previous`.
    ///
    /// A provider that cannot work (its adapter is missing, its certificate cannot be read) does not stop the others: it says so when
    /// it is asked, and in [`Provider::unusable`].
    pub fn build(
        config: Arc<Config>,
        runtime: Runtime,
        telemetry: Arc<Telemetry>,
        adapters: &HashMap<String, Arc<Adapter>>,
        previous: Option<&Self>,
    ) -> Self {
        let providers = config
            .providers
            .iter()
            .enumerate()
            .map(|(at, provider)| {
                let before = previous
                    .and_then(|p| p.providers.get(at))
                    .filter(|p| p.id() == provider.id);
                Arc::new(Provider::build(provider, adapters, before.map(Arc::as_ref)))
            })
            .collect();
        let kept = match previous {
            Some(previous) => previous.kept.clone().bounded(&config.adapters),
            None => Kept::new(&config.adapters),
        };
        Self {
            kept,
            routes: route::Table::new(&config.providers),
            providers,
            catalogue: previous.map(|previous| previous.catalogue.clone()).unwrap_or_default(),
            config,
            runtime,
            telemetry,
        }
    }

    /// Lets a client in that shows one of the configured keys, or any if none is configured.
    pub fn admit(&self, headers: &HeaderMap) -> Result<()> {
        let keys = &self.config.api_keys;
        if keys.is_empty() {
            return Ok(());
        }
        let shown = shown_key(headers).ok_or(Error::Unauthorized(
            "You did not provide an API key: send it as `Authorization: Bearer KEY` or `x-api-key: KEY`.",
        ))?;
        // No early exit: how long this takes must not tell which key came close.
        let known = keys.iter().fold(false, |known, key| key.is(shown) | known);
        if known {
            Ok(())
        } else {
            Err(Error::Unauthorized("Incorrect API key provided."))
        }
    }
}

/// The key a client shows, in any of the places the three big APIs' clients put it.
pub fn shown_key(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    text("authorization")
        .and_then(|value| {
            value
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        })
        .map(|(_, key)| key.trim())
        .or_else(|| text("x-api-key"))
        .or_else(|| text("api-key"))
        .or_else(|| text("x-goog-api-key"))
}
