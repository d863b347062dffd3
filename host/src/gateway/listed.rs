//! A provider's own list of models, kept for a while.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use crate::error::Result;

/// How long a list is good for.
const FRESH: Duration = Duration::from_secs(300);
/// How long a failure is, so that a provider that is down is not asked by every client.
const FAILED: Duration = Duration::from_secs(10);

/// The list, once somebody has asked for it.
#[derive(Default)]
pub struct Listed(Mutex<Option<(Instant, Arc<Vec<Value>>)>>);

impl Listed {
    /// The list of a while ago, or a new one. Those who ask at the same time wait for one answer, which is why the lock is held
    /// meanwhile; no call of a model waits for it. If the provider fails, its last list is as good as can be had.
    pub async fn get_or_ask<F: Future<Output = Result<Vec<Value>>>>(&self, ask: impl FnOnce() -> F) -> Arc<Vec<Value>> {
        let mut kept = self.0.lock().await;
        if let Some((until, models)) = &*kept
            && Instant::now() < *until
        {
            return models.clone();
        }
        let (for_how_long, models) = match ask().await {
            Ok(models) => (FRESH, Arc::new(models)),
            Err(error) => {
                tracing::warn!(%error, "a provider does not list its models");
                (FAILED, kept.take().map(|(_, models)| models).unwrap_or_default())
            }
        };
        *kept = Some((Instant::now() + for_how_long, models.clone()));
        models
    }
}
