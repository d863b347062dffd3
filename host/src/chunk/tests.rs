//! What adapters may leave out, and what the client gets.

mod calls;

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::{Assembler, Chunks, Flaw, Stamp, complete, embeddings, synthesise};
use crate::call::Operation;

fn stamp(include_usage: bool) -> Stamp {
    Stamp {
        id: "chatcmpl-1".to_owned(),
        created: 7,
        model: "m".to_owned(),
        include_usage,
        base64: false,
    }
}

/// The data of the events that the client gets for `chunks`, the end mark left out.
fn stream(include_usage: bool, chunks: &[&str]) -> Vec<Value> {
    let mut all = Chunks::new(stamp(include_usage), Operation::Chat);
    let mut out = BytesMut::new();
    for chunk in chunks {
        all.add(chunk, &mut out).expect("a good chunk");
    }
    all.end(&mut out);
    events(&out)
}

fn events(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("text");
    let body = text.strip_suffix("data: [DONE]\n\n").expect("an end mark");
    body.split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").expect("data")).expect("JSON"))
        .collect()
}

const HI: &str = r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
const END: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;

#[test]
fn what_an_adapter_leaves_out_is_filled_in() {
    let chunks = stream(false, &[HI, END]);
    let identity = |chunk: &Value| json!([chunk["id"], chunk["object"], chunk["created"], chunk["model"]]);
    for chunk in &chunks {
        assert_eq!(identity(chunk), json!(["chatcmpl-1", "chat.completion.chunk", 7, "m"]));
    }
    assert_eq!(
        chunks[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": "Hi"})
    );
    assert_eq!(chunks[1]["choices"][0]["delta"], json!({}));
}

#[test]
fn a_chunk_written_over_several_lines_is_still_one_event() {
    let pretty = "{\r\n  \"choices\": [\n    {\"index\": 0, \"delta\": {\"content\": \"Hi\\n\"}}\n  ]\n}";
    assert_eq!(stream(false, &[pretty])[0]["choices"][0]["delta"]["content"], "Hi\n");
}

#[test]
fn a_stream_of_legacy_completions_is_filled_in_in_its_own_shape() {
    let mut chunks = Chunks::new(stamp(false), Operation::Completions);
    let mut out = BytesMut::new();
    for text in ["Hi", "!"] {
        let chunk = format!(r#"{{"choices":[{{"index":0,"text":"{text}","finish_reason":null}}]}}"#);
        chunks.add(&chunk, &mut out).expect("a good chunk");
    }
    chunks
        .add(
            r#"{"choices":[{"index":0,"text":"","finish_reason":"stop"}]}"#,
            &mut out,
        )
        .expect("a good chunk");
    chunks.end(&mut out);
    let shown = events(&out);
    assert_eq!(
        (&shown[1]["object"], &shown[1]["choices"][0]),
        (
            &json!("text_completion"),
            &json!({"index": 0, "text": "!", "finish_reason": null})
        )
    );
    assert!(chunks.finished());
}

#[test]
fn what_a_chunk_says_itself_stays() {
    let chunk = r#"{ "id":"x" ,"object":"chat.completion.chunk","created":1,"model":"y","choices":[{"index":0,"delta":{"role":"assistant","content":"é"}}],"own":{"a":[1.50]}}"#;
    let mut chunks = Chunks::new(stamp(false), Operation::Chat);
    let mut out = BytesMut::new();
    chunks.add(chunk, &mut out).expect("a good chunk");
    assert_eq!(&out[..], format!("data: {chunk}\n\n").as_bytes());
}

#[test]
fn usage_is_shown_to_who_asked_and_last_wherever_it_came() {
    let with_choices = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}"#;
    for chunks in [&[HI, END, USAGE][..], &[HI, USAGE, END], &[HI, with_choices]] {
        assert!(stream(false, chunks).iter().all(|chunk| chunk.get("usage").is_none()));
        let mut shown = stream(true, chunks);
        let last = shown.pop().expect("a usage chunk");
        assert_eq!(
            (&last["choices"], &last["usage"]["total_tokens"]),
            (&json!([]), &json!(3))
        );
        assert_eq!(
            (&last["id"], &last["object"]),
            (&json!("chatcmpl-1"), &json!("chat.completion.chunk"))
        );
        assert!(shown.iter().all(|chunk| chunk.get("usage").is_none()));
    }
}

#[test]
fn usage_that_was_cut_out_leaves_no_stray_comma() {
    let usage = r#""usage":{"prompt_tokens":1,"total_tokens":1}"#;
    let choices = r#""choices":[{"index":0,"delta":{"content":"x"}}]"#;
    for chunk in [
        format!("{{{usage},{choices}}}"),
        format!("{{{choices} , {usage}}}"),
        format!("{{{choices},{usage} ,\"z\":1}}"),
        format!("{{\"id\":\"a\", {usage} , {choices}}}"),
    ] {
        let shown = stream(false, &[&chunk]);
        assert_eq!(shown[0]["choices"][0]["delta"]["content"], "x", "{chunk}");
        assert_eq!(shown[0].get("usage"), None, "{chunk}");
    }
}

#[test]
fn what_is_no_chunk_is_refused() {
    let mut chunks = Chunks::new(stamp(false), Operation::Chat);
    let mut out = BytesMut::new();
    for wrong in [
        "",
        "[]",
        "hello",
        "{",
        "{\"choices\":[}",
        "{} {}",
        "\"x\"",
        "{\"choices\":[{\"delta\":{\"content\":\"\u{1}\"}}]}",
    ] {
        assert!(
            matches!(chunks.add(wrong, &mut out), Err(Flaw::Malformed(_))),
            "{wrong:?}"
        );
    }
    assert!(matches!(
        chunks.add(r#"{"error":{"message":"no"}}"#, &mut out),
        Err(Flaw::Error(_))
    ));
    assert!(out.is_empty());
}

#[test]
fn content_in_parts_becomes_text_and_thoughts() {
    let chunk = r#"{"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"Hi"},{"type":"reference","ids":[1]}]}}]}"#;
    let delta = &stream(false, &[chunk])[0]["choices"][0]["delta"];
    assert_eq!(
        (&delta["content"], &delta["reasoning_content"]),
        (&json!("Hi"), &json!("hm"))
    );
    assert_eq!(delta["content_parts"][0]["type"], "reference");
}

#[test]
fn a_stream_and_the_answer_assembled_from_it_say_the_same() {
    let mut assembler = Assembler::new(stamp(false), Operation::Chat);
    for chunk in [
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"th","thinking_blocks":[{"type":"thinking","thinking":"th"}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"ink","thinking_blocks":[{"type":"thinking","thinking":"ink","signature":"s"}]}}]}"#,
        HI,
        r#"{"choices":[{"index":0,"delta":{"content":"!","tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\""}},{"index":1,"function":{"arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}},{"index":1,"delta":{"content":"other"},"finish_reason":"length"}]}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
        USAGE,
    ] {
        assembler.add(chunk).expect("a good chunk");
    }
    assert!(assembler.finished());
    let answer = assembler.finish().expect("an answer");
    assert_eq!(answer.usage.and_then(|usage| usage.output), Some(1));
    let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], "Hi!");
    assert_eq!(message["reasoning_content"], "think");
    assert_eq!(
        message["thinking_blocks"],
        json!([{"type": "thinking", "thinking": "think", "signature": "s"}])
    );
    assert_eq!(
        message["tool_calls"],
        json!([
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ])
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(answer["choices"][1]["message"]["content"], "other");
    assert_eq!(
        (&answer["object"], &answer["usage"]["total_tokens"]),
        (&json!("chat.completion"), &json!(3))
    );
}

