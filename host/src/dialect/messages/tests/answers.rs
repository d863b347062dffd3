//! Answers, whole and streamed.

use bytes::BytesMut;
use serde_json::{Value, json};

use super::{chunks, memo, message, said, streamed, streamed_for};
use crate::{
    dialect::{
        Writer as _,
        messages::{Memo, answer, error, stream},
    },
    error::{Error, Failure, Kind},
};

#[test]
fn a_stop_sequence_is_told_where_the_provider_says_which() {
    let mut vllm = said(&json!({ "content": "x" }));
    vllm["choices"][0]["stop_reason"] = json!("END");
    let made = message(&vllm);
    assert_eq!(
        (&made["stop_reason"], &made["stop_sequence"]),
        (&json!("stop_sequence"), &json!("END"))
    );
    vllm["choices"][0]["stop_reason"] = json!(128_001);
    assert_eq!(message(&vllm)["stop_reason"], "end_turn");
}

#[test]
fn a_stop_sequence_that_the_provider_does_not_name_is_the_one_that_was_asked_for() {
    let mut converse = said(&json!({ "content": "x" }));
    converse["choices"][0]["native_finish_reason"] = json!("stop_sequence");
    for (stops, reason, sequence) in [
        (&["END"][..], "stop_sequence", json!("END")),
        (&["END", "STOP"], "stop_sequence", Value::Null),
        (&[], "end_turn", Value::Null),
    ] {
        let made = answer::from_chat(&converse.to_string(), &memo(stops)).expect("an answer");
        let made: Value = serde_json::from_str(&made).expect("JSON");
        assert_eq!(
            (&made["stop_reason"], &made["stop_sequence"]),
            (&json!(reason), &sequence)
        );
    }
}

#[test]
fn arguments_that_are_no_object_are_kept_in_one() {
    let call =
        |arguments: &str| json!({ "id": "a", "type": "function", "function": { "name": "f", "arguments": arguments } });
    for (arguments, input) in [
        ("", json!({})),
        ("{\"x\":1}", json!({ "x": 1 })),
        ("[1", json!({ "arguments": "[1" })),
    ] {
        let made = message(&said(&json!({ "content": null, "tool_calls": [call(arguments)] })));
        assert_eq!(
            made["content"],
            json!([{ "type": "tool_use", "id": "a", "name": "f", "input": input }])
        );
    }
}

#[test]
fn a_call_as_chats_had_it_once_is_a_tool_use_with_an_id_of_the_requests() {
    let called = |name: &str| {
        let mut answer = said(&json!({ "content": null, "function_call": { "name": name, "arguments": "{\"x\":1}" } }));
        answer["choices"][0]["finish_reason"] = json!("function_call");
        answer
    };
    let expected = [json!({ "type": "tool_use", "id": "call_1", "name": "f", "input": { "x": 1 } })];
    let made = message(&called("f"));
    assert_eq!(
        (&made["content"], &made["stop_reason"]),
        (&json!(expected), &json!("tool_use"))
    );
    assert_eq!(streamed(&chunks(&called("f"))), expected);
    let none = called("");
    assert_eq!(
        (message(&none)["content"].take(), streamed(&chunks(&none))),
        (json!([]), Vec::new())
    );
}

#[test]
fn a_thought_in_pieces_is_one_block_with_the_signature_that_comes_last() {
    let piece = |text: &str, signature: &str| json!({ "type": "thinking", "thinking": text, "signature": signature });
    let chunk = |delta: Value| json!({ "choices": [{ "index": 0, "delta": delta }] });
    let pieces = [("Th", ""), ("ink", ""), ("", "SIG")];
    for twice in [false, true] {
        let mut chunks: Vec<Value> = Vec::new();
        for (text, signature) in pieces {
            let mut delta = json!({ "thinking_blocks": [piece(text, signature)] });
            if twice {
                delta["reasoning_content"] = json!(text);
            }
            chunks.push(chunk(delta));
        }
        chunks.push(chunk(json!({ "content": "Hi" })));
        assert_eq!(
            streamed(&chunks),
            [piece("Think", "SIG"), json!({ "type": "text", "text": "Hi" })]
        );
    }
}

/// As Bedrock's open models stream theirs: the text first, then the block that goes back to them.
#[test]
fn a_thought_that_its_provider_does_not_sign_is_told_once() {
    let block = json!({ "type": "thinking", "thinking": "Think", "signature": "" });
    let mut numbered = block.clone();
    numbered["index"] = json!(0);
    let chunks = [
        json!({ "reasoning_content": "Th" }),
        json!({ "reasoning_content": "ink" }),
        json!({ "thinking_blocks": [numbered] }),
        json!({ "content": "Hi" }),
    ]
    .map(|delta| json!({ "choices": [{ "index": 0, "delta": delta }] }));
    assert_eq!(streamed(&chunks), [block, json!({ "type": "text", "text": "Hi" })]);
}

#[test]
fn an_answer_to_claude_code_ends_with_its_words_and_not_with_its_providers_state() {
    let extra = json!({ "google": { "thought_signature": "CiQ=" } });
    let chunk = |delta: Value| json!({ "choices": [{ "index": 0, "delta": delta }] });
    let words = [
        chunk(json!({ "content": "Hi" })),
        chunk(json!({ "extra_content": extra })),
    ];
    let claude_code = || Memo {
        claude_code: true,
        ..memo(&[])
    };
    assert_eq!(
        streamed_for(claude_code(), &words),
        [json!({ "type": "text", "text": "Hi" })]
    );
    let call = json!({ "index": 0, "id": "c", "function": { "name": "f", "arguments": "{}" } });
    let called = [
        chunk(json!({ "tool_calls": [call] })),
        chunk(json!({ "extra_content": extra })),
    ];
    assert_eq!(
        streamed_for(claude_code(), &called).last().expect("a block")["type"],
        "redacted_thinking"
    );
    assert_eq!(
        streamed(&words).last().expect("a block")["type"],
        "redacted_thinking",
        "for others"
    );
}

#[test]
fn an_errors_type_is_what_it_is_whatever_openai_calls_it() {
    for (kind, type_, expected) in [
        (Kind::Authentication, "invalid_request_error", "authentication_error"),
        (Kind::NotFound, "invalid_request_error", "not_found_error"),
        (Kind::InvalidRequest, "request_too_large", "request_too_large"),
        (Kind::InvalidRequest, "other", "invalid_request_error"),
    ] {
        let mut failure = Failure::new(kind, "No.");
        failure.type_ = Some(type_.to_owned());
        failure.status = Some(400);
        let mut out = BytesMut::new();
        error::push_event(&Error::Refused(Box::new(failure)), "req_1", &mut out);
        let text = String::from_utf8(out.to_vec()).expect("text");
        assert!(text.contains(&format!("\"type\":\"{expected}\"")), "{text}");
    }
}

#[test]
fn words_after_a_call_that_is_never_whole_are_held_only_so_long() {
    let chunk = |delta: Value| json!({ "choices": [{ "index": 0, "delta": delta }] }).to_string();
    let call = json!({ "index": 0, "id": "c", "function": { "name": "f", "arguments": "{" } });
    let (mut writer, mut out) = (stream::Writer::new(memo(&[])), BytesMut::new());
    writer
        .push(&chunk(json!({ "tool_calls": [call] })), &mut out)
        .expect("a call");
    let words = chunk(json!({ "content": "x".repeat(1 << 16) }));
    let taken = (0..64).take_while(|_| writer.push(&words, &mut out).is_ok()).count();
    assert_eq!(taken, 15, "a megabyte, and no more");
}
