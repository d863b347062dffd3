//! The model provider behind every contender: OpenAI's and Anthropic's wire formats, fixed answers, one thread.
//!
//! `bench mock --listen 127.0.0.1:9100`. Beside the two APIs it has `GET /bench/requests` (how many it has answered) and
//! `GET /bench/pace/MICROSECONDS` (the time between the events of every later stream).

mod answers;
mod events;

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
const LARGEST_REQUEST: usize = 1 << 20;

struct Mock {
    openai: Api,
    anthropic: Api,
    models: Bytes,
    pace: Cell<Option<Duration>>,
    answered: Cell<u64>,
}

struct Api {
    whole: Bytes,
    events: Rc<Vec<Bytes>>,
}

impl From<Answers> for Api {
    fn from(answers: Answers) -> Self {
        Self {
            whole: answers.whole,
            events: Rc::new(answers.events),
        }
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
        openai: answers::openai().into(),
        anthropic: answers::anthropic().into(),
        models: answers::models(),
        pace: Cell::new(None),
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
    if head.method == Method::GET {
        return Ok(mock.about(path));
    }
    let api = match path {
        _ if path.ends_with("/chat/completions") => &mock.openai,
        _ if path.ends_with("/messages") => &mock.anthropic,
        _ => return Ok(whole(StatusCode::NOT_FOUND, Bytes::from_static(b"{}"))),
    };
    mock.answered.set(mock.answered.get() + 1);
    Ok(if wants_stream(&body) {
        mock.stream(api)
    } else {
        whole(StatusCode::OK, api.whole.clone())
    })
}

impl Mock {
    fn about(&self, path: &str) -> Response<Answer> {
        if let Some(pace) = path.strip_prefix("/bench/pace/") {
            self.pace
                .set(pace.parse().ok().filter(|pace| *pace > 0).map(Duration::from_micros));
            return whole(StatusCode::OK, Bytes::new());
        }
        match path {
            "/bench/requests" => whole(StatusCode::OK, self.answered.get().to_string().into()),
            "/v1/models" => whole(StatusCode::OK, self.models.clone()),
            _ => whole(StatusCode::NOT_FOUND, Bytes::from_static(b"{}")),
        }
    }

    fn stream(&self, api: &Api) -> Response<Answer> {
        let events = Events::new(Rc::clone(&api.events), self.pace.get());
        let mut reply = Response::new(Answer::Stream(events));
        reply.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream; charset=utf-8"),
        );
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
