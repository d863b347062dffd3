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

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::connect::{Connected, Connection, HttpConnector, dns::Name, proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::{egress::Policy, http1::Form};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connects to providers, over TLS where the scheme says so.
pub(super) type Connector = HttpsConnector<Route>;

/// A connector under `egress`' rule, with `tls` for `https`.
pub(super) fn connector(egress: Policy, tls: rustls::ClientConfig) -> Connector {
    // The proxy is the operator's: its address is under no rule.
    let mut to_proxy = HttpConnector::new();
    to_proxy.enforce_http(false);
    to_proxy.set_nodelay(true);
    to_proxy.set_connect_timeout(Some(Duration::from_secs(10)));
    let route = Route {
        egress,
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

/// Connects to addresses that the policy lets a name and this port have. One is made for each connection: a resolver is not told the
/// port, and what is allowed depends on it.
fn direct(egress: Policy, port: u16) -> HttpConnector<Resolver> {
    let mut direct = HttpConnector::new_with_resolver(Resolver { egress, port });
    direct.enforce_http(false);
    direct.set_nodelay(true);
    direct.set_keepalive(Some(Duration::from_secs(60)));
    direct.set_connect_timeout(Some(Duration::from_secs(10)));
    direct.set_happy_eyeballs_timeout(Some(Duration::from_millis(300)));
    direct
}

fn port(to: &Uri) -> u16 {
    let https = to.scheme() == Some(&Scheme::HTTPS);
    to.port_u16().unwrap_or(if https { 443 } else { 80 })
}

/// The way to a host: direct, or by the proxy that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` or the system name for it.
#[derive(Clone)]
pub(super) struct Route {
    egress: Policy,
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
            let connecting = direct(self.egress.clone(), port(&to)).call(to);
            return Box::pin(async {
                Ok(Stream {
                    inner: connecting.await?,
                    form: Form::Path,
                })
            });
        };
        let (egress, mut to_proxy) = (self.egress.clone(), self.to_proxy.clone());
        Box::pin(async move {
            if proxy.uri().scheme() != Some(&Scheme::HTTP) {
                let scheme = proxy.uri().scheme_str().unwrap_or_default();
                return Err(format!("the proxy is a {scheme}:// one: only http:// proxies are spoken to").into());
            }
            before_proxy(&egress, to.host().unwrap_or_default(), port(&to)).await?;
            if to.scheme() == Some(&Scheme::HTTPS) {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
                if let Some(auth) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(auth.clone());
                }
                return Ok(Stream {
                    inner: tunnel.call(to).await?,
                    form: Form::Path,
                });
            }
            Ok(Stream {
                inner: to_proxy.call(proxy.uri().clone()).await?,
                form: Form::Whole(proxy.basic_auth().cloned()),
            })
        })
    }
}

/// The proxy resolves names itself, so a name that only an adapter's manifest permits is looked up here first: one that points inside
/// is no way in. A name that is unknown here may well be known to the proxy, and then its own rules are what stands between.
async fn before_proxy(egress: &Policy, name: &str, port: u16) -> io::Result<()> {
    if egress.trusts(name, port) {
        return Ok(());
    }
    match resolve(egress, name, port).await {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(()),
    }
}

/// The addresses of `name` that the policy lets through.
async fn resolve(egress: &Policy, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    let (allowed, denied): (Vec<_>, Vec<_>) =
        found.partition(|address| egress.permits_address(name, port, address.ip()));
    if allowed.is_empty() && !denied.is_empty() {
        let why = "the host's address is private or reserved, and the operator has not allowed it";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(allowed)
}

/// Resolves names for connections to one port, under the policy.
#[derive(Clone)]
pub(super) struct Resolver {
    egress: Policy,
    port: u16,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { egress, port } = self.clone();
        Box::pin(async move { Ok(resolve(&egress, name.as_str(), port).await?.into_iter()) })
    }
}

/// A connection, and how a request is to be written that goes over it without TLS.
pub(super) struct Stream {
    inner: TokioIo<TcpStream>,
    form: Form,
}

/// What the connector of TLS asks of a stream, and nobody else.
impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
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

/// What a connection reads from and writes to.
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TokioIo<Stream>>>),
}

impl Socket {
    /// The socket, how requests are written to it, and whether HTTP/2 was agreed upon.
    pub(super) fn of(connected: MaybeHttpsStream<Stream>) -> (Self, Form, bool) {
        match connected {
            MaybeHttpsStream::Http(stream) => (Self::Plain(stream.inner.into_inner()), stream.form, false),
            MaybeHttpsStream::Https(stream) => {
                let stream = stream.into_inner();
                let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                (Self::Tls(Box::new(stream)), Form::Path, two)
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[tokio::test]
    async fn a_name_that_points_inside_is_refused_before_a_proxy_is_asked_for_it() {
        let policy = Policy::new(&Url::parse("https://api.example.com").unwrap()).unwrap();
        let refused = before_proxy(&policy, "localhost", 443).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let own = Policy::new(&Url::parse("http://localhost:8000").unwrap()).unwrap();
        assert!(before_proxy(&own, "localhost", 8000).await.is_ok());
        assert!(before_proxy(&own, "localhost", 9000).await.is_err());
        assert!(before_proxy(&policy, "unknown.invalid", 443).await.is_ok());
    }
}
