//! What the gateway tells about itself: metrics and the request log.

use crate::record::Entry;

/// Counters and the log.
#[derive(Debug, Default)]
pub struct Telemetry {}

impl Telemetry {
    /// A request has arrived.
    pub fn opened(&self) {}

    /// A request is over.
    pub fn closed(&self, entry: &Entry) {
        tracing::info!(id = entry.id, status = entry.status, "request");
    }
}
