//! Who the adapter is, and the tests it brings along.

use witgate_sdk::{Auth, Manifest, SelfTest};

/// What an Entra token has to allow; it holds for Azure OpenAI and for Foundry's other models.
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
/// Azure takes no more inputs at once.
const EMBEDDINGS_BATCH: u64 = 2048;

const CONFIG: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "api_version": {"type": "string",
            "description": "A date, such as 2024-10-21: requests go to the deployment's own path. v1, or none: to the v1 path."},
        "anthropic_version": {"type": "string", "description": "Claude: the header anthropic-version; else 2023-06-01."},
        "anthropic_beta": {"type": "string", "description": "Claude: words for the header anthropic-beta, separated by commas."},
        "default_max_tokens": {"type": "integer", "minimum": 1,
            "description": "Claude: max_tokens for clients that name none; else by the model's generation."}
    }
}"#;

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    Manifest::new("azure-openai", env!("CARGO_PKG_VERSION"))
        .description("Azure OpenAI, and the other models of Microsoft Foundry")
        .types(&["azure-openai", "azure"])
        .operations(&[
            "chat.completions",
            "completions",
            "embeddings",
            "responses",
            "images.generations",
            "audio.speech",
            "messages",
            "count_tokens",
            "models",
        ])
        .auth(Auth::azure_ad(SCOPE).key_header("api-key"))
        .config_schema(CONFIG)
        .forward_headers(&["anthropic-beta", "anthropic-version"])
        .expose_header("apim-request-id", "apim-request-id")
        .expose_header("x-ms-region", "x-ms-region")
        .limit("embeddings-batch", EMBEDDINGS_BATCH)
        .test(filter_test())
        .test(claude_test())
}

fn filter_test() -> SelfTest {
    SelfTest::new(
        "a prompt that the content filter refuses",
        "chat.completions",
        r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(
        400,
        r#"{"error":{"message":"The response was filtered.","type":null,"param":"prompt","code":"content_filter",
            "status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":
            {"filtered":true,"severity":"high"}}}}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_failure(r#"{"kind":"content-filter","status":400,"code":"content_filter","param":"prompt"}"#)
}

fn claude_test() -> SelfTest {
    SelfTest::new(
        "Claude",
        "chat.completions",
        r#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(
        200,
        r#"{"type":"message","role":"assistant","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn",
            "usage":{"input_tokens":3,"output_tokens":1}}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#,
    )
}
