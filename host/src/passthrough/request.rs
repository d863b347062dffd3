//! What leaves for the provider: the client's own bytes, and the few members that are spliced into them.

use bytestring::ByteString;
use serde_json::value::RawValue;

use crate::{
    call::{Call, Operation, object::Object},
    transport::pieces::Pieces,
};

/// The body for a provider: its own name for the model, the operator's defaults for what the client left out, and the wish for usage
/// at a stream's end. Nothing to change: the client's own bytes.
pub fn body(call: &Call, model: &str, defaults: &[(String, String)], asks_usage: bool) -> ByteString {
    changed(call, model, defaults, asks_usage, |changes| call.body_with(changes))
}

/// The same in pieces, of which most are the client's own bytes.
pub fn pieces(call: &Call, model: &str, defaults: &[(String, String)], asks_usage: bool) -> Pieces {
    changed(call, model, defaults, asks_usage, |changes| call.pieces_with(changes))
}

fn changed<T>(
    call: &Call,
    model: &str,
    defaults: &[(String, String)],
    asks_usage: bool,
    make: impl FnOnce(&[(&str, &str)]) -> T,
) -> T {
    let mut name = String::new();
    let mut options = String::new();
    let mut changes: Vec<(&str, &str)> = Vec::new();
    if model != call.model {
        name = serde_json::to_string(model).unwrap_or_default();
    }
    if !name.is_empty() {
        changes.push(("model", &name));
    }
    changes.extend(call.left_out(defaults));
    if asks_usage && matches!(call.operation, Operation::Chat | Operation::Completions) {
        options = with_usage(call.field("stream_options"));
    }
    if !options.is_empty() {
        changes.retain(|(key, _)| *key != "stream_options");
        changes.push(("stream_options", &options));
    }
    make(&changes)
}

/// `stream_options` with `include_usage`, and what the client wrote there beside it.
fn with_usage(options: Option<&str>) -> String {
    match options.map(|text| (text, Object::parse(text))) {
        Some((text, Ok(fields))) => fields.with(text, &[("include_usage", "true")]),
        _ => r#"{"include_usage":true}"#.to_owned(),
    }
}

/// How many inputs a call for embeddings has, of which this is the `input`: a text or a list of token ids is one.
pub fn inputs(input: Option<&str>) -> usize {
    let Some(input) = input else { return 1 };
    let items: Vec<&RawValue> = serde_json::from_str(input).unwrap_or_default();
    match items.first() {
        Some(first) if first.get().starts_with(['"', '[']) => items.len(),
        _ => 1,
    }
}
