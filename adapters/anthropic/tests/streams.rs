//! A streamed answer is exact to the event.

#[path = "drive/call.rs"]
mod drive;

use drive::stream;
use serde_json::{Value, json};

fn start() -> Value {
    json!({"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 10, "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 2, "output_tokens": 1}}})
}

fn begin(index: u64, block: &Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str) -> [Value; 2] {
    let usage = json!({"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}});
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}),
        json!({"type": "message_stop"}),
    ]
}

/// The deltas of the client's chunks, without the first (the role) and the last two (finish reason, usage).
fn deltas(events: Vec<Value>, reason: &str) -> Vec<Value> {
    let all: Vec<Value> = [start()].into_iter().chain(events).chain(end(reason)).collect();
    let (chunks, failure) = stream(&all, false);
    assert!(failure.is_none(), "{failure:?}");
    let middle = chunks.len() - 2;
    chunks
        .into_iter()
        .take(middle)
        .skip(1)
        .map(|mut chunk| chunk["choices"][0]["delta"].take())
        .collect()
}

#[test]
fn a_text_begins_with_the_role_and_ends_with_reason_then_usage() {
    let text = |text: &str| delta(0, &json!({"type": "text_delta", "text": text}));
    let mut events = vec![
        start(),
        json!({"type": "ping"}),
        begin(0, &json!({"type": "text", "text": ""})),
    ];
    events.extend([text("Grüß "), text("\"dich\"\n"), stop(0)]);
    events.extend(end("end_turn"));
    let (chunks, failure) = stream(&events, false);
    assert!(failure.is_none());
    let chunk =
        |delta: Value, reason: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
    let usage = json!({"prompt_tokens": 17, "completion_tokens": 9, "total_tokens": 26,
        "prompt_tokens_details": {"cached_tokens": 5, "cache_creation_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 4}});
    assert_eq!(
        chunks,
        [
            chunk(json!({"role": "assistant", "content": ""}), Value::Null),
            chunk(json!({"content": "Grüß "}), Value::Null),
            chunk(json!({"content": "\"dich\"\n"}), Value::Null),
            chunk(json!({}), json!("stop")),
            json!({"choices": [], "usage": usage}),
        ]
    );
}

#[test]
fn parallel_calls_are_named_once_and_numbered_by_themselves() {
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
    let piece = |index, text: &str| delta(index, &json!({"type": "input_json_delta", "partial_json": text}));
    let deltas = deltas(
        vec![
            begin(
                0,
                &json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
            ),
            piece(0, "{\"query\":\"x\"}"),
            stop(0),
            begin(1, &call("a")),
            piece(1, ""),
            piece(1, "{\"n\":"),
            piece(1, " 1}"),
            stop(1),
            begin(2, &call("b")),
            stop(2),
        ],
        "tool_use",
    );
    let named = |index: u64, id: &str| {
        let function = json!({"name": "f", "arguments": ""});
        json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]})
    };
    let arguments = |index: u64, text: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]});
    assert_eq!(
        deltas,
        [
            named(0, "a"),
            arguments(0, "{\"n\":"),
            arguments(0, " 1}"),
            named(1, "b"),
            arguments(1, "{}")
        ]
    );
}

#[test]
fn thinking_is_shown_as_it_comes_and_handed_out_whole_with_its_signature() {
    let deltas = deltas(
        vec![
            begin(0, &json!({"type": "thinking", "thinking": "", "signature": ""})),
            delta(0, &json!({"type": "thinking_delta", "thinking": "Let "})),
            delta(0, &json!({"type": "thinking_delta", "thinking": "me\n"})),
            delta(0, &json!({"type": "signature_delta", "signature": "Eq+/=="})),
            stop(0),
            begin(1, &json!({"type": "redacted_thinking", "data": "xyz"})),
            stop(1),
            begin(2, &json!({"type": "text", "text": "Hi"})),
            stop(2),
        ],
        "end_turn",
    );
    let block = json!({"index": 0, "type": "thinking", "thinking": "Let me\n", "signature": "Eq+/=="});
    assert_eq!(
        deltas,
        [
            json!({"reasoning_content": "Let "}),
            json!({"reasoning_content": "me\n"}),
            json!({"thinking_blocks": [block]}),
            json!({"thinking_blocks": [{"index": 1, "type": "redacted_thinking", "data": "xyz"}]}),
            json!({"content": "Hi"}),
        ]
    );
}

