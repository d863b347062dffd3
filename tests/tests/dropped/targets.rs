//! What the tests of dropped fields ask of whom: the adapters, and all that a chat can ask for.

use serde_json::{Map, Value, json};
use witgate_tests::Asked;

/// A first-party adapter, a model of its provider's, and an answer that it reads.
pub(crate) struct Target {
    pub(crate) adapter: &'static str,
    pub(crate) type_: &'static str,
    pub(crate) model: &'static str,
    pub(crate) more: &'static str,
    pub(crate) answer: fn(&Asked) -> Value,
}

pub(crate) const TARGETS: &[Target] = &[
    Target {
        adapter: "anthropic",
        type_: "anthropic",
        model: "claude-sonnet-4-5",
        more: "",
        answer: claude,
    },
    Target {
        adapter: "gemini",
        type_: "gemini",
        model: "gemini-2.5-flash",
        more: "",
        answer: |_| {
            json!({
                "candidates": [{ "content": { "role": "model", "parts": [{ "text": "Hi" }] }, "finishReason": "STOP" }],
                "usageMetadata": { "promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2 }
            })
        },
    },
    Target {
        adapter: "cohere",
        type_: "cohere",
        model: "command-a-03-2025",
        more: "",
        answer: |_| {
            json!({
                "id": "c", "finish_reason": "COMPLETE",
                "message": { "role": "assistant", "content": [{ "type": "text", "text": "Hi" }] },
                "usage": { "tokens": { "input_tokens": 1, "output_tokens": 1 } }
            })
        },
    },
    Target {
        adapter: "ollama",
        type_: "ollama",
        model: "llama3",
        more: "",
        answer: |_| {
            json!({
                "model": "m", "created_at": "2026-01-01T00:00:00Z", "message": { "role": "assistant", "content": "Hi" },
                "done": true, "done_reason": "stop", "prompt_eval_count": 1, "eval_count": 1
            })
        },
    },
    Target {
        adapter: "huggingface",
        type_: "huggingface-inference",
        model: "org/model",
        more: "",
        answer: |_| {
            let token = json!({ "id": 1, "text": "Hi", "logprob": -0.5, "special": false });
            let details =
                json!({ "finish_reason": "eos_token", "generated_tokens": 1, "prefill": [], "tokens": [token] });
            json!([{ "generated_text": "Hi", "details": details }])
        },
    },
    Target {
        adapter: "bedrock",
        type_: "bedrock",
        model: "anthropic.claude-sonnet-4-5-20250929-v1:0",
        more: "region = \"us-east-1\"\n",
        answer: |_| {
            json!({
                "output": { "message": { "role": "assistant", "content": [{ "text": "Hi" }] } }, "stopReason": "end_turn",
                "usage": { "inputTokens": 1, "outputTokens": 1, "totalTokens": 2 }
            })
        },
    },
    Target {
        adapter: "openai-responses",
        type_: "openai-responses",
        model: "gpt-5",
        more: "",
        answer: |_| {
            let text = json!({ "type": "output_text", "text": "Hi", "annotations": [] });
            json!({
                "id": "r", "object": "response", "status": "completed", "model": "m",
                "output": [{ "type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text] }],
                "usage": { "input_tokens": 1, "output_tokens": 1, "total_tokens": 2 }
            })
        },
    },
    Target {
        adapter: "replicate",
        type_: "replicate",
        model: "owner/name",
        more: "",
        answer: |asked| {
            let get = format!("http://{}/predictions/p", asked.header("host"));
            json!({ "id": "p", "status": "succeeded", "output": ["Hi"], "error": null, "metrics": {}, "urls": { "get": get } })
        },
    },
    Target {
        adapter: "mistral",
        type_: "mistral",
        model: "mistral-small-latest",
        more: "",
        answer: openai,
    },
    Target {
        adapter: "azure-openai",
        type_: "azure-openai",
        model: "claude-sonnet-4-5",
        more: "",
        answer: claude,
    },
    Target {
        adapter: "gemini",
        type_: "vertex-ai",
        model: "anthropic/claude-sonnet-4-5",
        more: "project_id = \"p\"\n",
        answer: claude,
    },
    Target {
        adapter: "gemini",
        type_: "vertex-ai",
        model: "mistral-medium-3",
        more: "project_id = \"p\"\n",
        answer: openai,
    },
    Target {
        adapter: "gemini",
        type_: "vertex-ai",
        model: "meta/llama-3.3-70b-instruct-maas",
        more: "project_id = \"p\"\n",
        answer: openai,
    },
];

fn openai(_: &Asked) -> Value {
    let message = json!({ "role": "assistant", "content": "Hi" });
    json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 }
    })
}

fn claude(_: &Asked) -> Value {
    json!({
        "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [{ "type": "text", "text": "Hi" }],
        "stop_reason": "end_turn", "usage": { "input_tokens": 1, "output_tokens": 1 }
    })
}

/// The first target of this adapter.
pub(crate) fn target(adapter: &str) -> &'static Target {
    let found = TARGETS.iter().find(|target| target.adapter == adapter);
    found.expect("a target")
}

