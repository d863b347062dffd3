//! The demo provider: a small server of OpenAI's shape that says in every answer that it is no model.
//!
//! It lets `cargo xtask run` show a whole request, streamed and not, on a machine without a model or a key. It listens on
//! loopback only, reads little, serves few, and is no part of the gateway.

use crate::process::Outcome;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The one model it has.
pub(crate) const MODEL: &str = "demo";
/// The option that makes it end with whoever started it, when its input is closed.
pub(crate) const WITH_PARENT: &str = "--with-parent";

const ANSWER: &str = "This is the demo provider of Witgate. There is no model behind it: every answer is this text. \
                      Your request went through the gateway and back, so any client that speaks to it works.";
const LARGEST_HEAD: u64 = 16 << 10;
const LARGEST_BODY: u64 = 1 << 20;
const MOST_CONNECTIONS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_WORDS: Duration = Duration::from_millis(30);

/// Serves until it is interrupted. Its first line of output is its base URL.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no port on loopback: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("http://{address}/v1");
    if arguments.iter().any(|word| word == WITH_PARENT) {
        std::thread::spawn(|| {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            std::process::exit(0);
        });
    }
    serve(&listener);
    Ok(())
}

fn serve(listener: &TcpListener) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming().flatten() {
        if open.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let open = Arc::clone(&open);
        std::thread::spawn(move || {
            // Whoever breaks the connection off is not missed by a demo.
            let _ = answer(stream);
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Reads one request and answers it; the connection ends with it.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (target, length) = head(&mut reader)?;
    let mut body = String::new();
    reader.take(length.min(LARGEST_BODY)).read_to_string(&mut body)?;
    match target.as_str() {
        "GET /v1/models" => whole(&mut stream, "200 OK", &models()),
        "POST /v1/chat/completions" if wants_stream(&body) => chunks(&mut stream),
        "POST /v1/chat/completions" => whole(&mut stream, "200 OK", &completion()),
        _ => whole(&mut stream, "404 Not Found", &missing(&target)),
    }
}

/// The method with the path, and the body's length.
fn head(reader: &mut impl BufRead) -> io::Result<(String, u64)> {
    let mut reader = reader.take(LARGEST_HEAD);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line)?;
    let target = line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    loop {
        line.clear();
        if reader.read_line(&mut line)? <= 2 {
            return Ok((target, length));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
}

/// Good enough for a demo: the key and a `true`, with any spaces between.
fn wants_stream(body: &str) -> bool {
    let packed: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
    packed.contains("\"stream\":true")
}

fn whole(stream: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a model writes word by word, and this thread serves nobody else"
)]
fn chunks(stream: &mut TcpStream) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    )?;
    write_chunk(stream, r#"{"role":"assistant","content":""}"#, "null", "")?;
    for word in ANSWER.split_inclusive(' ') {
        write_chunk(stream, &format!(r#"{{"content":"{word}"}}"#), "null", "")?;
        std::thread::sleep(BETWEEN_WORDS);
    }
    write_chunk(stream, "{}", r#""stop""#, &format!(r#","usage":{}"#, usage()))?;
    write!(stream, "data: [DONE]\n\n")
}

fn write_chunk(stream: &mut TcpStream, delta: &str, finish: &str, more: &str) -> io::Result<()> {
    let choice = format!(r#"{{"index":0,"delta":{delta},"finish_reason":{finish}}}"#);
    let kind = r#""id":"chatcmpl-demo","object":"chat.completion.chunk","created":0"#;
    let chunk = format!("data: {{{kind},\"model\":\"{MODEL}\",\"choices\":[{choice}]{more}}}\n\n");
    stream.write_all(chunk.as_bytes())
}

fn completion() -> String {
    let choice =
        format!(r#"{{"index":0,"message":{{"role":"assistant","content":"{ANSWER}"}},"finish_reason":"stop"}}"#);
    let kind = r#""id":"chatcmpl-demo","object":"chat.completion","created":0"#;
    format!(
        r#"{{{kind},"model":"{MODEL}","choices":[{choice}],"usage":{}}}"#,
        usage()
    )
}

/// A word for a token: nobody is billed for it.
fn usage() -> String {
    let words = ANSWER.split(' ').count();
    format!(
        r#"{{"prompt_tokens":1,"completion_tokens":{words},"total_tokens":{}}}"#,
        words + 1
    )
}

fn models() -> String {
    format!(r#"{{"object":"list","data":[{{"id":"{MODEL}","object":"model","created":0,"owned_by":"witgate-demo"}}]}}"#)
}

fn missing(target: &str) -> String {
    let shown: String = target
        .chars()
        .filter(|letter| !matches!(letter, '"' | '\\') && !letter.is_control())
        .collect();
    format!(
        r#"{{"error":{{"message":"The demo provider has no {shown}","type":"invalid_request_error","param":null,"code":null}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_recognised_however_its_json_is_spaced() {
        assert!(wants_stream(r#"{"stream" :  true}"#));
        assert!(!wants_stream(r#"{"stream":false}"#));
    }

    #[test]
    fn the_head_gives_the_target_and_the_length_of_the_body() {
        let request = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n".as_slice();
        let (target, length) = head(&mut BufReader::new(request)).expect("a request in memory can be read");
        assert_eq!((target.as_str(), length), ("POST /v1/chat/completions", 12));
    }
}
