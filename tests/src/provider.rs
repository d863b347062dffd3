//! A loopback server that plays a provider: the test says what it answers, and reads what it was asked.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{Request, Response, body::Frame, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

/// A request the provider got.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The version of HTTP.
    pub version: hyper::Version,
    /// The headers.
    pub headers: hyper::HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Asked {
    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header as text; "" if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// What the provider answers.
pub struct Played {
    status: u16,
    headers: Vec<(String, String)>,
    pieces: mpsc::Receiver<Result<Bytes, Broken>>,
    closed: Option<mpsc::Sender<Result<Bytes, Broken>>>,
}

/// A connection cut off in the middle.
#[derive(Debug)]
pub struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut off")
    }
}

impl std::error::Error for Broken {}

impl Played {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json", vec![body.to_string().into()])
    }

    /// A stream of server-sent events, one piece a write.
    pub fn events<T: Into<Bytes>>(pieces: impl IntoIterator<Item = T>) -> Self {
        Self::bytes(200, "text/event-stream", pieces.into_iter().map(Into::into).collect())
    }

    /// Any answer, in pieces.
    pub fn bytes(status: u16, content_type: &str, pieces: Vec<Bytes>) -> Self {
        let (sender, receiver) = mpsc::channel(pieces.len().max(1));
        for piece in pieces {
            sender
                .try_send(Ok(piece))
                .expect("the channel has room for every piece");
        }
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            pieces: receiver,
            closed: None,
        }
    }

    /// A stream whose pieces the test sends itself, when it wants; dropping the sender ends it. The sender's `closed()` tells that
    /// the gateway has hung up.
    pub fn live(content_type: &str) -> (mpsc::Sender<Result<Bytes, Broken>>, Self) {
        let (sender, receiver) = mpsc::channel(16);
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        (
            sender,
            Self {
                status: 200,
                headers,
                pieces: receiver,
                closed: None,
            },
        )
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer never ends by itself.
    #[must_use]
    pub fn hanging(mut self) -> Self {
        let (sender, mut receiver) = mpsc::channel(64);
        while let Ok(piece) = self.pieces.try_recv() {
            sender.try_send(piece).expect("the channel has room");
        }
        std::mem::swap(&mut self.pieces, &mut receiver);
        self.closed = Some(sender);
        self
    }
}

/// A provider being played.
pub struct Provider {
    /// `http://127.0.0.1:PORT`, or `https`
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    accepting: JoinHandle<()>,
}

impl Provider {
    /// Starts a provider that answers as `play` says.
    pub async fn start(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> Self {
        Self::listen(None, play).await
    }

    /// The same over TLS.
    pub async fn start_tls(tls: TlsAcceptor, play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> Self {
        Self::listen(Some(tls), play).await
    }

    async fn listen(tls: Option<TlsAcceptor>, play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, play) = (asked.clone(), Arc::new(play));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("a connection takes the option");
                let (log, play, tls) = (log.clone(), play.clone(), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, log.clone(), play.clone()));
                    let http = auto::Builder::new(TokioExecutor::new());
                    // A gateway that hangs up, or trusts nobody, is what some tests are about.
                    match tls {
                        None => drop(http.serve_connection(TokioIo::new(stream), service).await),
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                drop(http.serve_connection(TokioIo::new(stream), service).await);
                            }
                        }
                    }
                });
            }
        });
        Self { url, asked, accepting }
    }

    /// Everything asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no test panics with it").clone()
    }

    /// How often it was asked so far.
    pub fn count(&self) -> usize {
        self.asked.lock().expect("no test panics with it").len()
    }

    /// What was asked after the first `count` requests.
    pub fn asked_since(&self, count: usize) -> Vec<Asked> {
        let asked = self.asked.lock().expect("no test panics with it");
        asked.iter().skip(count).cloned().collect()
    }

    /// Waits until a request fits.
    pub async fn asked_for(&self, fits: impl Fn(&Asked) -> bool) -> Asked {
        let found = async {
            loop {
                if let Some(asked) = self.asked().into_iter().find(|asked| fits(asked)) {
                    return asked;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), found)
            .await
            .expect("the provider is asked in time")
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer<P: Fn(&Asked) -> Played>(
    request: Request<Incoming>,
    log: Arc<Mutex<Vec<Asked>>>,
    play: Arc<P>,
) -> Result<Response<BoxBody<Bytes, Broken>>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let asked = Asked {
        method: head.method.to_string(),
        path,
        version: head.version,
        headers: head.headers,
        body,
    };
    let Played {
        status,
        headers,
        mut pieces,
        closed,
    } = play(&asked);
    log.lock().expect("no test panics with it").push(asked);
    // After each piece the server is told to come back for the next, so that it sends what it has: a piece is a write of its own.
    let mut just_gave = false;
    let stream = futures_util::stream::poll_fn(move |context| {
        let _held_open = &closed;
        if std::mem::take(&mut just_gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = pieces.poll_recv(context);
        just_gave = piece.is_ready();
        piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    });
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response
        .body(BodyExt::boxed(StreamBody::new(stream)))
        .expect("the test's headers are valid"))
}
