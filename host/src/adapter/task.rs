//! What an exchange is about ([`Task`]), and how its parts are told to a guest: the context, headers, a reply's body.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use http::HeaderMap;

use super::{
    auth::Credentials,
    body::Upload,
    contract::{Context, Payload},
    engine::Runtime,
    output::Output,
    site::Site,
};
use crate::{
    call,
    error::Result,
    transport::{renewed::Held, tokens::Tokens},
};

/// What an exchange is about, and which functions of the guest's drive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `transform-request`, `transform-response`
    Transform,
    /// `authenticate`
    Authenticate,
    /// `get-models`
    Models,
}

/// What is asked of an adapter.
pub(super) struct Task<'a> {
    pub(super) role: Role,
    /// The contract's word.
    pub(super) operation: &'static str,
    /// The provider's model id.
    pub(super) model: &'a str,
    pub(super) streaming: bool,
    /// The client's request; empty for the other roles.
    pub(super) asked: call::Body,
    /// What the adapter is to see of it.
    pub(super) body: ByteString,
    /// What it has in the place of large files.
    pub(super) tokens: Tokens,
    /// Files beside it.
    pub(super) uploads: Vec<Upload>,
    pub(super) request: Arc<str>,
    pub(super) attempt: u32,
    /// `header.NAME` pairs.
    pub(super) headers: Vec<(String, String)>,
    pub(super) out: Output,
}

impl Task<'_> {
    /// A task without a client's request.
    pub(super) fn bare(role: Role) -> Self {
        Task {
            role,
            operation: "models",
            model: "",
            streaming: false,
            asked: call::Body::default(),
            body: ByteString::new(),
            tokens: Tokens::default(),
            uploads: Vec::new(),
            request: "".into(),
            attempt: 1,
            headers: Vec::new(),
            out: Output::none(),
        }
    }
}

/// What the guest may know.
pub(super) fn context(
    runtime: &Runtime,
    site: &Site,
    task: &Task<'_>,
    credentials: Option<&Held<Credentials>>,
    tokens: &mut Tokens,
) -> Result<Context> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let deadline = now + runtime.limits().wall_clock;
    let mut ext = vec![
        ("attempt".to_owned(), task.attempt.to_string()),
        ("deadline-unix-ms".to_owned(), deadline.as_millis().to_string()),
    ];
    ext.extend(task.headers.iter().cloned());
    if let Some(credentials) = credentials {
        ext.extend(credentials.vars(tokens)?);
    }
    Ok(Context {
        operation: task.operation.to_owned(),
        model: task.model.to_owned(),
        streaming: task.streaming,
        request_id: task.request.to_string(),
        now_unix_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        base_url: site.upstream.base.as_str().trim_end_matches('/').to_owned(),
        config: site.config(tokens)?,
        ext,
    })
}

/// Headers for a guest: lower case, without cookies.
pub(super) fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| *name != http::header::SET_COOKIE)
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

/// Text if it is valid UTF-8. A refusal is cleared of our secrets: providers like to quote the key they did not accept.
pub(super) fn payload(body: Bytes, status: u16, tokens: &Tokens) -> Payload {
    match String::from_utf8(body.into()) {
        Ok(text) if status >= 400 => Payload::Text(tokens.hide(text)),
        Ok(text) => Payload::Text(text),
        Err(bytes) => Payload::Bytes(bytes.into_bytes()),
    }
}
