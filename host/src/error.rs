//! Everything that can go wrong with a call, in one enum. [`Error::side`] says whose fault it is and [`Error::retryable`] whether
//! trying again can help: those two decide about retry and fallback. `api` turns an error into HTTP, in the shape of the API that
//! was called; nothing else knows statuses of answers.

use std::time::Duration;

use bytes::Bytes;

/// Whose doing an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The request itself: sending it again changes nothing.
    Client,
    /// A rule of the operator's.
    Policy,
    /// Witgate, or its configuration.
    Gateway,
    /// The provider, or the way to it.
    Upstream,
    /// The adapter broke its contract.
    Adapter,
}

impl Side {
    /// The word used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Policy => "policy",
            Self::Gateway => "gateway",
            Self::Upstream => "upstream",
            Self::Adapter => "adapter",
        }
    }
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong and what would be right.
    pub message: String,
    /// The field, as a path: `messages[2].role`.
    pub param: Option<String>,
}

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
    const fn status(self) -> u16 {
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
    const fn word(self) -> &'static str {
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

/// What ended a call without an answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is not what the API takes; all that is wrong with it.
    #[error("{}", problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// At least one.
        problems: Vec<Problem>,
    },
    /// The body is over the limit.
    #[error("the request body is larger than the limit of {limit} bytes")]
    BodyTooLarge {
        /// `limits.body_bytes`.
        limit: usize,
    },
    /// The client did not send its request in time.
    #[error("the request body did not arrive within {after:?}")]
    ClientSlow {
        /// `limits.read_timeout_ms`.
        after: Duration,
    },
    /// The client left.
    #[error("the client closed the connection")]
    ClientGone,
    /// No key, or a wrong one.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// No provider serves this model.
    #[error("The model `{model}` does not exist: {hint}")]
    ModelNotFound {
        /// As the client wrote it.
        model: String,
        /// Where to look.
        hint: String,
    },
    /// No such path.
    #[error("there is no {method} {path}")]
    NoSuchPath {
        /// The request's method.
        method: String,
        /// The request's path.
        path: String,
    },
    /// There is the path, and not for this method.
    #[error("{path} is not for {method}; it takes {allowed}")]
    WrongMethod {
        /// The request's method.
        method: String,
        /// The request's path.
        path: String,
        /// Those it takes, as the header `allow` lists them.
        allowed: String,
    },
    /// The admin API is switched off.
    #[error("there is no admin API: set `admin.key` or `admin.key_env` in the configuration")]
    NoAdmin,
    /// The gateway has no room: every adapter instance is in use, and stayed so.
    #[error("the gateway is busy: {0}")]
    Busy(&'static str),
    /// The gateway is stopping.
    #[error("the gateway is shutting down; try again")]
    Draining,
    /// The provider cannot be used as configured.
    #[error("provider `{provider}` cannot be used: {reason}")]
    Misconfigured {
        /// The provider's id.
        provider: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A bug of ours.
    #[error("internal error: {0}")]
    Internal(&'static str),
    /// An address the gateway may not send to.
    #[error("{0}")]
    Egress(String),
    /// The provider could not be reached, or broke the connection.
    #[error("provider `{provider}`: {reason}")]
    Connection {
        /// The provider's id.
        provider: String,
        /// What happened, without the URL: it may hold a key.
        reason: String,
        /// True if the request certainly was not worked on, so that it may be sent again whatever it does.
        unsent: bool,
    },
    /// The provider took too long.
    #[error("provider `{provider}` did not answer within {after:?}")]
    UpstreamTimeout {
        /// The provider's id.
        provider: String,
        /// The limit that was passed.
        after: Duration,
    },
    /// The provider's answer ended in the middle.
    #[error("provider `{provider}` closed the connection before its answer was complete")]
    Truncated {
        /// The provider's id.
        provider: String,
    },
    /// The provider's answer cannot be read.
    #[error("provider `{provider}` sent an answer that cannot be used: {what}")]
    BadAnswer {
        /// The provider's id.
        provider: String,
        /// What was expected and what came.
        what: String,
    },
    /// The provider, or an adapter for it, said no.
    #[error("{}", .0.message)]
    Refused(Box<Failure>),
    /// The adapter trapped: a bug in it.
    #[error("the adapter `{adapter}` failed; its author has to look at it, other calls are not affected")]
    AdapterTrap {
        /// The adapter's id.
        adapter: String,
    },
    /// The adapter used more time than it may.
    #[error("the adapter `{adapter}` took longer than its limit of {limit:?}")]
    AdapterTimeout {
        /// The adapter's id.
        adapter: String,
        /// `adapters.cpu_ms`, or the exchange's wall clock.
        limit: Duration,
    },
    /// The adapter wanted more memory than it may have.
    #[error("the adapter `{adapter}` needed more than its limit of {limit} bytes of memory")]
    AdapterMemory {
        /// The adapter's id.
        adapter: String,
        /// `adapters.memory_bytes`.
        limit: usize,
    },
    /// The adapter returned something its contract does not allow.
    #[error("the adapter `{adapter}` returned something invalid: {what}")]
    AdapterOutput {
        /// The adapter's id.
        adapter: String,
        /// Which rule was broken. Never the guest's own text.
        what: String,
    },
}

impl Error {
    /// A single problem with a field of the request.
    pub fn invalid(message: impl Into<String>, param: Option<&str>) -> Self {
        Self::Invalid {
            problems: vec![Problem {
                message: message.into(),
                param: param.map(str::to_owned),
            }],
        }
    }

    /// Whose doing it is.
    pub fn side(&self) -> Side {
        match self {
            Self::Invalid { .. }
            | Self::BodyTooLarge { .. }
            | Self::ClientSlow { .. }
            | Self::ClientGone
            | Self::Unauthorized(_)
            | Self::ModelNotFound { .. }
            | Self::NoSuchPath { .. }
            | Self::WrongMethod { .. }
            | Self::NoAdmin => Side::Client,
            Self::Egress(_) => Side::Policy,
            Self::Busy(_) | Self::Draining | Self::Misconfigured { .. } | Self::Internal(_) => Side::Gateway,
            Self::Refused(failure) => match failure.kind {
                Kind::InvalidRequest | Kind::ContextLength | Kind::ContentFilter | Kind::Unsupported => Side::Client,
                Kind::Config => Side::Gateway,
                Kind::Internal => Side::Adapter,
                _ => Side::Upstream,
            },
            Self::Connection { .. }
            | Self::UpstreamTimeout { .. }
            | Self::Truncated { .. }
            | Self::BadAnswer { .. } => Side::Upstream,
            Self::AdapterTrap { .. }
            | Self::AdapterTimeout { .. }
            | Self::AdapterMemory { .. }
            | Self::AdapterOutput { .. } => Side::Adapter,
        }
    }

    /// True if the same request may succeed a moment later.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Draining => true,
            Self::Connection { .. } | Self::UpstreamTimeout { .. } | Self::Truncated { .. } => true,
            Self::Refused(failure) => {
                matches!(
                    failure.kind,
                    Kind::RateLimit | Kind::Timeout | Kind::Overloaded | Kind::Upstream
                )
            }
            _ => false,
        }
    }

    /// True if another provider may do better: everything but what is wrong with the request itself. What one adapter does not
    /// support, another may.
    pub fn elsewhere(&self) -> bool {
        let unsupported = matches!(self, Self::Refused(failure) if failure.kind == Kind::Unsupported);
        unsupported || !matches!(self.side(), Side::Client | Side::Policy)
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid { .. } => 400,
            Self::BodyTooLarge { .. } => 413,
            Self::ClientSlow { .. } => 408,
            Self::ClientGone => 499,
            Self::Unauthorized(_) => 401,
            Self::ModelNotFound { .. } | Self::NoSuchPath { .. } | Self::NoAdmin => 404,
            Self::WrongMethod { .. } => 405,
            Self::Busy(_) | Self::Draining => 503,
            Self::Misconfigured { .. } | Self::Internal(_) => 500,
            Self::UpstreamTimeout { .. } => 504,
            Self::Refused(failure) => failure
                .status
                .filter(|s| (400..600).contains(s))
                .unwrap_or(failure.kind.status()),
            _ => 502,
        }
    }

    /// OpenAI's `error.type`.
    pub fn type_(&self) -> &str {
        match self {
            Self::Refused(failure) => failure.type_.as_deref().unwrap_or(failure.kind.word()),
            Self::Unauthorized(_) => Kind::Authentication.word(),
            Self::UpstreamTimeout { .. } => Kind::Timeout.word(),
            Self::Busy(_) | Self::Draining => Kind::Overloaded.word(),
            _ if self.side() == Side::Client => Kind::InvalidRequest.word(),
            _ => Kind::Upstream.word(),
        }
    }

    /// OpenAI's `error.code`: a word for programs, of a refusal the provider's own.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Invalid { .. } => None,
            Self::Refused(failure) => failure.code.as_deref(),
            _ => Some(self.word()),
        }
    }

    /// What logs and metrics call it. There are only so many of these words, whatever providers and adapters say.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => Kind::InvalidRequest.as_str(),
            Self::Refused(failure) => failure.kind.as_str(),
            Self::BodyTooLarge { .. } => "request_too_large",
            Self::ClientSlow { .. } => "request_timeout",
            Self::ClientGone => "client_gone",
            Self::Unauthorized(_) => "invalid_api_key",
            Self::ModelNotFound { .. } => "model_not_found",
            Self::NoSuchPath { .. } => "unknown_url",
            Self::WrongMethod { .. } => "method_not_allowed",
            Self::NoAdmin => "no_admin_api",
            Self::Busy(_) => "gateway_busy",
            Self::Draining => "gateway_draining",
            Self::Misconfigured { .. } => "provider_misconfigured",
            Self::Internal(_) => "gateway_internal",
            Self::Egress(_) => "egress_denied",
            Self::Connection { .. } => "provider_connection_failed",
            Self::UpstreamTimeout { .. } => "provider_timeout",
            Self::Truncated { .. } => "provider_truncated",
            Self::BadAnswer { .. } => "provider_invalid_answer",
            Self::AdapterTrap { .. } => "adapter_trap",
            Self::AdapterTimeout { .. } => "adapter_timeout",
            Self::AdapterMemory { .. } => "adapter_memory",
            Self::AdapterOutput { .. } => "adapter_invalid_output",
        }
    }

    /// The first field that is wrong.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Invalid { problems } => problems.iter().find_map(|p| p.param.as_deref()),
            Self::ModelNotFound { .. } => Some("model"),
            Self::Refused(failure) => failure.param.as_deref(),
            _ => None,
        }
    }

    /// When to try again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(failure) => failure.retry_after,
            Self::Busy(_) | Self::Draining => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

/// Shorthand.
pub type Result<T, E = Error> = std::result::Result<T, E>;
