//! The contract's bindings without an SDK over them, since the SDK would not let a guest lie; and a few short ways to say things.

wit_bindgen::generate!({
    path: "../../../wit",
    world: "adapter-full",
    pub_export_macro: true,
    default_bindings_module: "bindings",
});

pub use exports::witgate::adapter::{auth, jobs, meta, models, streaming, transform};
pub use types::{Body, Context, Failure, Fetch, HttpRequest, Part, PartData, Payload, Resumption, Step};
pub use witgate::adapter::{host_crypto, host_log, types};

use serde_json::Value;

/// A failure of a kind.
pub fn failure(kind: &str, message: &str) -> Failure {
    Failure {
        kind: kind.into(),
        status: 0,
        message: message.into(),
        code: None,
        param: None,
        retry_after_ms: None,
        upstream: None,
        ext: vec![],
    }
}

/// A POST of JSON, not idempotent, read whole.
pub fn post(url: &str, body: &str) -> HttpRequest {
    HttpRequest {
        method: "POST".into(),
        url: url.into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: Body::Text(body.into()),
        framing: "buffered".into(),
        timeout_ms: None,
        idempotent: false,
        ext: vec![],
    }
}

/// An idempotent GET, read whole.
pub fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".into(),
        body: Body::Empty,
        idempotent: true,
        ..post(url, "")
    }
}

/// The step that sends it.
pub fn send(request: HttpRequest, state: &str) -> Step {
    Step::Fetch(Fetch {
        emit: vec![],
        delay_ms: 0,
        request,
        state: state.into(),
    })
}

/// An answer that says `text`.
pub fn answer(text: &str) -> Step {
    Step::Done(
        serde_json::json!({
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        })
        .to_string(),
    )
}

/// A chunk that says `text`.
pub fn chunk(text: &str) -> String {
    serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}).to_string()
}

/// The chunk that ends an answer, with its usage.
pub fn last_chunk(completion_tokens: u64) -> String {
    serde_json::json!({
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": completion_tokens, "total_tokens": 1 + completion_tokens},
    })
    .to_string()
}

/// A value of the provider's settings.
pub fn setting(context: &Context, key: &str) -> String {
    let config: Value = serde_json::from_str(&context.config).expect("the host gives JSON");
    config[key].as_str().unwrap_or_default().to_owned()
}

/// A reply's text.
pub fn text(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => text.clone(),
        Payload::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