/// `extra_content` of the last delta.
fn kept(events: Vec<Value>) -> Value {
    let all: Vec<Value> = [start()].into_iter().chain(events).chain(end("end_turn")).collect();
    let (mut chunks, _) = stream(&all, false);
    let last = chunks.len() - 2;
    chunks[last]["choices"][0]["delta"]["extra_content"]["anthropic"]["content"].take()
}

#[test]
fn blocks_that_a_plain_message_cannot_tell_are_handed_out_whole() {
    let result = json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"encrypted_content": "e"}]});
    let events = vec![
        begin(
            0,
            &json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
        ),
        delta(
            0,
            &json!({"type": "input_json_delta", "partial_json": "{\"query\": \"ä\"}"}),
        ),
        stop(0),
        begin(1, &result),
        stop(1),
        begin(2, &json!({"type": "compaction", "content": null})),
        delta(2, &json!({"type": "compaction_delta", "content": "short"})),
        stop(2),
        begin(3, &json!({"type": "text", "text": ""})),
        delta(3, &json!({"type": "text_delta", "text": "Found"})),
        delta(3, &json!({"type": "citations_delta", "citation": {"url": "u"}})),
        stop(3),
    ];
    assert_eq!(
        kept(events),
        json!([
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "ä"}},
            result,
            {"type": "compaction", "content": "short"},
            {"type": "text", "text": "Found", "citations": [{"url": "u"}]},
        ])
    );
}

#[test]
fn a_call_of_a_toolset_is_handed_out_whole_since_a_plain_one_does_not_name_it() {
    let call = |toolset: Value| {
        let block = json!({"type": "tool_use", "id": "t", "name": "left_click", "input": {}, "toolset_name": toolset});
        let input = delta(0, &json!({"type": "input_json_delta", "partial_json": "{\"x\": 1}"}));
        kept(vec![begin(0, &block), input, stop(0)])
    };
    let whole =
        json!({"type": "tool_use", "id": "t", "name": "left_click", "input": {"x": 1}, "toolset_name": "computer"});
    assert_eq!(call(json!("computer")), json!([whole]));
    assert_eq!(call(Value::Null), Value::Null);
}

#[test]
fn the_container_that_tools_ran_in_is_told_so_that_the_next_request_can_name_it() {
    let container = json!({"id": "container_1", "expires_at": "2026-11-22T14:00:00Z"});
    let mut events = vec![start(), begin(0, &json!({"type": "text", "text": "Hi"})), stop(0)];
    events.extend(end("end_turn"));
    events[3]["delta"]["container"] = container.clone();
    let (chunks, _) = stream(&events, false);
    let delta = &chunks[chunks.len() - 2]["choices"][0]["delta"];
    assert_eq!(delta["extra_content"], json!({"anthropic": {"container": container}}));
    let message =
        json!({"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "container": container});
    let answer = witgate_anthropic::message(&message.to_string(), "").expect("a message");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["choices"][0]["message"]["extra_content"], delta["extra_content"]);
}

#[test]
fn a_plain_answer_carries_no_copy_of_itself_nor_does_one_that_cannot_be_rebuilt() {
    let text = vec![begin(0, &json!({"type": "text", "text": "Hi"})), stop(0)];
    assert_eq!(kept(text), Value::Null);
    let unknown = vec![
        begin(0, &json!({"type": "hologram", "size": 1})),
        delta(0, &json!({"type": "hologram_delta", "more": 2})),
        stop(0),
    ];
    assert_eq!(kept(unknown), Value::Null);
}

#[test]
fn unknown_events_fields_and_deltas_never_break_a_stream() {
    let with_strangers = vec![
        json!({"type": "new_event", "delta": "text", "index": "one", "usage": [1]}),
        begin(0, &json!({"type": "text", "text": "", "new": {"a": []}})),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "text": {"x": 1}}, "new": null}),
        json!({"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "lost"}}),
        delta(0, &json!({"type": "text_delta", "text": "Hi", "new": 1})),
        stop(0),
        stop(9),
    ];
    assert_eq!(deltas(with_strangers, "brand_new_reason"), [json!({"content": "Hi"})]);
}

