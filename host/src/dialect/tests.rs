//! What a provider says is the same to a client of each API.

use std::collections::BTreeSet;

use bytes::BytesMut;
use hyper::HeaderMap;
use serde_json::{Value, json};

use super::{Memo, Taker, Writer, messages, responses};
use crate::{
    call::{Call, Operation},
    chunk::{Chunks, Stamp},
};

/// What a client has of an answer: thoughts, text, calls by name and arguments, and where it is from.
#[derive(Debug, Default, PartialEq)]
struct Said {
    thoughts: String,
    text: String,
    calls: Vec<(String, Value)>,
    sources: BTreeSet<String>,
}

impl Said {
    /// Adds the addresses that a value has.
    fn sources(&mut self, all: &Value) {
        for one in all.as_array().into_iter().flatten() {
            let url = one
                .as_str()
                .or(one["url"].as_str())
                .or(one["url_citation"]["url"].as_str());
            self.sources.extend(url.map(str::to_owned));
        }
    }

    /// Adds a call; its arguments are compared as what they mean, and as text where they are no JSON.
    fn call(&mut self, name: &Value, arguments: &str) {
        let arguments = if arguments.is_empty() { "{}" } else { arguments };
        let meant = serde_json::from_str(arguments).unwrap_or_else(|_| json!({ "arguments": arguments }));
        self.calls.push((name.as_str().unwrap_or_default().to_owned(), meant));
    }
}

fn events(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).expect("UTF-8");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| data.starts_with('{'))
        .map(|data| serde_json::from_str(data).expect("JSON"))
        .collect()
}

/// The data of the events that a client of Chat Completions gets.
fn mended(chunks: &[String]) -> Vec<String> {
    let stamp = Stamp {
        id: "chatcmpl-1".to_owned(),
        created: 7,
        model: "m".to_owned(),
        include_usage: true,
        base64: false,
    };
    let (mut all, mut out) = (Chunks::new(stamp, Operation::Chat), BytesMut::new());
    for chunk in chunks {
        if all.add(chunk, &mut out).is_err() {
            break;
        }
    }
    all.end(&mut out);
    let text = std::str::from_utf8(&out).expect("UTF-8");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| data.starts_with('{')).map(str::to_owned).collect()
}

fn to_chat(chunks: &[String]) -> Said {
    let mut said = Said::default();
    let mut calls: Vec<(u64, Value, String)> = Vec::new();
    let mut old: Option<(Value, String)> = None;
    for chunk in chunks {
        let chunk: Value = serde_json::from_str(chunk).expect("JSON");
        let delta = &chunk["choices"][0]["delta"];
        for list in [&chunk["citations"], &chunk["search_results"], &delta["annotations"]] {
            said.sources(list);
        }
        let add = |text: &mut String, key: &str| text.push_str(delta[key].as_str().unwrap_or_default());
        let thoughts = ["reasoning_content", "reasoning", "reasoning_text"];
        if let Some(key) = thoughts
            .into_iter()
            .find(|key| delta[*key].as_str().is_some_and(|text| !text.is_empty()))
        {
            add(&mut said.thoughts, key);
        }
        add(&mut said.text, "content");
        add(&mut said.text, "refusal");
        if let Some(call) = delta.get("function_call").filter(|call| !call.is_null()) {
            let (_, arguments) = old.get_or_insert_with(|| (call["name"].clone(), String::new()));
            arguments.push_str(call["arguments"].as_str().unwrap_or_default());
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let (index, function) = (call["index"].as_u64().expect("an index"), &call["function"]);
            if !calls.iter().any(|(known, ..)| *known == index) {
                calls.push((index, function["name"].clone(), String::new()));
            }
            let known = calls.iter_mut().find(|(known, ..)| *known == index).expect("a call");
            if known.1.as_str().is_none_or(str::is_empty) {
                known.1 = function["name"].clone();
            }
            known.2.push_str(function["arguments"].as_str().unwrap_or_default());
        }
    }
    if let Some((name, arguments)) = old.filter(|(name, _)| calls.is_empty() && name != "") {
        said.call(&name, &arguments);
    }
    calls.sort_by_key(|(index, ..)| *index);
    calls.iter().for_each(|(_, name, arguments)| said.call(name, arguments));
    said
}

