//! A client's request reaches the right place at Azure as it is, the answer comes back as it is, and what goes wrong is told as what it
//! is.

use witgate_azure_openai::AzureOpenAi;
use witgate_sdk::testing::{Call, Reply, json, manifest, self_tests};

const HOST: &str = "https://a.openai.azure.com";

fn call(operation: &str, model: &str) -> Call {
    let body =
        json!({"model": model, "messages": [{"role": "user", "content": "Hi"}], "data_sources": [{"type": "x"}]});
    Call::new(operation, body.to_string()).base_url(HOST)
}

/// Kind, code and status of what a reply of this status means.
fn failure(call: &Call, status: u16, error: &witgate_sdk::testing::Value) -> (String, Option<String>, u16) {
    let reply = Reply::status(status)
        .body(json!({ "error": error }).to_string())
        .header("content-type", "application/json");
    let played = call.play::<AzureOpenAi>([reply]);
    let failure = played.failure();
    (failure.kind.clone(), failure.code.clone(), failure.status)
}

#[test]
fn the_manifest_is_complete_and_its_own_tests_pass() {
    let manifest = manifest::<AzureOpenAi>();
    assert_eq!(manifest["types"], json!(["azure-openai", "azure"]));
    assert_eq!(manifest["auth"]["kind"], "azure-ad");
    assert_eq!(manifest["auth"]["header"], "api-key");
    self_tests::<AzureOpenAi>();
}

#[test]
fn a_request_goes_as_it_is_and_the_answer_comes_back_as_it_is() {
    let call = call("chat.completions", "gpt").config(r#"{"api_version":"2024-10-21"}"#);
    let sent = call.request::<AzureOpenAi>();
    assert_eq!(
        sent.url,
        format!("{HOST}/openai/deployments/gpt/chat/completions?api-version=2024-10-21")
    );
    assert_eq!(sent.json()["data_sources"][0]["type"], "x");
    assert!(sent.idempotent);
    let answer = r#"{"choices":[{"content_filter_results":{"hate":{"filtered":false}}}]}"#;
    let played = call.play::<AzureOpenAi>([Reply::json(answer)]);
    assert_eq!(played.relayed(), Some(answer.as_bytes()));
}

#[test]
fn each_operation_has_its_path() {
    for (operation, path) in [
        ("completions", "completions"),
        ("embeddings", "embeddings"),
        ("images.generations", "images/generations"),
        ("audio.speech", "audio/speech"),
        ("responses", "responses"),
    ] {
        let sent = call(operation, "gpt").request::<AzureOpenAi>();
        assert_eq!(sent.url, format!("{HOST}/openai/v1/{path}"));
        assert_eq!(sent.framing, "relay");
    }
}

#[test]
fn what_a_deployment_does_not_have_is_left_to_the_gateway() {
    for (call, version) in [
        (call("messages", "gpt"), "v1"),
        (call("count_tokens", "gpt"), "v1"),
        (call("responses", "gpt"), "2024-06-01"),
        (call("responses", "claude-sonnet-4-5"), "v1"),
    ] {
        let settings = json!({ "api_version": version }).to_string();
        let played = call.config(&settings).play::<AzureOpenAi>([]);
        assert_eq!(played.failure().kind, "unsupported");
    }
}

#[test]
fn claude_is_asked_in_its_own_api() {
    let chat = call("chat.completions", "claude-sonnet-4-5");
    let sent = chat.request::<AzureOpenAi>();
    assert_eq!(sent.url, format!("{HOST}/anthropic/v1/messages"));
    assert_eq!(sent.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(sent.json()["messages"][0]["content"][0]["text"], "Hi");
    let said = json!({"type": "message", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"});
    assert_eq!(
        chat.play::<AzureOpenAi>([Reply::json(said.to_string())]).text(),
        "Hello"
    );
    let own = call("messages", "claude-sonnet-4-5").ext("header.anthropic-beta", "b");
    let sent = own.request::<AzureOpenAi>();
    assert_eq!(
        (sent.framing.as_str(), sent.header("anthropic-beta")),
        ("relay", Some("b"))
    );
}

#[test]
fn a_refusal_of_the_content_filter_is_told_apart() {
    let chat = call("chat.completions", "gpt");
    let inner = json!({"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": true}}});
    let error = json!({"message": "Filtered.", "code": "content_filter", "status": 400, "innererror": inner});
    let kind = |error: &witgate_sdk::testing::Value| failure(&chat, 400, error).0;
    assert_eq!(kind(&error), "content-filter");
    // Pictures are refused in other words, with the same reason inside.
    assert_eq!(
        kind(&json!({"message": "No.", "code": "contentFilter", "innererror": inner})),
        "content-filter"
    );
    assert_eq!(
        kind(&json!({"message": "No.", "code": "BadRequest"})),
        "invalid-request"
    );
}

#[test]
fn azures_own_codes_say_what_a_failure_is() {
    let chat = call("chat.completions", "gpt");
    let kind = |status, code: &str| failure(&chat, status, &json!({"message": "No.", "code": code})).0;
    assert_eq!(kind(404, "DeploymentNotFound"), "not-found");
    assert_eq!(kind(401, "401"), "authentication");
    assert_eq!(kind(429, "RateLimitReached"), "rate-limit");
    assert_eq!(kind(400, "context_length_exceeded"), "context-length");
    let responses = call("responses", "gpt");
    let error = json!({"message": "The model cannot do that.", "code": "OperationNotSupported"});
    assert_eq!(failure(&responses, 400, &error).0, "unsupported");
    assert_eq!(failure(&chat, 400, &error).0, "invalid-request");
}

#[test]
fn models_are_the_deployments_or_what_the_resource_can_serve() {
    let list = json!({"data": [
        {"id": "mine", "model": "gpt-4o", "status": "succeeded", "created_at": 1_700_000_000},
        {"id": "gone", "model": "gpt-4", "status": "failed"}]});
    let models = Call::new("models", "{}").base_url(HOST);
    let played = models.get_models::<AzureOpenAi>([Reply::json(list.to_string())]);
    let answer = played.answer();
    assert_eq!(
        (&answer["data"][0]["id"], &answer["data"][1]),
        (&json!("mine"), &json!(null))
    );
    let none = Reply::status(404).body(r#"{"error":{"code":"404","message":"Resource not found"}}"#);
    let played = models.get_models::<AzureOpenAi>([none, Reply::json(r#"{"data":[{"id":"gpt-4o"}]}"#)]);
    assert_eq!(played.requests()[1].url, format!("{HOST}/openai/v1/models"));
    assert_eq!(played.answer()["data"][0]["id"], "gpt-4o");
}
