//! The mock's fixed answers, as long as real ones: about a kilobyte whole, about 200 bytes an event.
//!
//! Shapes: OpenAI's chat.completion and chat.completion.chunk, Anthropic's message and its stream events, as their API references
//! describe them.

use crate::request::MARK;
use bytes::Bytes;
use serde_json::{Value, json};

/// How many events of a stream carry text.
pub(crate) const TEXT_EVENTS: usize = 100;

const WORDS: [&str; 12] = [
    "take", "the", "south", "path", "with", "water", "on", "its", "way", "and", "no", "cables",
];

/// How many calls of tools a stream has that is made of them.
pub(crate) const CALLS: usize = 1000;

/// One provider's two forms of the same answer.
pub(crate) struct Answers {
    /// the JSON of an answer given whole
    pub(crate) whole: Bytes,
    /// the events of a streamed one, each with its line ends
    pub(crate) events: Vec<Bytes>,
    /// the events of one that calls tools a thousand times; none where that is not measured
    pub(crate) calls: Vec<Bytes>,
}

/// OpenAI's.
pub(crate) fn openai() -> Answers {
    let usage = json!({"prompt_tokens": 210, "completion_tokens": TEXT_EVENTS, "total_tokens": 210 + TEXT_EVENTS,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0}});
    let whole = json!({"id": "chatcmpl-BenchBenchBenchBenchBenchBen", "object": "chat.completion", "created": 1741570283,
        "model": "gpt-4o-mini-2024-07-18", "choices": [{"index": 0, "logprobs": null, "finish_reason": "stop",
        "message": {"role": "assistant", "content": text(520), "refusal": null, "annotations": []}}],
        "usage": usage, "service_tier": "default", "system_fingerprint": "fp_benchbench"});
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "chatcmpl-BenchBenchBenchBenchBenchBen", "object": "chat.completion.chunk",
            "created": 1741570283, "model": "gpt-4o-mini-2024-07-18", "system_fingerprint": "fp_benchbench",
            "choices": choices, "usage": usage});
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let choice =
        |delta: Value, finish: Value| json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);
    let mut events = vec![chunk(
        choice(json!({"role": "assistant", "content": MARK}), Value::Null),
        Value::Null,
    )];
    events.extend((1..TEXT_EVENTS).map(|n| chunk(choice(json!({"content": token(n)}), Value::Null), Value::Null)));
    let end = [
        chunk(choice(json!({}), json!("stop")), Value::Null),
        chunk(json!([]), usage),
        Bytes::from_static(b"data: [DONE]\n\n"),
    ];
    let mut calls: Vec<Bytes> = events.iter().take(1).cloned().collect();
    for index in 0..CALLS {
        let call = |part: Value| chunk(choice(json!({"tool_calls": [part]}), Value::Null), Value::Null);
        let function = json!({"name": "read_file", "arguments": ""});
        calls.push(call(
            json!({"index": index, "id": format!("call_{index:09}"), "type": "function", "function": function}),
        ));
        calls.push(call(
            json!({"index": index, "function": {"arguments": arguments(index)}}),
        ));
    }
    events.extend(end.iter().cloned());
    calls.extend(end);
    Answers {
        whole: whole.to_string().into(),
        events,
        calls,
    }
}

fn arguments(index: usize) -> String {
    json!({"path": format!("src/part_{index}.rs")}).to_string()
}

/// Anthropic's.
pub(crate) fn anthropic() -> Answers {
    let message = |content: Value, stop: Value, output: usize| {
        json!({"id": "msg_BenchBenchBenchBenchBenc", "type": "message", "role": "assistant",
            "model": "claude-sonnet-4-20250514", "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": {"input_tokens": 210, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                "output_tokens": output, "service_tier": "standard"}})
    };
    let whole = message(
        json!([{"type": "text", "text": text(620)}]),
        json!("end_turn"),
        TEXT_EVENTS,
    );
    let begin = event("message_start", json!({"message": message(json!([]), Value::Null, 1)}));
    let delta = |index: usize, delta: Value| event("content_block_delta", json!({"index": index, "delta": delta}));
    let start =
        |index: usize, block: Value| event("content_block_start", json!({"index": index, "content_block": block}));
    let stop = |index: usize| event("content_block_stop", json!({"index": index}));
    let said = |text: String| delta(0, json!({"type": "text_delta", "text": text}));
    let mut events = vec![
        begin,
        start(0, json!({"type": "text", "text": ""})),
        event("ping", json!({})),
    ];
    let mut calls = events.clone();
    calls.extend([said(MARK.to_owned()), stop(0)]);
    for index in 1..=CALLS {
        let call = json!({"type": "tool_use", "id": format!("toolu_{index:09}"), "name": "read_file", "input": {}});
        let input = delta(
            index,
            json!({"type": "input_json_delta", "partial_json": arguments(index)}),
        );
        calls.extend([start(index, call), input, stop(index)]);
    }
    events.extend((0..TEXT_EVENTS).map(|n| said(if n == 0 { MARK.to_owned() } else { token(n) })));
    events.push(stop(0));
    let end = [
        event(
            "message_delta",
            json!({"delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": TEXT_EVENTS}}),
        ),
        event("message_stop", json!({})),
    ];
    events.extend(end.iter().cloned());
    calls.extend(end);
    Answers {
        whole: whole.to_string().into(),
        events,
        calls,
    }
}

/// The list of models, for gateways that ask for it.
pub(crate) fn models() -> Bytes {
    let model = |id: &str| json!({"id": id, "object": "model", "created": 1721172741, "owned_by": "bench"});
    let list = json!({"object": "list", "data": [model("gpt-4o-mini"), model("claude-sonnet-4-20250514")]});
    list.to_string().into()
}

pub(super) fn event(kind: &str, mut data: Value) -> Bytes {
    data["type"] = json!(kind);
    format!("event: {kind}\ndata: {data}\n\n").into()
}

pub(super) fn token(n: usize) -> String {
    format!(" token{n}")
}

pub(super) fn text(length: usize) -> String {
    let mut text = String::from(MARK);
    for word in WORDS.iter().cycle() {
        if text.len() >= length {
            break;
        }
        text.push(' ');
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_providers_answer_in_the_sizes_that_the_tables_name() {
        for answers in [openai(), anthropic()] {
            assert!(
                (900..1200).contains(&answers.whole.len()),
                "{} bytes whole",
                answers.whole.len()
            );
            let marked = answers
                .events
                .iter()
                .filter(|event| event.windows(MARK.len()).any(|part| part == MARK.as_bytes()));
            assert_eq!(marked.count(), 1);
        }
    }
}
