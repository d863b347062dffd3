//! Sending one request and reading its reply: timeouts, body limits, and errors that never name a URL (it may hold a key).

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, Method, Request, Uri,
    header::{CONTENT_ENCODING, PROXY_AUTHORIZATION},
};
use http_body::Body as _;
use http_body_util::Full;
use hyper_util::{
    client::{legacy, proxy::matcher::Matcher},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::{Instant, Sleep};
use url::Url;

use super::{Upstream, canned::Canned, connect, egress::Policy, encoding, tls};
use crate::error::{Error, Result};

/// Pooled connections under one set of rules; or replies that are there already.
#[derive(Clone)]
pub struct Client(Wire);

#[derive(Clone)]
enum Wire {
    Network(Arc<Network>),
    Canned(Canned),
}

struct Network {
    client: legacy::Client<connect::Connector, Full<Bytes>>,
    proxies: Arc<Matcher>,
}

impl Client {
    /// A client that follows `egress` and `rules`. The error names the setting that is wrong.
    pub fn new(egress: Policy, rules: &tls::Rules) -> Result<Self, String> {
        let proxies = Arc::new(Matcher::from_system());
        let connector = connect::connector(egress, tls::config(rules)?, proxies.clone());
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(90))
            .timer(TokioTimer::new())
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(Duration::from_secs(30))
            .build(connector);
        Ok(Self(Wire::Network(Arc::new(Network { client, proxies }))))
    }

    /// A client that sends nothing and answers with `replies`, in order: for an adapter's own tests.
    pub fn canned(replies: Canned) -> Self {
        Self(Wire::Canned(replies))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// A request to a provider.
pub struct Outgoing {
    /// `GET`, `POST`, …
    pub method: Method,
    /// Absolute; already allowed by the egress policy.
    pub url: Url,
    /// All of them, credentials included.
    pub headers: HeaderMap,
    /// What to send.
    pub body: Bytes,
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
        let Network { client, proxies } = match &self.client.0 {
            Wire::Network(network) => &**network,
            Wire::Canned(replies) => return self.canned(replies),
        };
        let limit = request.timeout.map_or(self.timeout, |asked| asked.min(self.timeout));
        let uri: Uri = request
            .url
            .as_str()
            .parse()
            .map_err(|_| Error::Internal("a URL that is no URI"))?;
        let credentials = connect::proxy_credentials(proxies, &uri);
        let mut sent = Request::new(Full::new(request.body));
        *sent.method_mut() = request.method;
        *sent.uri_mut() = uri;
        *sent.headers_mut() = request.headers;
        if let Some(credentials) = credentials {
            sent.headers_mut().insert(PROXY_AUTHORIZATION, credentials);
        }
        let reply = match tokio::time::timeout(limit, client.request(sent)).await {
            Err(_) => {
                return Err(Error::UpstreamTimeout {
                    provider: self.id.clone(),
                    after: limit,
                });
            }
            Ok(Err(error)) => return Err(self.broken(&error)),
            Ok(Ok(reply)) => reply,
        };
        let (mut head, body) = reply.into_parts();
        let source = match head.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()) {
            None => Source::Plain(body),
            Some(encoding) => match encoding::decode(encoding, body) {
                Ok(decoded) => {
                    head.headers.remove(CONTENT_ENCODING);
                    Source::Decoded(decoded)
                }
                Err(body) => Source::Plain(body),
            },
        };
        Ok(Incoming {
            status: head.status.as_u16(),
            headers: head.headers,
            body: self.reading(source),
        })
    }

    fn reading(&self, source: Source) -> Reading {
        Reading {
            source,
            provider: self.id.clone(),
            idle: self.idle_timeout,
            read: Instant::now(),
            silence: Box::pin(tokio::time::sleep(self.idle_timeout)),
        }
    }

    fn canned(&self, replies: &Canned) -> Result<Incoming> {
        let reply = replies.next().ok_or_else(|| Error::Connection {
            provider: self.id.clone(),
            reason: "there is no further reply".to_owned(),
            unsent: false,
        })?;
        Ok(Incoming {
            status: reply.status,
            headers: reply.headers,
            body: self.reading(Source::Canned(reply.body)),
        })
    }

    fn broken(&self, error: &legacy::Error) -> Error {
        Error::Connection {
            provider: self.id.clone(),
            reason: reason(error),
            unsent: error.is_connect(),
        }
    }
}

/// An error with its causes on one line. hyper's errors do not name the URL.
fn reason(error: &legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
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
    source: Source,
    provider: String,
    idle: Duration,
    read: Instant,
    silence: Pin<Box<Sleep>>,
}

enum Source {
    Plain(hyper::body::Incoming),
    Decoded(encoding::Decoded),
    /// Empty once it was read.
    Canned(Bytes),
}

impl Source {
    /// `Err` is an answer that is not whole: why does not matter to anybody.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, ()>>> {
        match self {
            Self::Canned(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Canned(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Self::Decoded(stream) => stream
                .as_mut()
                .poll_next(context)
                .map(|piece| piece.map(|p| p.map_err(|_| ()))),
            Self::Plain(body) => loop {
                return match Pin::new(&mut *body).poll_frame(context) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(None) => Poll::Ready(None),
                    Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(()))),
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(data) => Poll::Ready(Some(Ok(data))),
                        Err(_) => continue,
                    },
                };
            },
        }
    }
}

impl Reading {
    /// The next bytes, as many as have come; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// What [`Reading::next`] would give now.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            match self.source.poll_next(context) {
                Poll::Ready(Some(Ok(data))) if data.is_empty() => {}
                Poll::Ready(Some(Ok(data))) => {
                    self.read = Instant::now();
                    return Poll::Ready(Some(Ok(data)));
                }
                Poll::Ready(Some(Err(()))) => {
                    return Poll::Ready(Some(Err(Error::Truncated {
                        provider: self.provider.clone(),
                    })));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return self.poll_silence(context),
            }
        }
    }

    /// The timer is moved only when it fires, not at every read.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        while self.silence.as_mut().poll(context).is_ready() {
            let until = self.read + self.idle;
            if until <= Instant::now() {
                let late = Error::UpstreamTimeout {
                    provider: self.provider.clone(),
                    after: self.idle,
                };
                return Poll::Ready(Some(Err(late)));
            }
            self.silence.as_mut().reset(until);
        }
        Poll::Pending
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
}
