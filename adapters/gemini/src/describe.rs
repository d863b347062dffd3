//! Who the adapter is, and the tests it brings along.

use witgate_sdk::{Auth, Manifest, SelfTest};

use crate::endpoint::{GEMINI_URL, VERTEX_URL};

/// What an access token has to allow.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

const CONFIG: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "project_id": {"type": "string", "description": "Vertex AI: the project; else that of the key file."},
        "region": {"type": "string", "description": "Vertex AI: the location; else global."},
        "api_version": {"type": "string", "description": "v1, v1beta, …; else v1beta, for Vertex AI v1beta1."},
        "safety_settings": {"type": "array", "description": "safetySettings for clients that send none."},
        "default_max_tokens": {"type": "integer", "minimum": 1,
            "description": "Claude on Vertex AI: max_tokens for clients that name none; else by the model's generation."}
    }
}"#;

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    Manifest::new("gemini", env!("CARGO_PKG_VERSION"))
        .description("Google's Gemini API, and Gemini, Claude, Mistral's and open models on Vertex AI")
        .types(&["gemini", "vertex-ai"])
        .base_url("gemini", GEMINI_URL)
        .base_url("vertex-ai", VERTEX_URL)
        .operations(&["chat.completions", "embeddings", "messages", "count_tokens", "models"])
        .auth(Auth::google_oauth(SCOPE).key_header("x-goog-api-key"))
        .config_schema(CONFIG)
        .hosts(&["*.googleapis.com"])
        .forward_headers(&["anthropic-beta"])
        .limit("embeddings-batch", 100)
        .drops("embeddings", &["user"])
        .test(call_test())
        .test(quota_test())
}

fn call_test() -> SelfTest {
    SelfTest::new(
        "a call of a function after some thought",
        "chat.completions",
        r#"{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Weather?"}],
            "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]}"#,
    )
    .reply(
        200,
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Where?","thought":true},{"functionCall":{"id":"c1",
            "name":"weather","args":{"city":"Berlin"}},"thoughtSignature":"c2ln"}]},"finishReason":"STOP"}],
            "usageMetadata":{"promptTokenCount":15,"candidatesTokenCount":7,"thoughtsTokenCount":3,"totalTokenCount":25}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"Where?","tool_calls":[{
            "id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Berlin\"}"},
            "extra_content":{"google":{"thought_signature":"c2ln"}}}]},"finish_reason":"tool_calls"}],
            "usage":{"prompt_tokens":15,"completion_tokens":10,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":0},
            "completion_tokens_details":{"reasoning_tokens":3}}}"#,
    )
}

fn quota_test() -> SelfTest {
    SelfTest::new(
        "too many requests",
        "chat.completions",
        r#"{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(
        429,
        r#"{"error":{"code":429,"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED","details":[{
            "@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"30s"}]}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_failure(r#"{"kind":"rate-limit","status":429,"message":"Quota exceeded.","code":"RESOURCE_EXHAUSTED"}"#)
}
