//! Expected failures: what went wrong, said so that the host can retry, fall back, or tell the client.

use std::fmt;

use crate::bindings::base::witgate::adapter::types as wit;

mod upstream;

/// As much of a provider's text as the log gets.
const LOGGED_BYTES: usize = 2048;

/// What kind of failure it is. The host decides by it about retry and fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The client's request is wrong.
    InvalidRequest,
    /// The key is missing or wrong.
    Authentication,
    /// The key may not do this.
    Permission,
    /// There is no such model, or no such thing.
    NotFound,
    /// Too many requests: passing.
    RateLimit,
    /// The money or the allowance is used up.
    Quota,
    /// The prompt is longer than the model can take.
    ContextLength,
    /// Refused for what it says.
    ContentFilter,
    /// The provider took too long: passing.
    Timeout,
    /// The provider is too busy: passing.
    Overloaded,
    /// The provider failed, or answered what cannot be understood: passing.
    Upstream,
    /// The provider cannot do this.
    Unsupported,
    /// The provider's settings are wrong.
    Config,
    /// The adapter is wrong.
    Internal,
    /// Another word of the contract.
    Other(&'static str),
}

impl Kind {
    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid-request",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::NotFound => "not-found",
            Self::RateLimit => "rate-limit",
            Self::Quota => "quota",
            Self::ContextLength => "context-length",
            Self::ContentFilter => "content-filter",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Upstream => "upstream",
            Self::Unsupported => "unsupported",
            Self::Config => "config",
            Self::Internal => "internal",
            Self::Other(word) => word,
        }
    }
}

/// A failure to be told to the client. Make it with [`Failure::new`], or of a provider's reply with [`Failure::upstream`].
///
/// ```
/// use witgate_sdk::{Failure, Kind};
/// let failure = Failure::new(Kind::Unsupported, "this model takes no images").param("messages");
/// assert_eq!(failure.kind(), Kind::Unsupported);
/// ```
#[derive(Clone, PartialEq)]
pub struct Failure(Box<Fields>);

#[derive(Clone, PartialEq)]
struct Fields {
    kind: Kind,
    status: u16,
    message: String,
    code: Option<String>,
    param: Option<String>,
    retry_after_ms: Option<u32>,
    upstream: Option<String>,
    error_type: Option<String>,
}

impl Failure {
    /// A failure of this kind; the client reads `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            kind,
            status: 0,
            message: message.into(),
            code: None,
            param: None,
            retry_after_ms: None,
            upstream: None,
            error_type: None,
        }))
    }

    /// The client's request is wrong.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, message)
    }

    /// The provider cannot do what was asked for.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, message)
    }

    /// Another kind than at first thought.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The provider's HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = status;
        self
    }

    /// A short word for programs, the provider's own if it has one.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// The field of the client's request that is wrong.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// When to try again.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u32) -> Self {
        self.0.retry_after_ms = Some(ms);
        self
    }

    /// The provider's own text, for the log only: as much of it as the log gets, 2 KiB.
    #[must_use]
    pub fn upstream_text(mut self, text: &str) -> Self {
        self.0.upstream = Some(text[..text.floor_char_boundary(LOGGED_BYTES)].to_owned());
        self
    }

    /// The `type` of the error that the client sees, where it must be a certain one.
    #[must_use]
    pub fn error_type(mut self, error_type: impl Into<String>) -> Self {
        self.0.error_type = Some(error_type.into());
        self
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What the client reads.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The same failure as the host takes it.
    #[doc(hidden)]
    #[must_use]
    pub fn into_wit(self) -> wit::Failure {
        let fields = *self.0;
        wit::Failure {
            kind: fields.kind.as_str().to_owned(),
            status: fields.status,
            message: fields.message,
            code: fields.code,
            param: fields.param,
            retry_after_ms: fields.retry_after_ms,
            upstream: fields.upstream,
            ext: fields
                .error_type
                .map(|word| ("type".to_owned(), word))
                .into_iter()
                .collect(),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields {
            kind,
            status,
            message,
            code,
            param,
            retry_after_ms,
            ..
        } = &*self.0;
        write!(f, "{}: {message}", kind.as_str())?;
        write!(
            f,
            " (status {status}, code {code:?}, param {param:?}, retry after {retry_after_ms:?} ms)"
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Failure {}

/// JSON that the adapter could not write, or read where it should: its own mistake. (For what it was given there are
/// [`openai::parse`](crate::openai::parse), [`Response::json`](crate::Response::json), [`Frame::json`](crate::Frame::json) and
/// [`Context::config`](crate::Context::config), which say whose mistake it is.)
impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(
            Kind::Internal,
            format!("the adapter could not read or write some JSON: {error}"),
        )
    }
}
