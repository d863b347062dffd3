//! A routing decision in words: why a name leads where it leads, and what to do if it leads nowhere.

use std::fmt;

use super::{Candidate, MatchedBy, Table, normal};
use crate::config::Provider;

/// A model that no provider serves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Missing {
    /// A provider that would serve it if it were switched on.
    pub disabled: Option<String>,
    /// The registered name that is nearest to it.
    pub nearest: Option<String>,
}

impl fmt::Display for Missing {
    /// What to do, as the end of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.disabled, &self.nearest) {
            (Some(provider), _) => write!(f, "the provider `{provider}` has it, but is disabled"),
            (None, Some(name)) => write!(f, "did you mean `{name}`?"),
            (None, None) => f.write_str(
                "no provider registers it, and it is not `PROVIDER/MODEL` with the name of a provider; `GET /v1/models` lists what there is",
            ),
        }
    }
}

impl Table {
    /// The decision about `model`, a line per candidate or tier.
    pub fn explain(&self, model: &str) -> Vec<String> {
        match self.resolve(model) {
            Ok(candidates) => {
                let lines = candidates.iter().enumerate();
                lines.map(|(at, candidate)| self.candidate(at, candidate)).collect()
            }
            Err(missing) => vec![
                format!("No registered model is called `{}`.", model.trim()),
                "No provider is.".to_owned(),
                "What is before a slash in it is no provider either.".to_owned(),
                format!("So a request for it is answered with 404: {missing}."),
            ],
        }
    }

    fn candidate(&self, at: usize, candidate: &Candidate) -> String {
        let Some(provider) = self.providers.get(candidate.provider) else {
            return String::new();
        };
        let turn = if at == 0 { "Goes to" } else { "If that fails, to" };
        let why = match candidate.matched_by {
            MatchedBy::Model if provider.model(&candidate.model).is_none() => {
                "it is known to serve models of this name"
            }
            MatchedBy::Model => "the model is registered there",
            MatchedBy::ProviderName => "it is the provider's name",
            MatchedBy::ProviderPrefix => "it begins with the provider's name",
        };
        let priority = provider.priority;
        format!(
            "{turn} `{}` as `{}`: {why} (priority {priority}).",
            provider.id, candidate.model
        )
    }

    pub(super) fn missing(&self, model: &str) -> Missing {
        let wanted = normal(model);
        let off = self.providers.iter().filter(|provider| !provider.enabled);
        let disabled = off.into_iter().find(|provider| would_serve(provider, &wanted));
        let registered = self.listings().into_iter().map(|listing| listing.id);
        let names = self
            .order
            .iter()
            .filter_map(|at| Some(self.providers.get(*at)?.id.clone()));
        let nearest = registered
            .chain(names)
            .map(|name| (strsim::normalized_damerau_levenshtein(&normal(&name), &wanted), name))
            .filter(|(score, _)| *score > 0.6)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        Missing {
            disabled: disabled.map(|provider| provider.id.clone()),
            nearest: nearest.map(|(_, name)| name),
        }
    }
}

fn would_serve(provider: &Provider, wanted: &str) -> bool {
    let prefix = wanted.rsplit_once('/').map_or(wanted, |(name, _)| name);
    provider.is_called(wanted) || provider.is_called(prefix) || provider.models.iter().any(|m| normal(&m.id) == wanted)
}
