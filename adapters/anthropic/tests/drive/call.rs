//! Calls the adapter as the gateway does, through the SDK's glue, in the test's own process.
#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]

use serde_json::Value;
use witgate_anthropic::{Anthropic, Events};
use witgate_sdk::bindings::base::exports::witgate::adapter::transform::Guest as _;
use witgate_sdk::bindings::base::witgate::adapter::types as wit;
use witgate_sdk::bindings::streaming::exports::witgate::adapter::streaming::{self, GuestDecoder as _};
use witgate_sdk::glue::{Export, Stream};

type Guest = Export<Anthropic>;
/// A failure, as the gateway gets it.
pub(crate) type Failure = Box<wit::Failure>;

/// A call's context.
pub(crate) fn context(model: &str, streaming: bool, config: &Value, ext: &[(&str, &str)]) -> wit::Context {
    wit::Context {
        operation: "chat.completions".to_owned(),
        model: model.to_owned(),
        streaming,
        request_id: "req-1".to_owned(),
        now_unix_ms: 1_760_000_000_000,
        base_url: "https://api.example".to_owned(),
        config: config.to_string(),
        ext: pairs(ext),
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    list.iter().map(owned).collect()
}

/// What the gateway is to send for the client's request.
pub(crate) fn fetch(ctx: wit::Context, body: &str) -> Result<wit::Fetch, Failure> {
    match Guest::transform_request(ctx, body.to_owned()).map_err(Box::new)? {
        wit::Step::Fetch(fetch) => Ok(fetch),
        _ => panic!("a request is sent"),
    }
}

/// The body that is sent for the client's request.
pub(crate) fn request(model: &str, body: &str) -> Result<String, Failure> {
    let ctx = context(model, false, &Value::Object(serde_json::Map::new()), &[]);
    Ok(text(&fetch(ctx, body)?))
}

/// A request's body.
pub(crate) fn text(fetch: &wit::Fetch) -> String {
    match &fetch.request.body {
        wit::Body::Text(body) => body.clone(),
        _ => panic!("a request has a body of text"),
    }
}

/// The client's answer for the provider's.
pub(crate) fn answer(status: u16, body: &str) -> Result<String, Failure> {
    reply(status, &[], body)
}

/// As [`answer`], with headers of the provider's.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Result<String, Failure> {
    let reply = wit::Resumption {
        state: String::new(),
        response: wit::HttpResponse {
            status,
            headers: pairs(headers),
            body: wit::Payload::Text(body.to_owned()),
        },
    };
    let ctx = context("claude-sonnet-4-5", false, &Value::Object(serde_json::Map::new()), &[]);
    match Guest::transform_response(ctx, reply).map_err(Box::new)? {
        wit::Step::Done(answer) => Ok(answer),
        _ => panic!("an answer ends the call"),
    }
}

/// Frames, by the reads they came in.
pub(crate) struct Frames;

impl Frames {
    /// Cuts the bytes of an event stream that came in these pieces.
    pub(crate) fn of(pieces: &[&[u8]]) -> Vec<Vec<(String, String)>> {
        let mut cutter = Cutter::default();
        pieces.iter().map(|piece| cutter.push(piece)).collect()
    }
}

/// A cutter of server-sent events, as simple as can be.
#[derive(Default)]
struct Cutter {
    line: Vec<u8>,
    event: String,
    data: Vec<String>,
}

impl Cutter {
    fn push(&mut self, bytes: &[u8]) -> Vec<(String, String)> {
        let mut frames = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                let line = String::from_utf8(std::mem::take(&mut self.line)).expect("a line is UTF-8");
                frames.extend(self.line(line.trim_end_matches('\r')));
            } else {
                self.line.push(*byte);
            }
        }
        frames
    }

    fn line(&mut self, line: &str) -> Option<(String, String)> {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "event" => self.event = value,
            "data" => self.data.push(value),
            "" if line.is_empty() => {
                let (event, data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
                return (!data.is_empty()).then(|| (event, data.join("\n")));
            }
            _ => {}
        }
        None
    }
}

/// The chunks of a stream, and the failure it ended in. What comes in one read is pushed at once.
pub(crate) fn chunks(reads: &[Vec<(String, String)>]) -> (Vec<String>, Option<Failure>) {
    decode(reads, "")
}

fn decode(reads: &[Vec<(String, String)>], state: &str) -> (Vec<String>, Option<Failure>) {
    let decoder = open(state);
    let mut chunks = Vec::new();
    let mut reason = "eof";
    for read in reads {
        let output = decoder
            .push(read.iter().map(frame).collect())
            .expect("a push does not fail");
        chunks.extend(output.emit);
        if output.ended {
            reason = "ended";
            break;
        }
    }
    match decoder.finish(reason.to_owned()) {
        Ok(wit::Step::End(last)) => {
            chunks.extend(last);
            (chunks, None)
        }
        Ok(_) => panic!("a stream ends in chunks"),
        Err(failure) => (chunks, Some(Box::new(failure))),
    }
}

/// A stream that is broken off after these frames: what is told for accounting.
pub(crate) fn broken_off(events: &[Value]) -> Vec<String> {
    let decoder = open("");
    let frames = events.iter().map(|event| frame(&named(event))).collect();
    decoder.push(frames).expect("a push does not fail");
    match decoder.finish("client-gone".to_owned()).expect("the end is told") {
        wit::Step::End(chunks) => chunks,
        _ => panic!("a stream ends in chunks"),
    }
}

fn open(state: &str) -> Stream {
    Stream::new(Box::new(Events::new(state)))
}

fn frame((event, data): &(String, String)) -> streaming::Frame {
    streaming::Frame {
        event: event.clone(),
        data: wit::Payload::Text(data.clone()),
        headers: Vec::new(),
    }
}

fn named(event: &Value) -> (String, String) {
    (event["type"].as_str().unwrap_or_default().to_owned(), event.to_string())
}

/// As [`chunks`] for events that came in one read. `structured`: the request had the forced tool.
pub(crate) fn stream(events: &[Value], structured: bool) -> (Vec<Value>, Option<Failure>) {
    let read = events.iter().map(named).collect();
    let (chunks, failure) = decode(&[read], if structured { "structured" } else { "" });
    let parse = |chunk: &String| serde_json::from_str(chunk).expect("a chunk is JSON");
    (chunks.iter().map(parse).collect(), failure)
}
