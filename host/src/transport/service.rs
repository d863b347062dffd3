//! For tests: a service that credentials are asked of, and an environment that names it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::environment::Environment;

/// What a service was asked: request line, headers and body as one text.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// A service on loopback that gives each path (or, for a form, its action) its answer; 404 for others.
pub(super) async fn service(answers: &[(&str, String)]) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<(String, String)> = answers
        .iter()
        .map(|(key, answer)| ((*key).to_owned(), answer.clone()))
        .collect();
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !whole(&request) {
                if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            let request = String::from_utf8(request).unwrap();
            let found = answers.iter().find(|(key, _)| request.contains(key));
            let (status, body) = found.map_or(("404 Not Found", ""), |(_, body)| ("200 OK", body));
            log.lock().unwrap().push(request);
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    (url, asked)
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// An environment of these variables.
pub(super) fn environment(variables: &[(&str, &str)]) -> Environment {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: HashMap<String, String> = variables.iter().map(own).collect();
    Environment::new(move |name| variables.get(name).cloned())
}
