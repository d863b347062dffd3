//! The models clients can name. A provider that lists its models in the configuration shows those; any other is asked, and its list
//! kept for a while, so that a slow provider does not make every list slow.

mod facts;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use crate::{
    adapter,
    call::Operation,
    catalogue::Table,
    config::Model,
    error::Result,
    gateway::{Gateway, Provider, Speaks},
    passthrough,
    record::Record,
};

/// How long a provider may take to list its models before the list goes out without them.
const PATIENCE: Duration = Duration::from_secs(5);

/// OpenAI's model objects, each with an id that routes.
pub async fn list(gateway: &Arc<Gateway>) -> Vec<Value> {
    let asked = join_all(gateway.providers.iter().map(|provider| own_list(gateway, provider))).await;
    configured(gateway).chain(asked.into_iter().flatten()).collect()
}

/// The model a client would reach under `id`, if it is one of the listed.
pub async fn find(gateway: &Arc<Gateway>, id: &str) -> Option<Value> {
    let wanted = id.trim().to_lowercase();
    let is_it = |model: &Value| {
        model
            .get("id")
            .and_then(Value::as_str)
            .is_some_and(|id| id.to_lowercase() == wanted)
    };
    if let Some(model) = configured(gateway).find(is_it) {
        return Some(model);
    }
    let catalogue = gateway.catalogue.current();
    for candidate in gateway.routes.resolve(id).ok()? {
        let provider = gateway.providers.get(candidate.provider)?;
        let known = if provider.config.models.is_empty() {
            own_list(gateway, provider).await.into_iter().find(is_it)
        } else {
            // Registered, and written `provider/model`.
            provider
                .config
                .model(&candidate.model)
                .map(|model| described(&catalogue, provider, model, id))
        };
        if known.is_some() {
            return known;
        }
    }
    None
}

/// The registered models of all providers in service.
fn configured(gateway: &Gateway) -> impl Iterator<Item = Value> + '_ {
    let catalogue = gateway.catalogue.current();
    gateway.routes.listings().into_iter().filter_map(move |listing| {
        let provider = gateway.providers.get(listing.provider)?;
        let model = provider.config.models.get(listing.model)?;
        provider
            .unusable()
            .is_none()
            .then(|| described(&catalogue, provider, model, &listing.id))
    })
}

/// What a provider that has no registered models lists itself.
async fn own_list(gateway: &Gateway, provider: &Provider) -> Vec<Value> {
    let config = &provider.config;
    if !config.enabled || !config.models.is_empty() || provider.unusable().is_some() {
        return Vec::new();
    }
    let asked = tokio::time::timeout(PATIENCE, provider.listed.get_or_ask(|| ask(gateway, provider)));
    match asked.await {
        Ok(models) => {
            let catalogue = gateway.catalogue.current();
            models
                .iter()
                .map(|model| prefixed(&catalogue, provider, model))
                .collect()
        }
        Err(_) => Vec::new(),
    }
}

/// Asks a provider for its models, as it lists them.
pub async fn ask(gateway: &Gateway, provider: &Provider) -> Result<Vec<Value>> {
    let id = format!("models-of-{}", provider.id());
    let record = Record::open(gateway.telemetry.clone(), id, Operation::Models.as_str());
    record.note(|entry| entry.provider = Some(provider.id().into()));
    let models = match &provider.speaks {
        Speaks::OpenAi(upstream) => passthrough::models(upstream, &record).await,
        Speaks::Adapter(site) => adapter::models(&gateway.runtime, site, &record)
            .await
            .map(Option::unwrap_or_default),
        Speaks::Nothing(_) => Ok(Vec::new()),
    };
    record.note(|entry| entry.status = 200);
    models.inspect_err(|error| record.failed(error))
}

/// A registered model, with what is known of it.
fn described(catalogue: &Table, provider: &Provider, model: &Model, id: &str) -> Value {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(id));
    fields.insert("object".to_owned(), json!("model"));
    fields.insert("created".to_owned(), json!(0));
    fields.insert("owned_by".to_owned(), json!(provider.id()));
    if let Some(name) = &model.name {
        fields.insert("name".to_owned(), json!(name));
    }
    facts::add(&mut fields, provider.known(catalogue, &model.id));
    Value::Object(fields)
}

/// A model of a provider's own list: its id gets the provider's name in front, so that it routes there.
fn prefixed(catalogue: &Table, provider: &Provider, model: &Value) -> Value {
    let mut model = model.clone();
    if let Some(fields) = model.as_object_mut() {
        let id = fields.get("id").and_then(Value::as_str).unwrap_or_default();
        let known = provider.known(catalogue, id);
        let id = format!("{}/{id}", provider.name());
        fields.insert("id".to_owned(), json!(id));
        fields.entry("object").or_insert_with(|| json!("model"));
        fields.entry("created").or_insert_with(|| json!(0));
        fields.entry("owned_by").or_insert_with(|| json!(provider.id()));
        facts::add(fields, known);
    }
    model
}
