//! What a client says in Chat Completions reaches Anthropic as the same request in Messages.

#[path = "drive/call.rs"]
mod drive;
#[path = "requests/messages.rs"]
mod messages;
#[path = "requests/settings.rs"]
mod settings;
#[path = "requests/tools.rs"]
mod tools;

use serde_json::{Value, json};

/// A model of the generation that takes everything but the newest settings.
const MODEL: &str = "claude-sonnet-4-5";

/// The body that is sent to Anthropic for the client's `request`.
fn sent(request: &Value) -> Value {
    sent_to(MODEL, request)
}

fn sent_to(model: &str, request: &Value) -> Value {
    let body = drive::request(model, &request.to_string()).expect("the request can be sent");
    serde_json::from_str(&body).expect("what is sent is JSON")
}

/// The turns that are sent for the client's `messages`.
fn turns(messages: &Value) -> Value {
    sent(&json!({ "messages": messages }))["messages"].take()
}

/// The field that a request is refused for.
fn refused_for(request: &Value) -> String {
    let failure = drive::request(MODEL, &request.to_string()).expect_err("the request cannot be sent");
    failure.param.unwrap_or_default()
}

#[test]
fn a_request_of_anthropics_own_goes_on_untouched_and_its_answer_is_relayed() {
    let body = "{ \"model\": \"claude\",  \"messages\":[] , \"novel\": 1.0e-0 }";
    for (operation, path) in [("messages", "messages"), ("count_tokens", "messages/count_tokens")] {
        let headers = [
            ("header.anthropic-version", "2099-01-01"),
            ("header.anthropic-beta", "b"),
        ];
        let mut ctx = drive::context(MODEL, true, &json!({"anthropic_beta": "a"}), &headers);
        operation.clone_into(&mut ctx.operation);
        let fetch = drive::fetch(ctx, body).expect("the request can be sent");
        assert_eq!(drive::text(&fetch), body);
        assert_eq!(fetch.request.url, format!("https://api.example/v1/{path}"));
        assert_eq!(fetch.request.framing, "relay");
        let headers = &fetch.request.headers;
        for (name, value) in [("anthropic-version", "2099-01-01"), ("anthropic-beta", "a,b")] {
            assert!(headers.contains(&(name.to_owned(), value.to_owned())), "{headers:?}");
        }
    }
}

#[test]
fn a_request_goes_to_messages_with_its_version_and_betas() {
    let config = json!({"anthropic_beta": "a", "default_max_tokens": 5});
    let ctx = drive::context(MODEL, true, &config, &[("header.anthropic-beta", "b")]);
    let file = json!({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file_1"}}]}]});
    let fetch = drive::fetch(ctx, &file.to_string()).expect("the request can be sent");
    assert_eq!(fetch.request.url, "https://api.example/v1/messages");
    assert_eq!(fetch.request.framing, "sse");
    let header = |name: &str| {
        fetch
            .request
            .headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(header("anthropic-beta"), Some("a,b,files-api-2025-04-14"));
    let body = drive::text(&fetch);
    assert!(body.contains("\"max_tokens\":5,\"stream\":true"), "{body}");
}
