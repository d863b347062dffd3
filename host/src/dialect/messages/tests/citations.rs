//! What an answer cites: to the client, and back.

use serde_json::{Value, json};

use super::{ADAPTER, SERVER, call, chat, chunks, memo, message, request, said, streamed, streamed_for};
use crate::dialect::{messages::Memo, state};

fn url(url: &str, start: u64, end: u64) -> Value {
    json!({ "type": "url_citation", "url_citation": { "url": url, "title": "T\n", "start_index": start, "end_index": end } })
}

/// A citation as a client gets it.
fn cited(url: &str, text: &str) -> Value {
    let mark = state::seal("p", "null");
    json!({ "type": "web_search_result_location", "url": url, "title": "T\n", "encrypted_index": mark, "cited_text": text })
}

fn text(text: &str, citations: &[Value]) -> Value {
    match citations {
        [] => json!({ "type": "text", "text": text }),
        _ => json!({ "type": "text", "text": text, "citations": citations }),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better where a chunk is written down"
)]
fn delta(delta: Value) -> Value {
    json!({ "choices": [{ "index": 0, "delta": delta }] })
}

#[test]
fn a_text_has_its_sources_whole_and_streamed() {
    let file = json!({ "type": "file", "file": { "hash": "h" } });
    let bare = json!({ "type": "url_citation", "url_citation": { "url": "b" } });
    for (fields, expected) in [
        (
            json!({ "content": "Süß \"ü\"", "annotations": [url("a", 0, 3), url("b", 5, 6), file] }),
            vec![text("Süß \"ü\"", &[cited("a", "Süß"), cited("b", "ü")])],
        ),
        (
            json!({ "content": "Hi", "annotations": [url("a", 0, 0), url("a", 0, 0), url("a", 1, 9), url("a", 2, 1)] }),
            vec![text("Hi", &[cited("a", ""), cited("a", "")])],
        ),
        (
            json!({ "content": "Hi", "annotations": [bare] }),
            vec![
                json!({ "type": "text", "text": "Hi", "citations": [{ "type": "web_search_result_location", "url": "b",
                "title": null, "encrypted_index": state::seal("p", "null"), "cited_text": "" }] }),
            ],
        ),
        (json!({ "content": "Hi", "annotations": [file] }), vec![text("Hi", &[])]),
        (json!({ "content": "Hi", "annotations": [] }), vec![text("Hi", &[])]),
        (
            json!({ "content": "Hi", "annotations": { "a": 1 } }),
            vec![text("Hi", &[])],
        ),
        (
            json!({ "content": null, "annotations": [url("a", 0, 0)] }),
            vec![text("", &[cited("a", "")])],
        ),
        (
            json!({ "content": "", "refusal": "No.", "annotations": [url("a", 0, 2)] }),
            vec![text("No.", &[cited("a", "")])],
        ),
    ] {
        let answer = said(&fields);
        assert_eq!(message(&answer)["content"], json!(expected), "{fields}");
        assert_eq!(streamed(&chunks(&answer)), expected, "{fields}");
    }
}

#[test]
fn a_source_waits_for_a_text_that_is_open_and_opens_none_again() {
    let (a, b) = (url("a", 0, 2), url("b", 1, 2));
    let (told_a, told_b) = (cited("a", "Hi"), cited("b", "i"));
    let only_a = std::slice::from_ref(&told_a);
    let call = |arguments: &str| {
        delta(json!({ "tool_calls": [{ "index": 0, "id": "c", "function": { "name": "f", "arguments": arguments } }] }))
    };
    let called = json!({ "type": "tool_use", "id": "c", "name": "f", "input": { "x": 1 } });
    let words = |words: &str| delta(json!({ "content": words }));
    let source = |annotation: &Value| delta(json!({ "annotations": [annotation] }));
    for (name, chunks, expected) in [
        (
            "amid the text",
            vec![words("H"), source(&url("a", 0, 1)), words("i"), source(&b)],
            vec![text("Hi", &[cited("a", "H"), told_b.clone()])],
        ),
        (
            "beside the text",
            vec![delta(json!({ "content": "Hi", "annotations": [a] })), words("!")],
            vec![text("Hi!", only_a)],
        ),
        (
            "before the text, of which nothing is known then",
            vec![source(&a), delta(json!({ "content": "" })), source(&b), words("Hi")],
            vec![text("Hi", &[told_a.clone(), told_b.clone()])],
        ),
        (
            "after the text",
            vec![words("Hi"), delta(json!({ "content": "", "annotations": [a] }))],
            vec![text("Hi", only_a)],
        ),
        (
            "amid a call, before more text",
            vec![words("Hi"), call("{\"x\":"), source(&a), words("Ho"), call("1}")],
            vec![text("Hi", &[]), called.clone(), text("Ho", only_a)],
        ),
        (
            "after a call, and nothing follows",
            vec![words("Hi"), call("{\"x\":1}"), source(&a), source(&b)],
            vec![
                text("Hi", &[]),
                called.clone(),
                text("", &[told_a.clone(), told_b.clone()]),
            ],
        ),
        (
            "without any text",
            vec![call("{\"x\":1}"), source(&a)],
            vec![called, text("", &[cited("a", "")])],
        ),
    ] {
        assert_eq!(streamed(&chunks), expected, "{name}");
    }
}

