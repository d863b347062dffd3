//! Who the adapter is: its permissions, the schema of its settings, and the tests a new version must pass.

use witgate_sdk::{Manifest, SelfTest};

use crate::endpoint::HOSTS;

const HELLO: &str = r#"{"model":"owner/name","messages":[{"role":"user","content":"hello"}]}"#;

/// Fields inside of others that a prompt has no place for.
const DROPPED_INSIDE: [&str; 5] = [
    "messages.name",
    "messages.refusal",
    "messages.audio",
    "messages.reasoning_content",
    "messages.content.image_url.detail",
];

/// What the host is told.
pub(crate) fn manifest() -> Manifest {
    Manifest::new("replicate", env!("CARGO_PKG_VERSION"))
        .description("Models on Replicate, or on any server with its predictions API.")
        .base_url("replicate", "https://api.replicate.com/v1")
        .operations(&["chat.completions", "embeddings", "models"])
        .config_schema(include_str!("config.schema.json"))
        .hosts(&HOSTS)
        .expose_header("ratelimit-remaining", "x-ratelimit-remaining-requests")
        .expose_header("ratelimit-reset", "x-ratelimit-reset-requests")
        .limit("n", 1)
        .drops("chat.completions", &DROPPED_INSIDE)
        .test(polled())
        .test(failed())
}

fn polled() -> SelfTest {
    SelfTest::new(
        "a prediction is created, asked for and answered",
        "chat.completions",
        HELLO,
    )
    .reply(201, r#"{"id":"p1","status":"starting","output":null}"#)
    .reply(200, r#"{"id":"p1","status":"succeeded","output":["Hel","lo"]}"#)
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}"#,
    )
}

fn failed() -> SelfTest {
    SelfTest::new("a prediction that failed is an error", "chat.completions", HELLO)
        .reply(201, r#"{"id":"p1","status":"failed","error":"out of memory"}"#)
        .expect_failure(r#"{"kind":"upstream","message":"out of memory"}"#)
}
