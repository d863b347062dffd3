//! Claude on Vertex AI: asked in Anthropic's API, with the model in the URL and the version in the body.

use witgate_gemini::Gemini;
use witgate_sdk::testing::{Call, Reply, Value, json};

const PLACE: &str =
    "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models";

fn call(operation: &str, body: &Value) -> Call {
    Call::new(operation, body.to_string())
        .model("claude-sonnet-4-5@20250929")
        .base_url("https://aiplatform.googleapis.com")
        .config(r#"{"project_id": "p", "region": "us-east5"}"#)
}

fn chat(fields: &Value) -> Call {
    call(
        "chat.completions",
        &json!({"messages": [{"role": "user", "content": "Hi"}]}),
    )
    .with(fields)
}

#[test]
fn a_chat_is_a_raw_prediction_without_a_model_in_its_body() {
    let sent = chat(&json!({"max_tokens": 9})).request::<Gemini>();
    assert_eq!(sent.url, format!("{PLACE}/claude-sonnet-4-5%4020250929:rawPredict"));
    assert_eq!(
        sent.json(),
        json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 9,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]})
    );
    let streamed = chat(&json!({})).streaming().request::<Gemini>();
    assert!(streamed.url.ends_with(":streamRawPredict"), "{}", streamed.url);
    assert_eq!(
        (streamed.framing.as_str(), &streamed.json()["stream"]),
        ("sse", &json!(true))
    );
}

#[test]
fn its_answers_and_its_streams_are_anthropics() {
    let said = json!({"type": "message", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 1}});
    let played = chat(&json!({})).play::<Gemini>([Reply::json(said.to_string())]);
    assert_eq!(
        (played.text().as_str(), &played.answer()["usage"]["total_tokens"]),
        ("Hello", &json!(4))
    );
    let event = |data: &Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default());
    let stream = [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}),
        json!({"type": "message_stop"}),
    ];
    let stream: String = stream.iter().map(event).collect();
    let played = chat(&json!({}))
        .streaming()
        .play_cut_everywhere::<Gemini>([Reply::sse(stream)]);
    assert_eq!(played.text(), "Hello");
}

#[test]
fn a_client_of_anthropics_own_api_is_relayed() {
    let body = json!({"model": "claude", "stream": true, "max_tokens": 9, "messages": []});
    let own = call("messages", &body).ext("header.anthropic-beta", "b-1");
    let sent = own.request::<Gemini>();
    assert_eq!(
        sent.url,
        format!("{PLACE}/claude-sonnet-4-5%4020250929:streamRawPredict")
    );
    assert_eq!(
        (sent.framing.as_str(), sent.header("anthropic-beta")),
        ("relay", Some("b-1"))
    );
    assert_eq!(
        sent.text(),
        r#"{"anthropic_version":"vertex-2023-10-16","stream":true,"max_tokens":9,"messages":[]}"#
    );
    let count = call("count_tokens", &json!({"model": "claude", "messages": []})).request::<Gemini>();
    assert_eq!(count.url, format!("{PLACE}/count-tokens:rawPredict"));
    assert_eq!(count.json()["model"], "claude-sonnet-4-5@20250929");
}

#[test]
fn what_goes_wrong_is_told_by_either_of_the_two() {
    let kind = |status, body: &Value| {
        let reply = Reply::status(status).body(body.to_string());
        chat(&json!({})).play::<Gemini>([reply]).failure().kind.clone()
    };
    let anthropics = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    assert_eq!(kind(529, &anthropics), "overloaded");
    let googles = json!({"error": {"code": 403, "message": "Denied.", "status": "PERMISSION_DENIED"}});
    assert_eq!(kind(403, &googles), "permission");
}

#[test]
fn what_claude_has_not_is_said() {
    let failed = |call: Call| call.play::<Gemini>([]).failure().kind.clone();
    assert_eq!(failed(call("embeddings", &json!({"input": "Hi"}))), "unsupported");
    assert_eq!(failed(chat(&json!({"n": 2}))), "unsupported");
    let gemini = call("messages", &json!({"messages": []})).model("gemini-2.5-flash");
    assert_eq!(failed(gemini), "unsupported");
}
