//! What a client sees of a stream: each test plays chunks and reads the events as a client would.

use std::collections::BTreeMap;

use bytes::BytesMut;
use serde_json::{Value, json};

use super::Writer;
use crate::{
    call::{Call, Operation},
    dialect::{Memo, Taker, Writer as _, responses::request},
    error::{Error, Failure, Kind},
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

#[test]
fn a_text_comes_with_all_its_events_in_their_order() {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 3}}});
    let events = play(
        plain(),
        &[
            delta(json!({"role": "assistant", "content": ""})),
            delta(json!({"content": "Hel\"lo"})),
            delta(json!({"content": " \u{1f600}"})),
            end("stop"),
            usage.to_string(),
        ],
    );
    assert_eq!(
        kinds(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed"
        ]
    );
    let response = response(&events);
    assert_eq!(response["id"], "resp_req_1");
    assert_eq!(response["status"], "completed");
    assert_eq!(response["model"], "up");
    assert_eq!(response["output"][0]["content"][0]["text"], "Hel\"lo \u{1f600}");
    assert_eq!(
        response["usage"],
        json!({"input_tokens": 5, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
            "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 7})
    );
}

#[test]
fn thoughts_come_before_the_text_with_the_providers_state() {
    let blocks = json!([{"index": 0, "type": "thinking", "thinking": "Hm", "signature": "Eq=="}]);
    let events = play(
        plain(),
        &[
            delta(json!({"reasoning_content": "H"})),
            delta(json!({"reasoning_content": "m"})),
            delta(json!({"thinking_blocks": blocks})),
            delta(json!({"content": "Yes"})),
            end("stop"),
        ],
    );
    assert_eq!(
        kinds(&events)[2..9],
        [
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done"
        ]
    );
    let output = response(&events)["output"].clone();
    assert_eq!(output[0]["summary"][0]["text"], "Hm");
    let back = json!([{"role": "user", "content": "Hi"}, output[0], output[1], {"role": "user", "content": "And?"}]);
    let (_, chat) = asked(&json!({"model": "m", "input": back}), true);
    assert_eq!(
        chat["messages"][1],
        json!({"role": "assistant", "content": "Yes", "reasoning_content": "Hm", "thinking_blocks": blocks})
    );
}

#[test]
fn a_signature_on_a_call_goes_before_it_and_comes_back_on_it() {
    let extra = json!({"google": {"thought_signature": "CiQ="}});
    let call = json!({"index": 0, "id": "call_1", "type": "function", "extra_content": extra,
        "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let events = play(plain(), &[delta(json!({"tool_calls": [call]})), end("tool_calls")]);
    let output = response(&events)["output"].clone();
    assert_eq!(
        (&output[0]["type"], &output[1]["type"]),
        (&json!("reasoning"), &json!("function_call"))
    );
    let result = json!({"type": "function_call_output", "call_id": "call_1", "output": "2"});
    let (_, chat) = asked(&json!({"model": "m", "input": [output[0], output[1], result]}), true);
    assert_eq!(chat["messages"][0]["tool_calls"][0]["extra_content"], extra);
    assert_eq!(
        chat["messages"][1],
        json!({"role": "tool", "tool_call_id": "call_1", "content": "2"})
    );
}

#[test]
fn state_that_comes_last_of_all_has_an_item_of_its_own() {
    let extra = json!({"anthropic": {"content": [{"type": "text", "text": "Yes"}]}});
    let events = play(
        plain(),
        &[
            delta(json!({"content": "Yes"})),
            delta(json!({"extra_content": extra})),
            end("stop"),
        ],
    );
    let output = response(&events)["output"].clone();
    assert_eq!(
        (&output[0]["type"], &output[1]["type"]),
        (&json!("message"), &json!("reasoning"))
    );
    let (_, chat) = asked(
        &json!({"model": "m", "input": [output[0], output[1], {"role": "user", "content": "?"}]}),
        true,
    );
    assert_eq!(chat["messages"][0]["extra_content"], extra);
}

#[test]
fn calls_that_come_in_turn_are_kept_apart() {
    let fragment = |index: u64, id: &str, name: &str, arguments: &str| match id {
        "" => json!({"index": index, "function": {"arguments": arguments}}),
        _ => json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}),
    };
    let events = play(
        plain(),
        &[
            delta(json!({"tool_calls": [fragment(0, "a", "f", "{\"x\":")]})),
            delta(json!({"tool_calls": [fragment(1, "b", "g", "{\"y\":")]})),
            delta(json!({"tool_calls": [fragment(0, "", "", "1}")]})),
            delta(json!({"tool_calls": [fragment(1, "", "", "2}")]})),
            delta(json!({"tool_calls": [fragment(2, "c", "h", "")]})),
            end("tool_calls"),
        ],
    );
    let output = response(&events)["output"].clone();
    let said = |at: usize| {
        (
            output[at]["call_id"].as_str().unwrap_or(""),
            output[at]["arguments"].as_str().unwrap_or(""),
        )
    };
    assert_eq!(
        [said(0), said(1), said(2)],
        [("a", "{\"x\":1}"), ("b", "{\"y\":2}"), ("c", "{}")]
    );
}

#[test]
fn a_call_ends_before_the_next_begins() {
    let call =
        |index: u64| json!({"index": index, "id": format!("c{index}"), "function": {"name": "f", "arguments": "{}"}});
    let events = play(
        plain(),
        &[
            delta(json!({"tool_calls": [call(0)]})),
            delta(json!({"tool_calls": [call(1)]})),
            end("tool_calls"),
        ],
    );
    let places = kinds(&events);
    let done = places
        .iter()
        .position(|kind| *kind == "output_item.done")
        .expect("is done");
    let second = places
        .iter()
        .rposition(|kind| *kind == "output_item.added")
        .expect("is added");
    assert!(done < second, "{places:?}");
}

#[test]
fn a_custom_tool_is_called_with_plain_text() {
    let tool = json!({"type": "custom", "name": "apply_patch", "description": "Patches.",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}});
    let (memo, chat) = asked(&json!({"model": "m", "input": "Hi", "tools": [tool]}), false);
    let function = &chat["tools"][0]["function"];
    assert_eq!(function["name"], "apply_patch");
    assert_eq!(function["parameters"]["required"], json!(["input"]));
    assert!(
        function["description"]
            .as_str()
            .is_some_and(|text| text.contains("lark") && text.contains("start: x"))
    );
    let call = json!({"index": 0, "id": "call_1", "function": {"name": "apply_patch", "arguments": "{\"input\": \"*** Begin\\n\\\"x\\\"\"}"}});
    let events = play(memo, &[delta(json!({"tool_calls": [call]})), end("tool_calls")]);
    assert_eq!(
        kinds(&events)[2..],
        [
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
            "completed"
        ]
    );
    let item = response(&events)["output"][0].clone();
    assert_eq!(
        (&item["type"], &item["input"]),
        (&json!("custom_tool_call"), &json!("*** Begin\n\"x\""))
    );
    let output = json!({"type": "custom_tool_call_output", "call_id": "call_1", "output": "done"});
    let (_, chat) = asked(&json!({"model": "m", "input": [item, output]}), false);
    let arguments = chat["messages"][0]["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .expect("text");
    assert_eq!(
        serde_json::from_str::<Value>(arguments).expect("JSON"),
        json!({"input": "*** Begin\n\"x\""})
    );
}

#[test]
fn a_tool_of_a_group_is_called_by_its_own_name() {
    let group = json!({"type": "namespace", "name": "agents", "description": "Agents.",
        "tools": [{"type": "function", "name": "wait", "parameters": {"type": "object"}, "strict": false}]});
    let (memo, chat) = asked(&json!({"model": "m", "input": "Hi", "tools": [group]}), false);
    assert_eq!(chat["tools"][0]["function"]["name"], "agents__wait");
    let call = json!({"index": 0, "id": "c", "function": {"name": "agents__wait", "arguments": "{}"}});
    let events = play(memo, &[delta(json!({"tool_calls": [call]})), end("tool_calls")]);
    let item = response(&events)["output"][0].clone();
    assert_eq!((&item["name"], &item["namespace"]), (&json!("wait"), &json!("agents")));
    let (_, chat) = asked(
        &json!({"model": "m", "input": [item, {"type": "function_call_output", "call_id": "c", "output": ""}]}),
        false,
    );
    assert_eq!(chat["messages"][0]["tool_calls"][0]["function"]["name"], "agents__wait");
}

#[test]
fn the_shell_is_told_what_to_run() {
    let memo = memo(&json!({"model": "m", "input": "Hi", "tools": [{"type": "local_shell"}]}));
    let call = json!({"index": 0, "id": "c", "function": {"name": "local_shell", "arguments": "{\"command\":[\"ls\"],\"timeout_ms\":5}"}});
    let events = play(memo, &[delta(json!({"tool_calls": [call]})), end("tool_calls")]);
    let item = &response(&events)["output"][0];
    assert_eq!(item["type"], "local_shell_call");
    assert_eq!(
        item["action"],
        json!({"type": "exec", "command": ["ls"], "env": {}, "timeout_ms": 5})
    );
}

#[test]
fn an_answer_cut_short_is_incomplete_and_so_is_its_last_item() {
    for (word, reason) in [("length", "max_output_tokens"), ("content_filter", "content_filter")] {
        let events = play(plain(), &[delta(json!({"content": "He"})), end(word)]);
        assert_eq!(kinds(&events).last(), Some(&"incomplete"));
        let response = response(&events);
        assert_eq!(response["status"], "incomplete");
        assert_eq!(response["incomplete_details"], json!({"reason": reason}));
        assert_eq!(response["output"][0]["status"], "incomplete");
    }
}

#[test]
fn a_refusal_is_a_part_of_its_own() {
    let events = play(
        plain(),
        &[
            delta(json!({"refusal": "I "})),
            delta(json!({"refusal": "won't"})),
            end("stop"),
        ],
    );
    assert_eq!(
        kinds(&events)[3..8],
        [
            "content_part.added",
            "refusal.delta",
            "refusal.delta",
            "refusal.done",
            "content_part.done"
        ]
    );
    assert_eq!(
        response(&events)["output"][0]["content"],
        json!([{"type": "refusal", "refusal": "I won't"}])
    );
}

#[test]
fn citations_and_log_probabilities_stand_with_the_text() {
    let memo = memo(&json!({"model": "m", "input": "Hi", "include": ["message.output_text.logprobs"]}));
    let citation =
        json!({"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 2, "title": "T", "url": "u"}});
    let mut chunk: Value =
        serde_json::from_str(&delta(json!({"content": "Hi", "annotations": [citation]}))).expect("JSON");
    chunk["choices"][0]["logprobs"] =
        json!({"content": [{"token": "Hi", "logprob": -0.5, "bytes": null, "top_logprobs": []}]});
    let events = play(memo, &[chunk.to_string(), end("stop")]);
    let part = &response(&events)["output"][0]["content"][0];
    assert_eq!(
        part["annotations"],
        json!([{"type": "url_citation", "start_index": 0, "end_index": 2, "title": "T", "url": "u"}])
    );
    assert_eq!(
        part["logprobs"],
        json!([{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}])
    );
    assert_eq!(events[4]["logprobs"][0]["token"], "Hi");
}

#[test]
fn an_error_in_the_middle_is_told_twice_as_openai_does_and_nothing_is_taken_back() {
    let (mut writer, mut out) = (Writer::new(plain()), BytesMut::new());
    writer
        .push(&delta(json!({"content": "He"})), &mut out)
        .expect("a chunk");
    let failure = Failure::new(Kind::RateLimit, "Slow down");
    writer.fail(&Error::Refused(Box::new(failure)), &mut out);
    let events = events(&out);
    assert_eq!(kinds(&events)[5..], ["error", "failed"]);
    let error = &events[5];
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!("rate_limit_exceeded"), &json!("Slow down"))
    );
    assert_eq!(events[6]["response"]["status"], "failed");
    assert_eq!(
        events[6]["response"]["error"],
        json!({"code": "rate_limit_exceeded", "message": "Slow down"})
    );
}

#[test]
fn a_whole_answer_says_what_the_stream_says() {
    let message = json!({"role": "assistant", "content": "Yes", "reasoning_content": "Hm", "thinking_blocks": [{"signature": "E"}],
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let answer = json!({"id": "chatcmpl-1", "created": 7, "model": "up", "choices": [
        {"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
    let told = Writer::whole(&answer.to_string(), &plain()).expect("an answer");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let kinds: Vec<_> = told["output"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| item["type"].clone())
        .collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call"]);
    assert!(told["output"][0]["encrypted_content"].is_string());
    assert_eq!(told["usage"]["total_tokens"], 3);
    assert_eq!(told["created_at"], 7);
}

#[test]
fn an_image_is_one_that_was_generated() {
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}});
    let events = play(
        plain(),
        &[
            delta(json!({"content": "Here"})),
            delta(json!({"images": [image]})),
            end("stop"),
        ],
    );
    let item = &response(&events)["output"][1];
    assert_eq!(
        (&item["type"], &item["result"]),
        (&json!("image_generation_call"), &json!("iVBO"))
    );
}