#[test]
fn a_forced_tool_that_stands_for_the_response_format_is_the_text_of_the_answer() {
    let mut events = vec![
        start(),
        begin(
            0,
            &json!({"type": "tool_use", "id": "x", "name": "structured_output", "input": {}}),
        ),
        delta(0, &json!({"type": "input_json_delta", "partial_json": "{\"a\": "})),
        delta(0, &json!({"type": "input_json_delta", "partial_json": "1}"})),
        stop(0),
    ];
    events.extend(end("tool_use"));
    let (chunks, _) = stream(&events, true);
    let texts: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(texts, "{\"a\": 1}");
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    let details = json!({"type": "refusal", "explanation": "Not this."});
    let delta = json!({"stop_reason": "refusal", "stop_details": details});
    let (chunks, _) = stream(
        &[
            start(),
            json!({"type": "message_delta", "delta": delta}),
            json!({"type": "message_stop"}),
        ],
        false,
    );
    let choice = &chunks[1]["choices"][0];
    assert_eq!(choice["finish_reason"], "content_filter");
    assert_eq!(choice["delta"]["refusal"], "Not this.");
}

#[test]
fn what_a_client_that_left_has_used_is_told() {
    let chunks = drive::broken_off(&[start(), begin(0, &json!({"type": "text", "text": "Hel"}))]);
    let [usage] = &chunks[..] else {
        panic!("usage and nothing else: {chunks:?}");
    };
    let usage: Value = serde_json::from_str(usage).expect("a chunk is JSON");
    assert_eq!(usage["usage"]["prompt_tokens"], 17);
}

#[test]
fn errors_in_a_stream_and_a_stream_cut_short_are_failures_after_the_good_chunks() {
    let text = [start(), begin(0, &json!({"type": "text", "text": "Hel"}))];
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let (chunks, failure) = stream(&[&text[..], std::slice::from_ref(&error)].concat(), false);
    assert_eq!(chunks.len(), 2);
    let failure = failure.expect("the error is seen");
    assert_eq!(
        (failure.kind.as_str(), failure.message.as_str()),
        ("overloaded", "Overloaded")
    );
    assert_eq!(stream(&[error], false).1.expect("the error is seen").kind, "overloaded");
    let (chunks, failure) = stream(&text, false);
    assert_eq!(chunks.len(), 2);
    assert_eq!(failure.expect("the cut is seen").kind, "upstream");
    let broken = json!({"type": "content_block_delta", "index": 0, "delta": 5});
    assert_eq!(stream(&[start(), broken], false).1.expect("seen").kind, "upstream");
}

#[test]
fn sources_on_the_web_become_annotations_in_characters() {
    let citation = json!({"type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "k",
        "encrypted_index": "x"});
    let page = json!({"type": "page_location", "cited_text": "p", "document_index": 0, "document_title": "P"});
    let cited = json!({"type": "text", "text": "K\u{e4}se", "citations": [citation, page]});
    let before = json!({"type": "text", "text": "S\u{fc}\u{df} \n"});
    let annotation = json!({"type": "url_citation",
        "url_citation": {"url": "https://a.example", "title": "A", "start_index": 5, "end_index": 9}});
    let message = json!({"type": "message", "content": [before, cited], "stop_reason": "end_turn"});
    let answer = drive::answer(200, &message.to_string()).expect("it is a message");
    let answer: Value = serde_json::from_str(&answer).expect("it is JSON");
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["annotations"], json!([annotation]));
    assert_eq!(message["extra_content"]["anthropic"]["content"][1], cited);

    let mut events = vec![start(), begin(0, &before), stop(0)];
    events.push(begin(1, &json!({"type": "text", "text": "", "citations": []})));
    events.push(delta(1, &json!({"type": "citations_delta", "citation": citation})));
    events.push(delta(1, &json!({"type": "text_delta", "text": "K\u{e4}se"})));
    events.push(stop(1));
    events.extend(end("end_turn"));
    let (chunks, failure) = stream(&events, false);
    assert!(failure.is_none(), "{failure:?}");
    let last = &chunks[chunks.len() - 2]["choices"][0]["delta"];
    assert_eq!(last["annotations"], json!([annotation]));
}
