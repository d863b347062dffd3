//! Who the adapter is, and the tests it brings along.

use witgate_sdk::{Manifest, SelfTest};

const CONFIG: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "options": {"type": "object", "description": "Options for clients that do not set them, such as num_ctx."},
        "keep_alive": {"type": ["string", "number"], "description": "How long a model stays loaded: \"10m\", or seconds; -1 is forever."}
    }
}"#;

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    Manifest::new("ollama", env!("CARGO_PKG_VERSION"))
        .description("The native API of Ollama, here or in its cloud")
        .operations(&["chat.completions", "embeddings", "models"])
        .config_schema(CONFIG)
        .limit("n", 1)
        .drops("chat.completions", &crate::request::DROPPED)
        .drops("embeddings", &["user"])
        .inline_media()
        .test(call_test())
        .test(missing_test())
}

fn call_test() -> SelfTest {
    SelfTest::new(
        "a call of a tool after some thought",
        "chat.completions",
        r#"{"model":"qwen3","messages":[{"role":"user","content":"Weather?"}],
            "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]}"#,
    )
    .reply(
        200,
        r#"{"model":"qwen3","message":{"role":"assistant","content":"","thinking":"Where?","tool_calls":[{"id":"call_1","function":{
            "index":0,"name":"weather","arguments":{"city":"Berlin"}}}]},"done":true,"done_reason":"stop",
            "prompt_eval_count":15,"eval_count":7}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"Where?","tool_calls":[{
            "id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Berlin\"}"}}]},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":15,"completion_tokens":7,"total_tokens":22}}"#,
    )
}

fn missing_test() -> SelfTest {
    SelfTest::new(
        "a model that was not pulled",
        "chat.completions",
        r#"{"model":"qwen3","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(404, r#"{"error":"model 'qwen3' not found"}"#)
    .reply_header("content-type", "application/json")
    .expect_failure(r#"{"kind":"not-found","status":404,"message":"model 'qwen3' not found","code":"model_not_found","param":"model"}"#)
}
