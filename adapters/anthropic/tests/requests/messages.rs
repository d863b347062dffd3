use super::{refused_for, sent, sent_to, turns};
use serde_json::json;

#[test]
fn system_and_developer_messages_become_the_system_prompt_wherever_they_stand() {
    let body = sent(&json!({"messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "assistant", "content": "Hello"},
    ]}));
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}])
    );
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
        ])
    );
}

#[test]
fn parallel_tool_results_come_first_in_one_turn_with_what_the_user_adds() {
    let call =
        |id: &str| json!({"id": id, "type": "function", "function": {"name": "look", "arguments": "{\"at\": 1.50}"}});
    let turns = turns(&json!([
        {"role": "user", "content": "Look"},
        {"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]},
        {"role": "user", "content": "Hurry"},
        {"role": "tool", "tool_call_id": "a", "content": "sun"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "moon"}]},
    ]));
    let used = |id: &str| json!({"type": "tool_use", "id": id, "name": "look", "input": {"at": 1.50}});
    assert_eq!(
        turns[1],
        json!({"role": "assistant", "content": [used("a"), used("b")]})
    );
    assert_eq!(
        turns[2],
        json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "sun"}]},
            {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "moon"}]},
            {"type": "text", "text": "Hurry"},
        ]})
    );
}

#[test]
fn an_empty_tool_result_and_arguments_that_are_no_object_are_sent_in_a_form_the_api_takes() {
    let called = |arguments: &str| {
        json!([
            {"role": "user", "content": "Go"},
            {"role": "assistant", "tool_calls": [
                {"id": "x", "type": "function", "function": {"name": "f", "arguments": arguments}}]},
            {"role": "tool", "tool_call_id": "x", "content": ""},
        ])
    };
    let input = |arguments: &str| turns(&called(arguments))[1]["content"][0]["input"].take();
    assert_eq!(input(""), json!({}));
    assert_eq!(input("{\"a\": [1]}"), json!({"a": [1]}));
    assert_eq!(input("{\"a\": "), json!({"arguments": "{\"a\":"}));
    let result = turns(&called("{}"))[2]["content"][0].take();
    assert_eq!(result, json!({"type": "tool_result", "tool_use_id": "x"}));
}

#[test]
fn call_ids_of_other_providers_are_made_fit_and_stay_distinct() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let turns = turns(&json!([
        {"role": "user", "content": "Go"},
        {"role": "assistant", "tool_calls": [call("f:1"), call("f.1")]},
        {"role": "tool", "tool_call_id": "f:1", "content": "one"},
        {"role": "tool", "tool_call_id": "f.1", "content": "two"},
    ]));
    for at in [0, 1] {
        let id = turns[1]["content"][at]["id"].as_str().unwrap();
        assert!(
            id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
            "{id}"
        );
        assert_eq!(turns[2]["content"][at]["tool_use_id"], id);
    }
    assert_ne!(turns[1]["content"][0]["id"], turns[1]["content"][1]["id"]);
}

#[test]
fn images_and_documents_keep_their_bytes() {
    let turns = turns(&json!([{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,/9j/4A==", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "file", "file": {"filename": "b.pdf", "file_data": "JVBERi0="}},
        {"type": "file", "file": {"filename": "c.txt", "file_data": "data:text/plain;base64,w6RiYw=="}},
        {"type": "file", "file": {"file_id": "file_1"}},
    ]}]));
    let base64 = |media: &str, data: &str| json!({"type": "base64", "media_type": media, "data": data});
    assert_eq!(
        turns[0]["content"],
        json!([
            {"type": "image", "source": base64("image/jpeg", "/9j/4A==")},
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
            {"type": "document", "source": base64("application/pdf", "JVBERi0="), "title": "a.pdf"},
            {"type": "document", "source": base64("application/pdf", "JVBERi0="), "title": "b.pdf"},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "äbc"}, "title": "c.txt"},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        ])
    );
}

#[test]
fn what_cannot_be_sent_is_refused_and_the_field_named() {
    let user = |part| json!({"messages": [{"role": "user", "content": [part]}]});
    let cases = [
        (
            user(json!({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}})),
            "messages[0].content[0]",
        ),
        (
            user(json!({"type": "image_url", "image_url": {"url": "ftp://a.example"}})),
            "messages[0].content[0]",
        ),
        (
            user(json!({"type": "file", "file": {"file_data": "data:video/mp4;base64,AA=="}})),
            "messages[0].content[0]",
        ),
        (
            json!({"messages": [{"role": "tool", "content": "x"}]}),
            "messages[0].tool_call_id",
        ),
        (
            json!({"messages": [{"role": "function", "name": "f", "content": "x"}]}),
            "messages[0].role",
        ),
    ];
    for (request, param) in cases {
        assert_eq!(refused_for(&request), param, "{request}");
    }
}

