//! What went wrong at Ollama, as a failure the gateway can act on. It says everything in one sentence: `{"error": "…"}`.

use witgate_sdk::{Failure, Kind, Response};

/// The failure that a reply tells of.
pub(crate) fn from_reply(reply: &Response) -> Failure {
    sorted(Failure::upstream(reply))
}

/// The failure that a line of a stream, or an answer of status 200, tells of.
pub(crate) fn from_text(text: &str) -> Failure {
    sorted(Failure::new(Kind::Upstream, text))
}

/// What the sentence says beyond the status: words in it, the kind, a code, the field that is to blame.
const SAYINGS: [(&str, Kind, &str, Option<&str>); 12] = [
    ("try pulling it first", Kind::NotFound, "model_not_found", Some("model")),
    (
        "does not support tools",
        Kind::Unsupported,
        "tools_not_supported",
        Some("tools"),
    ),
    (
        "does not support thinking",
        Kind::Unsupported,
        "thinking_not_supported",
        Some("reasoning_effort"),
    ),
    (
        "think value",
        Kind::Unsupported,
        "thinking_not_supported",
        Some("reasoning_effort"),
    ),
    ("does not support", Kind::Unsupported, "not_supported", Some("model")),
    (
        "missing data required for image",
        Kind::Unsupported,
        "images_not_supported",
        Some("messages"),
    ),
    (
        "exceeds maximum context length",
        Kind::ContextLength,
        "context_length_exceeded",
        None,
    ),
    (
        "exceeds the available context size",
        Kind::ContextLength,
        "context_length_exceeded",
        None,
    ),
    ("more system memory", Kind::Overloaded, "insufficient_memory", None),
    ("server busy", Kind::Overloaded, "server_busy", None),
    ("loading model", Kind::Overloaded, "model_loading", None),
    ("timed out waiting for", Kind::Overloaded, "model_loading", None),
];

fn sorted(failure: Failure) -> Failure {
    let text = failure.message().to_ascii_lowercase();
    if failure.kind() == Kind::NotFound || (text.starts_with("model ") && text.ends_with("not found")) {
        return failure.with_kind(Kind::NotFound).code("model_not_found").param("model");
    }
    let Some((_, kind, code, param)) = SAYINGS.iter().find(|(words, ..)| text.contains(words)) else {
        return failure;
    };
    let failure = failure.with_kind(*kind).code(*code);
    match param {
        Some(param) => failure.param(*param),
        None => failure,
    }
}
