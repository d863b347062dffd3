//! A request as a chat, an answer as a message, and what a provider has to get back.

mod answers;
mod citations;

use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use super::{Memo, answer, request, stream};
use crate::{
    call::{Call, Operation},
    chunk::{self, Stamp},
    dialect::{self, Taker, Translated, Writer as _},
    error::Error,
};

const SERVER: Taker<'_> = Taker {
    provider: "p",
    adapter: false,
};
const ADAPTER: Taker<'_> = Taker {
    provider: "p",
    adapter: true,
};

fn call(body: &str) -> Call {
    let body = Bytes::from(body.to_owned());
    Call::parse(Operation::Messages, "req_1".to_owned(), HeaderMap::new(), body, 64).expect("a request")
}

fn translated(fields: &Value, taker: Taker<'_>) -> Result<Translated, Error> {
    let mut body = json!({ "model": "m", "max_tokens": 9, "messages": [{ "role": "user", "content": "hi" }] });
    if let (Some(body), Some(fields)) = (body.as_object_mut(), fields.as_object()) {
        body.extend(fields.clone());
    }
    request::to_chat(&call(&body.to_string()), taker)
}

/// The chat, and what was dropped.
fn chat(fields: &Value, taker: Taker<'_>) -> (Value, Vec<String>) {
    let made = translated(fields, taker).expect("it can be asked");
    (serde_json::from_str(&made.body).expect("JSON"), made.dropped)
}

fn messages(list: &Value, taker: Taker<'_>) -> Value {
    chat(&json!({ "messages": list }), taker).0["messages"].take()
}

fn refused_for(fields: &Value, taker: Taker<'_>) -> String {
    let error = translated(fields, taker).expect_err("it cannot be asked");
    assert_eq!(error.status(), 400);
    error.param().unwrap_or_default().to_owned()
}

fn memo(stops: &[&str]) -> Memo {
    Memo {
        id: "req_1".to_owned(),
        provider: "p".to_owned(),
        model: "m".to_owned(),
        claude_code: false,
        thinking: true,
        stops: stops.iter().map(|stop| (*stop).to_owned()).collect(),
    }
}

fn message(chat: &Value) -> Value {
    let text = answer::from_chat(&chat.to_string(), &memo(&["END"])).expect("an answer");
    serde_json::from_str(&text).expect("JSON")
}

