//! Decoding a provider's stream.

use serde::Deserialize;

use crate::bindings::base::witgate::adapter::types::Payload;
use crate::bindings::streaming::exports::witgate::adapter::streaming as wit;
use crate::{Chunks, Failure, Kind, Result, Step};

/// The state of one stream: what is remembered from frame to frame.
///
/// ```
/// # use witgate_sdk::{Chunks, Decoder, Flow, Frame, Result, json::Str};
/// # #[derive(serde::Deserialize)]
/// # struct Token<'a> { #[serde(borrow)] text: Str<'a> }
/// struct Tokens;
///
/// impl Decoder for Tokens {
///     fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
///         if frame.event() == "done" {
///             out.finish("stop");
///             return Ok(Flow::Ended);
///         }
///         out.content(&frame.json::<Token>()?.text);
///         Ok(Flow::More)
///     }
/// }
/// ```
pub trait Decoder: 'static {
    /// Decodes one frame. Chunks that are in `out` when it fails still reach the client, before the failure does.
    ///
    /// # Errors
    /// What the provider reported, or a frame that cannot be understood. Ignore what is merely unknown.
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow>;

    /// The stream is over; called once, unless `push` failed. By default the answer is complete if `push` said so, and broken off if
    /// the connection closed first.
    ///
    /// Return [`Chunks::end`], or a further request: for usage that must be read elsewhere, or, if [`End::is_broken`], to stop the
    /// provider's work.
    ///
    /// A provider whose stream has no end mark is complete when it closes the connection:
    ///
    /// ```
    /// # use witgate_sdk::{Chunks, End, Result, Step};
    /// # struct Stream;
    /// # impl Stream {
    /// fn finish(&mut self, end: End) -> Result<Step> {
    ///     let mut last = Chunks::new();
    ///     if end == End::Eof {
    ///         last.finish("stop");
    ///     }
    ///     last.end()
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the answer is not complete.
    fn finish(&mut self, end: End) -> Result<Step> {
        end.complete()
    }
}

/// Does the stream go on?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    More,
    /// That was the provider's end mark; nothing more is read.
    Ended,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// With [`Flow::Ended`].
    Ended,
    /// The provider closed the connection.
    Eof,
    /// The connection broke.
    UpstreamError,
    /// Time is up.
    Timeout,
    /// The client left.
    ClientGone,
    /// Another way that this SDK does not know: broken off too.
    Other,
}

impl End {
    /// Was it broken off? Then the host tells the client itself, and what is returned is for accounting only.
    #[must_use]
    pub fn is_broken(self) -> bool {
        !matches!(self, Self::Ended | Self::Eof)
    }

    /// The step for a provider that has an end mark: nothing more, or a failure if the connection closed before the mark came.
    ///
    /// # Errors
    /// Of kind `upstream` for [`End::Eof`].
    pub fn complete(self) -> Result<Step> {
        match self {
            Self::Eof => Err(Failure::new(
                Kind::Upstream,
                "the provider's stream ended before its answer was complete",
            )),
            _ => Ok(Step::end()),
        }
    }

    pub(crate) fn of(reason: &str) -> Self {
        match reason {
            "ended" => Self::Ended,
            "eof" => Self::Eof,
            "upstream-error" => Self::UpstreamError,
            "timeout" => Self::Timeout,
            "client-gone" => Self::ClientGone,
            _ => Self::Other,
        }
    }
}

/// One frame of a provider's stream: a server-sent event, a JSON line, a message of an AWS event stream.
#[derive(Clone, Debug)]
pub struct Frame(wit::Frame);

impl Frame {
    /// The event's name, "" if it has none.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.0.event
    }

    /// The frame's data.
    ///
    /// # Errors
    /// Of kind `upstream` if it is not valid UTF-8.
    pub fn text(&self) -> Result<&str> {
        match &self.0.data {
            Payload::Text(text) => Ok(text),
            Payload::Bytes(_) => Err(Failure::new(
                Kind::Upstream,
                "a frame of the provider's stream is not valid UTF-8",
            )),
        }
    }

    /// The frame's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.0.data {
            Payload::Text(text) => text.as_bytes(),
            Payload::Bytes(bytes) => bytes,
        }
    }

    /// The frame's data as JSON, which may borrow from the frame.
    ///
    /// # Errors
    /// Of kind `upstream` if it is no JSON of that shape.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_str(self.text()?).map_err(|error| {
            Failure::new(
                Kind::Upstream,
                format!("the provider's stream cannot be understood: {error}"),
            )
        })
    }

    /// A header of the frame: an AWS event's, or an event's `id`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0
            .headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl From<wit::Frame> for Frame {
    fn from(raw: wit::Frame) -> Self {
        Self(raw)
    }
}

/// How a stream begins: the reply that opened it.
#[derive(Clone, Debug)]
pub struct StreamHead {
    pub(crate) state: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

impl StreamHead {
    /// What [`Request::then`](crate::Request::then) left, "" if nothing.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// The HTTP status, 2xx.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header's value; names are lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}
