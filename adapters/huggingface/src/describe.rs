//! Who the adapter is, and the tests it brings along.

use witgate_sdk::{Manifest, SelfTest};

const CONFIG: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "prompt_template": {"type": ["string", "object"],
            "description": "How a chat becomes one prompt: plain, chatml, llama3, inst, zephyr, or one's own."},
        "default_max_tokens": {"type": "integer", "minimum": 1, "description": "max_new_tokens for clients that name none."},
        "api": {"enum": ["tgi", "models"], "description": "A server with one model, or paths that name models; else by the base URL."}
    }
}"#;

/// What the gateway is told.
pub(crate) fn manifest() -> Manifest {
    Manifest::new("huggingface", env!("CARGO_PKG_VERSION"))
        .description("text-generation-inference by its native API, and Hugging Face's inference API")
        // `huggingface` and `tgi` alone stand for their translation to OpenAI's API, which needs no adapter.
        .types(&["huggingface-inference", "tgi-native"])
        .base_url("huggingface-inference", "https://router.huggingface.co/hf-inference")
        .operations(&["chat.completions", "completions", "embeddings", "models"])
        .config_schema(CONFIG)
        .hosts(&["huggingface.co"])
        .expose_header("x-request-id", "huggingface-request-id")
        .limit("n", 1)
        .limit("embeddings-batch", 32)
        .drops("chat.completions", &crate::request::DROPPED)
        .drops("completions", &crate::request::DROPPED)
        .drops("embeddings", &["user"])
        .test(text_test())
        .test(loading_test())
}

fn text_test() -> SelfTest {
    SelfTest::new(
        "a text that ended where it was to end",
        "chat.completions",
        r#"{"model":"gpt2","messages":[{"role":"user","content":"One, two,"}],"stop":["four"]}"#,
    )
    .reply(
        200,
        r#"[{"generated_text":" three, four","details":{"finish_reason":"stop_sequence","generated_tokens":4,"prefill":[],"tokens":[]}}]"#,
    )
    .reply_header("content-type", "application/json")
    .reply_header("x-prompt-tokens", "5")
    .expect_answer(
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":" three, "},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9}}"#,
    )
}

fn loading_test() -> SelfTest {
    SelfTest::new(
        "a model that is loading",
        "chat.completions",
        r#"{"model":"gpt2","messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .reply(
        503,
        r#"{"error":"Model gpt2 is currently loading","estimated_time":20.0}"#,
    )
    .reply_header("content-type", "application/json")
    .expect_failure(
        r#"{"kind":"overloaded","status":503,"message":"Model gpt2 is currently loading","code":"model_loading"}"#,
    )
}
