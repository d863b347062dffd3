//! A one-shot HTTP client: asks whether a contender is up, and sets the mock's pace. Not measured.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST_REPLY: usize = 1 << 20;

/// Sends one request on a connection of its own; the status and the body as text.
pub(crate) async fn send(address: &str, request: Request<Full<Bytes>>) -> Result<(StatusCode, String), String> {
    match tokio::time::timeout(PATIENCE, exchange(address, request)).await {
        Ok(reply) => reply,
        Err(_) => Err(format!("{address} did not answer in {PATIENCE:?}")),
    }
}

/// GET, for which only 200 will do.
pub(crate) async fn get(address: &str, target: &str) -> Result<String, String> {
    let request = Request::get(target)
        .header("host", address)
        .body(Full::default())
        .map_err(|error| error.to_string())?;
    match send(address, request).await? {
        (StatusCode::OK, body) => Ok(body),
        (status, body) => Err(format!("{address}{target}: {status} {body}")),
    }
}

async fn exchange(address: &str, request: Request<Full<Bytes>>) -> Result<(StatusCode, String), String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let driver = tokio::task::spawn_local(connection);
    let reply = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = reply.status();
    let body = Limited::new(reply.into_body(), LARGEST_REPLY)
        .collect()
        .await
        .map_err(|error| error.to_string())?;
    driver.abort();
    Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
}
