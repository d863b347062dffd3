//! Replies as servers write them, however they are cut, and as no server may write them.

use std::future::poll_fn;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::{Body, Broken, Connection, Form};
use crate::transport::http::Outgoing;

fn request(body: &'static str) -> Outgoing {
    let mut headers = HeaderMap::new();
    headers.insert("x-a", HeaderValue::from_static("b"));
    headers.insert("content-length", HeaderValue::from_static("7000"));
    Outgoing {
        method: Method::POST,
        url: "http://example.com:81/v1/a%20b?c=d#e".parse().expect("a URL"),
        headers,
        body: Bytes::from_static(body.as_bytes()).into(),
        timeout: None,
    }
}

fn connection() -> (Connection<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(1 << 16);
    (Connection::new(ours, Form::Path), theirs)
}

/// Status, body, and whether the connection may be used again, of a reply that comes in `pieces`; closed after the last if `close`.
async fn read(pieces: &[&[u8]], close: bool) -> Result<(u16, Vec<u8>, bool), Broken> {
    let (mut connection, mut server) = connection();
    let pieces: Vec<_> = pieces.iter().map(|piece| piece.to_vec()).collect();
    let server = tokio::spawn(async move {
        for piece in pieces {
            server.write_all(&piece).await.expect("the client reads");
            tokio::task::yield_now().await;
        }
        (!close).then_some(server)
    });
    let reply = connection.send(&request("{}")).await?;
    let mut body = Body::new(connection, &reply);
    let mut all = Vec::new();
    while let Some(piece) = poll_fn(|context| body.poll_next(context)).await {
        all.extend_from_slice(&piece?);
    }
    let spare = body.spare().is_some();
    drop(server.await.expect("the server runs"));
    Ok((reply.status.as_u16(), all, spare))
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx: \r\n\r\n\
    5\r\nhello\r\n1;name=value\r\n \r\nA\r\nbig world!\r\n0\r\nx-after: 1\r\n\r\n";
const SIZED: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello";

#[tokio::test]
async fn a_reply_is_the_same_however_it_is_cut() {
    for (reply, status, body) in [(CHUNKED, 200, "hello big world!"), (SIZED, 201, "hello")] {
        for cut in 0..=reply.len() {
            let (left, right) = reply.split_at(cut);
            let read = read(&[left, right], false).await.expect("a reply");
            assert_eq!(read, (status, body.into(), true), "cut at {cut}");
        }
        let bytes: Vec<_> = reply.chunks(1).collect();
        let read = read(&bytes, false).await.expect("a reply");
        assert_eq!(read, (status, body.into(), true), "byte by byte");
    }
}

#[tokio::test]
async fn chunks_that_come_together_leave_together() {
    let (mut connection, mut server) = connection();
    server.write_all(CHUNKED).await.expect("room");
    let reply = connection.send(&request("")).await.expect("a reply");
    let mut body = Body::new(connection, &reply);
    let first = poll_fn(|context| body.poll_next(context)).await;
    assert_eq!(first.expect("a piece").expect("whole"), "hello big world!");
}

#[tokio::test]
async fn a_body_without_length_ends_with_the_connection_which_is_not_used_again() {
    let reply = b"HTTP/1.1 200 OK\r\n\r\nhello";
    assert_eq!(
        read(&[reply], true).await.expect("a reply"),
        (200, "hello".into(), false)
    );
    let empty = b"HTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(read(&[empty], false).await.expect("a reply"), (204, Vec::new(), true));
    let closing = b"HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 1\r\n\r\na";
    assert_eq!(
        read(&[closing], false).await.expect("a reply"),
        (200, "a".into(), false)
    );
    let old = b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na";
    assert_eq!(read(&[old], false).await.expect("a reply"), (200, "a".into(), false));
    let more = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab";
    assert_eq!(read(&[more], false).await.expect("a reply"), (200, "a".into(), false));
}

#[tokio::test]
async fn interim_replies_are_passed_over() {
    let reply = [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n",
        SIZED,
    ]
    .concat();
    assert_eq!(
        read(&[&reply], false).await.expect("a reply"),
        (201, "hello".into(), true)
    );
}

#[tokio::test]
async fn a_reply_cut_short_is_an_error_wherever_it_ends() {
    for reply in [CHUNKED, SIZED] {
        for end in 0..reply.len() {
            let cut = read(&[&reply[..end]], true).await;
            assert!(matches!(cut, Err(Broken::Closed)), "at {end}: {cut:?}");
        }
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_not_read() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(130 << 10));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    for reply in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\na",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\na",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "<html>no</html>",
        &long,
        &many,
    ] {
        let read = read(&[reply.as_bytes()], true).await;
        assert!(matches!(read, Err(Broken::Malformed(_))), "{reply:.80}: {read:?}");
    }
}

#[tokio::test]
async fn a_request_is_written_with_the_length_it_has() {
    for (form, target) in [
        (Form::Path, "/v1/a%20b?c=d"),
        (
            Form::Whole(Some(HeaderValue::from_static("Basic eA=="))),
            "http://example.com:81/v1/a%20b?c=d",
        ),
    ] {
        let credentials = match form {
            Form::Path => "",
            Form::Whole(_) => "proxy-authorization: Basic eA==\r\n",
        };
        let (ours, mut server) = duplex(1 << 16);
        server.write_all(SIZED).await.expect("room");
        Connection::new(ours, form)
            .send(&request("body"))
            .await
            .expect("a reply");
        let mut sent = String::new();
        server.read_to_string(&mut sent).await.expect("text");
        let expected = format!(
            "POST {target} HTTP/1.1\r\nhost: example.com:81\r\n{credentials}x-a: b\r\ncontent-length: 4\r\n\r\nbody"
        );
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_or_speaks_unasked_is_not_taken_for_idle() {
    let (mut connection, mut server) = connection();
    assert!(connection.is_idle());
    server
        .write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        .await
        .expect("room");
    assert!(!connection.is_idle());
    let (mut connection, server) = self::connection();
    drop(server);
    assert!(!connection.is_idle());
}

#[tokio::test]
async fn who_refuses_a_large_request_before_all_of_it_is_sent_is_heard() {
    let (ours, mut server) = duplex(1 << 10);
    let answering = tokio::spawn(async move {
        let mut some = [0; 512];
        server.read_exact(&mut some).await.expect("a part of the request");
        let refusal = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno";
        server.write_all(refusal).await.expect("room");
    });
    let request = Outgoing {
        body: Bytes::from(vec![b'x'; 1 << 20]).into(),
        ..request("")
    };
    let reply = Connection::new(ours, Form::Path).send(&request).await.expect("a reply");
    assert_eq!(reply.status, 413);
    answering.await.expect("the server runs");
}
