//! A value nobody may see: provider keys, admin keys, tokens. It has no `Display`, its `Debug` says nothing, and its memory is
//! wiped when it goes.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// A secret string. Only [`Secret::expose`] shows it; each use of that is a place to review.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The secret itself: for the wire, and for comparing, only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True if `candidate` is the secret. Takes the same time wherever they differ, so that guessing learns nothing.
    pub fn is(&self, candidate: &str) -> bool {
        let (a, b) = (self.0.as_bytes(), candidate.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
