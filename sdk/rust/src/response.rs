//! A provider's reply, read whole.

use serde::Deserialize;

use crate::bindings::base::witgate::adapter::types as wit;
use crate::{Failure, Kind, Result};

/// A reply of any status, and the state that its request left.
///
/// ```
/// # use witgate_sdk::{Response, Result, Step, json::Str, openai::ChatResponse};
/// # #[derive(serde::Deserialize)]
/// # struct Answer<'a> { #[serde(borrow)] text: Str<'a> }
/// fn transform(reply: Response) -> Result<Step> {
///     let reply = reply.ok()?;
///     let answer: Answer = reply.json()?;
///     Step::done(&ChatResponse::text(answer.text, "stop"))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Response {
    state: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: wit::Payload,
}

impl Response {
    /// What [`Request::then`](crate::Request::then) left, "" if nothing.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Is the status 2xx?
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The reply if its status is 2xx.
    ///
    /// # Errors
    /// [`Failure::upstream`] of any other.
    pub fn ok(self) -> Result<Self> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(Failure::upstream(&self))
        }
    }

    /// A header's value; names are lower case. The first, if there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The body, "" if there is none.
    ///
    /// # Errors
    /// Of kind `upstream` if it is not valid UTF-8.
    pub fn text(&self) -> Result<&str> {
        match &self.body {
            wit::Payload::Text(text) => Ok(text),
            wit::Payload::Bytes(_) => Err(Failure::new(Kind::Upstream, "the provider's reply is not valid UTF-8")),
        }
    }

    /// The body's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            wit::Payload::Text(text) => text.as_bytes(),
            wit::Payload::Bytes(bytes) => bytes,
        }
    }

    /// The body as JSON, which may borrow from the reply.
    ///
    /// # Errors
    /// Of kind `upstream` if it is no JSON of that shape.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_str(self.text()?).map_err(|error| {
            let message = format!("the provider's reply cannot be understood: {error}");
            Failure::new(Kind::Upstream, message).status(self.status)
        })
    }
}

impl From<wit::Resumption> for Response {
    fn from(raw: wit::Resumption) -> Self {
        let wit::HttpResponse { status, headers, body } = raw.response;
        Self {
            state: raw.state,
            status,
            headers,
            body,
        }
    }
}