#[test]
fn cache_markers_stay_on_what_they_mark() {
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let body = sent(&json!({"messages": [
        {"role": "system", "content": [
            {"type": "text", "text": "Long", "cache_control": mark},
            {"type": "text", "text": "Short"}]},
        {"role": "user", "content": "Hi", "cache_control": mark},
        {"role": "assistant", "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "x", "content": "1", "cache_control": mark},
    ], "tools": [{"type": "function", "function": {"name": "f"}, "cache_control": mark}]}));
    assert_eq!(body["system"][0]["cache_control"], mark);
    assert!(body["system"][1].get("cache_control").is_none());
    assert_eq!(body["messages"][0]["content"][0]["cache_control"], mark);
    assert_eq!(body["messages"][2]["content"][0]["cache_control"], mark);
    assert_eq!(body["tools"][0]["cache_control"], mark);
}

#[test]
fn blank_texts_are_left_out_and_a_conversation_always_begins_with_the_user() {
    let opened = turns(&json!([
        {"role": "assistant", "content": "Welcome"},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": [{"type": "text", "text": " \n"}]},
        {"role": "user", "content": "Thanks"},
    ]));
    assert_eq!(
        opened,
        json!([
            {"role": "user", "content": [{"type": "text", "text": "."}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Welcome"}]},
            {"role": "user", "content": [{"type": "text", "text": "Thanks"}]},
        ])
    );
    let only_system = turns(&json!([{"role": "system", "content": "Be brief."}]));
    assert_eq!(only_system[0]["role"], "user");
}

#[test]
fn a_text_the_model_is_to_continue_does_not_end_in_blanks() {
    let turns = turns(&json!([{"role": "user", "content": "Count"}, {"role": "assistant", "content": "One, \n"}]));
    assert_eq!(turns[1]["content"], json!([{"type": "text", "text": "One,"}]));
}

#[test]
fn signed_thinking_goes_back_before_text_and_calls_byte_for_byte() {
    let request = r#"{"messages":[{"role":"user","content":"Go"},{"role":"assistant","content":"Done.",
        "reasoning_content":"ignored without its signature",
        "thinking_blocks":[{"index":0,"type":"thinking","thinking":"a\u00e4\/b","signature":"Eq+/=="},
            {"index":1,"type":"redacted_thinking","data":"xyz"},{"type":"thinking","thinking":"unsigned"}],
        "tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\"n\": 1.0}"}}]}]}"#;
    let body = super::drive::request(super::MODEL, request).unwrap();
    let expected = r#"{"role":"assistant","content":[{"type":"thinking","thinking":"a\u00e4\/b","signature":"Eq+/=="},{"type":"redacted_thinking","data":"xyz"},{"type":"text","text":"Done."},{"type":"tool_use","id":"x","name":"f","input":{"n": 1.0}}]}"#;
    assert!(body.contains(expected), "{body}");
}

#[test]
fn blocks_of_an_earlier_answer_go_back_as_they_came_unless_the_client_changed_the_message() {
    let blocks = json!([
        {"type": "thinking", "thinking": "first", "signature": "s1"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "e"}]},
        {"type": "text", "text": "Found "},
        {"type": "thinking", "thinking": "then", "signature": "s2"},
        {"type": "text", "text": "it."},
    ]);
    let asked = |text: &str| {
        let answer = json!({"role": "assistant", "content": text, "extra_content": {"anthropic": {"content": blocks}}});
        turns(&json!([{"role": "user", "content": "Go"}, answer, {"role": "user", "content": "And?"}]))[1]["content"]
            .take()
    };
    assert_eq!(asked("Found it."), blocks);
    assert_eq!(asked("Edited."), json!([{"type": "text", "text": "Edited."}]));
}

#[test]
fn blocks_of_anthropics_own_pass_through() {
    let own = json!({"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]});
    let body = sent_to(
        "claude-opus-4-7",
        &json!({"messages": [{"role": "user", "content": [own]}]}),
    );
    assert_eq!(body["messages"][0]["content"][0], own);
}
