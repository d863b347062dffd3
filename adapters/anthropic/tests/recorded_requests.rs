//! What real clients sent to OpenAI can be sent to Anthropic: it keeps the API's rules, and nothing that was said is lost.

#[path = "drive/call.rs"]
mod drive;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Recorded requests that Messages cannot express, with the reason.
const REFUSED: [(&str, &str); 2] = [
    ("audio-to-text", "audio goes in"),
    ("with-audio-input", "audio goes in"),
];

#[test]
fn recorded_requests_keep_the_rules_and_lose_nothing() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/anthropic/chat-requests.jsonl");
    let requests = fs::read_to_string(file).expect("the requests are there");
    let mut wrong = Vec::new();
    for line in requests.lines() {
        let case: Value = serde_json::from_str(line).expect("a line is JSON");
        let (stem, request) = (case["stem"].as_str().expect("a stem"), &case["request"]);
        let sent = drive::request("claude-sonnet-4-20250514", &request.to_string());
        if REFUSED.iter().any(|(part, _)| stem.contains(part)) {
            assert_eq!(sent.expect_err(stem).kind, "unsupported", "{stem}");
            continue;
        }
        let sent = sent.unwrap_or_else(|failure| panic!("{stem}: {}", failure.message));
        let sent: Value = serde_json::from_str(&sent).expect("a body is JSON");
        let broken = [broken_rules(&sent), lost(request, &sent)].concat();
        if !broken.is_empty() {
            wrong.push(format!("{stem}: {broken:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The rules of the API that this body breaks.
fn broken_rules(sent: &Value) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut need = |holds: bool, rule| {
        if !holds {
            broken.push(rule);
        }
    };
    need(
        sent["max_tokens"].as_u64().is_some_and(|tokens| tokens > 0),
        "max_tokens is required",
    );
    let turns = list(sent, "messages");
    need(
        turns.first().is_some_and(|turn| turn["role"] == "user"),
        "the user begins",
    );
    let mut open: HashSet<&str> = HashSet::new();
    for (at, turn) in turns.iter().enumerate() {
        let side = if at % 2 == 0 { "user" } else { "assistant" };
        need(turn["role"] == side, "turns alternate");
        need(!list(turn, "content").is_empty(), "no turn is empty");
        let mut results_over = false;
        let mut answered = HashSet::new();
        for block in list(turn, "content") {
            let is_result = block["type"] == "tool_result";
            need(!(is_result && results_over), "results come first");
            results_over |= !is_result;
            let id = block["tool_use_id"].as_str().unwrap_or_default();
            need(
                !is_result || open.contains(id) && answered.insert(id),
                "a result answers a call of the turn before",
            );
            need(
                block["type"] != "text" || !block["text"].as_str().unwrap_or_default().trim().is_empty(),
                "no blank text",
            );
            need(
                block["type"] != "tool_use" || block["input"].is_object(),
                "an input is an object",
            );
        }
        need(
            side == "assistant" || answered == open,
            "every call is answered in the next turn",
        );
        let calls = list(turn, "content").iter().filter(|block| block["type"] == "tool_use");
        open = calls.filter_map(|call| call["id"].as_str()).collect();
    }
    for tool in list(sent, "tools").iter().filter(|tool| tool.get("type").is_none()) {
        need(
            tool["name"].is_string() && tool["input_schema"]["type"] == "object",
            "a tool has a name and an object as input",
        );
    }
    broken
}

/// What the client said and the body does not.
fn lost(request: &Value, sent: &Value) -> Vec<&'static str> {
    let mut lost = Vec::new();
    let everything = sent.to_string();
    let says = |text: &str| {
        let text = json!(text.trim()).to_string();
        everything.contains(&text[1..text.len() - 1])
    };
    let mut calls = Vec::new();
    for message in list(request, "messages") {
        let parts = match &message["content"] {
            Value::String(text) => vec![text.as_str()],
            parts => parts
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|part| part["text"].as_str())
                .collect(),
        };
        if !parts.iter().all(|text| says(text)) {
            lost.push("a text");
        }
        let images = list(message, "content")
            .iter()
            .filter(|part| part["type"] == "image_url");
        for image in images {
            let url = image["image_url"]["url"]
                .as_str()
                .or(image["image_url"].as_str())
                .unwrap_or_default();
            if !says(url.rsplit(',').next().unwrap_or_default()) {
                lost.push("an image");
            }
        }
        for call in list(message, "tool_calls") {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            calls.push((call["id"].clone(), call["function"]["name"].clone(), input));
        }
    }
    let made = list(sent, "messages").iter().flat_map(|turn| list(turn, "content"));
    let made: Vec<_> = made
        .filter(|block| block["type"] == "tool_use")
        .map(|block| (block["id"].clone(), block["name"].clone(), block["input"].clone()))
        .collect();
    if made != calls {
        lost.push("a call");
    }
    let names = |tools: &[Value], of: fn(&Value) -> &Value| -> Vec<Value> {
        tools.iter().map(|tool| of(tool).clone()).collect()
    };
    if names(list(request, "tools"), |tool| &tool["function"]["name"])
        != names(list(sent, "tools"), |tool| &tool["name"])
    {
        lost.push("a tool");
    }
    let tokens = [&request["max_completion_tokens"], &request["max_tokens"]];
    if tokens
        .into_iter()
        .find(|tokens| !tokens.is_null())
        .is_some_and(|tokens| *tokens != sent["max_tokens"])
    {
        lost.push("max tokens");
    }
    if !request["temperature"].is_null() && request["temperature"] != sent["temperature"] {
        lost.push("temperature");
    }
    let stop = match &request["stop"] {
        Value::String(stop) => json!([stop]),
        stop => stop.clone(),
    };
    if stop != sent["stop_sequences"] {
        lost.push("stop");
    }
    lost
}
