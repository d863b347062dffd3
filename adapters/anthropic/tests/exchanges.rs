//! Whole exchanges, played by the SDK's stand-in for the gateway.

use witgate_anthropic::Anthropic;
use witgate_sdk::testing::{Call, Reply, json, manifest, self_tests};

#[test]
fn the_manifest_is_complete_and_its_own_tests_pass() {
    assert_eq!(
        manifest::<Anthropic>()["auth"],
        json!({"kind": "header", "header": "x-api-key"})
    );
    self_tests::<Anthropic>();
}

#[test]
fn models_are_listed_page_by_page() {
    let page = |id: &str, more: bool| {
        let model = json!({"id": id, "created_at": "2025-09-29T00:00:00Z", "display_name": "Claude",
            "max_input_tokens": 200_000, "max_tokens": 64_000, "capabilities": {"effort": {"supported": true}}});
        Reply::json(json!({"data": [model], "has_more": more, "last_id": id}).to_string())
    };
    let played = Call::new("models", "{}").get_models::<Anthropic>([page("claude-a", true), page("claude-b", false)]);
    let urls: Vec<&str> = played.requests().iter().map(|sent| sent.url.as_str()).collect();
    let first = "https://api.example.com/v1/models?limit=1000";
    assert_eq!(urls, [first, &format!("{first}&after_id=claude-a")]);
    let list = played.answer();
    assert_eq!(list["data"][1]["id"], "claude-b");
    assert_eq!(list["data"][0]["created"], 1_759_104_000);
    assert_eq!(list["data"][0]["context_window"], 200_000);
}

#[test]
fn a_response_format_made_by_a_forced_tool_is_the_answers_text() {
    let call = Call::chat(
        json!({"model": "claude-sonnet-4-0", "messages": [{"role": "user", "content": "Where?"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": {"type": "object"}}}})
        .to_string(),
    );
    let used = json!({"type": "tool_use", "id": "toolu_1", "name": "structured_output", "input": {"city": "Berlin"}});
    let reply = json!({"content": [used], "stop_reason": "tool_use"});
    let played = call.play::<Anthropic>([Reply::json(reply.to_string())]);
    assert_eq!(played.text(), r#"{"city":"Berlin"}"#);
    assert_eq!(played.answer()["choices"][0]["finish_reason"], "stop");
}
