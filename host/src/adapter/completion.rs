//! `/v1/completions` through an adapter that serves only chats: the prompt goes as a user's message, and the answer comes back in the
//! older shape. What a chat has no words for is refused by name. Both shapes are those of OpenAI's API reference.

use bytes::BytesMut;
use futures_util::StreamExt;
use serde_json::{Map, Value, json};

use crate::{
    call::Call,
    chunk::{DONE, event},
    error::{Error, Result},
    reply::{Body, Events, Reply},
    transport::frame::{Cutter, Framing, LIMIT},
};

type Fields = Map<String, Value>;

/// What no chat can be asked for, and the value that asks for nothing.
const UNSAYABLE: &[(&str, &str)] = &[
    ("suffix", "\"\""),
    ("echo", "false"),
    ("best_of", "1"),
    ("logprobs", "null"),
];

/// The chat request that asks for what `body`, made of the client's, asks for.
pub(super) fn ask(call: &Call, body: &str) -> Result<String> {
    let mut fields: Fields = serde_json::from_str(body)
        .map_err(|error| Error::invalid(format!("We could not parse the JSON body: {error}."), None))?;
    for (field, nothing) in UNSAYABLE {
        if call.field(field).is_some_and(|value| value != *nothing) {
            let message = format!("'{field}' cannot be used with this model, which is asked by chat.");
            return Err(Error::invalid(message, Some(field)));
        }
        fields.remove(*field);
    }
    let prompt = fields.remove("prompt").and_then(only_text).ok_or_else(|| {
        Error::invalid(
            "'prompt' must be one text with this model, which is asked by chat.",
            Some("prompt"),
        )
    })?;
    fields.insert("messages".to_owned(), json!([{ "role": "user", "content": prompt }]));
    Ok(Value::Object(fields).to_string())
}

/// A text, or the only one of a list.
fn only_text(prompt: Value) -> Option<String> {
    match prompt {
        Value::String(text) => Some(text),
        Value::Array(mut list) if list.len() == 1 => only_text(list.pop()?),
        _ => None,
    }
}

/// The answer of a chat as that of a completion. `provider` is for the error of one that is neither.
pub(super) fn tell(mut reply: Reply, provider: &str) -> Result<Reply> {
    reply.body = match reply.body {
        Body::Whole(answer) => Body::Whole(whole(&answer, provider)?.into()),
        Body::Raw(raw) => Body::Raw(raw),
        Body::Events(chat) => Body::Events(events(chat, provider.to_owned())),
    };
    Ok(reply)
}

fn whole(answer: &[u8], provider: &str) -> Result<String> {
    let mut answer = parsed(answer, provider)?;
    reshape(&mut answer, "message");
    Ok(Value::Object(answer).to_string())
}

fn parsed(json: &[u8], provider: &str) -> Result<Fields> {
    serde_json::from_slice(json).map_err(|_| Error::BadAnswer {
        provider: provider.to_owned(),
        what: "an answer to a chat that is not a JSON object".to_owned(),
    })
}

/// A relayed body may be cut anywhere, so its events are looked for as a provider's are.
fn events(chat: Events, provider: String) -> Events {
    let mut cutter = Cutter::new(Framing::Sse, LIMIT);
    let told = chat.map(move |read| {
        cutter.feed(read?);
        let mut out = BytesMut::new();
        while let Some(frame) = cutter.cut().map_err(|long| long.from(&provider))? {
            if frame.data == "[DONE]" {
                out.extend_from_slice(DONE);
            } else if let Some(chunk) = said(parsed(&frame.data, &provider)?) {
                event(chunk.to_string().as_bytes(), &mut out);
            }
        }
        Ok(out.freeze())
    });
    // A read of which nothing is left is no write.
    Box::pin(told.filter(|told| std::future::ready(!matches!(told, Ok(bytes) if bytes.is_empty()))))
}

/// A chunk in the older shape, if it says anything in it.
fn said(mut chunk: Fields) -> Option<Value> {
    reshape(&mut chunk, "delta");
    if let Some(Value::Array(choices)) = chunk.get_mut("choices") {
        choices.retain(|choice| choice["text"] != "" || !choice["finish_reason"].is_null());
        if choices.is_empty() && !chunk.get("usage").is_some_and(Value::is_object) {
            return None;
        }
    }
    Some(chunk.into())
}

/// Puts the text of each choice where a completion has it; `from` holds it in a chat.
fn reshape(answer: &mut Fields, from: &str) {
    answer.insert("object".to_owned(), "text_completion".into());
    let choices = answer.get_mut("choices").and_then(Value::as_array_mut);
    for choice in choices.into_iter().flatten() {
        let text = choice[from]["content"].as_str().unwrap_or_default();
        *choice = json!({
            "index": choice["index"], "text": text, "logprobs": null, "finish_reason": choice["finish_reason"],
        });
    }
}
