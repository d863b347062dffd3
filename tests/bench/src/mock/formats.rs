//! The same answers in the formats of the other providers that Witgate has adapters for, as their API references describe them.

use super::answers::{Answers, TEXT_EVENTS, event, text, token};
use crate::request::MARK;
use bytes::Bytes;
use serde_json::{Value, json};

/// Where Replicate's predictions are asked about, and where their streams are read.
pub(crate) const REPLICATE_PREDICTION: &str = "/v1/predictions/benchbenchbench";
pub(crate) const REPLICATE_STREAM: &str = "/bench/replicate-stream";

const TOKENS: usize = 210;

fn answers(whole: &Value, events: Vec<Bytes>) -> Answers {
    Answers {
        whole: whole.to_string().into(),
        events,
        calls: Vec::new(),
    }
}

/// What a stream says, piece by piece.
fn pieces() -> impl Iterator<Item = String> {
    (0..TEXT_EVENTS).map(|n| if n == 0 { MARK.to_owned() } else { token(n) })
}

fn data(value: &Value) -> Bytes {
    format!("data: {value}\n\n").into()
}

/// OpenAI's Responses.
pub(crate) fn responses() -> Answers {
    let message = |text: &str, status: &str| {
        json!({"id": "msg_BenchBenchBench", "type": "message", "status": status, "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]})
    };
    let response = |status: &str, output: Value, usage: Value| {
        json!({"id": "resp_BenchBenchBench", "object": "response", "created_at": 1741570283, "status": status,
            "error": null, "incomplete_details": null, "model": "gpt-4o-mini-2024-07-18", "output": output, "usage": usage})
    };
    let usage = json!({"input_tokens": TOKENS, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": TEXT_EVENTS,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": TOKENS + TEXT_EVENTS});
    let done = |text: &str| response("completed", json!([message(text, "completed")]), usage.clone());
    let place = json!({"item_id": "msg_BenchBenchBench", "output_index": 0, "content_index": 0});
    let at = |more: Value| {
        let both = place.as_object().into_iter().chain(more.as_object()).flatten();
        Value::Object(both.map(|(key, value)| (key.clone(), value.clone())).collect())
    };
    let begun = response("in_progress", json!([]), Value::Null);
    let mut events = vec![
        event("response.created", json!({"response": begun})),
        event(
            "response.output_item.added",
            json!({"output_index": 0, "item": message("", "in_progress")}),
        ),
        event(
            "response.content_part.added",
            at(json!({"part": {"type": "output_text", "text": "", "annotations": []}})),
        ),
    ];
    events.extend(pieces().map(|piece| {
        event(
            "response.output_text.delta",
            at(json!({"delta": piece, "logprobs": []})),
        )
    }));
    let all: String = pieces().skip(1).collect();
    events.push(event(
        "response.output_text.done",
        at(json!({"text": all, "logprobs": []})),
    ));
    events.push(event(
        "response.output_item.done",
        json!({"output_index": 0, "item": message(&all, "completed")}),
    ));
    events.push(event("response.completed", json!({"response": done(&all)})));
    for (number, event) in events.iter_mut().enumerate() {
        let numbered =
            String::from_utf8_lossy(event).replacen("data: {", &format!("data: {{\"sequence_number\":{number},"), 1);
        *event = numbered.into();
    }
    answers(&done(&text(620)), events)
}

/// Google's Gemini.
pub(crate) fn gemini() -> Answers {
    let part = |text: &str, reason: Value| {
        json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": reason, "index": 0}],
            "usageMetadata": {"promptTokenCount": TOKENS, "candidatesTokenCount": TEXT_EVENTS, "totalTokenCount": TOKENS + TEXT_EVENTS},
            "modelVersion": "gemini-2.0-flash", "responseId": "BenchBenchBench"})
    };
    let mut events: Vec<Bytes> = pieces().map(|piece| data(&part(&piece, Value::Null))).collect();
    events.push(data(&part("", json!("STOP"))));
    answers(&part(&text(620), json!("STOP")), events)
}

/// Cohere's second version.
pub(crate) fn cohere() -> Answers {
    let usage = json!({"billed_units": {"input_tokens": TOKENS, "output_tokens": TEXT_EVENTS},
        "tokens": {"input_tokens": TOKENS, "output_tokens": TEXT_EVENTS}});
    let content = json!([{"type": "text", "text": text(620)}]);
    let whole = json!({"id": "benchben-benc-benc-benc-benchbenchbe", "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": content}, "usage": usage});
    let message = |message: Value| json!({"message": message});
    let mut events = vec![
        event(
            "message-start",
            json!({"id": "bench", "delta": message(json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}))}),
        ),
        event(
            "content-start",
            json!({"index": 0, "delta": message(json!({"content": {"type": "text", "text": ""}}))}),
        ),
    ];
    events.extend(pieces().map(|piece| {
        event(
            "content-delta",
            json!({"index": 0, "delta": message(json!({"content": {"text": piece}}))}),
        )
    }));
    events.push(event("content-end", json!({"index": 0})));
    events.push(event(
        "message-end",
        json!({"delta": {"finish_reason": "COMPLETE", "usage": usage}}),
    ));
    answers(&whole, events)
}

