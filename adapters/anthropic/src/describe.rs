//! Who the adapter is, and the tests it brings along.

use witgate_sdk::{Auth, Manifest, SelfTest};

const CONFIG: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "anthropic_version": {"type": "string", "description": "The header anthropic-version; else 2023-06-01."},
        "anthropic_beta": {"type": "string", "description": "Words for the header anthropic-beta, separated by commas."},
        "default_max_tokens": {"type": "integer", "minimum": 1,
            "description": "max_tokens for clients that name none; else by the model's generation."}
    }
}"#;

/// Rate limits that OpenAI has too, under its names. (Not the resets: those are times here and durations there.)
const LIMITS: [(&str, &str); 4] = [
    ("anthropic-ratelimit-requests-limit", "x-ratelimit-limit-requests"),
    (
        "anthropic-ratelimit-requests-remaining",
        "x-ratelimit-remaining-requests",
    ),
    ("anthropic-ratelimit-tokens-limit", "x-ratelimit-limit-tokens"),
    ("anthropic-ratelimit-tokens-remaining", "x-ratelimit-remaining-tokens"),
];

/// What the client sees under the provider's own name.
const OWN: [&str; 8] = [
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-reset",
    "anthropic-ratelimit-input-tokens-limit",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-input-tokens-reset",
    "anthropic-ratelimit-output-tokens-limit",
    "anthropic-ratelimit-output-tokens-remaining",
    "anthropic-ratelimit-output-tokens-reset",
];

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    let manifest = Manifest::new("anthropic", env!("CARGO_PKG_VERSION"))
        .description("Anthropic's Messages API")
        // Its own name, and what configurations call a server of somebody else's that speaks the same.
        .types(&["anthropic", "anthropic-messages", "anthropic-compatible"])
        .base_url("anthropic", "https://api.anthropic.com")
        .operations(&["chat.completions", "messages", "count_tokens", "models"])
        .auth(Auth::header("x-api-key"))
        .config_schema(CONFIG)
        .forward_headers(&["anthropic-beta", "anthropic-version"])
        .expose_header("request-id", "anthropic-request-id")
        .limit("n", 1)
        .drops("chat.completions", &crate::request::DROPPED)
        .test(call_test())
        .test(overload_test());
    let exposed = LIMITS.into_iter().chain(OWN.map(|name| (name, name)));
    exposed.fold(manifest, |manifest, (theirs, ours)| {
        manifest.expose_header(theirs, ours)
    })
}

fn call_test() -> SelfTest {
    SelfTest::new(
        "a call of a tool, with what the cache saved",
        "chat.completions",
        r#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Weather?"}],
            "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]}"#,
    )
    .reply(
        200,
        r#"{"type":"message","role":"assistant","content":[{"type":"text","text":"Let me see."},
            {"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Berlin"}}],"stop_reason":"tool_use",
            "usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":7}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"toolu_1",
            "type":"function","function":{"name":"weather","arguments":"{\"city\":\"Berlin\"}"}}]},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":15,"completion_tokens":7,"total_tokens":22,
            "prompt_tokens_details":{"cached_tokens":5,"cache_creation_tokens":0}}}"#,
    )
}

fn overload_test() -> SelfTest {
    SelfTest::new(
        "an overloaded provider",
        "chat.completions",
        r#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(
        529,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_failure(r#"{"kind":"overloaded","status":529,"message":"Overloaded"}"#)
}