#[test]
fn a_synthesised_stream_assembles_to_the_answer_it_came_from() {
    let answer = json!({
        "id": "a", "object": "chat.completion", "created": 1, "model": "y", "system_fingerprint": "f",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": null, "refusal": "no", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{\"q\":2}"}}]}, "finish_reason": "tool_calls"},
            {"index": 1, "message": {"role": "assistant", "content": "x"}, "logprobs": {"content": [1]}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    });
    let made = synthesise(stamp(true), Operation::Chat, Bytes::from(answer.to_string())).expect("a stream");
    let chunks = events(&made.body);
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let mut assembler = Assembler::new(stamp(true), Operation::Chat);
    for chunk in &chunks {
        assembler.add(&chunk.to_string()).expect("a good chunk");
    }
    let back: Value = serde_json::from_slice(&assembler.finish().expect("an answer").body).expect("JSON");
    assert_eq!(back, answer);
}

#[test]
fn an_answer_that_is_right_is_not_copied_and_one_that_is_not_is_completed() {
    let right = Bytes::from_static(br#"{"id":"a","object":"chat.completion","created":1,"model":"y","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#);
    let out = complete(stamp(false), Operation::Chat, right.clone()).expect("an answer");
    assert_eq!(out.body.as_ptr(), right.as_ptr());
    let bare = r#"{"choices":[{"message":{"content":"x","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"finish_reason":"eos"}]}"#;
    let out = complete(stamp(false), Operation::Chat, Bytes::from(bare)).expect("an answer");
    let out: Value = serde_json::from_slice(&out.body).expect("JSON");
    assert_eq!(
        (&out["id"], &out["object"], &out["model"]),
        (&json!("chatcmpl-1"), &json!("chat.completion"), &json!("m"))
    );
    let choice = &out["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["native_finish_reason"]),
        (&json!("stop"), &json!("eos"))
    );
    assert_eq!(
        (
            &choice["message"]["role"],
            &choice["message"]["tool_calls"][0]["function"]["arguments"]
        ),
        (&json!("assistant"), &json!("{}"))
    );
}

#[test]
fn every_shape_of_embeddings_becomes_a_list_of_lists() {
    let shape = |answer: &str, inputs| {
        let out = embeddings(&stamp(false), &Bytes::from(answer.to_owned()), inputs).expect("embeddings");
        let out: Value = serde_json::from_slice(&out.body).expect("JSON");
        assert_eq!(
            (&out["object"], out["model"].is_string()),
            (&json!("list"), true),
            "{answer}"
        );
        let data = out["data"].as_array().expect("data").clone();
        for (at, item) in data.iter().enumerate() {
            assert_eq!(
                (&item["index"], &item["object"]),
                (&json!(at), &json!("embedding")),
                "{answer}"
            );
        }
        Value::Array(data.into_iter().map(|item| item["embedding"].clone()).collect())
    };
    for one in [
        "[1.5,-2]",
        "[[1.5,-2]]",
        r#"{"data":[1.5,-2]}"#,
        r#"{"data":[{"embedding":[[1.5,-2]]}],"usage":{}}"#,
        r#"{"embedding":[1.5,-2]}"#,
    ] {
        assert_eq!(shape(one, 1), json!([[1.5, -2]]), "{one}");
    }
    for two in [
        "[[1],[2]]",
        r#"{"embeddings":[[1],[2]]}"#,
        r#"{"data":[[1],[2]]}"#,
        r#"{"data":[{"embedding":[1,2]}]}"#,
        "[1,2]",
    ] {
        assert_eq!(shape(two, 2), json!([[1], [2]]), "{two}");
    }
    assert_eq!(
        shape(r#"{"data":[{"embedding":"AACAPwAAAMA="}]}"#, 1),
        json!([[1.0, -2.0]])
    );
    let right = Bytes::from_static(br#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[-0.5,1]}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}"#);
    let out = embeddings(&stamp(false), &right, 1).expect("embeddings");
    assert_eq!(
        (out.body.as_ptr(), out.usage.and_then(|usage| usage.input)),
        (right.as_ptr(), Some(2))
    );
}

#[test]
fn a_client_that_asks_for_base64_gets_base64_whatever_the_provider_has() {
    let stamp = Stamp {
        base64: true,
        ..stamp(false)
    };
    let numbers = Bytes::from_static(
        br#"{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[1,-2]}]}"#,
    );
    let out = embeddings(&stamp, &numbers, 1).expect("embeddings");
    let made: Value = serde_json::from_slice(&out.body).expect("JSON");
    assert_eq!(made["data"][0]["embedding"], "AACAPwAAAMA=");
    let again = embeddings(&stamp, &out.body, 1).expect("embeddings");
    assert_eq!(again.body.as_ptr(), out.body.as_ptr(), "what is right is not copied");
}

/// The data of all recorded streams, each with what it is from.
fn recorded() -> Vec<(String, Vec<String>)> {
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let list = std::fs::read_to_string(folder.join("openai-shaped.jsonl")).expect("the list");
    let file = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["file"].as_str()?.to_owned());
    let streams = list.lines().filter_map(file).filter(|file| file.ends_with(".sse"));
    streams
        .map(|file| {
            let text = std::fs::read_to_string(folder.join(&file)).expect("a recording");
            let data = text
                .lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .map(str::trim);
            (
                file,
                data.filter(|data| data.starts_with('{')).map(str::to_owned).collect(),
            )
        })
        .collect()
}

#[test]
fn a_chunk_that_is_like_the_last_one_is_treated_as_if_it_were_the_first_of_its_kind() {
    for (file, data) in recorded() {
        for asked in [false, true] {
            let mut quick = Chunks::new(stamp(asked), Operation::Chat);
            let mut thorough = Chunks::new(stamp(asked), Operation::Chat);
            for chunk in &data {
                let (mut a, mut b) = (BytesMut::new(), BytesMut::new());
                thorough.alike.forget();
                assert_eq!(quick.add(chunk, &mut a), thorough.add(chunk, &mut b), "{file}: {chunk}");
                assert!(a == b || chunk.contains("tool_calls"), "{file}: {chunk}");
            }
            assert_eq!(
                (quick.usage(), quick.finished()),
                (thorough.usage(), thorough.finished()),
                "{file}"
            );
        }
    }
}

#[test]
fn likeness_forgives_nothing() {
    let chunk = |content: &str| {
        format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{content}"}},"finish_reason":null}}]}}"#)
    };
    let mut chunks = Chunks::new(stamp(false), Operation::Chat);
    let mut out = BytesMut::new();
    for right in ["a", "b", "", "c\\n\\u00e9\\\"", "é"] {
        chunks.add(&chunk(right), &mut out).expect("a good chunk");
    }
    for wrong in ["\u{1}", "\\x", "\\u12", "a\"b", "\\", "\"}}"] {
        assert!(
            matches!(chunks.add(&chunk(wrong), &mut out), Err(Flaw::Malformed(_))),
            "{wrong:?}"
        );
        chunks.add(&chunk("again"), &mut out).expect("a good chunk");
    }
    let other = chunk(r#"x"}}],"usage":{"prompt_tokens":7},"z":[{"q":{"w":""#);
    chunks.add(&other, &mut out).expect("a good chunk");
    assert_eq!(chunks.usage().and_then(|usage| usage.input), Some(7));
}

#[test]
fn an_answer_that_its_provider_broke_off_is_no_answer() {
    for word in ["error", "network_error", "insufficient_system_resource"] {
        let mut chunks = Chunks::new(stamp(false), Operation::Chat);
        let end = END.replace("stop", word);
        let added = chunks.add(&end, &mut BytesMut::new());
        assert!(matches!(added, Err(Flaw::Error(_))), "{word}: {added:?}");
    }
}

#[test]
fn usage_in_a_choice_counts_unless_it_stands_where_openai_has_it() {
    let inside = END.replace(
        "\"delta\":{}",
        "\"delta\":{},\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":9,\"total_tokens\":18}",
    );
    let mut chunks = Chunks::new(stamp(true), Operation::Chat);
    chunks.add(&inside, &mut BytesMut::new()).expect("a chunk");
    assert!(chunks.usage().is_some(), "it counts");
    let shown = stream(true, &[HI, &inside]);
    assert_eq!(shown.last().expect("a chunk")["usage"]["prompt_tokens"], 9);
    let shown = stream(true, &[HI, USAGE, &inside]);
    assert_eq!(shown.last().expect("a chunk")["usage"]["prompt_tokens"], 2);
}
