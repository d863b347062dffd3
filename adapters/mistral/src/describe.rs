//! Who the adapter is, and the test it brings along.

use witgate_sdk::{Manifest, SelfTest};

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    Manifest::new("mistral", env!("CARGO_PKG_VERSION"))
        .description("Mistral's chats, embeddings and moderations")
        .types(&["mistral", "mistralai"])
        .base_url("mistral", "https://api.mistral.ai/v1")
        .operations(&["chat.completions", "embeddings", "moderations", "models"])
        .drops("chat.completions", &crate::request::DROPPED)
        .drops("embeddings", &["user"])
        .config_schema(r#"{"type": "object", "additionalProperties": false, "properties": {}}"#)
        .expose_header("mistral-correlation-id", "mistral-correlation-id")
        .test(refusal_test())
}

fn refusal_test() -> SelfTest {
    SelfTest::new(
        "a model that is none",
        "chat.completions",
        r#"{"model":"none","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(
        400,
        r#"{"object":"error","message":"Invalid model: none","type":"invalid_model","param":null,"code":"1500",
            "raw_status_code":400}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_failure(r#"{"kind":"invalid-request","status":400,"message":"Invalid model: none","code":"invalid_model"}"#)
}
