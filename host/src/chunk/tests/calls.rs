//! Calls of tools: whole, and in fragments that say less than OpenAI's.

use serde_json::{Value, json};

use super::{stamp, stream};
use crate::{
    call::Operation,
    chunk::{Assembler, complete},
};

#[test]
fn tool_calls_without_index_or_id_can_still_be_told_apart() {
    let call = |name: &str| {
        format!(
            r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"function":{{"name":"{name}","arguments":{{"a":1}}}}}}]}}}}]}}"#
        )
    };
    let shown = stream(false, &[&call("f"), &call("g")]);
    let seen: Vec<&Value> = shown
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0])
        .collect();
    assert_eq!([&seen[0]["index"], &seen[1]["index"]], [0, 1]);
    assert!(seen[0]["id"].is_string() && seen[0]["id"] != seen[1]["id"]);
    assert_eq!(seen[0]["function"]["arguments"], "{\"a\":1}");
}

/// OpenAI's clients pass over a call that is of no type. Mistral's say none.
#[test]
fn a_call_of_no_type_is_of_a_function_where_it_begins() {
    for kind in ["", "\"type\":null,", "\"type\":\"\",", "\"type\":\"function\","] {
        let call = format!(r#"{{"id":"a",{kind}"function":{{"name":"f","arguments":"{{}}"}},"index":0}}"#);
        let body = format!(r#"{{"choices":[{{"index":0,"message":{{"role":"assistant","tool_calls":[{call}]}}}}]}}"#);
        let made = complete(stamp(false), Operation::Chat, body.into()).expect("an answer");
        let answer: Value = serde_json::from_slice(&made.body).expect("JSON");
        assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["type"], "function");

        let more = r#"{"index":0,"function":{"arguments":" "}}"#;
        let chunk = |call: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{call}]}}}}]}}"#);
        let shown = stream(false, &[&chunk(&call), &chunk(more)]);
        let kind = |at: usize| &shown[at]["choices"][0]["delta"]["tool_calls"][0]["type"];
        assert_eq!([kind(0), kind(1)], [&json!("function"), &Value::Null]);
    }
}

#[test]
fn fragments_without_index_go_on_with_the_last_call() {
    let shown = stream(
        false,
        &[
            r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"[]"}}]}}]}"#,
        ],
    );
    let index = |at: usize| &shown[at]["choices"][0]["delta"]["tool_calls"][0]["index"];
    assert_eq!([index(0), index(1), index(2)], [0, 0, 1]);
}

#[test]
fn fragments_that_say_neither_index_nor_id_are_told_apart_by_their_names() {
    let named = |name: &str, arguments: &str| json!({"function": {"name": name, "arguments": arguments}});
    let more = |arguments: &str| json!({"function": {"arguments": arguments}});
    for (name, lists, expected) in [
        (
            "a name after arguments",
            vec![
                json!([named("f", "{\"a\"")]),
                json!([more(":1}")]),
                json!([named("f", "{}")]),
                json!([more(" ")]),
            ],
            vec![0, 0, 1, 1],
        ),
        (
            "another name where there are no arguments",
            vec![
                json!([named("f", "")]),
                json!([named("g", "")]),
                json!([named("g", "{}")]),
            ],
            vec![0, 1, 1],
        ),
        (
            "several in one list",
            vec![json!([named("f", ""), named("f", "")]), json!([more("{}")])],
            vec![0, 1, 1],
        ),
        (
            "an id before its name",
            vec![
                json!([{"id": "a"}]),
                json!([named("f", "")]),
                json!([more("{}")]),
                json!([{"id": "b"}]),
                json!([named("g", "{}")]),
            ],
            vec![0, 0, 0, 1, 1],
        ),
        (
            "an id and an index before the name",
            vec![
                json!([{"index": 0, "id": "a", "function": {"name": ""}}]),
                json!([{"index": 0, "function": {"name": "f", "arguments": "{}"}}]),
            ],
            vec![0, 0],
        ),
    ] {
        let chunk = |list: &Value| json!({"choices": [{"index": 0, "delta": {"tool_calls": list}}]}).to_string();
        let chunks: Vec<String> = lists.iter().map(chunk).collect();
        let shown = stream(false, &chunks.iter().map(String::as_str).collect::<Vec<_>>());
        let calls = shown.iter().map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"]);
        let calls: Vec<&Value> = calls.flat_map(|list| list.as_array().into_iter().flatten()).collect();
        let places: Vec<u64> = calls.iter().filter_map(|call| call["index"].as_u64()).collect();
        assert_eq!(places, expected, "{name}");
        let ids: Vec<&str> = calls.iter().filter_map(|call| call["id"].as_str()).collect();
        assert_eq!(
            ids.len() as u64,
            expected.last().expect("a call") + 1,
            "each has one id: {name}"
        );
    }
}

#[test]
fn a_name_that_is_empty_takes_none_away() {
    let mut assembler = Assembler::new(stamp(false), Operation::Chat);
    for call in [
        r#"{"index":0,"id":"a","function":{"name":""}}"#,
        r#"{"index":0,"function":{"name":"f","arguments":"{"}}"#,
        r#"{"index":0,"id":"","function":{"name":"","arguments":"}"}}"#,
    ] {
        let chunk = format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{call}]}}}}]}}"#);
        assembler.add(&chunk).expect("a good chunk");
    }
    let answer: Value = serde_json::from_slice(&assembler.finish().expect("an answer").body).expect("JSON");
    assert_eq!(
        answer["choices"][0]["message"]["tool_calls"],
        json!([{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}])
    );
}
