//! Which providers may answer a call, best first.

use std::sync::Arc;

use crate::{
    call::Call,
    error::{Error, Result},
    gateway::{Gateway, Provider},
};

/// One provider, and its name for the model.
pub(super) struct Target {
    /// Who is asked.
    pub(super) provider: Arc<Provider>,
    /// The model as this provider knows it.
    pub(super) model: String,
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
    let mut too_long = None;
    let mut targets = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let Some(provider) = gateway.providers.get(candidate.provider) else {
            continue;
        };
        match call.fits(provider.context_window(&candidate.model)) {
            Ok(()) => targets.push(Target {
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
