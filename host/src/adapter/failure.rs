//! A guest's expected failure, as the gateway's error.

use std::time::Duration;

use super::contract;
use crate::error::{Error, Failure, Kind};

/// The error a guest's failure is.
pub(super) fn refused(failure: contract::Failure) -> Error {
    let type_ = failure
        .ext
        .into_iter()
        .find(|(key, _)| key == "type")
        .map(|(_, value)| value);
    let failure = Failure {
        kind: Kind::parse(&failure.kind),
        status: (failure.status > 0).then_some(failure.status),
        message: failure.message,
        type_,
        code: failure.code,
        param: failure.param,
        retry_after: failure.retry_after_ms.map(|ms| Duration::from_millis(ms.into())),
        upstream: failure.upstream,
        own: None,
    };
    Error::Refused(Box::new(failure.bounded()))
}

/// Kinds that pass, so that trying again can help.
pub(super) fn passes(kind: &str) -> bool {
    matches!(kind, "rate-limit" | "timeout" | "overloaded" | "upstream")
}
