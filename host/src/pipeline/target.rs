//! Which providers may answer a call, best first.

use std::sync::Arc;

use crate::{
    call::Call,
    error::{Error, Result},
    gateway::{Gateway, Provider},
    price::Price,
};

/// One provider, and its name for the model.
pub(super) struct Target {
    /// Who is asked.
    pub(super) provider: Arc<Provider>,
    /// The model as this provider knows it.
    pub(super) model: String,
    /// What an answer costs.
    pub(super) price: Option<Arc<Price>>,
}

/// The targets of a call, at least one. Refuses a call that no target's model can take.
pub(super) fn find(gateway: &Gateway, call: &Call) -> Result<Vec<Target>> {
    let candidates = gateway
        .routes
        .resolve(&call.model)
        .map_err(|missing| Error::ModelNotFound {
            model: call.model.clone(),
            hint: missing.to_string(),
        })?;
    let catalogue = gateway.catalogue.current();
    let mut too_long = None;
    let mut targets = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let Some(provider) = gateway.providers.get(candidate.provider) else {
            continue;
        };
        let terms = provider.terms(&catalogue, &candidate.model);
        match call.fits(terms.most_tokens) {
            Ok(()) => targets.push(Target {
                price: terms.price.filter(|_| at_list_price(call)),
                provider: provider.clone(),
                model: candidate.model,
            }),
            Err(error) => too_long = Some(error),
        }
    }
    match too_long {
        Some(error) if targets.is_empty() => Err(error),
        _ => Ok(targets),
    }
}

/// Providers take more, or less, of who wants to be served sooner or can wait; how much is not known.
fn at_list_price(call: &Call) -> bool {
    let tier = call.field("service_tier");
    tier.is_none_or(|tier| matches!(tier, "\"auto\"" | "\"default\"" | "\"standard\"" | "\"standard_only\""))
}
