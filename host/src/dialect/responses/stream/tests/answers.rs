//! What an answer says and how it ends: text, refusals, sources, images, errors.

use bytes::BytesMut;
use serde_json::{Value, json};

use super::{Writer, delta, end, events, kinds, memo, plain, play, response};
use crate::{
    dialect::Writer as _,
    error::{Error, Failure, Kind},
};

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

/// A chunk with Perplexity's lists beside its choices.
fn searched(chunk: &str) -> String {
    let mut chunk: Value = serde_json::from_str(chunk).expect("JSON");
    chunk["citations"] = json!(["u", "v"]);
    chunk["search_results"] =
        json!([{"url": "u", "title": "U", "date": null}, {"url": "v", "title": "V"}, {"url": "w", "title": "W"}]);
    chunk.to_string()
}

#[test]
fn sources_beside_the_choices_are_told_once_at_the_end_of_the_text() {
    let told = |url: &str, title: &str| json!({"type": "url_citation", "start_index": 0, "end_index": 0, "title": title, "url": url});
    let own =
        json!({"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "title": "O", "url": "u"}});
    let placed = json!({"type": "url_citation", "start_index": 0, "end_index": 1, "title": "O", "url": "u"});
    for (annotations, expected) in [
        (json!([]), vec![told("u", "U"), told("v", "V"), told("w", "W")]),
        (json!([own]), vec![placed, told("v", "V"), told("w", "W")]),
    ] {
        let chunks = [
            delta(json!({"content": "H"})),
            delta(json!({"content": "i", "annotations": annotations})),
            end("stop"),
        ];
        let events = play(plain(), &chunks.map(|chunk| searched(&chunk)));
        let kinds = kinds(&events);
        let first = kinds.iter().position(|kind| *kind == "output_text.annotation.added");
        let added = events
            .iter()
            .filter(|event| event["type"] == "response.output_text.annotation.added");
        let added: Vec<_> = added
            .map(|event| (event["annotation_index"].as_u64(), event["annotation"].clone()))
            .collect();
        let numbered = expected
            .iter()
            .enumerate()
            .map(|(at, one)| (Some(at as u64), one.clone()));
        assert_eq!(added, numbered.collect::<Vec<_>>());
        assert!(
            first > kinds.iter().rposition(|kind| *kind == "output_text.delta"),
            "{kinds:?}"
        );
        assert_eq!(
            response(&events)["output"][0]["content"][0]["annotations"],
            json!(expected)
        );
        let message = json!({"role": "assistant", "content": "Hi", "annotations": annotations});
        let answer = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
        let whole = Writer::whole(&searched(&answer.to_string()), &plain()).expect("an answer");
        let whole: Value = serde_json::from_str(&whole).expect("JSON");
        assert_eq!(whole["output"][0]["content"][0]["annotations"], json!(expected));
    }
}

#[test]
fn an_annotation_that_a_response_does_not_have_is_left_out() {
    let file = json!({"type": "file", "file": {"hash": "h", "name": "a.pdf", "content": []}});
    let known = json!({"type": "file_citation", "file_id": "f", "filename": "a.pdf", "index": 2});
    let events = play(
        plain(),
        &[
            delta(json!({"annotations": [file]})),
            delta(json!({"content": "Hi"})),
            end("stop"),
        ],
    );
    assert!(!kinds(&events).contains(&"output_text.annotation.added"));
    assert_eq!(response(&events)["output"][0]["content"][0]["annotations"], json!([]));
    let chunks = [
        delta(json!({"content": "Hi", "annotations": [file, known]})),
        end("stop"),
    ];
    let events = play(plain(), &chunks);
    assert_eq!(
        response(&events)["output"][0]["content"][0]["annotations"],
        json!([known])
    );
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
