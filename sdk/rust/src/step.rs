//! What the host is to do next.

use serde::Serialize;

use crate::Result;
use crate::bindings::base::witgate::adapter::types as wit;

/// What the host is to do next: send one more request, or give the client its answer.
///
/// - [`Request::send`](crate::Request::send) and [`Request::then`](crate::Request::then) make the first kind.
/// - [`Step::done`] is the whole answer. If the client wants chunks, the host makes them of it.
/// - [`Chunks::end`](crate::Chunks::end) and [`Step::end`] close an answer that was given in chunks.
///
/// A request may also be answered at once:
///
/// ```
/// # use witgate_sdk::{Context, Result, Step, openai::ChatResponse};
/// fn transform_request(_: &Context, _: &str) -> Result<Step> {
///     Step::done(&ChatResponse::text("It is always noon here.", "stop"))
/// }
/// ```
#[must_use = "a step is taken only if it is returned"]
#[derive(Clone, Debug)]
pub struct Step(wit::Step);

impl Step {
    /// The whole answer, in the shape of the operation. Not after chunks were given, and not for a reply of status 400 or more.
    ///
    /// # Errors
    /// If `answer` cannot be JSON.
    pub fn done<T: Serialize + ?Sized>(answer: &T) -> Result<Self> {
        Ok(Self::done_text(serde_json::to_string(answer)?))
    }

    /// The whole answer, as JSON that you have as text.
    pub fn done_text(answer: impl Into<String>) -> Self {
        Self(wit::Step::Done(answer.into()))
    }

    /// The end of an answer given in chunks, with no further chunk.
    pub fn end() -> Self {
        Self::end_with(Vec::new())
    }

    pub(crate) fn end_with(chunks: Vec<String>) -> Self {
        Self(wit::Step::End(chunks))
    }

    pub(crate) fn fetch(fetch: wit::Fetch) -> Self {
        Self(wit::Step::Fetch(fetch))
    }

    pub(crate) fn into_wit(self) -> wit::Step {
        self.0
    }
}