fn said(message: &Value) -> Value {
    json!({ "model": "up", "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] })
}

/// The blocks that a client puts together from the stream of a chat's chunks.
fn streamed(chunks: &[Value]) -> Vec<Value> {
    streamed_for(memo(&[]), chunks)
}

fn streamed_for(memo: Memo, chunks: &[Value]) -> Vec<Value> {
    let mut writer = stream::Writer::new(memo);
    let mut out = BytesMut::new();
    for chunk in chunks {
        writer.push(&chunk.to_string(), &mut out).expect("a chunk");
    }
    writer.finish(&mut out);
    let text = String::from_utf8(out.to_vec()).expect("text");
    let mut blocks: Vec<Value> = Vec::new();
    let mut open = None;
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event: Value = serde_json::from_str(data).expect("JSON");
        match event["type"].as_str().unwrap_or_default() {
            "content_block_start" => {
                assert_eq!(
                    (open, event["index"].as_u64()),
                    (None, Some(blocks.len() as u64)),
                    "{text}"
                );
                open = event["index"].as_u64();
                blocks.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                assert_eq!(open, event["index"].as_u64(), "{text}");
                grow(blocks.last_mut().expect("an open block"), &event["delta"]);
            }
            "content_block_stop" => assert_eq!(open.take(), event["index"].as_u64(), "{text}"),
            _ => assert_eq!(open, None, "{text}"),
        }
    }
    for block in &mut blocks {
        if let Some(input) = block.as_object_mut().and_then(|fields| fields.remove("partial")) {
            block["input"] = serde_json::from_str(input.as_str().expect("text")).expect("whole arguments");
        }
    }
    blocks
}

fn grow(block: &mut Value, delta: &Value) {
    let fields = delta
        .as_object()
        .expect("an object")
        .iter()
        .filter(|(key, _)| *key != "type");
    for (key, piece) in fields {
        if key == "citation" {
            assert_eq!(block["type"], "text");
            match block["citations"].as_array_mut() {
                Some(citations) => citations.push(piece.clone()),
                None => block["citations"] = json!([piece]),
            }
            continue;
        }
        let key = if key == "partial_json" { "partial" } else { key };
        let text = block[key].as_str().unwrap_or_default().to_owned() + piece.as_str().expect("text");
        block[key] = text.into();
    }
}

/// A whole answer as the chunks of a stream.
fn chunks(answer: &Value) -> Vec<Value> {
    let stamp = Stamp {
        id: "c".to_owned(),
        created: 1,
        model: "up".to_owned(),
        include_usage: true,
        base64: false,
    };
    let made = chunk::synthesise(stamp, Operation::Chat, answer.to_string().into()).expect("a stream");
    let text = String::from_utf8(made.body.to_vec()).expect("text");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: {"));
    data.map(|data| serde_json::from_str(&format!("{{{data}")).expect("JSON"))
        .collect()
}

#[test]
fn a_system_prompt_stays_in_its_place_and_marks_of_the_cache_go_where_they_are_of_use() {
    let mark = json!({ "type": "ephemeral" });
    let fields = json!({
        "system": [{ "type": "text", "text": "A" }, { "type": "text", "text": "B", "cache_control": mark }],
        "messages": [{ "role": "user", "content": "hi" }, { "role": "system", "content": "Now C." }],
    });
    let (plain, dropped) = chat(&fields, SERVER);
    assert_eq!(
        plain["messages"],
        json!([
            { "role": "system", "content": "A\n\nB" }, { "role": "user", "content": "hi" }, { "role": "system", "content": "Now C." },
        ])
    );
    assert_eq!(dropped, ["cache_control"]);
    let (marked, dropped) = chat(&fields, ADAPTER);
    let parts = json!([{ "type": "text", "text": "A" }, { "type": "text", "text": "B", "cache_control": mark }]);
    assert_eq!((&marked["messages"][0]["content"], dropped.len()), (&parts, 0));
}

#[test]
fn results_of_tools_follow_their_calls_and_what_a_server_does_not_take_in_them_follows_after() {
    let image = json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBO" } });
    let list = json!([
        { "role": "assistant", "content": [
            { "type": "text", "text": "Let me see." },
            { "type": "tool_use", "id": "t1", "name": "look", "input": { "at": 1.0 } },
            { "type": "tool_use", "id": "t2", "name": "look", "input": {} },
        ] },
        { "role": "user", "content": [
            { "type": "text", "text": "Go on." },
            { "type": "tool_result", "tool_use_id": "t1", "content": [{ "type": "text", "text": "seen" }, image] },
            { "type": "tool_result", "tool_use_id": "t2", "content": "no", "is_error": true },
        ] },
    ]);
    let made = messages(&list, SERVER);
    let roles: Vec<_> = made
        .as_array()
        .expect("a list")
        .iter()
        .map(|message| &message["role"])
        .collect();
    assert_eq!(roles, ["assistant", "tool", "tool", "user"]);
    let calls = &made[0]["tool_calls"];
    assert_eq!(
        (
            &made[0]["content"],
            &calls[0]["function"]["arguments"],
            &calls[1]["function"]["arguments"]
        ),
        (&json!("Let me see."), &json!("{\"at\":1.0}"), &json!("{}"))
    );
    assert_eq!(
        (&made[1]["tool_call_id"], &made[2]["content"]),
        (&json!("t1"), &json!("no"))
    );
    let url = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBO" } });
    assert!(
        made[1]["content"].is_string() && made[2].get("is_error").is_none(),
        "{made}"
    );
    assert!(made[3]["content"].as_array().expect("parts").contains(&url), "{made}");
    let kept = messages(&list, ADAPTER);
    assert_eq!((&kept[1]["content"][1], &kept[2]["is_error"]), (&url, &json!(true)));
}

#[test]
fn documents_and_search_results_are_files_or_their_text() {
    let pdf = json!({ "type": "document", "title": "T.pdf", "source": { "type": "base64", "media_type": "application/pdf", "data": "JVBE" } });
    let text = json!({ "type": "document", "title": "T", "context": "C", "source": { "type": "text", "media_type": "text/plain", "data": "D" } });
    let found =
        json!({ "type": "search_result", "title": "T", "source": "S", "content": [{ "type": "text", "text": "F" }] });
    let made = messages(&json!([{ "role": "user", "content": [pdf, text, found] }]), SERVER);
    assert_eq!(
        made[0]["content"],
        json!([
            { "type": "file", "file": { "filename": "T.pdf", "file_data": "data:application/pdf;base64,JVBE" } },
            { "type": "text", "text": "T\n\nC\n\nD" },
            { "type": "text", "text": "T\n\nS\n\nF" },
        ])
    );
}

#[test]
fn tools_and_settings_become_openais() {
    let (made, dropped) = chat(
        &json!({
            "tools": [{ "name": "f", "description": "d", "input_schema": { "type": "object" }, "strict": true, "defer_loading": true }],
            "tool_choice": { "type": "tool", "name": "f", "disable_parallel_tool_use": true },
            "temperature": 0, "top_p": 0.5, "top_k": 5, "stop_sequences": ["END"], "metadata": { "user_id": "u" },
            "thinking": { "type": "enabled", "budget_tokens": 5000 }, "context_management": {}, "service_tier": "standard_only",
            "output_config": { "format": { "type": "json_schema", "schema": { "type": "object" } } },
        }),
        SERVER,
    );
    let expected = json!({
        "model": "m", "max_tokens": 9, "messages": [{ "role": "user", "content": "hi" }], "temperature": 0, "top_p": 0.5,
        "stop": ["END"], "user": "u", "reasoning_effort": "medium", "service_tier": "default",
        "tools": [{ "type": "function", "function": { "name": "f", "description": "d", "parameters": { "type": "object" }, "strict": true } }],
        "tool_choice": { "type": "function", "function": { "name": "f" } }, "parallel_tool_calls": false,
        "response_format": { "type": "json_schema", "json_schema": { "name": "answer", "schema": { "type": "object" }, "strict": true } },
    });
    assert_eq!(made, expected);
    let mut dropped = dropped;
    dropped.sort_unstable();
    assert_eq!(dropped, ["context_management", "tools.defer_loading", "top_k"]);
}

#[test]
fn a_long_name_of_a_user_becomes_one_that_openai_takes() {
    let (made, _) = chat(&json!({ "metadata": { "user_id": "u".repeat(65) } }), SERVER);
    assert_eq!(made["user"].as_str().map(str::len), Some(64));
}

#[test]
fn what_only_another_provider_can_do_is_refused_by_name() {
    let content = |block: Value| json!({ "messages": [{ "role": "user", "content": [block] }] });
    let by_url = json!({ "type": "document", "source": { "type": "url", "url": "https://a.example/a.pdf" } });
    for (fields, param) in [
        (
            json!({ "tools": [{ "type": "web_search_20250305", "name": "web_search" }] }),
            "tools[0].type",
        ),
        (
            json!({ "mcp_servers": [{ "url": "https://a.example" }] }),
            "mcp_servers",
        ),
        (json!({ "container": "c" }), "container"),
        (
            content(json!({ "type": "container_upload", "file_id": "f" })),
            "messages[0].content[0]",
        ),
        (
            content(json!({ "type": "image", "source": { "type": "file", "file_id": "f" } })),
            "messages[0].content[0].source.type",
        ),
        (content(by_url), "messages[0].content[0].source.type"),
        (
            json!({ "messages": [{ "role": "assistant", "content": [{ "type": "server_tool_use", "id": "s", "name": "n", "input": {} }] }] }),
            "messages[0].content[0]",
        ),
    ] {
        assert_eq!(refused_for(&fields, SERVER), param);
        assert!(
            translated(&fields, SERVER).expect_err("refused").elsewhere(),
            "another provider may"
        );
    }
}

#[test]
fn what_is_wrong_with_a_request_is_said_with_its_place() {
    let content = |block: Value| json!({ "messages": [{ "role": "user", "content": [block] }] });
    for (fields, param) in [
        (
            json!({ "messages": [{ "role": "robot", "content": "x" }] }),
            "messages[0].role",
        ),
        (content(json!({ "text": "x" })), "messages[0].content"),
        (content(json!({ "type": "image" })), "messages[0].content[0].source"),
        (
            content(json!({ "type": "tool_result" })),
            "messages[0].content[0].tool_use_id",
        ),
        (json!({ "tools": [{ "description": "x" }] }), "tools[0].name"),
        (
            json!({ "tools": [{ "name": "f" }], "tool_choice": { "type": "all" } }),
            "tool_choice.type",
        ),
    ] {
        assert_eq!(refused_for(&fields, SERVER), param);
    }
}

/// What comes back of an assistant's message that went out as blocks, whole or streamed.
fn back(message: &Value, taker: Taker<'_>) -> [Value; 2] {
    let answer = said(message);
    let whole = self::message(&answer)["content"].take();
    [whole, streamed(&chunks(&answer)).into()].map(|content| {
        let list = json!([{ "role": "user", "content": "hi" }, { "role": "assistant", "content": content }]);
        messages(&list, taker)[1].take()
    })
}

fn without(message: &Value, keys: &[&str]) -> Value {
    let fields: Map<String, Value> = message.as_object().cloned().unwrap_or_default();
    fields
        .into_iter()
        .filter(|(key, _)| !keys.contains(&key.as_str()))
        .collect::<Map<_, _>>()
        .into()
}

#[test]
fn signed_thoughts_come_back_as_they_were_signed() {
    let signed = json!({
        "role": "assistant", "content": "Hi",
        "reasoning_content": "Hm",
        "thinking_blocks": [
            { "type": "thinking", "thinking": "Hm", "signature": "EqQBCg+/=" }, { "type": "redacted_thinking", "data": "Emw+/=" },
        ],
    });
    for made in back(&signed, ADAPTER) {
        assert_eq!(made, without(&signed, &["reasoning_content"]));
    }
    for made in back(&signed, SERVER) {
        assert_eq!(
            made,
            json!({ "role": "assistant", "content": "Hi" }),
            "a server cannot read them"
        );
    }
}

#[test]
fn reasoning_and_what_belongs_to_it_comes_back_to_its_provider_and_to_no_other() {
    let details = json!([{ "type": "reasoning.encrypted", "data": "x+/=", "format": "f", "index": 0 }]);
    let hidden = json!({ "role": "assistant", "content": "Hi", "reasoning_details": details });
    for made in back(&hidden, SERVER) {
        assert_eq!(made, hidden);
    }
    for name in ["reasoning_content", "reasoning"] {
        let mut reasoned = hidden.clone();
        reasoned[name] = json!("Hm\n\"ü\"");
        for made in back(&reasoned, SERVER) {
            assert_eq!(made, reasoned);
        }
        let other = Taker {
            provider: "other",
            adapter: false,
        };
        for made in back(&reasoned, other) {
            assert_eq!(made, json!({ "role": "assistant", "content": "Hi" }));
        }
    }
}

#[test]
fn signatures_of_calls_and_of_messages_come_back_on_them() {
    let extra = |signature: &str| json!({ "google": { "thought_signature": signature } });
    let call = |id: &str, signature: Option<&str>| {
        let mut call = json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } });
        if let Some(signature) = signature {
            call["extra_content"] = extra(signature);
        }
        call
    };
    let signed = json!({
        "role": "assistant", "content": "Hi", "extra_content": extra("c+/="),
        "tool_calls": [call("1", Some("a+/=")), call("2", None), call("3", Some("b+/="))],
    });
    for made in back(&signed, ADAPTER) {
        assert_eq!(made, signed);
    }
}

