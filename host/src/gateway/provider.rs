//! A provider in service: its configuration, the way to it, and who speaks its language.

use std::sync::Arc;

use serde_json::Value;

use super::{Adapters, Listed, client};
use crate::{adapter::Site, config, transport::Upstream};

/// A provider in service.
pub struct Provider {
    /// As configured.
    pub config: Arc<config::Provider>,
    /// The way to it.
    pub upstream: Arc<Upstream>,
    /// Who speaks its language.
    pub speaks: Speaks,
    /// `default_params`: the JSON text of values for fields the client left out.
    pub defaults: Vec<(String, String)>,
    /// Its own list of models, once asked.
    pub listed: Arc<Listed>,
}

/// Who speaks a provider's language.
pub enum Speaks {
    /// The provider itself: it has OpenAI's API.
    OpenAi,
    /// An adapter.
    Adapter(Arc<Site>),
    /// Nobody, for this reason.
    Nothing(String),
}
