//! What a test needs around it: a runtime, a guest, a provider, a call.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::HeaderMap;
use serde_json::{Value, json};
use url::Url;
use witgate::{
    adapter::{self, Adapter, Limits, Runtime, Site},
    call::{Call, Operation},
    config::DropParams,
    error::{Error, Result},
    record::{Entry, Record},
    reply::{Body, Reply},
    secret::Secret,
    telemetry::Telemetry,
    transport::{Upstream, egress, http::Client, tls},
};

use super::provider::Provider;

/// The provider's key in all tests.
pub(crate) const KEY: &str = "sk-the-providers-key";

/// The bytes of a guest.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let built = "../tests/guests/target/wasm32-unknown-unknown/release";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(built)
        .join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; build the guests with `cargo xtask test`", path.display()))
}

pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) provider: Provider,
    pub(crate) site: Arc<Site>,
}

impl World {
    pub(crate) async fn new(name: &str) -> Self {
        Self::with(name, Limits::default()).await
    }

    pub(crate) async fn with(name: &str, limits: Limits) -> Self {
        let limits = Limits {
            slots: limits.slots.min(32),
            ..limits
        };
        let runtime = Runtime::new(&limits).unwrap();
        let adapter = Arc::new(runtime.load(guest(name)).await.unwrap());
        let provider = Provider::start().await;
        let site = site(&adapter, &provider.base);
        Self {
            runtime,
            provider,
            site,
        }
    }

    /// Calls the adapter; the model says what the guest is to do.
    pub(crate) async fn call(&self, model: &str) -> Result<Reply> {
        self.call_as(model, false, &record()).await
    }

    pub(crate) async fn stream(&self, model: &str) -> Result<Reply> {
        self.call_as(model, true, &record()).await
    }

    pub(crate) async fn call_as(&self, model: &str, streaming: bool, record: &Arc<Record>) -> Result<Reply> {
        let call = call(model, streaming);
        adapter::call(&self.runtime, &self.site, &call, model, 1, record).await
    }

    /// What a client sees of a call that needs no provider.
    pub(crate) async fn text(&self, model: &str) -> Result<String> {
        Ok(content(&whole(self.call(model).await?)))
    }
}

pub(crate) fn call(model: &str, streaming: bool) -> Call {
    let body = json!({
        "model": model,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": streaming,
        "stream_options": streaming.then(|| json!({"include_usage": true})),
    });
    let mut headers = HeaderMap::new();
    headers.insert("x-tenant", "acme".parse().unwrap());
    let bytes = Bytes::from(body.to_string());
    Call::parse(Operation::Chat, "request-1".to_owned(), headers, bytes, 64).unwrap()
}

pub(crate) fn site(adapter: &Arc<Adapter>, base: &str) -> Arc<Site> {
    let base = Url::parse(base).unwrap();
    let policy = egress::Policy::new(&base).unwrap();
    let upstream = Upstream {
        id: "test".to_owned(),
        key: Some(Secret::new(KEY)),
        auth: None,
        headers: HeaderMap::new(),
        defaults: Vec::new(),
        timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(20),
        retries: 2,
        client: Client::new(policy.clone(), &tls::Rules::default()).unwrap(),
        egress: policy,
        base,
    };
    site_of(upstream, adapter)
}

/// The same for a provider of the test's own making.
pub(crate) fn site_of(upstream: Upstream, adapter: &Arc<Adapter>) -> Arc<Site> {
    let settings = json!({"region": "eu", "client_secret": "c s&\"1"})
        .as_object()
        .unwrap()
        .clone();
    let secrets = BTreeMap::from([("signing_key".to_owned(), Secret::new("Jefe"))]);
    Site::new(
        Arc::new(upstream),
        Arc::clone(adapter),
        settings,
        &secrets,
        DropParams::default(),
    )
}

pub(crate) fn record() -> Arc<Record> {
    Record::open(
        Arc::new(Telemetry::default()),
        "request-1".to_owned(),
        "chat.completions",
    )
}

/// What a record says now.
pub(crate) fn entry(record: &Record) -> Entry {
    let copy = Mutex::new(Entry::default());
    record.note(|entry| *copy.lock().unwrap() = entry.clone());
    copy.into_inner().unwrap()
}

/// A whole answer's JSON.
pub(crate) fn whole(reply: Reply) -> Value {
    let Body::Whole(bytes) = reply.body else {
        panic!("a whole answer was expected");
    };
    serde_json::from_slice(&bytes).unwrap()
}

pub(crate) fn content(answer: &Value) -> String {
    answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// All of a stream: what was sent, and how it broke if it did.
pub(crate) async fn events(reply: Reply) -> (String, Option<Error>) {
    let Body::Events(mut events) = reply.body else {
        panic!("events were expected");
    };
    let mut all = String::new();
    while let Some(item) = events.next().await {
        match item {
            Ok(bytes) => all.push_str(std::str::from_utf8(&bytes).unwrap()),
            Err(error) => return (all, Some(error)),
        }
    }
    (all, None)
}

/// The texts in the chunks of a stream, joined.
pub(crate) fn said(events: &str) -> String {
    let chunks = events.lines().filter_map(|line| line.strip_prefix("data: "));
    chunks
        .filter_map(|chunk| serde_json::from_str::<Value>(chunk).ok())
        .filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect()
}
