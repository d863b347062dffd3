//! Recorded streams, and what becomes of them where servers write them otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use witgate_openai_responses::OpenAiResponses;
use witgate_sdk::testing::{Call, Played, Reply};

const X_SEARCH: &str = "xai-responses-stream-x-search-streaming-2fbc3b.stream.sse";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/responses")
}

fn recorded(file: &str) -> String {
    fs::read_to_string(folder().join(file)).expect("the recording is there")
}

fn events(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data).ok()).collect()
}

fn stream(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

fn play(call: &Call, stream: impl Into<String>) -> Played {
    let call = call.clone().streaming();
    call.play::<OpenAiResponses>([Reply::sse(stream.into())])
}

fn message(played: &Played) -> Value {
    played.answer()["choices"][0]["message"].take()
}

/// The deltas of the text, of the thoughts and of the calls, and why it ended.
fn told(played: &Played) -> Vec<Value> {
    let choices = played.chunks().iter().map(|chunk| &chunk["choices"][0]);
    let told = choices.flat_map(|choice| {
        let delta = &choice["delta"];
        [
            &delta["content"],
            &delta["reasoning_content"],
            &delta["tool_calls"],
            &choice["finish_reason"],
        ]
    });
    told.filter(|value| !value.is_null()).cloned().collect()
}

#[test]
fn what_a_provider_searches_for_itself_is_no_call_of_the_clients() {
    let asks = |tools: Value| Call::says("What is new?").with(&json!({ "tools": tools }));
    let call = asks(json!([{"type": "x_search"}]));
    let played = play(&call, recorded(X_SEARCH));
    let answer = played.answer();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert!(played.text().starts_with("A recent announcement"));
    assert_eq!(message(&played)["tool_calls"], Value::Null);

    let events = events(&recorded(X_SEARCH));
    let whole = &events.last().expect("events")["response"];
    let whole = call.play::<OpenAiResponses>([Reply::json(whole.to_string())]).answer();
    assert_eq!(whole["choices"], answer["choices"], "the same where it is not streamed");

    // What it searched comes back with the message, for a client that says what it can do itself as it did before.
    let next =
        json!({"messages": [message(&played), {"role": "user", "content": "And?"}], "tools": [{"type": "x_search"}]});
    let sent = Call::chat(next.to_string()).request::<OpenAiResponses>().json();
    assert_eq!(sent["input"][0]["name"], "x_keyword_search");
    assert_eq!(sent["input"][1]["role"], "assistant");
}

#[test]
fn a_call_of_a_declared_tool_is_the_clients_beside_the_providers_own() {
    let named = |name: &str| json!({"type": "custom", "custom": {"name": name}});
    let flat = json!({"type": "custom", "name": "x_keyword_search"});
    let group = json!({"type": "namespace", "name": "n", "tools": [flat]});
    let search = json!({"type": "x_search"});
    for (tools, calls) in [
        (json!([search, named("x_keyword_search")]), 1),
        (json!([search, flat]), 1),
        (json!([search, group]), 1),
        (json!([search, named("other")]), 0),
        // Nothing is known that the provider could have called for itself.
        (json!([named("other")]), 1),
        (json!([]), 1),
    ] {
        let call = Call::says("Hi").with(&json!({ "tools": tools }));
        let message = message(&play(&call, recorded(X_SEARCH)));
        let found = message["tool_calls"].as_array().map_or(0, Vec::len);
        assert_eq!(found, calls, "{tools}");
    }
}

#[test]
fn a_client_of_the_providers_tools_is_asked_again_without_thoughts_too() {
    let thought = json!({"type": "reasoning", "summary": [], "encrypted_content": "gAAA"});
    let output =
        json!([thought, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "One"}]}]);
    let before = json!({"role": "assistant", "content": "One", "extra_content": {"openai": {"output": output}}});
    let asked = json!({"messages": [before], "tools": [{"type": "x_search"}]});
    let refusal = json!({"error": {"message": "No.", "code": "invalid_encrypted_content"}});
    let reply = Reply::status(400).body(refusal.to_string());
    let call = Call::chat(asked.to_string()).streaming();
    let played = call.play::<OpenAiResponses>([reply, Reply::sse(recorded(X_SEARCH))]);
    assert_eq!(played.requests()[0].json()["input"][0]["type"], "reasoning");
    assert_eq!(played.requests()[1].json()["input"][0]["type"], "message");
    assert_eq!(message(&played)["tool_calls"], Value::Null);
}

#[test]
fn of_a_key_that_comes_twice_the_last_counts() {
    let item =
        r#"{"type":"message","id":"a","id":"b","role":"assistant","content":[{"type":"output_text","text":"Hi"}]}"#;
    let stream = [
        r#"data: {"type":"response.output_text.delta","output_index":1,"output_index":0,"delta":"Bye","delta":"H"}"#,
        r#"data: {"type":"response.output_text.delta","delta":"i","output_index":0,"output_index":0}"#,
        &format!(r#"data: {{"type":"response.output_item.done","output_index":0,"item":{item}}}"#),
        &format!(r#"data: {{"type":"response.output_item.done","output_index":1,"item":{item}}}"#),
        r#"data: {"type":"response.completed","response":{"status":"failed","status":"completed","output":[]}}"#,
    ];
    let played = play(&Call::says("Hi"), stream.join("\n\n") + "\n\n");
    assert_eq!(played.text(), "HiHi");
    let body = format!(r#"{{"output":[],"status":"completed","output":[{item}]}}"#);
    let played = Call::says("Hi").play::<OpenAiResponses>([Reply::json(body)]);
    assert_eq!(played.text(), "Hi");
}

#[test]
fn items_without_places_are_told_once_and_in_full() {
    let files = fs::read_dir(folder()).expect("the folder is there");
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let streams: Vec<String> = names.filter(|name| name.ends_with(".stream.sse")).collect();
    assert!(streams.len() >= 30, "the recordings are there");
    for file in streams {
        let mut events = events(&recorded(&file));
        let call = Call::says("Hi");
        let expected = play(&call, stream(&events));
        if expected.is_failure() {
            continue;
        }
        for event in &mut events {
            event.as_object_mut().expect("an event").remove("output_index");
        }
        let played = play(&call, stream(&events));
        assert_eq!(told(&played), told(&expected), "{file}");
        assert_eq!(message(&played), message(&expected), "{file}");
        events.retain(|event| event["type"] != "response.output_item.done");
        assert_eq!(
            told(&play(&call, stream(&events))),
            told(&expected),
            "{file}, without whole items"
        );
    }
}
