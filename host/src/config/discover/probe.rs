//! Asking a port of this machine whether a model server is behind it.

use std::{net::Ipv4Addr, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

/// How long a server on this machine may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest list that is read.
const LONGEST: usize = 1 << 20;

/// A model of a server's list.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    #[serde(default)]
    pub(super) owned_by: Option<String>,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Listed>,
}

/// What `GET /v1/models` lists there; `None` if nobody answers, or something that is no model server.
pub(super) async fn models(port: u16) -> Option<Vec<Listed>> {
    tokio::time::timeout(PATIENCE, ask(port)).await.ok().flatten()
}

async fn ask(port: u16) -> Option<Vec<Listed>> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let request = Request::get("/v1/models")
        .header(header::HOST, format!("127.0.0.1:{port}"))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let exchange = async {
        let reply = sender.send_request(request).await.ok()?;
        if !reply.status().is_success() {
            return None;
        }
        let body = Limited::new(reply.into_body(), LONGEST)
            .collect()
            .await
            .ok()?
            .to_bytes();
        serde_json::from_slice::<List>(&body).ok()
    };
    // The connection moves only while it is polled. It ends first where a server closes without a word.
    tokio::pin!(exchange);
    let list = tokio::select! {
        list = &mut exchange => list,
        _ = connection => exchange.await,
    };
    Some(list?.data)
}