/// The events of another API's answer to a request.
fn written(operation: Operation, request: &Value, chunks: &[String]) -> Vec<Value> {
    let body = request.to_string().into();
    let call = Call::parse(operation, "req_1".to_owned(), HeaderMap::new(), body, 100).expect("a call");
    let taker = Taker {
        provider: "p",
        adapter: false,
    };
    let memo = match operation {
        Operation::Messages => messages::request::to_chat(&call, taker),
        _ => responses::request::to_chat(&call, taker),
    };
    let mut writer: Box<dyn Writer> = match memo.expect("it can be asked").memo {
        Memo::Messages(memo) => Box::new(messages::stream::Writer::new(memo)),
        Memo::Responses(memo) => Box::new(responses::stream::Writer::new(memo)),
    };
    let mut out = BytesMut::new();
    for chunk in chunks {
        let pushed = writer.push(chunk, &mut out);
        assert_eq!(pushed, Ok(()), "{chunk}");
    }
    writer.finish(&mut out);
    events(&out)
}

fn to_messages(chunks: &[String]) -> Said {
    let request = json!({
        "model": "m", "max_tokens": 9000, "messages": [{ "role": "user", "content": "Hi" }],
        "thinking": { "type": "enabled", "budget_tokens": 2000 }
    });
    let mut said = Said::default();
    let mut open: Option<(Value, String)> = None;
    for event in written(Operation::Messages, &request, chunks) {
        let (block, delta) = (&event["content_block"], &event["delta"]);
        let add = |text: &mut String, key: &str| text.push_str(delta[key].as_str().unwrap_or_default());
        match event["type"].as_str().expect("a type") {
            "content_block_start" if block["type"] == "tool_use" => open = Some((block["name"].clone(), String::new())),
            "content_block_delta" => {
                add(&mut said.thoughts, "thinking");
                add(&mut said.text, "text");
                said.sources(&json!([delta["citation"]]));
                if let Some((_, arguments)) = &mut open {
                    add(arguments, "partial_json");
                }
            }
            "content_block_stop" => {
                if let Some((name, arguments)) = open.take() {
                    said.call(&name, &arguments);
                }
            }
            _ => {}
        }
    }
    said
}

fn to_responses(chunks: &[String]) -> Said {
    let events = written(Operation::Responses, &json!({ "model": "m", "input": "Hi" }), chunks);
    let mut said = Said::default();
    let last = events.last().expect("an event");
    for item in last["response"]["output"].as_array().expect("items") {
        let texts = |list: &Value, out: &mut String| {
            for part in list.as_array().into_iter().flatten() {
                out.push_str(part["text"].as_str().or(part["refusal"].as_str()).unwrap_or_default());
            }
        };
        for part in item["content"].as_array().into_iter().flatten() {
            said.sources(&part["annotations"]);
        }
        match item["type"].as_str().expect("a type") {
            "message" => texts(&item["content"], &mut said.text),
            "reasoning" => texts(&item["summary"], &mut said.thoughts),
            "function_call" => said.call(&item["name"], item["arguments"].as_str().expect("arguments")),
            _ => {}
        }
    }
    said
}

fn all_the_same(name: &str, chunks: &[String]) -> Said {
    let mended = mended(chunks);
    let chat = to_chat(&mended);
    for (api, said) in [("Messages", to_messages(&mended)), ("Responses", to_responses(&mended))] {
        assert_eq!(said, chat, "{name} to a client of {api}");
    }
    chat
}

