//! `call::Call`: a client's request.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::value::RawValue;
use witgate::{
    call::{Call, Operation},
    error::{Error, Problem},
};

use super::{is_json, members, object};
use crate::memory;

/// How deep a body may be nested here.
const DEPTH: usize = 64;

/// What the gateway changes in a request on its way.
const CHANGES: &[(&str, &str)] = &[
    ("model", "\"another/model\""),
    ("stream", "true"),
    ("stream_options", "{\"include_usage\":true}"),
];

/// Reads a body as each operation.
pub fn target(data: &[u8]) {
    for operation in [Operation::Chat, Operation::Completions, Operation::Embeddings] {
        let body = Bytes::copy_from_slice(data);
        // Spans, a message for each of a bounded number of problems, and no copy of the body for each of them.
        let read = || Call::parse(operation, "id".to_owned(), HeaderMap::new(), body, DEPTH);
        match memory::within(64 * data.len() + (1 << 20), read) {
            Ok(call) => taken(&call, data),
            Err(error) => refused(&error),
        }
    }
}

fn taken(call: &Call, data: &[u8]) {
    let text = call.text();
    assert_eq!(text.as_bytes(), data);
    assert!(is_json(text), "a body that is no JSON was taken");
    let fields = members(text).expect("a body that is taken is an object");
    let field = |key: &str| fields.get(key).map(|value| value.get());
    let model = field("model").and_then(|model| serde_json::from_str::<String>(model).ok());
    assert_eq!(
        Some(call.model.as_str()),
        model.as_deref(),
        "a call has the model that its body names"
    );
    assert_eq!(call.streaming, field("stream") == Some("true"));
    if call.operation == Operation::Chat {
        let messages = field("messages").and_then(|list| serde_json::from_str::<Vec<&RawValue>>(list).ok());
        assert!(messages.is_some_and(|list| !list.is_empty()), "a chat has messages");
    }
    assert_eq!(
        call.body_with(&[]).as_bytes(),
        data,
        "what is not changed stays as it came"
    );
    let edited = call.body_with(CHANGES);
    object::check(text, &edited, CHANGES);
    for window in [None, Some(0), Some(u64::MAX)] {
        assert_eq!(
            call.fits(window).is_err(),
            window == Some(0) && call.max_tokens.is_some_and(|most| most > 0)
        );
    }
}

fn refused(error: &Error) {
    let Error::Invalid { problems } = error else {
        panic!("a body is refused for what is wrong with it, not for {error:?}");
    };
    assert!(!problems.is_empty(), "who is refused is told why");
    let reasonless = |problem: &Problem| problem.message == "We could not parse the JSON body of your request.";
    assert!(
        !problems.iter().any(reasonless),
        "a body that serde_json reads was called unreadable"
    );
    assert!(
        problems.len() <= 100,
        "{} problems are more than anybody reads",
        problems.len()
    );
}
