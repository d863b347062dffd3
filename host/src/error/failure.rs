//! A provider's refusal: what kind it is, and what is known of it.

use std::time::Duration;

use bytes::Bytes;

/// Why the provider did not answer as asked. The words are the contract's (`failure.kind` in `wit/adapter.wit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is wrong.
    InvalidRequest,
    /// The provider does not take our key.
    Authentication,
    /// The key may not do this.
    Permission,
    /// There is no such model, or no such path.
    NotFound,
    /// Too many requests for now.
    RateLimit,
    /// The account is exhausted.
    Quota,
    /// The prompt is too long for the model.
    ContextLength,
    /// The provider's filter refused.
    ContentFilter,
    /// It took too long.
    Timeout,
    /// The provider is too busy.
    Overloaded,
    /// Any other fault of the provider's.
    Upstream,
    /// The adapter or the provider cannot do this.
    Unsupported,
    /// The provider's settings are wrong.
    Config,
    /// The adapter gave up.
    Internal,
}

impl Kind {
    const ALL: [Self; 14] = [
        Self::InvalidRequest,
        Self::Authentication,
        Self::Permission,
        Self::NotFound,
        Self::RateLimit,
        Self::Quota,
        Self::ContextLength,
        Self::ContentFilter,
        Self::Timeout,
        Self::Overloaded,
        Self::Upstream,
        Self::Unsupported,
        Self::Config,
        Self::Internal,
    ];

    /// Reads the contract's word; an unknown one is the provider's fault.
    pub fn parse(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .unwrap_or(Self::Upstream)
    }

    /// The contract's word, also used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
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
        }
    }

    /// What a provider's HTTP status most likely means.
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Authentication,
            402 => Self::Quota,
            403 => Self::Permission,
            404 | 405 => Self::NotFound,
            408 | 504 => Self::Timeout,
            429 => Self::RateLimit,
            503 | 529 => Self::Overloaded,
            400..=499 => Self::InvalidRequest,
            _ => Self::Upstream,
        }
    }

    /// The status a client sees where the provider gave none.
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::ContextLength | Self::ContentFilter | Self::Unsupported => 400,
            Self::Authentication => 401,
            Self::Permission => 403,
            Self::Quota => 402,
            Self::NotFound => 404,
            Self::RateLimit => 429,
            Self::Timeout => 504,
            Self::Overloaded => 503,
            Self::Upstream | Self::Internal => 502,
            Self::Config => 500,
        }
    }

    /// OpenAI's `error.type` for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::InvalidRequest | Self::ContextLength | Self::ContentFilter | Self::Unsupported | Self::NotFound => {
                "invalid_request_error"
            }
            Self::Authentication => "authentication_error",
            Self::Permission => "permission_error",
            Self::Quota => "insufficient_quota",
            Self::RateLimit => "rate_limit_error",
            Self::Timeout => "timeout_error",
            Self::Overloaded => "overloaded_error",
            Self::Upstream | Self::Internal | Self::Config => "api_error",
        }
    }
}

/// A provider's refusal, or what an adapter made of it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind of refusal.
    pub kind: Kind,
    /// The provider's status, if it gave one.
    pub status: Option<u16>,
    /// For the client.
    pub message: String,
    /// The provider's `error.type`, where it has one.
    pub type_: Option<String>,
    /// The provider's code, where it has one.
    pub code: Option<String>,
    /// The request field that is wrong.
    pub param: Option<String>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The provider's own words, for the log.
    pub upstream: Option<String>,
    /// The provider's own body where that has the shape of the client's API: the client gets these very bytes.
    pub own: Option<Bytes>,
}

impl Failure {
    /// True if the provider's own words name `what`.
    pub fn upstream_says(&self, what: &str) -> bool {
        self.upstream.as_ref().is_some_and(|words| words.contains(what))
    }

    /// A failure of `kind` with a message for the client.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            message: message.into(),
            type_: None,
            code: None,
            param: None,
            retry_after: None,
            upstream: None,
            own: None,
        }
    }

    /// The same with no text longer than a client and a log can take: it comes from a provider, or from an adapter.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            message: cut(self.message, LONGEST_TEXT),
            upstream: self.upstream.map(|text| cut(text, LONGEST_TEXT)),
            type_: self.type_.map(|word| cut(word, LONGEST_WORD)),
            code: self.code.map(|word| cut(word, LONGEST_WORD)),
            param: self.param.map(|word| cut(word, LONGEST_WORD)),
            ..self
        }
    }
}

/// How long a sentence of a provider's or an adapter's may be, in bytes.
const LONGEST_TEXT: usize = 8 << 10;
/// How long a word of theirs may be, in bytes.
const LONGEST_WORD: usize = 256;

fn cut(mut text: String, longest: usize) -> String {
    if text.len() > longest {
        text.truncate(text.floor_char_boundary(longest));
        text.push('…');
    }
    text
}
