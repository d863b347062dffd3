//! Who the adapter is, and the tests it brings along.

use witgate_sdk::{Auth, Manifest, SelfTest};

use crate::endpoint::BASE_URL;

const CONFIG: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "region": {"type": "string", "description": "The region; else that of the base URL, of AWS_REGION, or of the profile."},
        "guardrail": {"type": "object", "description": "A guardrail for all chats of clients that send none.",
            "additionalProperties": false, "required": ["id", "version"],
            "properties": {"id": {"type": "string"}, "version": {"type": "string"}}},
        "invoke": {"type": "boolean", "description": "Chats go to InvokeModel, in each model's own form."},
        "profiles": {"type": "object", "additionalProperties": {"type": "string"},
            "description": "The models behind ids that do not tell, such as an application's inference profile: id to model."}
    }
}"#;

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    Manifest::new("bedrock", env!("CARGO_PKG_VERSION"))
        .description("The models on AWS Bedrock")
        .types(&["aws-bedrock", "bedrock"])
        .base_url("aws-bedrock", BASE_URL)
        .base_url("bedrock", BASE_URL)
        .operations(&["chat.completions", "messages", "count_tokens", "embeddings", "models"])
        .auth(Auth::aws_sigv4("bedrock"))
        .inline_media()
        .config_schema(CONFIG)
        .forward_headers(&["anthropic-beta"])
        .hosts(&["*.amazonaws.com", "*.amazonaws.com.cn"])
        .expose_header("x-amzn-requestid", "x-amzn-requestid")
        .limit("embeddings-batch", 96)
        .limit("n", 1)
        .drops("chat.completions", &crate::request::DROPPED)
        .drops("embeddings", &["user"])
        .test(call_test())
        .test(throttle_test())
}

fn call_test() -> SelfTest {
    SelfTest::new(
        "a call of a tool after some thought",
        "chat.completions",
        r#"{"model":"us.anthropic.claude-sonnet-4-5-20250929-v1:0","messages":[{"role":"user","content":"Weather?"}],
            "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]}"#,
    )
    .config(r#"{"region":"us-east-1"}"#)
    .reply(
        200,
        r#"{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"Where?","signature":"c2ln"}}},
            {"toolUse":{"toolUseId":"t1","name":"weather","input":{"city":"Berlin"}}}]}},"stopReason":"tool_use",
            "usage":{"inputTokens":10,"outputTokens":7,"totalTokens":22,"cacheReadInputTokens":5}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"Where?",
            "thinking_blocks":[{"type":"thinking","thinking":"Where?","signature":"c2ln"}],"tool_calls":[{"id":"t1",
            "type":"function","function":{"name":"weather","arguments":"{\"city\":\"Berlin\"}"}}]},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":15,"completion_tokens":7,"total_tokens":22,
            "prompt_tokens_details":{"cached_tokens":5,"cache_creation_tokens":0}}}"#,
    )
}

fn throttle_test() -> SelfTest {
    SelfTest::new(
        "a throttled request",
        "chat.completions",
        r#"{"model":"amazon.nova-lite-v1:0","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .config(r#"{"region":"us-east-1"}"#)
    .reply(429, r#"{"message":"Too many requests"}"#)
    .reply_header(
        "x-amzn-errortype",
        "ThrottlingException:http://internal.amazon.com/coral/",
    )
    .expect_failure(r#"{"kind":"rate-limit","status":429,"message":"Too many requests","code":"ThrottlingException"}"#)
}