#[test]
fn every_recorded_stream_says_the_same_in_each_api() {
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let list = std::fs::read_to_string(folder.join("openai-shaped.jsonl")).expect("the list");
    let file = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["file"].as_str()?.to_owned());
    let files: Vec<String> = list
        .lines()
        .filter_map(file)
        .filter(|file| file.ends_with(".sse"))
        .collect();
    assert!(files.len() > 100, "only {} recordings", files.len());
    for file in files {
        let text = std::fs::read_to_string(folder.join(&file)).expect("a recording");
        let data = text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(str::trim);
        let chunks: Vec<String> = data.filter(|data| data.starts_with('{')).map(str::to_owned).collect();
        all_the_same(&file, &chunks);
    }
}

#[test]
fn what_servers_write_unlike_openai_says_the_same_in_each_api() {
    let chunk =
        |delta: Value| json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] }).to_string();
    let arguments = |text: &str| chunk(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": text } }] }));
    let begun = json!({ "tool_calls": [{ "index": 0, "id": "c", "type": "function", "function": { "name": "f", "arguments": "{\"a\"" } }] });
    let ab = vec![("f".to_owned(), json!({ "a": 1 }))];
    let said = |thoughts: &str, text: &str| Said {
        thoughts: thoughts.to_owned(),
        text: text.to_owned(),
        ..Said::default()
    };
    let cited = |text: &str, sources: &[&str]| Said {
        sources: sources.iter().map(|url| (*url).to_owned()).collect(),
        ..said("", text)
    };
    let searched = |delta: Value, urls: &[&str]| {
        let mut chunk: Value = serde_json::from_str(&chunk(delta)).expect("JSON");
        chunk["citations"] = json!(urls);
        chunk["search_results"] = urls.iter().map(|url| json!({ "url": url, "title": "T" })).collect();
        chunk.to_string()
    };
    let annotation = |url: &str| json!({ "type": "url_citation", "url_citation": { "url": url, "title": "T" } });
    for (name, chunks, expected) in [
        (
            "a delta that is null",
            vec![
                chunk(json!({ "content": "Hi" })),
                r#"{"choices":[{"index":0,"delta":null,"finish_reason":"stop"}]}"#.to_owned(),
            ],
            said("", "Hi"),
        ),
        (
            "choices that are null",
            vec![
                chunk(json!({ "content": "Hi" })),
                r#"{"choices":null,"usage":{"prompt_tokens":1,"completion_tokens":1}}"#.to_owned(),
            ],
            said("", "Hi"),
        ),
        (
            "keys that come twice",
            vec![
                r#"{"choices":[{"index":0,"index":0,"delta":{"content":"a","content":"Hi"}}],"model":"x","model":"y"}"#
                    .to_owned(),
            ],
            said("", "Hi"),
        ),
        (
            "all that was said so far beside what is new",
            vec![
                r#"{"choices":[{"index":0,"message":{"content":"H"},"delta":{"content":"H"}}]}"#.to_owned(),
                r#"{"choices":[{"index":0,"message":{"content":"Hi"},"delta":{"content":"i"}}]}"#.to_owned(),
            ],
            said("", "Hi"),
        ),
        (
            "words between two pieces of a call",
            vec![
                chunk(begun.clone()),
                chunk(json!({ "content": "Hi", "reasoning_content": "Hm" })),
                arguments(":1}"),
            ],
            Said {
                calls: ab.clone(),
                ..said("Hm", "Hi")
            },
        ),
        (
            "a call that is never whole",
            vec![chunk(begun.clone()), chunk(json!({ "content": "Hi" }))],
            Said {
                calls: vec![("f".to_owned(), json!({ "arguments": "{\"a\"" }))],
                ..said("", "Hi")
            },
        ),
        (
            "thoughts beside an empty field of the other name",
            vec![chunk(json!({ "reasoning": "Hm", "reasoning_content": "" }))],
            said("Hm", ""),
        ),
        (
            "GitHub Copilot's thoughts",
            vec![
                chunk(json!({ "reasoning_text": "Hm" })),
                chunk(json!({ "reasoning_opaque": "x" })),
                chunk(json!({ "content": "Hi" })),
            ],
            said("Hm", "Hi"),
        ),
        (
            "calls that have neither a number nor an id",
            vec![
                chunk(json!({ "tool_calls": [{ "function": { "name": "f", "arguments": "{\"a\"" } }] })),
                chunk(json!({ "tool_calls": [{ "function": { "arguments": ":1}" } }] })),
                chunk(json!({ "tool_calls": [{ "function": { "name": "f", "arguments": "{\"a\":1}" } }] })),
                chunk(json!({ "tool_calls": [{ "function": { "name": "g" } }] })),
            ],
            Said {
                calls: [ab.clone(), ab.clone(), vec![("g".to_owned(), json!({}))]].concat(),
                ..Said::default()
            },
        ),
        (
            "an id whose name comes after it, with a number and without",
            vec![
                chunk(json!({ "tool_calls": [{ "index": 0, "id": "c", "function": { "arguments": "{\"a\"" } }] })),
                chunk(json!({ "tool_calls": [{ "index": 0, "function": { "name": "f", "arguments": ":1}" } }] })),
                chunk(json!({ "tool_calls": [{ "id": "d", "type": "function" }] })),
                chunk(json!({ "tool_calls": [{ "function": { "name": "f", "arguments": "{\"a\":" } }] })),
                chunk(json!({ "tool_calls": [{ "function": { "arguments": "1}" } }] })),
            ],
            Said {
                calls: [ab.clone(), ab.clone()].concat(),
                ..Said::default()
            },
        ),
        (
            "a call as chats had it once",
            vec![
                chunk(json!({ "content": null, "function_call": { "name": "f", "arguments": "" } })),
                chunk(json!({ "function_call": { "arguments": "{\"a\"" } })),
                chunk(json!({ "function_call": { "arguments": ":1}" } })),
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"function_call"}]}"#.to_owned(),
            ],
            Said {
                calls: ab.clone(),
                ..Said::default()
            },
        ),
        (
            "a call that is none",
            vec![chunk(
                json!({ "content": "Hi", "function_call": { "name": "", "arguments": "" } }),
            )],
            said("", "Hi"),
        ),
        (
            "a call that is told in both ways",
            vec![
                chunk(
                    json!({ "tool_calls": begun["tool_calls"], "function_call": { "name": "f", "arguments": "{\"a\"" } }),
                ),
                chunk(
                    json!({ "tool_calls": [{ "index": 0, "function": { "arguments": ":1}" } }], "function_call": { "arguments": ":1}" } }),
                ),
            ],
            Said {
                calls: ab.clone(),
                ..Said::default()
            },
        ),
        (
            "Perplexity's sources in every chunk",
            vec![
                searched(json!({ "content": "H" }), &["u", "v"]),
                searched(json!({ "content": "i", "annotations": [annotation("u")] }), &["u", "v"]),
                searched(json!({}), &["u", "v", "w"]),
            ],
            cited("Hi", &["u", "v", "w"]),
        ),
        (
            "sources before the text, and a file that was read",
            vec![
                chunk(json!({ "annotations": [annotation("u"), { "type": "file", "file": { "hash": "h" } }] })),
                chunk(json!({ "content": "Hi" })),
            ],
            cited("Hi", &["u"]),
        ),
        (
            "sources after the text has ended",
            vec![
                chunk(json!({ "content": "Hi" })),
                chunk(begun),
                arguments(":1}"),
                chunk(json!({ "annotations": [annotation("u")] })),
                searched(json!({}), &["u", "v"]),
            ],
            Said {
                calls: ab.clone(),
                ..cited("Hi", &["u", "v"])
            },
        ),
    ] {
        assert_eq!(all_the_same(name, &chunks), expected, "{name}");
    }
}
