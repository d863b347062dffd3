//! What came of a call.

use serde_json::Value;

use super::assemble::assemble;
use crate::bindings::base::witgate::adapter::types as wit;

/// What came of a call: the requests that were sent, and what the client got.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Played {
    pub(super) requests: Vec<Sent>,
    pub(super) chunks: Vec<Value>,
    pub(super) done: Option<Value>,
    pub(super) failure: Option<Failed>,
    pub(super) relayed: Option<Vec<u8>>,
    pub(super) broken: bool,
}

impl Played {
    /// The requests that were sent, in order.
    #[must_use]
    pub fn requests(&self) -> &[Sent] {
        &self.requests
    }

    /// The chunks that the client got, also those before a failure.
    #[must_use]
    pub fn chunks(&self) -> &[Value] {
        &self.chunks
    }

    /// The whole answer; if it came in chunks, they are put together.
    ///
    /// # Panics
    /// If the call failed.
    #[must_use]
    pub fn answer(&self) -> Value {
        if let Some(failure) = &self.failure {
            panic!("the call failed: {failure:?}");
        }
        self.done.clone().unwrap_or_else(|| assemble(&self.chunks))
    }

    /// The text of the answer's first choice, "" if it has none.
    ///
    /// # Panics
    /// If the call failed.
    #[must_use]
    pub fn text(&self) -> String {
        self.answer()["choices"][0]["message"]["content"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The failure.
    ///
    /// # Panics
    /// If the call did not fail.
    #[must_use]
    pub fn failure(&self) -> &Failed {
        self.failure
            .as_ref()
            .unwrap_or_else(|| panic!("the call did not fail: {self:?}"))
    }

    /// Did it fail?
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.failure.is_some()
    }

    /// Was the answer broken off, by the client or by the connection? What the adapter then gave is for accounting only.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The bytes that went to the client as they came, if the request said `relay`.
    #[must_use]
    pub fn relayed(&self) -> Option<&[u8]> {
        self.relayed.as_deref()
    }
}

/// A request that the adapter had sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// `GET`, `POST`, …
    pub method: String,
    /// The URL.
    pub url: String,
    /// The headers, credentials not among them.
    pub headers: Vec<(String, String)>,
    /// How the reply is read.
    pub framing: String,
    /// May it be repeated?
    pub idempotent: bool,
    /// The longest its reply may take, in milliseconds.
    pub timeout_ms: Option<u32>,
    /// How long to wait before it, in milliseconds.
    pub delay_ms: u32,
    /// What is handed back with the reply.
    pub state: String,
    /// Further words for the host.
    pub ext: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    pub(super) fn of(fetch: &wit::Fetch) -> Self {
        let wit::Fetch {
            delay_ms,
            request,
            state,
            ..
        } = fetch.clone();
        let wit::HttpRequest {
            method,
            url,
            headers,
            body,
            framing,
            timeout_ms,
            idempotent,
            ext,
        } = request;
        let body = match body {
            wit::Body::Empty => Vec::new(),
            wit::Body::Text(text) => text.into_bytes(),
            wit::Body::Bytes(bytes) => bytes,
            wit::Body::Upload(id) => format!("upload:{id}").into_bytes(),
            wit::Body::Multipart(parts) => parts.iter().flat_map(part).collect(),
        };
        Self {
            method,
            url,
            headers,
            framing,
            idempotent,
            timeout_ms,
            delay_ms,
            state,
            ext,
            body,
        }
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the request's body is JSON")
    }

    /// The body as text. An upload is `upload:ID`, a multipart body has a line `NAME=TEXT` for each part.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn part(part: &wit::Part) -> Vec<u8> {
    let mut line = format!("{}=", part.name).into_bytes();
    match &part.data {
        wit::PartData::Text(text) => line.extend_from_slice(text.as_bytes()),
        wit::PartData::Bytes(bytes) => line.extend_from_slice(bytes),
        wit::PartData::Upload(id) => line.extend_from_slice(format!("upload:{id}").as_bytes()),
    }
    line.push(b'\n');
    line
}

/// A failure as the host gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The contract's word: `rate-limit`, `upstream`, …
    pub kind: String,
    /// The provider's status, 0 if there is none.
    pub status: u16,
    /// What the client reads.
    pub message: String,
    /// A short word for programs.
    pub code: Option<String>,
    /// The field of the client's request that is wrong.
    pub param: Option<String>,
    /// When to try again, in milliseconds.
    pub retry_after_ms: Option<u32>,
    /// The provider's own text, for the log.
    pub upstream: Option<String>,
}

impl From<wit::Failure> for Failed {
    fn from(failure: wit::Failure) -> Self {
        let wit::Failure {
            kind,
            status,
            message,
            code,
            param,
            retry_after_ms,
            upstream,
            ..
        } = failure;
        Self {
            kind,
            status,
            message,
            code,
            param,
            retry_after_ms,
            upstream,
        }
    }
}