#[test]
fn what_was_sealed_here_is_taken_out_of_what_goes_to_a_provider_of_this_api() {
    let answer = said(&json!({ "content": "Hi", "reasoning_content": "Hm" }));
    let content = message(&answer)["content"].take();
    let own = json!({ "type": "thinking", "thinking": "T", "signature": "Eq" });
    let list = json!([
        { "role": "user", "content": "hi" }, { "role": "assistant", "content": content }, { "role": "user", "content": "more" },
        { "role": "assistant", "content": [own, { "type": "text", "text": "Ho" }] }, { "role": "user", "content": "?" },
    ]);
    let body = json!({ "model": "m", "max_tokens": 9, "messages": list });
    let cleaned = request::without_sealed(&call(&body.to_string())).expect("something was sealed");
    let cleaned: Value = serde_json::from_str(&cleaned).expect("JSON");
    assert_eq!(cleaned[1]["content"], json!([{ "type": "text", "text": "Hi" }]));
    assert_eq!(cleaned[3], list[3]);
    let plain = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"witgate.x"}]}"#;
    assert_eq!(
        request::without_sealed(&call(plain)),
        Some(r#"[{"role":"user","content":"witgate.x"}]"#.to_owned())
    );
}

#[test]
fn a_server_is_asked_once_more_without_what_it_refuses() {
    let chat = translated(&json!({ "output_config": { "effort": "high" } }), SERVER).expect("it can be asked");
    let chat = call(r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#)
        .as_chat(chat.body)
        .expect("a chat");
    let refusal = |message: &str| dialect::unsupported(message.to_owned(), None);
    let renamed =
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    let (body, lost) = dialect::less(&chat, &refusal(renamed)).expect("less");
    assert!(
        body.contains("\"max_completion_tokens\":9") && !body.contains("\"max_tokens\"") && lost.is_none(),
        "{body}"
    );
    let (body, lost) = dialect::less(
        &chat,
        &refusal("Unrecognized request argument supplied: reasoning_effort"),
    )
    .expect("less");
    assert!(!body.contains("effort") && lost == Some("reasoning_effort"), "{body}");
    assert!(dialect::less(&chat, &refusal("Your messages are odd.")).is_none());
}

#[test]
fn a_count_is_estimated_from_all_that_a_model_reads() {
    let count = |messages: Value| {
        let call = call(&json!({ "model": "m", "max_tokens": 1, "messages": messages }).to_string());
        let crate::reply::Body::Whole(body) = super::estimate::reply(&call).body else {
            panic!("a whole answer");
        };
        serde_json::from_slice::<Value>(&body).expect("JSON")["input_tokens"]
            .as_u64()
            .expect("a number")
    };
    let one = count(json!([{ "role": "user", "content": "Say hello, world, and be quick about it." }]));
    assert!((10..25).contains(&one), "{one}");
    let image = json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "A".repeat(1 << 20) } });
    let with_image = count(json!([{ "role": "user", "content": [image] }]));
    assert!((1_500..2_000).contains(&with_image), "{with_image}");
}