/// Ollama's own.
pub(crate) fn ollama() -> Answers {
    let counts = json!({"total_duration": 5_191_566_416_u64, "load_duration": 2_154_458, "prompt_eval_count": TOKENS,
        "prompt_eval_duration": 383_809_000, "eval_count": TEXT_EVENTS, "eval_duration": 4_799_921_000_u64, "done_reason": "stop"});
    let said = |text: &str, done: bool| {
        let mut said = json!({"model": "llama3.2", "created_at": "2026-08-04T19:22:45.499127Z",
            "message": {"role": "assistant", "content": text}, "done": done});
        if let (true, Some(said), Some(counts)) = (done, said.as_object_mut(), counts.as_object()) {
            said.extend(counts.clone());
        }
        said
    };
    let lines = pieces().map(|piece| said(&piece, false)).chain([said("", true)]);
    let lines = lines.map(|line| format!("{line}\n").into()).collect();
    answers(&said(&text(620), true), lines)
}

/// Hugging Face's text generation.
pub(crate) fn huggingface() -> Answers {
    let details = json!({"finish_reason": "eos_token", "generated_tokens": TEXT_EVENTS, "seed": null, "prefill": [], "tokens": []});
    let token = |text: &str, whole: Value, details: Value| {
        data(
            &json!({"index": 1, "token": {"id": 264, "text": text, "logprob": -0.5, "special": false},
            "generated_text": whole, "details": details}),
        )
    };
    let mut events: Vec<Bytes> = pieces().map(|piece| token(&piece, Value::Null, Value::Null)).collect();
    let all: String = pieces().skip(1).collect();
    events.push(token("", json!(all), details.clone()));
    answers(&json!([{"generated_text": text(620), "details": details}]), events)
}

/// Replicate's: a prediction that is ready when it is first asked about, or waited for.
pub(crate) fn replicate() -> Answers {
    let output: Vec<String> = text(620).split_inclusive(' ').map(str::to_owned).collect();
    let line = |kind: &str, data: &str| Bytes::from(format!("event: {kind}\nid: 1\ndata: {data}\n\n"));
    let mut events: Vec<Bytes> = pieces().map(|piece| line("output", &piece)).collect();
    events.push(line("done", "{}"));
    answers(&prediction("succeeded", json!(output)), events)
}

/// The same, only begun: it says where its stream is.
pub(crate) fn replicate_begun() -> Bytes {
    prediction("starting", Value::Null).to_string().into()
}

fn prediction(status: &str, output: Value) -> Value {
    let root = format!("http://{}{REPLICATE_PREDICTION}", super::LISTEN);
    let stream = format!("http://{}{REPLICATE_STREAM}", super::LISTEN);
    json!({"id": "benchbenchbench", "model": "meta/llama", "version": "hidden", "input": {}, "logs": "", "output": output,
        "error": null, "status": status, "created_at": "2026-08-04T19:22:45Z",
        "metrics": {"input_token_count": TOKENS, "output_token_count": TEXT_EVENTS},
        "urls": {"get": root, "cancel": format!("{root}/cancel"), "stream": stream}})
}

/// Bedrock's Converse, in binary frames.
pub(crate) fn bedrock() -> Answers {
    let usage = json!({"inputTokens": TOKENS, "outputTokens": TEXT_EVENTS, "totalTokens": TOKENS + TEXT_EVENTS});
    let whole = json!({"output": {"message": {"role": "assistant", "content": [{"text": text(620)}]}}, "stopReason": "end_turn",
        "usage": usage, "metrics": {"latencyMs": 551}});
    let mut events = vec![frame("messageStart", &json!({"role": "assistant"}))];
    events.extend(pieces().map(|piece| {
        frame(
            "contentBlockDelta",
            &json!({"contentBlockIndex": 0, "delta": {"text": piece}, "p": "abcdefghijklmn"}),
        )
    }));
    events.push(frame("contentBlockStop", &json!({"contentBlockIndex": 0})));
    events.push(frame("messageStop", &json!({"stopReason": "end_turn"})));
    events.push(frame(
        "metadata",
        &json!({"usage": usage, "metrics": {"latencyMs": 551}}),
    ));
    answers(&whole, events)
}

/// A frame of AWS' event stream encoding: lengths, their checksum, headers, payload, the checksum of all.
fn frame(kind: &str, payload: &Value) -> Bytes {
    let payload = payload.to_string();
    let mut headers = Vec::new();
    for (name, value) in [
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ] {
        headers.push(u8::try_from(name.len()).unwrap_or_default());
        headers.extend(name.bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap_or_default().to_be_bytes());
        headers.extend(value.bytes());
    }
    let whole = 16 + headers.len() + payload.len();
    let mut frame = Vec::with_capacity(whole);
    for length in [whole, headers.len()] {
        frame.extend(u32::try_from(length).unwrap_or_default().to_be_bytes());
    }
    frame.extend(checksum(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload.bytes());
    frame.extend(checksum(&frame).to_be_bytes());
    frame.into()
}

/// CRC-32 as Ethernet and zip have it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_that_everybody_knows() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn every_answer_is_marked_once_whole_and_streamed() {
        let all = [
            responses(),
            gemini(),
            cohere(),
            ollama(),
            huggingface(),
            replicate(),
            bedrock(),
        ];
        for answers in all {
            let marks = |bytes: &[u8]| {
                bytes
                    .windows(MARK.len())
                    .filter(|part| *part == MARK.as_bytes())
                    .count()
            };
            assert_eq!(marks(&answers.whole), 1);
            assert_eq!(answers.events.iter().map(|event| marks(event)).sum::<usize>(), 1);
        }
    }
}