/// Every parameter of OpenAI's API reference for a chat beside the messages, with a value that asks for something, and what has to be
/// there for it to make sense.
pub(crate) fn parameters() -> Vec<(&'static str, Value, Value)> {
    let tools = json!([{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }]);
    let with_tools = json!({ "tools": tools });
    let functions = json!([{ "name": "f", "parameters": { "type": "object" } }]);
    let schema = json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": { "type": "object" } } });
    let none = || json!({});
    vec![
        ("audio", json!({ "voice": "alloy", "format": "mp3" }), none()),
        ("frequency_penalty", json!(0.5), none()),
        ("function_call", json!({ "name": "f" }), none()),
        ("functions", functions, none()),
        ("logit_bias", json!({ "1": 5 }), none()),
        ("logprobs", json!(true), none()),
        ("max_completion_tokens", json!(77), none()),
        ("max_tokens", json!(77), none()),
        ("metadata", json!({ "a": "b" }), none()),
        ("modalities", json!(["text", "audio"]), none()),
        ("n", json!(2), none()),
        ("parallel_tool_calls", json!(false), with_tools.clone()),
        ("prediction", json!({ "type": "content", "content": "x" }), none()),
        ("presence_penalty", json!(0.5), none()),
        ("prompt_cache_key", json!("k"), none()),
        ("prompt_cache_retention", json!("24h"), none()),
        ("reasoning_effort", json!("high"), none()),
        ("response_format", schema, none()),
        ("safety_identifier", json!("s"), none()),
        ("seed", json!(7), none()),
        ("service_tier", json!("flex"), none()),
        ("stop", json!(["END"]), none()),
        ("store", json!(true), none()),
        ("temperature", json!(0.5), none()),
        ("tool_choice", json!("required"), with_tools.clone()),
        ("tools", tools, none()),
        ("top_logprobs", json!(3), json!({ "logprobs": true })),
        ("top_p", json!(0.5), none()),
        ("user", json!("u"), none()),
        ("verbosity", json!("low"), none()),
        ("web_search_options", json!({ "search_context_size": "low" }), none()),
    ]
}

/// What can be asked for inside of other fields: the way to it, a chat without it, and the same chat with it. Without marks for the
/// prompt cache: they change what a provider does, not what it says. And without a schema's `strict`, which says nothing where schemas bind in any
/// case; where they do not, see below.
pub(crate) fn inside() -> Vec<(&'static str, Value, Value)> {
    let message = |role: &str, text: &str, more: Value| {
        let mut message = Map::from_iter([("role".to_owned(), json!(role)), ("content".to_owned(), json!(text))]);
        message.extend(more.as_object().expect("an object").clone());
        message
    };
    let user = |more: Value| json!({ "messages": [message("user", "Say hello.", more)] });
    let assistant = |more: Value| {
        let before = message("assistant", "Hello.", more);
        json!({ "messages": [{ "role": "user", "content": "Hi." }, before, { "role": "user", "content": "Again." }] })
    };
    let result = |more: Value| {
        let call = json!({ "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{}" } });
        let mut result = message("tool", "No such file.", more);
        result.insert("tool_call_id".to_owned(), json!("call_1"));
        let parameters = json!({ "type": "object", "properties": {} });
        json!({
            "messages": [{ "role": "user", "content": "Hi." }, message("assistant", "Wait.", json!({ "tool_calls": [call] })), result],
            "tools": [{ "type": "function", "function": { "name": "f", "parameters": parameters } }]
        })
    };
    let part = |part: Value| user(json!({ "content": [{ "type": "text", "text": "What is it?" }, part] }));
    let picture = "data:image/png;base64,iVBORw0KGgo=";
    let image = |image: Value| part(json!({ "type": "image_url", "image_url": image }));
    let file = |file: Value| part(json!({ "type": "file", "file": file }));
    let pdf = "data:application/pdf;base64,JVBERi0xLjQK";
    let tool = |function: Value| json!({ "tools": [{ "type": "function", "function": function }] });
    let schema = |schema: Value| json!({ "response_format": { "type": "json_schema", "json_schema": schema } });
    let (parameters, none) = (
        json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        json!({}),
    );
    vec![
        ("messages.name", user(none.clone()), user(json!({ "name": "Ann" }))),
        (
            "messages.refusal",
            assistant(none.clone()),
            assistant(json!({ "refusal": "No." })),
        ),
        (
            "messages.audio",
            assistant(none.clone()),
            assistant(json!({ "audio": { "id": "audio_1" } })),
        ),
        (
            "messages.reasoning_content",
            assistant(none.clone()),
            assistant(json!({ "reasoning_content": "Hm." })),
        ),
        ("messages.is_error", result(none), result(json!({ "is_error": true }))),
        (
            "messages.content.image_url.detail",
            image(json!({ "url": picture })),
            image(json!({ "url": picture, "detail": "low" })),
        ),
        (
            "messages.content.file.filename",
            file(json!({ "file_data": pdf })),
            file(json!({ "file_data": pdf, "filename": "a.pdf" })),
        ),
        (
            "tools.function.strict",
            tool(json!({ "name": "f", "parameters": parameters })),
            tool(json!({ "name": "f", "parameters": parameters, "strict": true })),
        ),
        (
            "tools.function.description",
            tool(json!({ "name": "f", "parameters": parameters })),
            tool(json!({ "name": "f", "parameters": parameters, "description": "It does f." })),
        ),
        (
            "response_format.json_schema.description",
            schema(json!({ "name": "n", "schema": parameters })),
            schema(json!({ "name": "n", "schema": parameters, "description": "What it is." })),
        ),
    ]
}
