//! What requests must carry: the result of `authenticate`.

use std::collections::BTreeMap;

use serde::Serialize;

/// Headers and query parameters for every request that carries credentials, and how long they are good for.
///
/// ```
/// use witgate_sdk::Credentials;
/// let credentials = Credentials::bearer("t0ken").expires_in(3600);
/// ```
#[derive(Clone, Default, Serialize)]
pub struct Credentials {
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    vars: BTreeMap<String, String>,
}

impl Credentials {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `authorization: Bearer` and the token.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self::new().header("authorization", format!("Bearer {token}"))
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.into());
        self
    }

    /// A query parameter; the host escapes it.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.insert(name.to_owned(), value.into());
        self
    }

    /// Good for this many seconds. The host renews them in time; without this, only after a 401.
    #[must_use]
    pub fn expires_in(mut self, seconds: u64) -> Self {
        self.ttl_ms = Some(seconds.saturating_mul(1000));
        self
    }

    /// A value that the other functions get as `ctx.ext("auth.KEY")`.
    #[must_use]
    pub fn var(mut self, key: &str, value: impl Into<String>) -> Self {
        self.vars.insert(key.to_owned(), value.into());
        self
    }
}

/// The names only: the values are secrets.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("headers", &self.headers.keys())
            .field("query", &self.query.keys())
            .field("ttl_ms", &self.ttl_ms)
            .field("vars", &self.vars.keys())
            .finish()
    }
}
