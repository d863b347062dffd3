//! A provider in service: its configuration, the way to it, and who speaks its language.

use std::sync::Arc;

use url::Url;

use super::{Adapters, Listed, files, known::Remembered};
use crate::{
    adapter::{Adapter, Manifest, Site},
    call::Operation,
    catalogue,
    config::{self, Api, Via},
    reload::fit::{self, Need},
    transport::{
        Upstream,
        egress::{HostRule, Policy},
        http::Client,
        tls::Rules,
    },
};

/// A provider in service.
pub struct Provider {
    /// As configured.
    pub config: Arc<config::Provider>,
    /// Who speaks its language.
    pub speaks: Speaks,
    /// Its own list of models, once asked.
    pub listed: Arc<Listed>,
    /// Its name in the catalogue.
    pub(super) listed_as: Option<&'static str>,
    pub(super) remembered: Remembered,
    way: Result<Arc<Upstream>, String>,
}

/// Who speaks a provider's language.
pub enum Speaks {
    /// The provider itself: it has OpenAI's API.
    OpenAi(Arc<Upstream>),
    /// An adapter.
    Adapter(Arc<Site>),
    /// Nobody, for this reason.
    Nothing(String),
}

impl Provider {
    /// Puts a provider into service. Its connections and its list of models are those of `before`, the same provider in the last
    /// snapshot.
    pub(super) fn build(config: &Arc<config::Provider>, adapters: &Adapters, before: Option<&Self>) -> Self {
        let same = before.filter(|before| Arc::ptr_eq(&before.config, config));
        let adapter = adapter_of(config, adapters);
        // A base URL that an adapter offered stays what it was: no later version of it, nor another adapter, moves a key elsewhere.
        let way = match same.map(|same| &same.way) {
            Some(Ok(way)) => Ok(way.clone()),
            _ => way(
                config,
                adapter.as_ref().ok().and_then(|found| found.map(|adapter| &**adapter)),
            )
            .map(Arc::new),
        };
        Self {
            speaks: speaks(config, &way, adapter, same),
            listed_as: catalogue::provider(config.known_as()),
            remembered: Remembered::default(),
            listed: same.map(|same| same.listed.clone()).unwrap_or_default(),
            config: config.clone(),
            way,
        }
    }

    /// What the operator and the log call it.
    pub fn id(&self) -> &str {
        &self.config.id
    }

    /// What clients put before a slash.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Where it is, if that is known.
    pub fn base(&self) -> Option<&Url> {
        self.way.as_ref().ok().map(|upstream| &upstream.base)
    }

    /// True if calls of `operation` can go to it as they are: it has that API itself, or its adapter says so.
    pub fn has(&self, operation: Operation) -> bool {
        match &self.speaks {
            Speaks::Adapter(site) => site.adapter.manifest.serves(operation.as_str()),
            Speaks::OpenAi(_) => match operation {
                Operation::Messages | Operation::CountTokens => self.config.apis.contains(&Api::Messages),
                Operation::Responses => self.config.apis.contains(&Api::Responses),
                _ => true,
            },
            Speaks::Nothing(_) => false,
        }
    }

    /// Why it cannot be used, if it cannot.
    pub fn unusable(&self) -> Option<&str> {
        match &self.speaks {
            Speaks::Nothing(reason) => Some(reason),
            _ => None,
        }
    }
}

