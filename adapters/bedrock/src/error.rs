//! What went wrong at the provider, as a failure the gateway can act on. Bedrock names a type in a header, or as the name of a message
//! in a stream, which says more than the status.

use std::borrow::Cow;

use witgate_sdk::{Failure, Frame, Kind, Response};

use crate::json::{Object, string};

/// As much of an unreadable body is shown to the client.
const MESSAGE_BYTES: usize = 300;

/// The failure that a reply tells of.
pub(crate) fn from_reply(reply: &Response) -> Failure {
    // "ValidationException:http://internal.amazon.com/coral/…"
    let r#type = reply.header("x-amzn-errortype");
    let r#type = r#type.and_then(|text| text.split(':').next()).map(str::trim);
    let failure = read(reply.status(), r#type, &String::from_utf8_lossy(reply.bytes()));
    let seconds = reply
        .header("retry-after")
        .and_then(|text| text.trim().parse::<f64>().ok());
    match seconds.filter(|seconds| *seconds >= 0.0) {
        // `as` saturates, so an absurd value becomes the longest wait.
        Some(seconds) => failure.retry_after_ms((seconds * 1000.0).ceil() as u32),
        None => failure,
    }
}

/// The failure that an exception in a stream tells of.
pub(crate) fn from_exception(frame: &Frame) -> Failure {
    let body = String::from_utf8_lossy(frame.bytes());
    match frame.header(":error-message") {
        Some(message) => read(0, Some(frame.event()), message),
        None => read(0, Some(frame.event()), &body),
    }
}

/// A stream or an answer that does not have the known form.
pub(crate) fn unreadable(status: u16, what: &str, body: &str) -> Failure {
    Failure::new(Kind::Upstream, what).status(status).upstream_text(body)
}

fn read(status: u16, named: Option<&str>, body: &str) -> Failure {
    let object = Object::parse(body);
    let own = object
        .as_ref()
        .and_then(|object| object.text("__type").or_else(|| object.text("code")));
    let own = own.map(|name| name.rsplit('#').next().unwrap_or_default().to_owned());
    let code = named.filter(|name| !name.is_empty()).map(str::to_owned).or(own);
    let message = match &object {
        Some(object) => message(object),
        // A proxy's text or page, or a message alone.
        None => Some(clip(body.trim(), MESSAGE_BYTES).to_owned()),
    };
    let message = message
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| match (status, &code) {
            (0, Some(code)) => format!("The provider broke the stream off: {code}."),
            (0, None) => "The provider broke the stream off with an error.".to_owned(),
            _ => format!("The provider answered with status {status}."),
        });
    let failure = Failure::new(kind(status, code.as_deref(), &message), message)
        .status(status)
        .upstream_text(body);
    match code {
        Some(code) => failure.code(code),
        None => failure,
    }
}

/// The text of an error: Bedrock's own, a model's own, or that of a proxy before it.
fn message(object: &Object<'_>) -> Option<String> {
    let named = || {
        ["message", "Message", "originalMessage", "detail"]
            .iter()
            .find_map(|key| object.text(key))
    };
    let inner = || {
        let error = object.get("error")?;
        string(error).or_else(|| Object::parse(error)?.text("message"))
    };
    named().or_else(inner).map(Cow::into_owned)
}

/// Some causes only the message tells.
fn kind(status: u16, r#type: Option<&str>, message: &str) -> Kind {
    let text = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    if says(&[
        "input is too long",
        "prompt is too long",
        "too many input tokens",
        "exceeds the maximum number of input tokens",
        "exceed context limit",
        "maximum context length",
        "context window",
    ]) {
        return Kind::ContextLength;
    }
    let r#type = r#type.unwrap_or_default().to_ascii_lowercase();
    match r#type.as_str() {
        "throttlingexception" | "toomanyrequestsexception" => Kind::RateLimit,
        "servicequotaexceededexception" => Kind::Quota,
        "accessdeniedexception" => Kind::Permission,
        "resourcenotfoundexception" => Kind::NotFound,
        "modeltimeoutexception" => Kind::Timeout,
        "modelnotreadyexception" | "serviceunavailableexception" => Kind::Overloaded,
        "internalserverexception" | "modelerrorexception" | "modelstreamerrorexception" => Kind::Upstream,
        "validationexception" | "serializationexception" => Kind::InvalidRequest,
        "unrecognizedclientexception"
        | "expiredtokenexception"
        | "expiredtoken"
        | "invalidsignatureexception"
        | "incompletesignature"
        | "missingauthenticationtokenexception" => Kind::Authentication,
        _ => match status {
            401 => Kind::Authentication,
            403 => Kind::Permission,
            404 => Kind::NotFound,
            408 | 504 => Kind::Timeout,
            429 => Kind::RateLimit,
            503 => Kind::Overloaded,
            424 => Kind::Upstream,
            400..=499 => Kind::InvalidRequest,
            _ => Kind::Upstream,
        },
    }
}

fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
