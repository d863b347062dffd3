//! Calls of a model: bytes to [`Call`], the pipeline, [`Reply`] to bytes.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue},
};

use super::{
    error::{self, Shape},
    respond::{Answer, Stream, with_id},
    uploads,
};
use crate::{
    call::{Call, Operation},
    error::{Error, Result},
    pipeline,
    record::Record,
    reply::{Body, Reply},
    server::{App, Response},
};

/// Names what of the request its provider did not get.
const DROPPED: HeaderName = HeaderName::from_static("x-witgate-dropped");

/// How many bytes of a body get room before they come.
const AHEAD: usize = 4 << 20;

/// Answers a call.
pub(super) async fn handle(app: &Arc<App>, operation: Operation, id: String, request: Request<Incoming>) -> Response {
    let shape = Shape::of_calls(operation);
    let record = Record::open(app.telemetry.clone(), id.clone(), operation.as_str());
    match answer(app, operation, &id, request, &record).await {
        Ok(reply) => with_id(respond(operation, reply, record), &id, shape),
        Err(error) => {
            record.failed(&error);
            error::response(&error, &id, shape)
        }
    }
}

async fn answer(
    app: &Arc<App>,
    operation: Operation,
    id: &str,
    request: Request<Incoming>,
    record: &Arc<Record>,
) -> Result<Reply> {
    let gateway = app.gateway();
    let limits = &gateway.config.limits;
    let (head, body) = request.into_parts();
    gateway.admit(&head.headers)?;
    let call = if uploads::is_form(operation, &head) {
        uploads::read(operation, id, head, body, limits).await?
    } else {
        let body = read(body, limits.body_bytes, limits.read_timeout).await?;
        Call::parse(operation, id.to_owned(), head.headers, body, limits.json_depth)?
    };
    record.note(|entry| {
        entry.model.clone_from(&call.model);
        entry.streaming = call.streaming;
    });
    let rest = call.upload.as_ref().and_then(|upload| upload.rest.clone());
    let answered = pipeline::run(&gateway, call, record).await;
    record.keep_step().await;
    let refused = answered.is_err();
    if let Some(rest) = rest.filter(|_| refused) {
        rest.hear_out().await;
    }
    answered
}

/// Reads a client's body: bounded in size, and in how long it may take.
async fn read(mut body: Incoming, limit: usize, patience: Duration) -> Result<Bytes> {
    use hyper::body::Body as _;
    if body.size_hint().lower() > limit as u64 {
        return Err(Error::BodyTooLarge { limit });
    }
    // As long as the client says, so that a large one is copied once; but what only might come takes no room.
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(limit).min(AHEAD);
    let all = async {
        let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else {
                continue;
            };
            if first.len() + whole.len() + data.len() > limit {
                return Err(Error::BodyTooLarge { limit });
            }
            if first.is_empty() && whole.is_empty() {
                first = data;
                continue;
            }
            if whole.is_empty() {
                whole.reserve(expected.max(first.len() + data.len()));
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&data);
        }
        // Most come in one piece: that one is not copied.
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    };
    tokio::time::timeout(patience, all)
        .await
        .map_err(|_| Error::ClientSlow { after: patience })?
}

/// Why a body cannot be read on: it is not what its head promised, or there is nobody any more who sends it.
fn broken(error: &hyper::Error) -> Error {
    use std::{error::Error as _, io::ErrorKind};
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    match cause.map(std::io::Error::kind) {
        Some(ErrorKind::InvalidInput | ErrorKind::InvalidData) => Error::invalid(
            "The body is not in the chunks that its transfer-encoding promises.",
            None,
        ),
        _ => Error::ClientGone,
    }
}

fn respond(operation: Operation, reply: Reply, record: Arc<Record>) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    record.note(|entry| entry.status = status.as_u16());
    let dropped = record.told_dropped();
    let (answer, content_type) = match reply.body {
        Body::Raw(bytes) => (
            Answer::Events(Stream::new(operation, bytes, record)),
            "application/octet-stream",
        ),
        Body::Whole(bytes) => {
            record.first_byte();
            (Answer::Whole(Some(bytes), Some(record)), "application/json")
        }
        Body::Events(events) => (
            Answer::Events(Stream::new(operation, events, record)),
            "text/event-stream",
        ),
    };
    let mut response = Response::new(answer);
    *response.status_mut() = status;
    *response.headers_mut() = reply.headers;
    let headers = response.headers_mut();
    if let Some(dropped) = dropped {
        headers.insert(DROPPED, dropped);
    }
    headers
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static(content_type));
    if content_type == "text/event-stream" {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // nginx in front of us would otherwise hold the stream back.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    }
    response
}
