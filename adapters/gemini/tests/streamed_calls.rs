//! Calls whose arguments come in pieces (`streamFunctionCallArguments`) reach the client as the calls they are.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use witgate_gemini::Gemini;
use witgate_sdk::testing::{Call, Reply};

/// The events of a recorded stream.
fn recorded(file: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let lines = fs::read_to_string(folder.join(file)).expect("the recording is there");
    let events = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event is JSON"));
    events.collect()
}

/// The tool calls of these events' answer: streamed, then whole.
fn calls(events: &[Value]) -> [Value; 2] {
    let wire: String = events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
    let streamed = Call::says("Hi").streaming().play::<Gemini>([Reply::sse(wire)]);
    let whole = Call::says("Hi").play::<Gemini>([Reply::json(Value::from(events).to_string())]);
    [streamed, whole].map(|played| {
        let mut choice = played.answer()["choices"][0].take();
        assert_eq!(choice["finish_reason"], "tool_calls");
        choice["message"]["tool_calls"].take()
    })
}

/// The names and arguments of calls.
fn said(calls: &Value) -> Vec<[&str; 2]> {
    let calls = calls.as_array().expect("calls").iter();
    calls
        .map(|call| ["name", "arguments"].map(|key| call["function"][key].as_str().expect("a text")))
        .collect()
}

#[test]
fn recorded_calls_in_pieces_are_one_call_each_with_whole_arguments() {
    let file = "gemini/stream-google-stream-tool-call-arguments-61dd04.chunks.jsonl";
    for calls in calls(&recorded(file)) {
        let both = [
            ["getWeather", r#"{"location":"Boston"}"#],
            ["getWeather", r#"{"location":"San Francisco"}"#],
        ];
        assert_eq!(said(&calls), both);
        let signature = &calls[0]["extra_content"]["google"]["thought_signature"];
        assert!(signature.as_str().is_some_and(|text| text.starts_with("CiMBjz1rX25K")));
        assert_eq!(calls[1].get("extra_content"), None);
        assert_ne!(calls[0]["id"], calls[1]["id"]);
    }
    let file = "gemini/stream-array-arguments-missing-terminal-function-call-f1255c.chunks.jsonl";
    let items = r#"{"operations":[{"action":"add","description":"Fresh red apple","itemid":"apple_001","price":0.5},{"action":"add","description":"Ripe yellow banana","itemid":"banana_001","price":0.3}]}"#;
    for calls in calls(&recorded(file)) {
        assert_eq!(said(&calls), [["writeItems", items]]);
    }
    let file = "vertex/stream-th-streaming-function-calling-arguments-stream-98638a.chunks.jsonl";
    for calls in calls(&recorded(file)) {
        assert_eq!(said(&calls), [["customDivide", r#"{"denominator":2,"numerator":100}"#]]);
    }
}

#[test]
fn a_call_whose_last_piece_never_comes_is_given_nevertheless() {
    let file = "gemini/stream-google-stream-tool-call-arguments-61dd04.chunks.jsonl";
    let mut events = recorded(file);
    for end in [3, 7] {
        events[end]["candidates"][0]["content"]["parts"] = json!([]);
    }
    for calls in calls(&events) {
        let arguments: Vec<&str> = said(&calls).iter().map(|[_, arguments]| *arguments).collect();
        assert_eq!(
            arguments,
            [r#"{"location":"Boston"}"#, r#"{"location":"San Francisco"}"#]
        );
    }
}

#[test]
fn a_call_in_pieces_beside_others_keeps_its_place_and_its_own_id() {
    let event = |parts: Value| json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]});
    let begun = json!({"functionCall": {"name": "f", "id": "own", "args": {"z": [1]}, "willContinue": true}});
    let piece =
        json!({"functionCall": {"partialArgs": [{"jsonPath": "$.a", "nullValue": null}], "willContinue": true}});
    let whole = json!({"functionCall": {"name": "g", "args": {"b": 2}}});
    let end = json!({"functionCall": {}});
    for calls in calls(&[event(json!([begun])), event(json!([piece, whole])), event(json!([end]))]) {
        assert_eq!(said(&calls), [["f", r#"{"z":[1],"a":null}"#], ["g", r#"{"b":2}"#]]);
        assert_eq!(calls[0]["id"], "own");
    }
}

#[test]
fn a_call_in_pieces_is_brought_back_whole() {
    let file = "gemini/stream-array-arguments-missing-terminal-function-call-f1255c.chunks.jsonl";
    let mut events = recorded(file);
    // What follows a call makes the answer come back as its parts.
    events.last_mut().expect("events")["candidates"][0]["content"]["parts"] = json!([{"text": "Done."}]);
    let answer = Call::says("Hi")
        .play::<Gemini>([Reply::json(Value::from(events).to_string())])
        .answer();
    let go = json!({"role": "user", "content": "Go"});
    let request = json!({"messages": [go, answer["choices"][0]["message"], go]});
    let parts = Call::chat(request.to_string()).request::<Gemini>().json()["contents"][1]["parts"].take();
    let call = &parts[0]["functionCall"];
    assert_eq!(
        (&call["name"], &call["args"]["operations"][1]["price"]),
        (&json!("writeItems"), &json!(0.3))
    );
    assert!(parts[0]["thoughtSignature"].is_string() && call.get("partialArgs").is_none());
    assert_eq!(parts[1], json!({"text": "Done."}));
}
