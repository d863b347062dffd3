//! Credentials of the machine itself: from a container's endpoint (ECS, EKS), or from an instance's metadata service (EC2, by its
//! second version: a token first). Adapters never reach these addresses; the gateway does, for the operator who says so, at no other
//! addresses than theirs and this machine's own, and by no proxy.

use std::{future::poll_fn, net::IpAddr, time::Duration};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use serde::Deserialize;
use tokio::net::TcpStream;
use url::{Host, Url};

use super::{
    Credentials,
    chain::{Environment, Reason},
    time,
};
use crate::{
    secret::Secret,
    transport::{
        http::Outgoing,
        http1::{Body, Connection, Form},
    },
};

/// An answer is a few kilobytes.
const LIMIT: usize = 64 << 10;
/// For one answer. A machine without the service drops what is sent there.
const PATIENCE: Duration = Duration::from_secs(3);
/// Where the services are.
const CONTAINER: &str = "http://169.254.170.2";
const INSTANCE: &str = "http://169.254.169.254";
/// These, EKS's, and each over IPv6.
const KNOWN: [&str; 5] = [
    "169.254.170.2",
    "169.254.169.254",
    "169.254.170.23",
    "fd00:ec2::23",
    "fd00:ec2::254",
];
/// How long a token of the instance's service is good, in seconds.
const TOKEN_LIFE: &str = "300";

/// What both services answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

/// Those of the container that the gateway runs in.
pub(super) async fn container(environment: &Environment) -> Result<Credentials, Reason> {
    let variable = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    let url = match variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        Some(path) => format!("{CONTAINER}{path}"),
        None => variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")
            .ok_or("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set")?,
    };
    let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => {
            let read = tokio::fs::read_to_string(&path).await;
            Some(read.map_err(|error| format!("the container's token file {path} cannot be read: {error}"))?)
        }
        None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    let headers = match token {
        Some(token) => header(AUTHORIZATION, token.trim())?,
        None => HeaderMap::new(),
    };
    let text = ask(Method::GET, &url, headers).await;
    read(&text.map_err(|reason| format!("the container's credentials: {reason}"))?)
}

/// Those of the instance's role.
pub(super) async fn instance(environment: &Environment) -> Result<Credentials, Reason> {
    let named = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").filter(|value| !value.trim().is_empty());
    let base = named.unwrap_or_else(|| INSTANCE.to_owned());
    let base = base.trim_end_matches('/');
    let answered = async {
        let life = header(
            HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds"),
            TOKEN_LIFE,
        )?;
        let token = ask(Method::PUT, &format!("{base}/latest/api/token"), life).await?;
        let token = header(HeaderName::from_static("x-aws-ec2-metadata-token"), token.trim())?;
        let roles = format!("{base}/latest/meta-data/iam/security-credentials/");
        let role = ask(Method::GET, &roles, token.clone()).await?;
        let role = role.lines().next().map(str::trim).filter(|role| !role.is_empty());
        let role = role.ok_or_else(|| "the instance has no role".to_owned())?;
        ask(Method::GET, &format!("{roles}{role}"), token).await
    };
    read(
        &answered
            .await
            .map_err(|reason| format!("the instance's credentials: {reason}"))?,
    )
}

fn read(text: &str) -> Result<Credentials, Reason> {
    let answer: Answer =
        serde_json::from_str(text).map_err(|_| "the metadata service's answer holds no credentials".to_owned())?;
    Ok(Credentials {
        access_key_id: answer.access_key_id,
        secret_access_key: Secret::new(answer.secret_access_key),
        session_token: answer.token.map(Secret::new),
        expire: answer.expiration.as_deref().and_then(time::parse),
    })
}

fn header(name: HeaderName, value: &str) -> Result<HeaderMap, Reason> {
    let mut value = HeaderValue::from_str(value).map_err(|_| "a token with control characters in it".to_owned())?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}

/// The text of an answer of status 200.
async fn ask(method: Method, url: &str, headers: HeaderMap) -> Result<String, Reason> {
    let url = Url::parse(url).map_err(|_| "its address is no URL".to_owned())?;
    let address = address(&url)?;
    let port = url.port_or_known_default().unwrap_or(80);
    let request = Outgoing {
        method,
        url,
        headers,
        body: Bytes::new(),
        timeout: None,
    };
    let answered = tokio::time::timeout(PATIENCE, exchange((address, port), request)).await;
    answered.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")))
}

/// The address of a metadata service, or of this machine.
fn address(url: &Url) -> Result<IpAddr, Reason> {
    let address: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        Some(Host::Domain("localhost")) => Some(IpAddr::from([127, 0, 0, 1])),
        _ => None,
    };
    let known = |address: &IpAddr| address.is_loopback() || KNOWN.contains(&address.to_string().as_str());
    address
        .filter(|address| known(address) && url.scheme() == "http")
        .ok_or_else(|| {
            "it is asked only over http, at the addresses of AWS's metadata services or on this machine".to_owned()
        })
}

async fn exchange(to: (IpAddr, u16), request: Outgoing) -> Result<String, Reason> {
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
    if reply.status != 200 {
        return Err(format!("status {}", reply.status.as_u16()));
    }
    String::from_utf8(all).map_err(|_| "its answer is no text".to_owned())
}
