//! `POST /v1/messages/count_tokens` where the provider cannot count: an estimate, which the response header `x-witgate-estimated` says
//! that it is. Clients ask to see how full a conversation is, and for that it is better than a refusal. It is made of lengths alone:
//! English text and JSON have about 3.5 bytes to a token with today's tokenizers, other scripts somewhat more than one character.

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;

use crate::{
    call::Call,
    reply::{Body, Reply},
};

/// Names what an answer only estimates.
const ESTIMATED: HeaderName = HeaderName::from_static("x-witgate-estimated");

/// What an image costs at most: that of Anthropic's documentation for one of 1.15 megapixels, to which larger ones are scaled.
const IMAGE: f64 = 1_600.0;
/// What a page of a PDF costs, of which one is taken for so many base64 characters.
const PAGE: f64 = 2_000.0;
const PAGE_LENGTH: f64 = 70_000.0;
/// What a message costs beside its content.
const MESSAGE: f64 = 4.0;

/// The answer to a call that asks how many tokens its request has.
pub fn reply(call: &Call) -> Reply {
    let parsed = |key| {
        call.field(key)
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
    };
    let messages = parsed("messages").unwrap_or_default();
    let many = messages.as_array().map_or(0, Vec::len);
    let tokens = MESSAGE * many as f64
        + content(&messages)
        + parsed("system").map_or(0.0, |system| content(&system))
        + call.field("tools").map_or(0.0, text);
    let mut headers = HeaderMap::new();
    headers.insert(ESTIMATED, HeaderValue::from_static("input_tokens"));
    Reply {
        status: 200,
        headers,
        body: Body::Whole(format!("{{\"input_tokens\":{}}}", tokens.ceil().max(1.0)).into()),
    }
}

/// What the texts and files cost that stand anywhere in `value`.
fn content(value: &Value) -> f64 {
    match value {
        Value::String(said) => text(said),
        Value::Array(items) => items.iter().map(content).sum(),
        Value::Object(fields) => match fields.get("type").and_then(Value::as_str) {
            Some("image") => IMAGE,
            Some("document") if value["source"]["type"] != "text" && value["source"]["type"] != "content" => {
                let length = value["source"]["data"].as_str().map_or(0, str::len) as f64;
                PAGE * (length / PAGE_LENGTH).ceil().max(1.0)
            }
            Some("tool_use") => text(&value["input"].to_string()) + content(&value["name"]),
            _ => {
                let said = fields.iter().filter(|(key, _)| !is_no_text(key));
                said.map(|(_, value)| content(value)).sum()
            }
        },
        _ => 0.0,
    }
}

/// Members that a model does not read.
fn is_no_text(key: &str) -> bool {
    matches!(
        key,
        "type"
            | "role"
            | "id"
            | "tool_use_id"
            | "signature"
            | "cache_control"
            | "media_type"
            | "url"
            | "encrypted_content"
    )
}

fn text(said: &str) -> f64 {
    let ascii = said.bytes().filter(u8::is_ascii).count() as f64;
    let others = said.chars().filter(|c| !c.is_ascii()).count() as f64;
    ascii / 3.5 + others * 0.8
}
