//! Sending one request and reading its reply: timeouts, body limits, and errors that never name a URL (it may hold a key).

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use reqwest::{Method, header::HeaderMap};
use tokio::time::{Instant, Sleep};
use url::Url;

use super::Upstream;
use crate::error::{Error, Result};

/// Pooled connections under one set of TLS rules.
#[derive(Clone, Debug)]
pub struct Client(pub(super) reqwest::Client);

/// A request to a provider.
pub struct Outgoing {
    /// `GET`, `POST`, …
    pub method: Method,
    /// Absolute; already allowed by the egress policy.
    pub url: Url,
    /// All of them, credentials included.
    pub headers: HeaderMap,
    /// What to send.
    pub body: reqwest::Body,
    /// Lowers [`Upstream::timeout`].
    pub timeout: Option<Duration>,
}

/// The head of a reply, and its body still to be read.
pub struct Incoming {
    /// The HTTP status.
    pub status: u16,
    /// The provider's headers.
    pub headers: HeaderMap,
    /// The rest. Dropping it closes the request: the provider sees that nobody listens.
    pub body: Reading,
}

impl Upstream {
    /// Sends a request and waits for the head of its reply. Redirects are not followed.
    pub async fn send(&self, request: Outgoing) -> Result<Incoming> {
        let limit = request.timeout.map_or(self.timeout, |asked| asked.min(self.timeout));
        let mut sent = reqwest::Request::new(request.method, request.url);
        *sent.headers_mut() = request.headers;
        *sent.body_mut() = Some(request.body);
        let reply = match tokio::time::timeout(limit, self.client.0.execute(sent)).await {
            Err(_) => {
                return Err(Error::UpstreamTimeout {
                    provider: self.id.clone(),
                    after: limit,
                });
            }
            Ok(Err(error)) => return Err(self.broken(error)),
            Ok(Ok(reply)) => hyper::Response::<reqwest::Body>::from(reply),
        };
        let (head, body) = reply.into_parts();
        let body = Reading {
            body,
            provider: self.id.clone(),
            idle: self.idle_timeout,
            silence: Box::pin(tokio::time::sleep(self.idle_timeout)),
        };
        Ok(Incoming {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        let unsent = error.is_connect();
        Error::Connection {
            provider: self.id.clone(),
            reason: reason(error.without_url()),
            unsent,
        }
    }
}

/// An error with its causes on one line. `error` has no URL any more.
fn reason(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}

/// A body being read.
pub struct Reading {
    body: reqwest::Body,
    provider: String,
    idle: Duration,
    silence: Pin<Box<Sleep>>,
}

impl Reading {
    /// The next bytes, as many as have come; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// What [`Reading::next`] would give now.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(frame) => frame,
                Poll::Pending => return self.silence.as_mut().poll(context).map(|()| Some(Err(self.too_slow()))),
            };
            self.silence.as_mut().reset(Instant::now() + self.idle);
            match frame {
                None => return Poll::Ready(None),
                // A body that ends early or breaks: the answer is not whole.
                Some(Err(_)) => {
                    return Poll::Ready(Some(Err(Error::Truncated {
                        provider: self.provider.clone(),
                    })));
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }

    /// All of it, at most `limit` bytes.
    pub async fn whole(mut self, limit: usize) -> Result<Bytes> {
        let mut all = BytesMut::new();
        let mut first: Option<Bytes> = None;
        while let Some(piece) = self.next().await {
            let piece = piece?;
            let length = all.len() + piece.len() + first.as_ref().map_or(0, Bytes::len);
            if length > limit {
                let what = format!("it is longer than the limit of {limit} bytes");
                return Err(Error::BadAnswer {
                    provider: self.provider.clone(),
                    what,
                });
            }
            // Most replies come in one piece: that one is not copied.
            match first.take() {
                None if all.is_empty() => first = Some(piece),
                None => all.extend_from_slice(&piece),
                Some(earlier) => {
                    all.extend_from_slice(&earlier);
                    all.extend_from_slice(&piece);
                }
            }
        }
        Ok(first.unwrap_or_else(|| all.freeze()))
    }

    fn too_slow(&self) -> Error {
        Error::UpstreamTimeout {
            provider: self.provider.clone(),
            after: self.idle,
        }
    }
}
