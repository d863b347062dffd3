//! Model name to provider, in three tiers. A tier is tried over all providers before the next one is: a registered model, then a
//! provider's name, then `provider/model`. Pure: it is built from the configuration and asked by every request.
//!
//! Case and surrounding blanks never count. Found ("built-in") providers come first, so that nobody takes their models by registering
//! the same name. Several providers with one model are all candidates, by priority: the next one is the fallback of the one before.

mod explain;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use crate::config::{Model, Provider};
pub use explain::Missing;

/// How a model name led to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchedBy {
    /// Tier 1: the model is registered there.
    Model,
    /// Tier 2: it is the provider's name.
    ProviderName,
    /// Tier 3: it is the provider's name, a slash, and the model.
    ProviderPrefix,
}

impl MatchedBy {
    /// The word for it in logs and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::ProviderName => "provider_name",
            Self::ProviderPrefix => "provider_prefix",
        }
    }
}

/// A provider that may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its index in the list that the table was made from.
    pub provider: usize,
    /// What it calls the model.
    pub model: String,
    /// How it was found.
    pub matched_by: MatchedBy,
}

/// A model that clients can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What clients write: the id where it leads to this provider, else `provider/id`.
    pub id: String,
    /// The provider's index.
    pub provider: usize,
    /// The model's index in the provider's list.
    pub model: usize,
}

/// All that is needed to route, as one immutable value.
#[derive(Clone, Debug, Default)]
pub struct Table {
    providers: Vec<Arc<Provider>>,
    /// Lower-case model id to candidates, best first. Those of providers that are switched on.
    models: HashMap<String, Vec<(usize, usize)>>,
    /// Lower-case name or id to provider.
    names: HashMap<String, usize>,
    /// Providers in service, best first.
    order: Vec<usize>,
}

impl Table {
    /// A table over `providers`. [`Candidate::provider`] counts in this list.
    pub fn new(providers: &[Arc<Provider>]) -> Self {
        let mut order: Vec<usize> = Vec::with_capacity(providers.len());
        order.extend(
            providers
                .iter()
                .enumerate()
                .filter(|(_, p)| p.enabled)
                .map(|(at, _)| at),
        );
        order.sort_by_key(|at| providers.get(*at).map(|p| (!p.built_in, p.priority)));
        let mut table = Self {
            providers: providers.to_vec(),
            order,
            ..Self::default()
        };
        for (at, provider) in table.order.iter().filter_map(|at| Some((*at, providers.get(*at)?))) {
            // An id wins over a name, and the better provider over the worse.
            for name in [&provider.id, &provider.name] {
                table.names.entry(normal(name)).or_insert(at);
            }
            for (model_at, model) in provider.models.iter().enumerate().filter(|(_, model)| model.enabled) {
                table.models.entry(normal(&model.id)).or_default().push((at, model_at));
            }
        }
        table
    }

    /// The providers that may answer `model`, best first; at least one.
    pub fn resolve(&self, model: &str) -> Result<Vec<Candidate>, Missing> {
        let wanted = normal(model);
        if wanted.is_empty() {
            return Err(self.missing(model));
        }
        let registered = self.registered(&wanted, model.trim());
        if !registered.is_empty() {
            return Ok(registered);
        }
        let named = self.named(&wanted, model.trim());
        named
            .or_else(|| self.prefixed(model.trim()))
            .map(|candidate| vec![candidate])
            .ok_or_else(|| self.missing(model))
    }

    /// Every registered model, once, under an id that leads to it.
    pub fn listings(&self) -> Vec<Listing> {
        let mut listings = Vec::new();
        for (at, provider) in self.order.iter().filter_map(|at| Some((*at, self.providers.get(*at)?))) {
            for (model, entry) in provider.models.iter().enumerate().filter(|(_, model)| model.enabled) {
                let first = self.models.get(&normal(&entry.id)).and_then(|found| found.first());
                let id = if first == Some(&(at, model)) && self.claimed(&normal(&entry.id)).is_none_or(|by| by == at) {
                    entry.id.clone()
                } else {
                    format!("{}/{}", provider.id, entry.id)
                };
                listings.push(Listing {
                    id,
                    provider: at,
                    model,
                });
            }
        }
        listings
    }

    /// Tier 1. The registered spelling goes upstream, or the deployment's name.
    fn registered(&self, wanted: &str, written: &str) -> Vec<Candidate> {
        let claimed = self.claimed(wanted).map(|provider| (provider, written.to_owned()));
        let listed = self.models.get(wanted).into_iter().flatten();
        let listed = listed.filter_map(|(at, model)| Some((*at, self.providers.get(*at)?.models.get(*model)?)));
        let listed = listed.map(|(at, model)| (at, model.upstream().to_owned()));
        let mut candidates: Vec<Candidate> = Vec::new();
        for (provider, model) in claimed.into_iter().chain(listed) {
            if !candidates.iter().any(|candidate| candidate.provider == provider) {
                candidates.push(Candidate {
                    provider,
                    model,
                    matched_by: MatchedBy::Model,
                });
            }
        }
        candidates
    }

    /// The provider that is known to serve `wanted` though it does not list it.
    fn claimed(&self, wanted: &str) -> Option<usize> {
        let claims = |provider: &Provider| provider.claims.iter().any(|claim| covers(claim, wanted));
        self.order
            .iter()
            .copied()
            .find(|at| self.providers.get(*at).is_some_and(|provider| claims(provider)))
    }

    /// Tier 2. The default model, else the first one, else the name itself.
    fn named(&self, wanted: &str, written: &str) -> Option<Candidate> {
        let provider = *self.names.get(wanted)?;
        Some(Candidate {
            provider,
            model: usual_model(self.providers.get(provider)?, written),
            matched_by: MatchedBy::ProviderName,
        })
    }

    /// Tier 3. Names may hold slashes themselves: the longest one counts.
    fn prefixed(&self, written: &str) -> Option<Candidate> {
        let slashes: Vec<usize> = written.match_indices('/').map(|(at, _)| at).collect();
        slashes.into_iter().rev().find_map(|slash| {
            let (name, rest) = written.split_at_checked(slash)?;
            let provider = *self.names.get(&normal(name))?;
            let entry = self.providers.get(provider)?;
            let suffix = rest.strip_prefix('/').unwrap_or(rest).trim();
            let model = match entry.models.iter().find(|model| normal(&model.id) == normal(suffix)) {
                Some(model) if !model.enabled => return None,
                Some(Model {
                    deployment: Some(deployment),
                    ..
                }) => deployment.clone(),
                _ if suffix.is_empty() => usual_model(entry, written),
                _ => suffix.to_owned(),
            };
            Some(Candidate {
                provider,
                model,
                matched_by: MatchedBy::ProviderPrefix,
            })
        })
    }
}

/// What a provider's bare name stands for.
fn usual_model(provider: &Provider, written: &str) -> String {
    match (
        &provider.default_model,
        provider.models.iter().find(|model| model.enabled),
    ) {
        // The default model may be one that has a deployment.
        (Some(default), _) => provider
            .model(default)
            .map_or(default.as_str(), Model::upstream)
            .to_owned(),
        (None, Some(model)) => model.upstream().to_owned(),
        (None, None) => written.to_owned(),
    }
}

/// True if `claim` (exact, or with a `*` at its end) covers the lower-case name `wanted`.
fn covers(claim: &str, wanted: &str) -> bool {
    match claim.strip_suffix('*') {
        Some(start) => wanted.starts_with(start),
        None => claim == wanted,
    }
}

/// Names are compared trimmed and in lower case.
fn normal(name: &str) -> String {
    name.trim().to_lowercase()
}
