//! Who the adapter is, and the tests it brings along.

use witgate_sdk::{Manifest, SelfTest};

/// Cohere takes no more texts at once.
const EMBEDDINGS_BATCH: u64 = 96;

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    Manifest::new("cohere", env!("CARGO_PKG_VERSION"))
        .description("Cohere's chat, embeddings and rerank, version 2 of its API")
        .base_url("cohere", "https://api.cohere.com")
        .operations(&["chat.completions", "embeddings", "rerank", "models"])
        .config_schema(r#"{"type": "object", "additionalProperties": false, "properties": {}}"#)
        .expose_header("x-debug-trace-id", "cohere-trace-id")
        .expose_header("x-trial-endpoint-call-limit", "x-ratelimit-limit-requests")
        .expose_header("x-trial-endpoint-call-remaining", "x-ratelimit-remaining-requests")
        .limit("n", 1)
        .limit("embeddings-batch", EMBEDDINGS_BATCH)
        .drops("chat.completions", &crate::request::DROPPED)
        .drops("embeddings", &["user"])
        .test(call_test())
        .test(length_test())
}

fn call_test() -> SelfTest {
    SelfTest::new(
        "a call of a tool, with its plan",
        "chat.completions",
        r#"{"model":"command-a-03-2025","messages":[{"role":"user","content":"Weather?"}],
            "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]}"#,
    )
    .reply(
        200,
        r#"{"id":"1","message":{"role":"assistant","tool_plan":"Let me see.","tool_calls":[{"id":"w1","type":"function",
            "function":{"name":"weather","arguments":"{\"city\":\"Berlin\"}"}}]},"finish_reason":"TOOL_CALL",
            "usage":{"billed_units":{"input_tokens":4,"output_tokens":2},"tokens":{"input_tokens":15,"output_tokens":7}}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"w1",
            "type":"function","function":{"name":"weather","arguments":"{\"city\":\"Berlin\"}"}}]},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":15,"completion_tokens":7,"total_tokens":22,
            "prompt_tokens_details":{"cached_tokens":0},"billed_units":{"input_tokens":4,"output_tokens":2}}}"#,
    )
}

fn length_test() -> SelfTest {
    SelfTest::new(
        "a prompt that is too long",
        "chat.completions",
        r#"{"model":"command-a-03-2025","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(
        400,
        r#"{"id":"1","error_type":"TOO_MANY_TOKENS","message":"too many tokens: size limit exceeded by 5 tokens."}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_failure(r#"{"kind":"context-length","status":400,"code":"TOO_MANY_TOKENS"}"#)
}
