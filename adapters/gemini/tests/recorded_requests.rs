//! What real clients sent to OpenAI can be sent to Gemini: it keeps the API's rules, and nothing that was said is lost.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use witgate_gemini::Gemini;
use witgate_sdk::testing::Call;

/// Keywords that the API refuses in a function's `parameters`.
const REFUSED_KEYWORDS: [&str; 5] = [
    "\"$schema\"",
    "\"additionalProperties\"",
    "\"$ref\"",
    "\"$defs\"",
    "\"oneOf\"",
];

/// Recorded requests that Gemini cannot express, with the reason.
const REFUSED: [(&str, &str); 1] = [(
    "uploaded-file-document-openai",
    "it names a file that was uploaded to OpenAI",
)];

#[test]
fn recorded_requests_keep_the_rules_and_lose_nothing() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/anthropic/chat-requests.jsonl");
    let requests = fs::read_to_string(file).expect("the requests are there");
    let mut wrong = Vec::new();
    for line in requests.lines() {
        let case: Value = serde_json::from_str(line).expect("a line is JSON");
        let (stem, request) = (case["stem"].as_str().expect("a stem"), &case["request"]);
        let call = Call::chat(request.to_string()).model("gemini-2.5-flash");
        if REFUSED.iter().any(|(part, _)| stem.contains(part)) {
            assert_eq!(call.play::<Gemini>([]).failure().kind, "invalid-request", "{stem}");
            continue;
        }
        let sent = call.request::<Gemini>().json();
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

/// All parts of a kind, with the numbers of their contents.
fn parts<'a>(sent: &'a Value, kind: &'a str) -> impl Iterator<Item = (usize, &'a Value)> {
    let contents = list(sent, "contents").iter().enumerate();
    let parts = contents.flat_map(|(at, content)| list(content, "parts").iter().map(move |part| (at, part)));
    parts.filter_map(move |(at, part)| Some((at, part.get(kind)?)))
}

/// The rules of the API that this body breaks.
fn broken_rules(sent: &Value) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut need = |holds: bool, rule| {
        if !holds {
            broken.push(rule);
        }
    };
    let contents = list(sent, "contents");
    need(
        contents.first().is_some_and(|content| content["role"] == "user"),
        "the user begins",
    );
    for content in contents {
        need(content["role"] == "user" || content["role"] == "model", "two roles");
        need(!list(content, "parts").is_empty(), "no content is empty");
    }
    need(parts(sent, "text").all(|(_, text)| text != ""), "no text is empty");
    need(
        parts(sent, "functionCall").all(|(_, call)| call["args"].is_object()),
        "arguments are an object",
    );
    let names = |kind: &str, of: usize| -> Vec<Value> {
        parts(sent, kind)
            .filter(|(at, _)| *at == of)
            .map(|(_, part)| part["name"].clone())
            .collect()
    };
    for at in 0..contents.len() {
        let results = names("functionResponse", at);
        let answered = at > 0 && names("functionCall", at - 1) == results;
        need(
            results.is_empty() || answered,
            "as many results as calls, in their order, right after them",
        );
    }
    for function in list(sent, "tools")
        .iter()
        .flat_map(|tool| list(tool, "functionDeclarations"))
    {
        let schema = function["parameters"].to_string();
        need(
            !REFUSED_KEYWORDS.iter().any(|keyword| schema.contains(keyword)),
            "a keyword the API refuses",
        );
    }
    broken
}

/// What the client said and the body does not.
fn lost(request: &Value, sent: &Value) -> Vec<&'static str> {
    let mut lost = Vec::new();
    let everything = sent.to_string();
    let says = |text: &str| {
        let inside = |text: &str| json!(text).to_string().trim_matches('"').to_owned();
        let parsed: Option<Value> = serde_json::from_str(text).ok();
        everything.contains(&inside(text)) || parsed.is_some_and(|value| everything.contains(&value.to_string()))
    };
    let mut calls = Vec::new();
    for message in list(request, "messages") {
        let parts = list(message, "content").iter();
        let texts = parts
            .clone()
            .filter_map(|part| part["text"].as_str())
            .chain(message["content"].as_str());
        if !texts.into_iter().all(says) {
            lost.push("a text");
        }
        for part in parts {
            let url = part["image_url"]["url"].as_str().or(part["image_url"].as_str());
            let data = url.map(|url| url.rsplit(',').next().unwrap_or_default());
            let data = data.or(part["input_audio"]["data"].as_str());
            if data.is_some_and(|data| !everything.contains(data)) {
                lost.push("an image or a recording");
            }
        }
        for call in list(message, "tool_calls") {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            let args: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            calls.push((call["function"]["name"].clone(), args));
        }
    }
    let made = parts(sent, "functionCall").map(|(_, call)| (call["name"].clone(), call["args"].clone()));
    if made.collect::<Vec<_>>() != calls {
        lost.push("a call");
    }
    let asked = list(request, "tools").iter().map(|tool| &tool["function"]["name"]);
    let declared = list(sent, "tools")
        .iter()
        .flat_map(|tool| list(tool, "functionDeclarations"));
    if !asked.eq(declared.map(|function| &function["name"])) {
        lost.push("a tool");
    }
    let config = &sent["generationConfig"];
    let tokens = [&request["max_completion_tokens"], &request["max_tokens"]];
    let tokens = tokens.into_iter().find(|tokens| !tokens.is_null());
    if tokens.is_some_and(|tokens| *tokens != config["maxOutputTokens"]) {
        lost.push("max tokens");
    }
    if !request["temperature"].is_null() && request["temperature"] != config["temperature"] {
        lost.push("temperature");
    }
    let stop = request["stop"]
        .as_str()
        .map_or_else(|| request["stop"].clone(), |stop| json!([stop]));
    if stop != config["stopSequences"] {
        lost.push("stop");
    }
    lost
}
