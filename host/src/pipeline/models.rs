//! The models clients can name. A provider that lists its models in the configuration shows those; any other is asked, and its list
//! kept for a while, so that a slow provider does not make every list slow.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use crate::{
    adapter,
    error::Result,
    gateway::{Gateway, Provider, Speaks},
    passthrough,
};

/// How long a provider may take to list its models before the list goes out without them.
const PATIENCE: Duration = Duration::from_secs(5);

/// OpenAI's model objects, each with an id that routes.
pub async fn list(gateway: &Arc<Gateway>) -> Vec<Value> {
    let lists = join_all(gateway.providers.iter().map(|provider| of_provider(gateway, provider))).await;
    let mut seen = std::collections::HashSet::new();
    let id = |model: &Value| model.get("id").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    lists.into_iter().flatten().filter(|model| seen.insert(id(model))).collect()
}

/// The model a client would reach under `id`, if it is one of the listed.
pub async fn find(gateway: &Arc<Gateway>, id: &str) -> Option<Value> {
    let wanted = id.trim().to_lowercase();
    let candidates = gateway.routes.resolve(id).ok()?;
    for candidate in candidates {
        let provider = gateway.providers.get(candidate.provider)?;
        for mut model in of_provider(gateway, provider).await {
            let listed = model.get("id").and_then(Value::as_str).unwrap_or_default().to_lowercase();
            let prefixed = format!("{}/{listed}", provider.name().trim().to_lowercase());
            if (listed == wanted || prefixed == wanted)
                && let Some(fields) = model.as_object_mut()
            {
                fields.insert("id".to_owned(), json!(id));
                return Some(model);
            }
        }
    }
    None
}

async fn of_provider(gateway: &Gateway, provider: &Provider) -> Vec<Value> {
    if provider.unusable().is_some() {
        return Vec::new();
    }
    if !provider.config.models.is_empty() {
        return provider.config.models.iter().map(|model| configured(provider, model)).collect();
    }
    let asked = tokio::time::timeout(PATIENCE, provider.listed.get_or_ask(|| ask(gateway, provider)));
    match asked.await {
        Ok(models) => models.iter().map(|model| prefixed(provider, model)).collect(),
        Err(_) => Vec::new(),
    }
}

async fn ask(gateway: &Gateway, provider: &Provider) -> Result<Vec<Value>> {
    match &provider.speaks {
        Speaks::OpenAi => passthrough::models(&provider.upstream).await,
        Speaks::Adapter(site) => adapter::models(&gateway.runtime, site).await,
        Speaks::Nothing(_) => Ok(Vec::new()),
    }
}

/// A model of the configuration, with what is known of it.
fn configured(provider: &Provider, model: &crate::config::Model) -> Value {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(model.id));
    fields.insert("object".to_owned(), json!("model"));
    fields.insert("created".to_owned(), json!(0));
    fields.insert("owned_by".to_owned(), json!(provider.id()));
    if let Some(name) = &model.name {
        fields.insert("name".to_owned(), json!(name));
    }
    if let Some(window) = model.context_window {
        fields.insert("context_window".to_owned(), json!(window));
    }
    Value::Object(fields)
}

/// A model of a provider's own list: its id gets the provider's name in front, so that it routes there.
fn prefixed(provider: &Provider, model: &Value) -> Value {
    let mut model = model.clone();
    if let Some(fields) = model.as_object_mut() {
        let id = fields.get("id").and_then(Value::as_str).unwrap_or_default();
        let id = format!("{}/{id}", provider.name());
        fields.insert("id".to_owned(), json!(id));
        fields.entry("object").or_insert_with(|| json!("model"));
        fields.entry("created").or_insert_with(|| json!(0));
        fields.entry("owned_by").or_insert_with(|| json!(provider.id()));
    }
    model
}
