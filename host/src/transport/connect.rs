//! Making connections: names are resolved under the egress policy, system proxies are honoured, TLS follows the provider's rules.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::{
        legacy::connect::{Connected, Connection, HttpConnector, dns::Name, proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;

use super::egress::Policy;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connects to providers, over TLS where the scheme says so.
pub(super) type Connector = HttpsConnector<Route>;

/// A connector under `egress`' rule, with `tls` for `https`.
pub(super) fn connector(egress: Policy, tls: rustls::ClientConfig) -> Connector {
    let mut direct = HttpConnector::new_with_resolver(Resolver(Arc::new(egress)));
    direct.enforce_http(false);
    direct.set_nodelay(true);
    direct.set_keepalive(Some(Duration::from_secs(60)));
    direct.set_connect_timeout(Some(Duration::from_secs(10)));
    direct.set_happy_eyeballs_timeout(Some(Duration::from_millis(300)));
    // The proxy is the operator's: its address is under no rule.
    let mut to_proxy = HttpConnector::new();
    to_proxy.enforce_http(false);
    to_proxy.set_nodelay(true);
    to_proxy.set_connect_timeout(Some(Duration::from_secs(10)));
    let route = Route {
        direct,
        to_proxy,
        proxies: Arc::new(Matcher::from_system()),
    };
    hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(route)
}

/// The way to a host: direct, or by the proxy that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` or the system name for it.
#[derive(Clone)]
pub(super) struct Route {
    direct: HttpConnector<Resolver>,
    to_proxy: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Service<Uri> for Route {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.intercept(&to) else {
            let connecting = self.direct.call(to);
            return Box::pin(async {
                Ok(Stream {
                    inner: connecting.await?,
                    proxied: false,
                })
            });
        };
        let mut to_proxy = self.to_proxy.clone();
        Box::pin(async move {
            if to.scheme() == Some(&http::uri::Scheme::HTTPS) {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
                if let Some(auth) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(auth.clone());
                }
                return Ok(Stream {
                    inner: tunnel.call(to).await?,
                    proxied: false,
                });
            }
            Ok(Stream {
                inner: to_proxy.call(proxy.uri().clone()).await?,
                proxied: true,
            })
        })
    }
}

/// Resolves names, and gives only addresses the policy lets through: a name that points inside is no way in.
#[derive(Clone)]
pub(super) struct Resolver(Arc<Policy>);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let policy = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (allowed, denied): (Vec<_>, Vec<_>) =
                found.partition(|address| policy.permits_address(name.as_str(), address.ip()));
            if allowed.is_empty() && !denied.is_empty() {
                let why = "the host's address is private or reserved, and the operator has not allowed it";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
            }
            Ok(allowed.into_iter())
        })
    }
}

/// A connection, and whether it ends at a proxy that wants whole URLs.
pub(super) struct Stream {
    inner: TokioIo<TcpStream>,
    proxied: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.inner.connected().proxy(self.proxied)
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }
}
