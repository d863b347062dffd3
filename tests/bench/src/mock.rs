//! The model provider behind every contender: the wire formats of all that Witgate has adapters for, fixed answers, one thread.
//!
//! `bench mock --listen 127.0.0.1:9100`. Beside the providers' APIs it has `GET /bench/requests` (how many it has answered) and
//! `GET /bench/streams/KIND/MICROSECONDS` (what later streams are made of, `text` or `calls`, and the time between two events).

mod answers;
mod events;
mod formats;

use answers::Answers;
use bytes::Bytes;
use events::{Answer, Events};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Where it listens if nothing else is said; the contenders' configurations name it.
pub(crate) const LISTEN: &str = "127.0.0.1:9100";
const LARGEST_REQUEST: usize = 4 << 20;

struct Mock {
    apis: Vec<Api>,
    models: Bytes,
    pace: Cell<Option<Duration>>,
    calls: Cell<bool>,
    answered: Cell<u64>,
}

/// One provider's API.
struct Api {
    /// whether a request with this path is for it
    takes: fn(&str) -> bool,
    stream_type: HeaderValue,
    whole: Bytes,
    events: Rc<Vec<Bytes>>,
    calls: Rc<Vec<Bytes>>,
}

impl Api {
    fn new(takes: fn(&str) -> bool, stream_type: &'static str, answers: Answers) -> Self {
        Self {
            takes,
            stream_type: HeaderValue::from_static(stream_type),
            whole: answers.whole,
            events: Rc::new(answers.events),
            calls: Rc::new(answers.calls),
        }
    }

    /// All of them. What is asked for by more than one path ending comes first.
    fn all() -> Vec<Self> {
        const SSE: &str = "text/event-stream; charset=utf-8";
        let api = Self::new;
        vec![
            api(|path| path.ends_with("/chat/completions"), SSE, answers::openai()),
            api(|path| path.ends_with("/v1/messages"), SSE, answers::anthropic()),
            api(|path| path.ends_with("/responses"), SSE, formats::responses()),
            api(
                |path| path.ends_with("GenerateContent") || path.ends_with("generateContent"),
                SSE,
                formats::gemini(),
            ),
            api(|path| path.ends_with("/v2/chat"), SSE, formats::cohere()),
            api(
                |path| path.ends_with("/api/chat"),
                "application/x-ndjson",
                formats::ollama(),
            ),
            api(|path| path == formats::REPLICATE_STREAM, SSE, formats::replicate()),
            api(
                |path| path.contains("/converse"),
                "application/vnd.amazon.eventstream",
                formats::bedrock(),
            ),
            api(|path| path.contains("/models/"), SSE, formats::huggingface()),
        ]
    }
}

/// Serves until it is ended, at the latest when whoever started it is gone.
pub(crate) async fn serve(arguments: &[String]) -> Result<(), String> {
    let address = match arguments {
        [] => LISTEN,
        [option, address] if option == "--listen" => address,
        _ => return Err("the mock's only option is --listen ADDRESS".to_owned()),
    };
    crate::run::end_with_parent();
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("{address}: {error}"))?;
    let mock = Rc::new(Mock {
        apis: Api::all(),
        models: answers::models(),
        pace: Cell::new(None),
        calls: Cell::new(false),
        answered: Cell::new(0),
    });
    loop {
        let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
        tokio::task::spawn_local(converse(stream, Rc::clone(&mock)));
    }
}

async fn converse(stream: TcpStream, mock: Rc<Mock>) {
    let answer = service_fn(move |request| answer(request, Rc::clone(&mock)));
    let connection = stream.set_nodelay(true).map(|()| TokioIo::new(stream));
    if let Ok(connection) = connection {
        // A client that breaks off is counted as an error by the load, which is told of it.
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(connection, answer)
            .await;
    }
}

async fn answer(request: Request<Incoming>, mock: Rc<Mock>) -> Result<Response<Answer>, Infallible> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_REQUEST)
        .collect()
        .await
        .map(|body| body.to_bytes());
    let path = head.uri.path();
    let Ok(body) = body else {
        return Ok(whole(StatusCode::PAYLOAD_TOO_LARGE, Bytes::new()));
    };
    let streamed_later = path == formats::REPLICATE_STREAM;
    if head.method == Method::GET && !streamed_later {
        return Ok(mock.about(path));
    }
    if path.ends_with("/predictions") {
        mock.answered.set(mock.answered.get() + 1);
        let waits = head.headers.contains_key("prefer");
        let prediction = if waits {
            formats::replicate().whole
        } else {
            formats::replicate_begun()
        };
        return Ok(whole(StatusCode::CREATED, prediction));
    }
    let Some(api) = mock.apis.iter().find(|api| (api.takes)(path)) else {
        return Ok(whole(StatusCode::NOT_FOUND, Bytes::from_static(b"{}")));
    };
    mock.answered.set(mock.answered.get() + u64::from(!streamed_later));
    Ok(if streamed_later || path.contains("stream") || wants_stream(&body) {
        mock.stream(api)
    } else {
        whole(StatusCode::OK, api.whole.clone())
    })
}

impl Mock {
    fn about(&self, path: &str) -> Response<Answer> {
        if let Some((kind, pace)) = path
            .strip_prefix("/bench/streams/")
            .and_then(|rest| rest.split_once('/'))
        {
            self.pace
                .set(pace.parse().ok().filter(|pace| *pace > 0).map(Duration::from_micros));
            self.calls.set(kind == "calls");
            return whole(StatusCode::OK, Bytes::new());
        }
        match path {
            "/bench/requests" => whole(StatusCode::OK, self.answered.get().to_string().into()),
            formats::REPLICATE_PREDICTION => whole(StatusCode::OK, formats::replicate().whole),
            "/v1/models" => whole(StatusCode::OK, self.models.clone()),
            _ => whole(StatusCode::NOT_FOUND, Bytes::from_static(b"{}")),
        }
    }

    fn stream(&self, api: &Api) -> Response<Answer> {
        let events = if self.calls.get() { &api.calls } else { &api.events };
        let events = Events::new(Rc::clone(events), self.pace.get());
        let mut reply = Response::new(Answer::Stream(events));
        reply.headers_mut().insert(CONTENT_TYPE, api.stream_type.clone());
        reply
    }
}

fn whole(status: StatusCode, body: Bytes) -> Response<Answer> {
    let mut reply = Response::new(Answer::Whole(Full::new(body)));
    *reply.status_mut() = status;
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
        .headers_mut()
        .insert("x-request-id", HeaderValue::from_static("req_bench"));
    reply
}

/// Without parsing: the mock shares a processor with the load, and both must be cheaper than any contender.
fn wants_stream(body: &[u8]) -> bool {
    memchr::memmem::find_iter(body, b"\"stream\"").any(|place| {
        let after = body.get(place + b"\"stream\"".len()..).unwrap_or_default();
        after
            .trim_ascii_start()
            .strip_prefix(b":")
            .is_some_and(|value| value.trim_ascii_start().starts_with(b"true"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_recognised_however_its_json_is_spaced() {
        assert!(wants_stream(br#"{"stream" : true,"x":1}"#));
        assert!(!wants_stream(
            br#"{"stream":false,"stream_options":{"include_usage":true}}"#
        ));
    }
}
