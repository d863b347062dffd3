//! Everything that can go wrong with a call, in one enum. [`Error::side`] says whose fault it is and [`Error::retryable`] whether
//! trying again can help: those two decide about retry and fallback. `api` turns an error into HTTP, in the shape of the API that
//! was called; nothing else knows statuses of answers.

mod failure;

use std::time::Duration;

pub use failure::{Failure, Kind};

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
