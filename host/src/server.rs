//! The listening side: accepts connections (HTTP/1.1 and HTTP/2, TLS if a certificate is configured), hands each request to `api`
//! with one snapshot of the gateway, and drains when told to stop.

mod accept;
mod drain;
mod tls;

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{api, config::Config, gateway::Gateway, telemetry::Telemetry};
use accept::Accepting;
pub use drain::stop_signal;
pub use tls::acceptor;

/// A response of the gateway.
pub type Response = hyper::Response<api::Answer>;

/// What every request can reach: the current snapshot, and what outlives snapshots.
pub struct App {
    gateway: ArcSwap<Gateway>,
    /// Metrics and the log.
    pub telemetry: Arc<Telemetry>,
    /// The table of endpoints.
    pub endpoints: api::Endpoints,
    /// The state of adapters, for the admin API.
    pub adapters: Arc<crate::reload::Adapters>,
    draining: AtomicBool,
}

impl App {
    /// An application that serves `gateway`.
    pub fn new(gateway: Gateway, telemetry: Arc<Telemetry>, adapters: Arc<crate::reload::Adapters>) -> Arc<Self> {
        Arc::new(Self {
            gateway: ArcSwap::from_pointee(gateway),
            telemetry,
            endpoints: api::Endpoints::new(),
            adapters,
            draining: AtomicBool::new(false),
        })
    }

    /// The snapshot of now. A request takes one and keeps it.
    pub fn gateway(&self) -> Arc<Gateway> {
        self.gateway.load_full()
    }

    /// Puts a new snapshot into service; requests under way keep the old one.
    pub fn swap(&self, gateway: Gateway) {
        self.gateway.store(Arc::new(gateway));
    }

    /// True once the gateway has been told to stop.
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Serves until `stop` is ready, then lets the requests under way end, for at most `server.shutdown_grace_ms`.
pub async fn serve(app: Arc<App>, listener: TcpListener, tls: Option<TlsAcceptor>, stop: impl Future<Output = ()>) {
    let config = app.gateway().config.clone();
    let patience = config.limits.read_timeout;
    let connections = GracefulShutdown::new();
    let http = http(&config);
    let mut accepting = Accepting::new(listener);
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            stream = accepting.next() => stream,
            () = &mut stop => break,
        };
        let (app, http, watcher, tls) = (app.clone(), http.clone(), connections.watcher(), tls.clone());
        tokio::spawn(async move {
            // Small writes must not wait for each other: a stream's events are small.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY cannot be set");
            }
            match tls {
                None => connection(app, http, stream, watcher, patience).await,
                Some(tls) => match handshake(&tls, stream, patience).await {
                    Ok(stream) => connection(app, http, stream, watcher, patience).await,
                    Err(error) => tracing::debug!(%error, "TLS handshake failed"),
                },
            }
        });
    }
    drop(accepting);
    app.draining.store(true, Ordering::Relaxed);
    drain::finish(connections, config.server.shutdown_grace).await;
}

async fn handshake(tls: &TlsAcceptor, stream: TcpStream, patience: Duration) -> io::Result<TlsStream<TcpStream>> {
    tokio::time::timeout(patience, tls.accept(stream))
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}

async fn connection<S>(
    app: Arc<App>,
    http: auto::Builder<TokioExecutor>,
    stream: S,
    watcher: Watcher,
    patience: Duration,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let asked = Arc::new(AtomicBool::new(false));
    let first = asked.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        first.store(true, Ordering::Relaxed);
        let app = app.clone();
        async move { Ok::<_, Infallible>(api::handle(&app, request).await) }
    });
    let served = http.serve_connection(TokioIo::new(stream), service).into_owned();
    let mut served = std::pin::pin!(watcher.watch(served));
    // The timers of the protocols start once it is known which one is spoken: a client that never says so is let go here.
    let ended = match tokio::time::timeout(patience, &mut served).await {
        Ok(ended) => ended,
        Err(_) if asked.load(Ordering::Relaxed) => served.await,
        Err(_) => return tracing::debug!("a client asked for nothing"),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// The protocol settings: limits on what a client may send, and how slowly.
fn http(config: &Config) -> auto::Builder<TokioExecutor> {
    let limits = &config.limits;
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.read_timeout)
        .max_buf_size(limits.header_bytes.max(8192))
        .keep_alive(true);
    http.http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(1024)
        .keep_alive_interval(Duration::from_secs(30));
    http
}
