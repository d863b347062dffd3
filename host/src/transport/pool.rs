//! The connections to a provider. Those of HTTP/1.1 are kept for each origin when a reply is over, and taken again newest first;
//! one of HTTP/2 is shared by all requests of its origin.

use std::{
    collections::{HashMap, VecDeque},
    error::Error as StdError,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body::Body as _;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower_service::Service as _;
use url::{Position, Url};

use super::{
    connect::{Connector, Socket},
    http::Outgoing,
    http1::{self, Connection},
};
use crate::call::{Abandoned, Rest};

/// How long an idle connection is kept. Servers close theirs after a minute or more, and say so when it is next looked at.
const IDLE: Duration = Duration::from_secs(90);
/// How many idle connections are kept for one origin.
const MOST: usize = 1024;

/// The connections of one provider. Clones share them.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    connector: Connector,
    origins: Mutex<HashMap<Arc<str>, Kept>>,
}

#[derive(Default)]
struct Kept {
    idle: Vec<(Connection<Socket>, Instant)>,
    shared: Option<Shared>,
}

type Shared = http2::SendRequest<Body2>;

/// Why there is no reply.
pub(super) struct Failed {
    /// Nothing of the request can have reached the provider.
    pub(super) unsent: bool,
    /// In a line, without the URL.
    pub(super) reason: String,
}

/// The head of a reply, and its body still to be read.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// A body being read. At its end the connection goes back; dropped before that, it closes it, or its stream.
pub(super) enum Body {
    One {
        body: http1::Body<Socket>,
        origin: Arc<str>,
        pool: Pool,
    },
    Two(hyper::body::Incoming),
}

/// A way to an origin.
enum Way {
    One(Connection<Socket>),
    Two(Shared),
}

impl Pool {
    pub(super) fn new(connector: Connector) -> Self {
        Self(Arc::new(Inner {
            connector,
            origins: Mutex::default(),
        }))
    }

    /// Sends a request and waits for the head of its reply.
    pub(super) async fn send(&self, request: Outgoing, rest: Option<Arc<Rest>>) -> Result<Reply, Failed> {
        let (origin, kept) = self.take(&request.url[..Position::BeforePath]);
        let way = match kept {
            Some(Way::One(connection)) => return self.over_one(origin, connection, &request, rest.as_deref()).await,
            Some(Way::Two(mut shared)) => shared.ready().await.is_ok().then_some(Way::Two(shared)),
            None => None,
        };
        let way = match way {
            Some(way) => way,
            None => self.connect(&origin, &request.url).await?,
        };
        match way {
            Way::One(connection) => self.over_one(origin, connection, &request, rest.as_deref()).await,
            Way::Two(shared) => over_two(shared, request, rest).await,
        }
    }

    async fn over_one(
        &self,
        origin: Arc<str>,
        mut connection: Connection<Socket>,
        request: &Outgoing,
        rest: Option<&Rest>,
    ) -> Result<Reply, Failed> {
        let replied = match rest {
            None => connection.send(request).await,
            Some(rest) => connection.send_on(request, rest).await,
        };
        let reply = replied.map_err(|error| Failed {
            unsent: false,
            reason: reason(&error),
        })?;
        let mut body = http1::Body::new(connection, &reply);
        if let Some(connection) = body.spare() {
            self.keep(&origin, connection);
        }
        Ok(Reply {
            status: reply.status,
            headers: reply.headers,
            body: Body::One {
                body,
                origin,
                pool: self.clone(),
            },
        })
    }

