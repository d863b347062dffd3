//! What a client sees of a stream: each test plays chunks and reads the events as a client would.

mod answers;
mod calls;
mod state;

use std::collections::BTreeMap;

use bytes::BytesMut;
use serde_json::{Value, json};

use super::Writer;
use crate::{
    call::{Call, Operation},
    dialect::{Memo, Taker, Writer as _, responses::request},
};

/// The memo of a request, and what a provider is asked.
fn asked(request: &Value, adapter: bool) -> (super::Memo, Value) {
    let body = serde_json::to_vec(request).expect("JSON");
    let call = Call::parse(
        Operation::Responses,
        "req_1".to_owned(),
        hyper::HeaderMap::new(),
        body.into(),
        100,
    );
    let taker = Taker { provider: "p", adapter };
    let translated = request::to_chat(&call.expect("a call"), taker).expect("translates");
    let chat = serde_json::from_str(&translated.body).expect("a chat");
    match translated.memo {
        Memo::Responses(memo) => (memo, chat),
        Memo::Messages(_) => unreachable!("another dialect's"),
    }
}

fn memo(request: &Value) -> super::Memo {
    asked(request, true).0
}

fn plain() -> super::Memo {
    memo(&json!({"model": "m", "input": "Hi"}))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better where a chunk is written down"
)]
fn delta(delta: Value) -> String {
    json!({"id": "c", "created": 7, "model": "up", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
        .to_string()
}

fn end(reason: &str) -> String {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}).to_string()
}

fn events(out: &BytesMut) -> Vec<Value> {
    let text = std::str::from_utf8(out).expect("UTF-8");
    let read = |event: &str| {
        let (name, data) = event.split_once("\ndata: ").expect("a name and data");
        let data: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    };
    text.split_terminator("\n\n").map(read).collect()
}

/// Plays a stream and reads it as a strict client does.
fn play(memo: super::Memo, chunks: &[String]) -> Vec<Value> {
    let (mut writer, mut out) = (Writer::new(memo), BytesMut::new());
    for chunk in chunks {
        writer.push(chunk, &mut out).expect("a chunk");
    }
    writer.finish(&mut out);
    let events = events(&out);
    check(&events);
    events
}

/// What holds for every stream: the numbers rise by one, each item is opened before and closed after what is said of it, the pieces
/// are the whole, and the last event has all that was said.
fn check(events: &[Value]) {
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds[..2], ["response.created", "response.in_progress"]);
    let mut open: BTreeMap<u64, Value> = BTreeMap::new();
    let mut pieces: BTreeMap<(u64, String), String> = BTreeMap::new();
    let mut done = BTreeMap::new();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "{event}");
        let Some(index) = event["output_index"].as_u64() else {
            continue;
        };
        let kind = event["type"].as_str().expect("a type");
        match kind {
            "response.output_item.added" => {
                assert_eq!(index as usize, open.len() + done.len(), "{event}");
                open.insert(index, event["item"].clone());
            }
            "response.output_item.done" => {
                let begun = open.remove(&index).expect("was open");
                assert_eq!(begun["id"], event["item"]["id"]);
                assert_eq!(begun["type"], event["item"]["type"]);
                done.insert(index, event["item"].clone());
            }
            _ => {
                assert_eq!(open[&index]["id"], event["item_id"], "{event}");
                whole(event, kind, index, &mut pieces);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let last = &events[events.len() - 1];
    let items: Vec<&Value> = done.values().collect();
    assert_eq!(last["response"]["output"], json!(items));
}

/// Collects what a delta brings, and compares with what `done` says.
fn whole(event: &Value, kind: &str, index: u64, pieces: &mut BTreeMap<(u64, String), String>) {
    let place = format!("{}{}", event["content_index"], event["summary_index"]);
    if let Some(stem) = kind.strip_suffix(".delta") {
        let piece = event["delta"].as_str().expect("text");
        pieces
            .entry((index, format!("{stem}{place}")))
            .or_default()
            .push_str(piece);
    }
    if let Some(stem) = kind.strip_suffix(".done") {
        let said = ["text", "arguments", "input", "refusal"]
            .iter()
            .find_map(|key| event[key].as_str());
        let collected = pieces
            .get(&(index, format!("{stem}{place}")))
            .map_or("", String::as_str);
        if let Some(said) = said {
            assert_eq!(said, collected, "{event}");
        }
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().filter_map(|event| event["type"].as_str());
    kinds
        .map(|kind| kind.strip_prefix("response.").unwrap_or(kind))
        .collect()
}

fn response(events: &[Value]) -> &Value {
    &events[events.len() - 1]["response"]
}
