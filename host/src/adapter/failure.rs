//! A guest's expected failure, as the gateway's error.

use std::time::Duration;

use super::contract;
use crate::error::{Error, Failure, Kind};

/// What a client, and the log, get to see of a guest's text at most, in bytes.
const LONGEST: usize = 8 << 10;

/// The error a guest's failure is.
pub(super) fn refused(failure: contract::Failure) -> Error {
    let type_ = failure
        .ext
        .into_iter()
        .find(|(key, _)| key == "type")
        .map(|(_, value)| value);
    Error::Refused(Box::new(Failure {
        kind: Kind::parse(&failure.kind),
        status: (failure.status > 0).then_some(failure.status),
        message: cut(failure.message),
        type_,
        code: failure.code,
        param: failure.param,
        retry_after: failure.retry_after_ms.map(|ms| Duration::from_millis(ms.into())),
        upstream: failure.upstream.map(cut),
        own: None,
    }))
}

/// Kinds that pass, so that trying again can help.
pub(super) fn passes(kind: &str) -> bool {
    matches!(kind, "rate-limit" | "timeout" | "overloaded" | "upstream")
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}