/// The way to a provider. Where the operator names no base URL it is the one that the adapter offers for its type.
fn way(config: &config::Provider, adapter: Option<&Adapter>) -> Result<Upstream, String> {
    let offered = || {
        let Manifest { base_urls, name, .. } = &adapter?.manifest;
        base_urls.get(&config.type_).or_else(|| base_urls.get(name))
    };
    let base = config
        .base_url
        .as_ref()
        .or_else(offered)
        .cloned()
        .ok_or("it has no `base_url`")?;
    let security = &config.security;
    let (allow, deny) = (
        rules("allow_hosts", &security.allow_hosts)?,
        rules("deny_hosts", &security.deny_hosts)?,
    );
    let egress = match config.base_url {
        Some(_) => Policy::with(&base, allow, deny),
        None => Policy::offered(&base, allow, deny),
    };
    let egress = egress.map_err(|denied| format!("its `base_url` cannot be used: {denied}"))?;
    let rules = Rules {
        only_1_3: config.security.only_tls_1_3,
        any_certificate: !config.security.certificate_validation,
        ca_file: config.security.ca_file.clone(),
    };
    let texts = config
        .default_params
        .iter()
        .map(|(key, value)| (key.clone(), value.to_string()));
    Ok(Upstream {
        id: config.id.clone(),
        base,
        key: config.key.secret.clone(),
        auth: config.auth.clone(),
        headers: config.headers.clone(),
        defaults: texts.collect(),
        timeout: config.timeout,
        idle_timeout: config.idle_timeout,
        retries: config.max_retries,
        client: Client::new(egress.clone(), &rules)?,
        egress,
    })
}

/// The operator's rules about hosts.
fn rules(key: &str, texts: &[String]) -> Result<Vec<HostRule>, String> {
    let rules = texts.iter().map(|text| HostRule::parse(text));
    rules
        .collect::<Result<_, _>>()
        .map_err(|wrong| format!("security.{key}: {wrong}"))
}

/// The adapter it needs, if it needs one.
fn adapter_of<'a>(config: &config::Provider, adapters: &'a Adapters) -> Result<Option<&'a Arc<Adapter>>, String> {
    let adapter = match config.via() {
        Via::Native => return Ok(None),
        Via::Adapter(id) => adapters.get(id).ok_or_else(|| format!("there is no adapter `{id}`")),
        Via::Type(type_) => serving(type_, adapters).ok_or_else(|| format!("no adapter serves the type `{type_}`")),
    };
    adapter.map(Some)
}

fn speaks(
    config: &config::Provider,
    way: &Result<Arc<Upstream>, String>,
    adapter: Result<Option<&Arc<Adapter>>, String>,
    same: Option<&Provider>,
) -> Speaks {
    let (adapter, upstream) = match (adapter, way) {
        (Err(reason), _) => return Speaks::Nothing(reason),
        (_, Err(reason)) => return Speaks::Nothing(reason.clone()),
        (Ok(adapter), Ok(upstream)) => (adapter, upstream.clone()),
    };
    match adapter {
        None => Speaks::OpenAi(upstream),
        Some(adapter) => match same.map(|same| &same.speaks) {
            // The same version for the same provider: what it has cached, tokens above all, stays good.
            Some(Speaks::Adapter(site)) if Arc::ptr_eq(&site.adapter, adapter) => Speaks::Adapter(site.clone()),
            _ => match fits(config, adapter).and_then(|()| site(config, upstream, adapter)) {
                Ok(site) => Speaks::Adapter(site),
                Err(reason) => Speaks::Nothing(reason),
            },
        },
    }
}

/// An adapter is not asked to work with settings that its own schema refuses.
fn fits(config: &config::Provider, adapter: &Adapter) -> Result<(), String> {
    let Some(need) = Need::of(config) else { return Ok(()) };
    fit::check(&adapter.manifest, &need).map_err(|wrong| {
        format!(
            "its settings do not fit the config-schema of the adapter `{}`: {wrong}",
            adapter.id
        )
    })
}

fn site(config: &config::Provider, upstream: Arc<Upstream>, adapter: &Arc<Adapter>) -> Result<Arc<Site>, String> {
    let mut settings = config.settings.0.clone();
    files::read(&mut settings, &adapter.manifest.permissions.files)?;
    Ok(Site::new(
        upstream,
        adapter.clone(),
        settings,
        &config.secrets,
        config.drop_params.clone(),
    ))
}

/// The adapter that serves a provider type. Of several the first by id, so that it does not depend on which was loaded first.
fn serving<'a>(type_: &str, adapters: &'a Adapters) -> Option<&'a Arc<Adapter>> {
    let serves = |(_, adapter): &(&String, &Arc<Adapter>)| adapter.manifest.types.iter().any(|served| served == type_);
    adapters
        .iter()
        .filter(serves)
        .min_by_key(|(id, _)| *id)
        .map(|(_, adapter)| adapter)
}
