//! Replies of a provider that is not there: an adapter's own tests are played over these, on the same way as real calls.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use hyper::HeaderMap;

/// Replies in the order in which they are given out. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Canned(Arc<Mutex<VecDeque<Reply>>>);

/// One reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// All of the body.
    pub body: Bytes,
}

impl Canned {
    /// These replies.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self(Arc::new(Mutex::new(replies.into_iter().collect())))
    }

    /// The next one, whatever was asked.
    pub(super) fn next(&self) -> Option<Reply> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
