//! A provider on a loopback socket that does what a test tells it, when it tells it: the test takes a request, looks at it, and
//! answers. So nothing here waits for a clock.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// No test takes longer; a hanging one fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Provider {
    listener: TcpListener,
    pub(crate) base: String,
}

/// A request, and the socket for its answer.
pub(crate) struct Exchange {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    socket: TcpStream,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, base }
    }

    /// The next request.
    pub(crate) async fn next(&self) -> Exchange {
        let next = async {
            let (socket, _) = self.listener.accept().await.unwrap();
            Exchange::read(socket).await
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("a request was expected")
    }

    /// Takes the next request, expects its path, answers it.
    pub(crate) async fn expect(&self, path: &str, status: u16, body: &str) -> Seen {
        let mut exchange = self.next().await;
        assert_eq!(exchange.path, path);
        exchange.answer(status, &[], body.as_bytes()).await;
        Seen {
            text: String::from_utf8_lossy(&exchange.body).into_owned(),
            headers: exchange.headers,
        }
    }
}

/// What was seen of an answered request.
pub(crate) struct Seen {
    pub(crate) text: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Exchange {
    async fn read(mut socket: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            assert!(
                socket.read_buf(&mut bytes).await.unwrap() > 0,
                "the request ended early"
            );
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let mut request = lines.next().unwrap().split(' ');
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            assert!(socket.read_buf(&mut body).await.unwrap() > 0, "the body ended early");
        }
        Self {
            path: request.nth(1).unwrap().to_owned(),
            headers,
            body,
            socket,
        }
    }

    /// A whole answer.
    pub(crate) async fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let mut head = format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\nconnection: close\r\n",
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        self.write(format!("{head}\r\n").as_bytes()).await;
        self.write(body).await;
    }

    /// The head of a stream, which ends with the connection.
    pub(crate) async fn stream(&mut self) {
        self.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            .await;
    }

    /// An event of the stream.
    pub(crate) async fn event(&mut self, data: &str) {
        self.write(format!("data: {data}\n\n").as_bytes()).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
        self.socket.flush().await.unwrap();
    }

    /// Returns when the gateway has closed the connection.
    pub(crate) async fn closed(&mut self) {
        let gone = async {
            let mut rest = [0; 64];
            while let Ok(1..) = self.socket.read(&mut rest).await {}
        };
        tokio::time::timeout(PATIENCE, gone)
            .await
            .expect("the gateway should have hung up");
    }
}
