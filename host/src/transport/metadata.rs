//! Asking a cloud's own service for the machine's credentials: metadata services, and the token services that platforms start beside a
//! program. Adapters never reach them, nor does anything else that goes out; the gateway does, where the operator says so, over http at
//! no other addresses than such a service has, and by no proxy.

use std::{future::poll_fn, net::IpAddr, time::Duration};

use hyper::{
    HeaderMap, Method,
    header::{HeaderName, HeaderValue},
};
use tokio::net::TcpStream;
use url::{Host, Url};

use super::{
    http::Outgoing,
    http1::{Body, Connection, Form},
    pieces::Pieces,
};

/// An answer is a few kilobytes.
const LIMIT: usize = 64 << 10;
/// For one answer. A machine without the service drops what is sent there.
const PATIENCE: Duration = Duration::from_secs(3);
/// The first is AWS's, Azure's and Google's; then ECS's, EKS's, and AWS's two and Google's over IPv6.
const KNOWN: [&str; 6] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
];

/// Which addresses a service may have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
    /// The clouds' known ones, and this machine's own.
    Known,
    /// Any of this machine's networks: a platform's token service has one of its own, and says so in the environment.
    Near,
}

impl Reach {
    fn takes(self, address: IpAddr) -> bool {
        let near = match address {
            IpAddr::V4(address) => address.is_link_local() || address.is_private(),
            IpAddr::V6(address) => address.is_unicast_link_local() || address.is_unique_local(),
        };
        let known = address.is_loopback() || KNOWN.contains(&address.to_string().as_str());
        known || (near && matches!(self, Self::Near))
    }
}

/// Headers for a service: one that marks the request as meant, or a token.
pub(super) fn header(name: HeaderName, value: &str) -> Result<HeaderMap, String> {
    let mut value = HeaderValue::from_str(value).map_err(|_| "a token with control characters in it".to_owned())?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}

/// The status and text of an answer, or why there is none.
pub(super) async fn ask(method: Method, url: &str, headers: HeaderMap, reach: Reach) -> Result<(u16, String), String> {
    let url = Url::parse(url).map_err(|_| "its address is no URL".to_owned())?;
    let address = address(&url, reach)?;
    let port = url.port_or_known_default().unwrap_or(80);
    let request = Outgoing {
        method,
        url,
        headers,
        body: Pieces::default(),
        timeout: None,
    };
    let answered = tokio::time::timeout(PATIENCE, exchange((address, port), request)).await;
    answered.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")))
}

/// Whether [`ask`] asks this address.
pub(super) fn is_at(url: &Url, reach: Reach) -> bool {
    address(url, reach).is_ok()
}

/// An address is written as a number: a name could lead anywhere.
fn address(url: &Url, reach: Reach) -> Result<IpAddr, String> {
    let address: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        Some(Host::Domain("localhost")) => Some(IpAddr::from([127, 0, 0, 1])),
        _ => None,
    };
    address
        .filter(|address| reach.takes(*address) && url.scheme() == "http")
        .ok_or_else(|| {
            "it is asked only over http, at an address that a cloud's service has or on this machine".to_owned()
        })
}

async fn exchange(to: (IpAddr, u16), request: Outgoing) -> Result<(u16, String), String> {
    let socket = TcpStream::connect(to).await.map_err(|error| error.to_string())?;
    let mut connection = Connection::new(socket, Form::Path);
    let reply = connection.send(&request).await.map_err(|error| error.to_string())?;
    let mut body = Body::new(connection, &reply);
    let mut all = Vec::new();
    while let Some(piece) = poll_fn(|context| body.poll_next(context)).await {
        let piece = piece.map_err(|error| error.to_string())?;
        if all.len() + piece.len() > LIMIT {
            return Err("its answer is too long".to_owned());
        }
        all.extend_from_slice(&piece);
    }
    let text = String::from_utf8(all).map_err(|_| "its answer is no text".to_owned())?;
    Ok((reply.status.as_u16(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_such_a_service_has_are_asked() {
        let asked = |url: &str, reach| address(&Url::parse(url).unwrap(), reach).is_ok();
        for url in [
            "http://169.254.169.254/x",
            "http://[fd20:ce::254]",
            "http://localhost:1",
        ] {
            assert!(asked(url, Reach::Known) && asked(url, Reach::Near), "{url}");
        }
        for url in ["http://172.16.5.3:8081/msi/token", "http://169.254.129.3"] {
            assert!(!asked(url, Reach::Known) && asked(url, Reach::Near), "{url}");
        }
        for url in [
            "http://8.8.8.8",
            "https://169.254.169.254",
            "http://metadata.google.internal",
            "http://[2001:db8::1]",
        ] {
            assert!(!asked(url, Reach::Near), "{url}");
        }
    }
}
