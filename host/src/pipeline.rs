//! What happens to every call, in order, on one screen. A stage is an async function of its own file that lets the call through or
//! returns an error; to add one is a file in `pipeline/` and a line here.

mod attempt;
pub mod models;
mod target;

use std::sync::Arc;

use crate::{
    call::Call,
    error::{Error, Result},
    gateway::Gateway,
    record::Record,
    reply::Reply,
};

/// Takes a call to a provider and its reply back. The client's key has been checked: that comes before its body is read.
///
/// Between routing and the first attempt is the place of the stages to come, in this order: limits, budget, guards, cache.
pub async fn run(gateway: &Arc<Gateway>, call: Call, record: &Arc<Record>) -> Result<Reply> {
    let targets = target::find(gateway, &call)?;
    let mut last = None;
    for target in &targets {
        match attempt::run(gateway, target, &call, record).await {
            Ok(reply) => return Ok(reply),
            // Nothing has reached the client yet, so the next provider may try.
            Err(error) if error.elsewhere() && !call.is_spent() => {
                tracing::warn!(id = call.id, provider = target.provider.id(), error = %error, "attempt failed");
                last = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or(Error::Internal("a route without targets")))
}