    async fn connect(&self, origin: &Arc<str>, url: &Url) -> Result<Way, Failed> {
        let unsent = |reason| Failed { unsent: true, reason };
        let to: Uri = url[..Position::AfterPath]
            .parse()
            .map_err(|_| unsent("its URL is no URI".to_owned()))?;
        let connected = self.0.connector.clone().call(to).await;
        let (socket, form, two) = Socket::of(connected.map_err(|error| unsent(reason(&*error)))?);
        if !two {
            return Ok(Way::One(Connection::new(socket, form)));
        }
        let (shared, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .adaptive_window(true)
            .keep_alive_interval(Duration::from_secs(30))
            .handshake(TokioIo::new(socket))
            .await
            .map_err(|error| unsent(reason(&error)))?;
        // It ends with the last request, and its errors are those of the requests.
        tokio::spawn(async { drop(connection.await) });
        self.at(origin, |kept| kept.shared = Some(shared.clone()));
        Ok(Way::Two(shared))
    }

    /// A way to `origin` that is there already.
    fn take(&self, origin: &str) -> (Arc<str>, Option<Way>) {
        let mut origins = self.origins();
        let Some((name, _)) = origins.get_key_value(origin) else {
            return (origin.into(), None);
        };
        let name = Arc::clone(name);
        let Some(kept) = origins.get_mut(origin) else {
            return (name, None);
        };
        if let Some(shared) = kept.shared.as_ref().filter(|shared| !shared.is_closed()) {
            return (name, Some(Way::Two(shared.clone())));
        }
        while let Some((mut connection, since)) = kept.idle.pop() {
            if since.elapsed() < IDLE && connection.is_idle() {
                return (name, Some(Way::One(connection)));
            }
        }
        (name, None)
    }

    /// Keeps a connection for the next request.
    fn keep(&self, origin: &Arc<str>, connection: Connection<Socket>) {
        self.at(origin, |kept| {
            if kept.idle.len() < MOST {
                kept.idle.push((connection, Instant::now()));
            }
        });
    }

    /// Changes what is kept for an origin. The first entry sets the pruning going.
    fn at(&self, origin: &Arc<str>, change: impl FnOnce(&mut Kept)) {
        let mut origins = self.origins();
        if let Some(kept) = origins.get_mut(origin) {
            return change(kept);
        }
        if origins.is_empty() {
            tokio::spawn(prune(Arc::downgrade(&self.0)));
        }
        change(origins.entry(Arc::clone(origin)).or_default());
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<Arc<str>, Kept>> {
        self.0.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what nobody has used for long. It ends when nothing is left.
async fn prune(pool: Weak<Inner>) {
    loop {
        tokio::time::sleep(IDLE / 3).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut origins = pool.origins.lock().unwrap_or_else(PoisonError::into_inner);
        origins.retain(|_, kept| {
            kept.idle.retain(|(_, since)| since.elapsed() < IDLE);
            kept.shared = kept.shared.take().filter(|shared| !shared.is_closed());
            !kept.idle.is_empty() || kept.shared.is_some()
        });
        if origins.is_empty() {
            return;
        }
    }
}

async fn over_two(mut shared: Shared, request: Outgoing, rest: Option<Arc<Rest>>) -> Result<Reply, Failed> {
    let unsent = |reason| Failed { unsent: true, reason };
    shared.ready().await.map_err(|error| unsent(reason(&error)))?;
    let mut sent = Request::new(Body2 {
        first: request.body.iter().cloned().collect(),
        rest,
    });
    *sent.method_mut() = request.method;
    *sent.uri_mut() = (request.url.as_str().parse()).map_err(|_| unsent("its URL is no URI".to_owned()))?;
    *sent.headers_mut() = request.headers;
    let reply = shared.send_request(sent).await.map_err(|error| Failed {
        unsent: error.is_canceled(),
        reason: reason(&error),
    })?;
    let (head, body) = reply.into_parts();
    Ok(Reply {
        status: head.status,
        headers: head.headers,
        body: Body::Two(body),
    })
}

/// A request's body for HTTP/2: what there is of it, and what is still to come.
struct Body2 {
    first: VecDeque<Bytes>,
    rest: Option<Arc<Rest>>,
}

impl http_body::Body for Body2 {
    type Data = Bytes;
    type Error = Abandoned;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Abandoned>>> {
        if let Some(first) = self.first.pop_front() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(first))));
        }
        match &self.rest {
            None => Poll::Ready(None),
            Some(rest) => rest
                .poll_next(context)
                .map(|piece| piece.map(|piece| piece.map(http_body::Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_empty() && self.rest.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        let first: u64 = self.first.iter().map(|piece| piece.len() as u64).sum();
        match self.rest.as_ref().map(|rest| rest.length()) {
            None => http_body::SizeHint::with_exact(first),
            // A hint is asked for once, before any of it is taken.
            Some(Some(more)) => http_body::SizeHint::with_exact(first + more),
            Some(None) => http_body::SizeHint::default(),
        }
    }
}

/// An error with its causes on one line. None of them names the URL.
fn reason(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}

impl Body {
    /// What has come; `None` at the end. `Err` is an answer that is not whole.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, ()>>> {
        match self {
            Self::One { body, origin, pool } => {
                let next = ready!(body.poll_next(context));
                if let Some(connection) = body.spare() {
                    pool.keep(origin, connection);
                }
                Poll::Ready(next.map(|piece| piece.map_err(|_| ())))
            }
            Self::Two(body) => loop {
                let frame = ready!(Pin::new(&mut *body).poll_frame(context));
                match frame.map(|frame| frame.map(hyper::body::Frame::into_data)) {
                    None => return Poll::Ready(None),
                    Some(Err(_)) => return Poll::Ready(Some(Err(()))),
                    Some(Ok(Ok(data))) => return Poll::Ready(Some(Ok(data))),
                    Some(Ok(Err(_))) => {}
                }
            },
        }
    }
}
