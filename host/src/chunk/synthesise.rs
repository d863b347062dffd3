//! Chunks out of a whole answer, for a client that wants a stream from a provider that has none.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Map, Value, json};

use super::{Answer, DONE, Flaw, Stamp, complete, event};
use crate::call::Operation;

type Fields = Map<String, Value>;

/// The events of a stream that says what `answer` says, the end mark included: for each choice its role and text, a chunk for each
/// tool call, and why it ended; then the usage if it was asked for.
pub fn synthesise(stamp: Stamp, operation: Operation, answer: Bytes) -> Result<Answer, Flaw> {
    let asked = stamp.include_usage;
    let answer = complete(stamp, operation, answer)?;
    let mut top: Fields =
        serde_json::from_slice(&answer.body).map_err(|_| Flaw::Malformed("it is not a JSON object"))?;
    let choices = top.remove("choices");
    let counted = top.remove("usage").filter(Value::is_object);
    if operation == Operation::Chat {
        top.insert("object".to_owned(), json!("chat.completion.chunk"));
    }
    let mut out = BytesMut::new();
    let mut emit = |choices: Value, counted: Option<Value>| {
        let mut chunk = top.clone();
        chunk.insert("choices".to_owned(), choices);
        chunk.extend(counted.map(|counted| ("usage".to_owned(), counted)));
        event(Value::Object(chunk).to_string().as_bytes(), &mut out);
    };
    for choice in choices.into_iter().filter_map(list).flatten() {
        match choice {
            Value::Object(choice) if operation == Operation::Chat => pieces(choice, |piece| emit(json!([piece]), None)),
            choice => emit(json!([choice]), None),
        }
    }
    if asked && let Some(counted) = counted {
        emit(json!([]), Some(counted));
    }
    out.put_slice(DONE);
    Ok(Answer {
        body: out.freeze(),
        usage: answer.usage,
    })
}

fn list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// A choice of an answer as choices of chunks.
fn pieces(mut choice: Fields, mut emit: impl FnMut(Value)) {
    let index = choice.remove("index").unwrap_or_else(|| json!(0));
    let finish = choice.remove("finish_reason").unwrap_or_default();
    let mut delta = choice.remove("message").unwrap_or_else(|| json!({}));
    let calls = delta
        .as_object_mut()
        .and_then(|fields| fields.remove("tool_calls"))
        .and_then(list);
    let piece = |delta: Value, finish: Value| json!({"index": index, "delta": delta, "finish_reason": finish});
    // What stands beside the message (log probabilities, a filter's results) goes with the text.
    let mut first = piece(delta, Value::Null);
    if let Value::Object(fields) = &mut first {
        fields.extend(choice);
    }
    emit(first);
    for (at, mut call) in calls.into_iter().flatten().enumerate() {
        if let Value::Object(fields) = &mut call {
            fields.insert("index".to_owned(), at.into());
        }
        emit(piece(json!({"tool_calls": [call]}), Value::Null));
    }
    emit(piece(json!({}), finish));
}
