//! What goes back to the client: [`Reply`], and the [`Usage`] that was counted on the way.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use hyper::HeaderMap;

use crate::error::Result;

/// Events ready for the wire: each item is one write and holds one or more whole server-sent events of the client's API, the end
/// mark included. An error is the last item; `api` words it for the client.
pub type Events = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// An answer on its way to the client.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers for the client: what the provider may show, no connection headers, no content-length.
    pub headers: HeaderMap,
    /// The answer.
    pub body: Body,
}

/// The answer, whole or in pieces.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// As it comes.
    Events(Events),
}

/// Tokens of one answer, in OpenAI's convention: `input` includes cached tokens, `output` includes reasoning. `None` is unknown,
/// never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Prompt tokens, cached ones included.
    pub input: Option<u64>,
    /// Prompt tokens read from a cache.
    pub cached: Option<u64>,
    /// Prompt tokens written to a cache.
    pub cache_written: Option<u64>,
    /// Completion tokens, reasoning included.
    pub output: Option<u64>,
    /// Completion tokens spent on reasoning.
    pub reasoning: Option<u64>,
}
