//! Sending one request and reading its reply: timeouts, body limits, and errors that never name a URL (it may hold a key).

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, header::CONTENT_ENCODING};
use tokio::time::{Instant, Sleep};
use url::Url;

use super::{
    Upstream,
    canned::Canned,
    connect,
    egress::Policy,
    encoding,
    pieces::Pieces,
    pool::{self, Pool},
    tls,
};
use crate::{
    call::Rest,
    error::{Error, Result},
    record::Record,
};

/// Pooled connections under one set of rules; or replies that are there already.
#[derive(Clone)]
pub struct Client(Wire);

#[derive(Clone)]
enum Wire {
    Network(Pool),
    Canned(Canned),
}

impl Client {
    /// A client that follows `egress` and `rules`. The error names the setting that is wrong.
    pub fn new(egress: Policy, rules: &tls::Rules) -> Result<Self, String> {
        let connector = connect::connector(egress, tls::config(rules)?);
        Ok(Self(Wire::Network(Pool::new(connector))))
    }

    /// True if there is no provider, so that nothing need be waited for.
    pub fn is_canned(&self) -> bool {
        matches!(self.0, Wire::Canned(_))
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
    pub body: Pieces,
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
    /// Sends a request and waits for the head of its reply. Redirects are not followed. The time this takes, and the time spent
    /// waiting for the body, goes to the account of `record`.
    pub async fn send(&self, request: Outgoing, record: &Arc<Record>) -> Result<Incoming> {
        self.send_on(request, None, record).await
    }

    /// The same with what is still to come of its body; the time it may take is then counted from when that last moved.
    pub async fn send_on(&self, request: Outgoing, rest: Option<Arc<Rest>>, record: &Arc<Record>) -> Result<Incoming> {
        let pool = match &self.client.0 {
            Wire::Network(pool) => pool,
            Wire::Canned(replies) => return self.canned(replies, record),
        };
        let mut wait = Wait::begin(record);
        let limit = request.timeout.map_or(self.timeout, |asked| asked.min(self.timeout));
        let replied = patiently(limit, rest.as_deref(), pin!(pool.send(request, rest.clone()))).await;
        wait.over();
        let mut reply = match replied {
            None => {
                return Err(Error::UpstreamTimeout {
                    provider: self.id.clone(),
                    after: limit,
                });
            }
            Some(Err(failed)) => {
                let client = rest.and_then(|rest| rest.failure());
                return Err(client.unwrap_or_else(|| Error::Connection {
                    provider: self.id.clone(),
                    reason: failed.reason,
                    unsent: failed.unsent,
                }));
            }
            Some(Ok(reply)) => reply,
        };
        let encoding = reply
            .headers
            .get(CONTENT_ENCODING)
            .and_then(|value| value.to_str().ok());
        let source = match encoding {
            None => Source::Plain(reply.body),
            Some(encoding) => match encoding::decode(encoding, reply.body) {
                Ok(decoded) => {
                    reply.headers.remove(CONTENT_ENCODING);
                    Source::Decoded(decoded)
                }
                Err(body) => Source::Plain(*body),
            },
        };
        Ok(Incoming {
            status: reply.status.as_u16(),
            headers: reply.headers,
            body: self.reading(source, wait),
        })
    }

    fn reading(&self, source: Source, wait: Wait) -> Reading {
        Reading {
            ahead: Bytes::new(),
            source,
            wait,
            provider: self.id.clone(),
            idle: self.idle_timeout,
            read: Instant::now(),
            silence: Box::pin(tokio::time::sleep(self.idle_timeout)),
        }
    }

    fn canned(&self, replies: &Canned, record: &Arc<Record>) -> Result<Incoming> {
        let reply = replies.next().ok_or_else(|| Error::Connection {
            provider: self.id.clone(),
            reason: "there is no further reply".to_owned(),
            unsent: false,
        })?;
        Ok(Incoming {
            status: reply.status,
            headers: reply.headers,
            body: self.reading(Source::Canned(reply.body), Wait::begin(record)),
        })
    }
}

/// What comes of `sending`; `None` if it takes longer than `limit`, or than that after `rest` last moved.
async fn patiently<T>(
    limit: Duration,
    rest: Option<&Rest>,
    mut sending: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let mut until = Instant::now() + limit;
    loop {
        if let Ok(sent) = tokio::time::timeout_at(until, &mut sending).await {
            return Some(sent);
        }
        let moved = rest.and_then(Rest::moved).map(|moved| moved + limit);
        until = moved.filter(|later| *later > Instant::now())?;
    }
}

/// The time spent waiting for one reply. The account gets it when nobody waits any more.
struct Wait {
    record: Arc<Record>,
    since: Option<Instant>,
    spent: Duration,
}

impl Wait {
    fn begin(record: &Arc<Record>) -> Self {
        Self {
            record: Arc::clone(record),
            since: Some(Instant::now()),
            spent: Duration::ZERO,
        }
    }

    /// Something is waited for, if it was not already.
    fn on(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// It has come.
    fn over(&mut self) {
        if let Some(since) = self.since.take() {
            self.spent += since.elapsed();
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.over();
        self.record.note(|entry| entry.upstream += self.spent);
    }
}

/// A body being read.
pub struct Reading {
    /// What was looked at and not taken.
    ahead: Bytes,
    source: Source,
    wait: Wait,
    provider: String,
    idle: Duration,
    read: Instant,
    silence: Pin<Box<Sleep>>,
}

enum Source {
    Plain(pool::Body),
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
            Self::Plain(body) => body.poll_next(context),
        }
    }
}

impl Reading {
    /// The next bytes, as many as have come; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// The bytes that come next, as many as have come, which stay there; none at the end.
    pub async fn peek(&mut self) -> Result<&[u8]> {
        if self.ahead.is_empty() {
            self.ahead = self.next().await.transpose()?.unwrap_or_default();
        }
        Ok(&self.ahead)
    }

    /// What [`Reading::next`] would give now.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let polled = self.poll_source(context);
        match polled {
            Poll::Pending => self.wait.on(),
            Poll::Ready(_) => self.wait.over(),
        }
        polled
    }

    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.ahead))));
        }
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