#[test]
fn sources_beside_the_choices_are_told_once_and_after_what_annotations_say() {
    let lists = json!({ "citations": ["a", "b"], "search_results": [{ "url": "b", "title": "T\n" }, { "url": "a", "title": "T\n" }] });
    let beside = |mut chunk: Value| {
        chunk["citations"] = lists["citations"].clone();
        chunk["search_results"] = lists["search_results"].clone();
        chunk
    };
    for (annotations, expected) in [
        (json!([]), [cited("a", ""), cited("b", "")]),
        (json!([url("b", 0, 1)]), [cited("b", "H"), cited("a", "")]),
    ] {
        let whole = beside(said(&json!({ "content": "Hi", "annotations": annotations })));
        let expected = [text("Hi", &expected)];
        assert_eq!(message(&whole)["content"], json!(expected));
        let chunks = [
            delta(json!({ "content": "H" })),
            delta(json!({ "content": "i", "annotations": annotations })),
            json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }),
            json!({ "choices": [] }),
        ];
        assert_eq!(streamed(&chunks.clone().map(beside)), expected);
        let [first, second, end, last] = chunks;
        assert_eq!(streamed(&[first, second, end, beside(last)]), expected, "as xAI does");
    }
}

#[test]
fn an_answer_to_claude_code_does_not_end_with_sources_alone() {
    let call = json!({ "index": 0, "id": "c", "function": { "name": "f", "arguments": "{}" } });
    let chunks = [
        delta(json!({ "content": "Hi", "annotations": [url("a", 0, 2)] })),
        delta(json!({ "tool_calls": [call] })),
        delta(json!({ "annotations": [url("b", 0, 2)] })),
    ];
    let claude_code = Memo {
        claude_code: true,
        ..memo(&[])
    };
    let made = streamed_for(claude_code, &chunks);
    assert_eq!((made.len(), &made[0]), (2, &text("Hi", &[cited("a", "Hi")])));
}

#[test]
fn citations_that_were_made_here_are_left_out_of_a_chat_and_others_are_named() {
    let answer = said(&json!({ "content": "Hi", "annotations": [url("a", 0, 2)] }));
    let own = message(&answer)["content"].take();
    let foreign = json!([{ "type": "text", "text": "Hi", "citations": [{ "type": "char_location" }] }]);
    let mixed =
        json!([{ "type": "text", "text": "Hi", "citations": [own[0]["citations"][0], { "type": "char_location" }] }]);
    for (content, told) in [(own, false), (foreign, true), (mixed, true)] {
        for taker in [SERVER, ADAPTER] {
            let list = json!([{ "role": "assistant", "content": content }, { "role": "user", "content": content }]);
            let (made, dropped) = chat(&json!({ "messages": list }), taker);
            assert_eq!(
                made["messages"],
                json!([{ "role": "assistant", "content": "Hi" }, { "role": "user", "content": "Hi" }])
            );
            let expected: &[&str] = if told { &["messages.content.citations"] } else { &[] };
            assert_eq!(dropped, expected, "{content}");
        }
    }
}

#[test]
fn citations_that_were_made_here_are_taken_out_of_what_goes_to_a_provider_of_this_api() {
    let own = cited("a", "Hi").to_string();
    let foreign = r#"{ "type":"char_location", "encrypted_index":"Eo8B" }"#;
    let turn = |content: &str| format!(r#"{{ "role" : "assistant", "content":{content} }}"#);
    for (content, expected) in [
        (
            format!(r#"[ {{ "type":"text", "text":"\u0048i", "citations":[{own}], "cache_control":{{"n":1.0e0}} }} ]"#),
            turn(r#"[{ "type":"text", "text":"\u0048i", "cache_control":{"n":1.0e0} }]"#),
        ),
        (
            format!(r#"[{{"type":"text","citations":[{own},{foreign}],"text":"Hi"}},{{ "type":"text", "text":"x" }}]"#),
            turn(&format!(
                r#"[{{"type":"text","citations":[{foreign}],"text":"Hi"}},{{ "type":"text", "text":"x" }}]"#
            )),
        ),
        (
            format!(r#"[{{"type":"tool_use","id":"c"}},{{"type":"text","text":"","citations":[{own}]}}]"#),
            turn(r#"[{"type":"tool_use","id":"c"}]"#),
        ),
        (
            format!(r#"[{{"type":"text","text":"","citations":[{own}]}}]"#),
            String::new(),
        ),
    ] {
        let user = r#"{ "role":"user", "content":[ {"type":"text","text":"x","citations":[]} ] }"#;
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{user},{}]}}"#,
            turn(&content)
        );
        let made = request::without_sealed(&call(&body)).expect("something was sealed");
        let expected = [user, &expected].join(if expected.is_empty() { "" } else { "," });
        assert_eq!(made, format!("[{expected}]"), "{content}");
    }
}
