//! Mistral behind the real program and the real adapter: it is as strict as the real one, and no client of OpenAI's or Anthropic's API
//! notices.

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

/// The fields that its API has for a chat, and for messages.
const FIELDS: [&str; 7] = [
    "model",
    "messages",
    "max_tokens",
    "stream",
    "tools",
    "tool_choice",
    "random_seed",
];
const OF_MESSAGES: [&str; 6] = ["role", "content", "tool_calls", "tool_call_id", "name", "prefix"];

const THINKS: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"magistral-small-latest","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}]},"finish_reason":null}]}"#;
const SAYS: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"magistral-small-latest","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}"#;
const STOPS: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"magistral-small-latest","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}"#;

/// What Mistral says of a request that it does not take.
fn refusal(body: &Value) -> Option<Played> {
    let members = |value: &Value| {
        value
            .as_object()
            .map(|object| object.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let extra = |place: &str| {
        let detail =
            json!([{ "type": "extra_forbidden", "loc": ["body", place], "msg": "Extra inputs are not permitted" }]);
        let message = json!({ "detail": detail });
        Played::json(
            422,
            &json!({ "object": "error", "message": message, "type": "invalid_request_error", "param": null, "code": null }),
        )
    };
    if let Some(field) = members(body).iter().find(|field| !FIELDS.contains(&field.as_str())) {
        return Some(extra(field));
    }
    for message in body["messages"].as_array().into_iter().flatten() {
        if let Some(field) = members(message)
            .iter()
            .find(|field| !OF_MESSAGES.contains(&field.as_str()))
        {
            return Some(extra(field));
        }
        let calls = message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|call| &call["id"]);
        let answered = message.get("tool_call_id");
        for id in calls.chain(answered).map(|id| id.as_str().unwrap_or_default()) {
            if id.len() != 9 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let message = format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.");
                return Some(Played::json(
                    400,
                    &json!({ "object": "error", "message": message, "code": "3280" }),
                ));
            }
        }
    }
    None
}

fn strict(asked: &Asked) -> Played {
    let body = asked.json();
    if let Some(refusal) = refusal(&body) {
        return refusal;
    }
    if body["stream"] == true {
        return Played::events([THINKS, SAYS, STOPS, "[DONE]"].map(|data| format!("data: {data}\n\n")));
    }
    let thought = json!({ "type": "thinking", "thinking": [{ "type": "text", "text": "Hm." }] });
    let message =
        json!({ "role": "assistant", "content": [thought, { "type": "text", "text": "Hello" }], "tool_calls": null });
    Played::json(
        200,
        &json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "magistral-small-latest",
            "choices": [{ "index": 0, "finish_reason": "stop", "message": message }],
            "usage": { "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14 } }),
    )
}

async fn gateway() -> (Provider, Witgate) {
    let provider = Provider::start(strict).await;
    let config = format!(
        "[[providers]]\nid = \"mistral\"\ntype = \"mistral\"\nbase_url = \"{}/v1\"\napi_key = \"k\"\nmax_retries = 0\n",
        provider.url
    );
    let gateway = Witgate::start(&config, &["mistral"]).await;
    (provider, gateway)
}

fn loop_of_tools() -> Value {
    json!([
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": "Weather?" },
        { "role": "assistant", "content": null, "refusal": null, "reasoning_content": "Where?", "tool_calls": [
            { "id": "call_PTLP8xhu3uwZk4l3nlnrrJha", "type": "function", "function": { "name": "weather", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "call_PTLP8xhu3uwZk4l3nlnrrJha", "content": "Sunny." },
    ])
}

#[tokio::test]
async fn a_client_of_openais_goes_on_with_a_tool_loop_that_another_provider_began() {
    let (provider, gateway) = gateway().await;
    let body = json!({ "model": "mistral/magistral-small-latest", "messages": loop_of_tools(), "max_completion_tokens": 100, "seed": 1,
        "user": "u", "store": false });
    let answer = gateway.post("/v1/chat/completions", &body).await;
    let message = &answer.json()["choices"][0]["message"];
    assert_eq!(
        (&message["content"], &message["reasoning_content"]),
        (&json!("Hello"), &json!("Hm.")),
        "{}",
        answer.text
    );
    let sent = provider.asked()[0].json();
    assert_eq!(
        sent["messages"][2]["tool_calls"][0]["id"],
        sent["messages"][3]["tool_call_id"]
    );
    assert_eq!((&sent["max_tokens"], &sent["random_seed"]), (&json!(100), &json!(1)));
}

#[tokio::test]
async fn a_stream_is_counted_once_and_its_thoughts_are_told_apart() {
    let (provider, mut gateway) = gateway().await;
    let body = json!({ "model": "mistral/magistral-small-latest", "messages": [{ "role": "user", "content": "Hi" }], "stream": true });
    let headers = [("content-type", "application/json"), ("x-request-id", "count-me")];
    let answer = gateway
        .post_text("/v1/chat/completions", body.to_string(), &headers)
        .await;
    assert_eq!(answer.streamed_text(), "Hello", "{}", answer.text);
    assert!(
        answer.text.contains("\"reasoning_content\":\"Hm.\"") && !answer.text.contains("prompt_tokens"),
        "{}",
        answer.text
    );
    assert_eq!(provider.asked().len(), 1);
    let line = gateway.line_with("count-me").await;
    assert!(
        line.contains("input_tokens=11") && line.contains("output_tokens=3"),
        "{line}"
    );
}

#[tokio::test]
async fn a_client_of_anthropics_api_is_answered_too() {
    let (_provider, gateway) = gateway().await;
    let body = json!({ "model": "mistral/magistral-small-latest", "max_tokens": 100, "messages": [
        { "role": "user", "content": [{ "type": "text", "text": "Weather?", "cache_control": { "type": "ephemeral" } }] },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "toolu_01A", "name": "weather", "input": {} }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "toolu_01A", "content": "Sunny." }] }],
        "tools": [{ "name": "weather", "input_schema": { "type": "object" }, "cache_control": { "type": "ephemeral" } }] });
    let answer = gateway.post("/v1/messages", &body).await;
    let said = answer.json()["content"]
        .as_array()
        .and_then(|blocks| Some(blocks.last()?["text"].clone()));
    assert_eq!(said, Some(json!("Hello")), "{}", answer.text);
}

#[tokio::test]
async fn what_mistral_still_refuses_is_told_in_its_words() {
    let (_provider, gateway) = gateway().await;
    let body = json!({ "model": "mistral/magistral-small-latest", "messages": [{ "role": "user", "content": "Hi" }], "novel": 1 });
    let answer = gateway.post("/v1/chat/completions", &body).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(
        answer.text.contains("Extra inputs are not permitted"),
        "{}",
        answer.text
    );
}
