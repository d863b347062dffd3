//! Who the adapter is, and the tests it brings along.

use witgate_sdk::{Manifest, SelfTest};

const CONFIG: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "reasoning_summary": {"enum": ["auto", "concise", "detailed"],
            "description": "reasoning.summary for clients that name none: they then see summaries of thoughts. OpenAI gives them to verified organisations only."},
        "encrypted_reasoning": {"type": "boolean",
            "description": "Ask for encrypted reasoning, which the next request brings back; else the model's name decides."},
        "store": {"type": "boolean", "description": "Let the provider store answers; else not."}
    }
}"#;

/// Headers that the client sees under the provider's own name.
const OWN: [&str; 8] = [
    "x-request-id",
    "openai-processing-ms",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
];

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    let manifest = Manifest::new("openai-responses", env!("CARGO_PKG_VERSION"))
        .description("OpenAI's Responses API, for chats too")
        .base_url("openai-responses", "https://api.openai.com/v1")
        .operations(&["chat.completions", "responses", "embeddings", "models"])
        .config_schema(CONFIG)
        .limit("n", 1)
        .drops("chat.completions", &crate::request::DROPPED)
        .test(call_test())
        .test(failed_test());
    let exposed = |name: &'static str| {
        if name == "x-request-id" {
            "openai-request-id"
        } else {
            name
        }
    };
    OWN.into_iter()
        .fold(manifest, |manifest, name| manifest.expose_header(name, exposed(name)))
}

fn call_test() -> SelfTest {
    SelfTest::new(
        "a call of a tool, with encrypted thoughts",
        "chat.completions",
        r#"{"model":"gpt-5","messages":[{"role":"user","content":"Weather?"}],
            "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]}"#,
    )
    .reply(
        200,
        r#"{"id":"resp_1","object":"response","status":"completed","output":[
            {"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA=="},
            {"id":"fc_1","type":"function_call","call_id":"call_1","name":"weather","arguments":"{\"city\":\"Berlin\"}"}],
            "usage":{"input_tokens":15,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,
            "output_tokens_details":{"reasoning_tokens":3},"total_tokens":22}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1",
            "type":"function","function":{"name":"weather","arguments":"{\"city\":\"Berlin\"}"}}],
            "extra_content":{"openai":{"output":[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA=="},
            {"id":"fc_1","type":"function_call","call_id":"call_1","name":"weather","arguments":"{\"city\":\"Berlin\"}"}]}}},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":15,"completion_tokens":7,"total_tokens":22,
            "prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}}}"#,
    )
}

fn failed_test() -> SelfTest {
    SelfTest::new(
        "a response that failed",
        "chat.completions",
        r#"{"model":"gpt-5","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(
        200,
        r#"{"id":"resp_1","object":"response","status":"failed","output":[],
            "error":{"code":"rate_limit_exceeded","message":"Too much."}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_failure(r#"{"kind":"rate-limit","status":200,"message":"Too much.","code":"rate_limit_exceeded"}"#)
}
