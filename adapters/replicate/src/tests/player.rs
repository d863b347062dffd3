//! Plays the gateway: sends each fetch to a function that answers, cuts streams into frames, and keeps what the client would see.

use serde_json::Value;

use super::call::{self, Body, Context, Failure, Frame, HttpRequest, HttpResponse, Payload, Step};

/// A reply of the played upstream.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// A JSON reply.
pub(super) fn json(status: u16, body: impl Into<String>) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.into(),
    }
}

/// What a call came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// chunks, in order
    pub(super) chunks: Vec<Value>,
    /// the whole answer, if it came whole
    pub(super) answer: Option<Value>,
    /// why there is none
    pub(super) failure: Option<Failure>,
    /// method and URL of each request, with its pause
    pub(super) requests: Vec<(String, u32)>,
}

impl Outcome {
    /// The text the client has.
    pub(super) fn text(&self) -> String {
        match &self.answer {
            Some(answer) => answer["choices"][0]["message"]["content"]
                .as_str()
                .unwrap_or("no content")
                .to_owned(),
            None => self
                .chunks
                .iter()
                .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
                .collect(),
        }
    }

    /// The reason it ended.
    pub(super) fn finish_reason(&self) -> Option<&str> {
        let choices = self.answer.iter().chain(&self.chunks).map(|part| &part["choices"][0]);
        choices
            .filter_map(|choice| choice["finish_reason"].as_str())
            .next_back()
    }

    /// One figure of the usage.
    pub(super) fn usage(&self, name: &str) -> Option<u64> {
        self.answer
            .iter()
            .chain(&self.chunks)
            .filter_map(|part| part["usage"][name].as_u64())
            .next_back()
    }

    pub(super) fn request(&self, number: usize) -> &str {
        self.requests.get(number).map_or("no request", |(request, _)| request)
    }
}

/// A chat call with a key and no other settings.
pub(super) fn context(model: &str, streaming: bool) -> Context {
    Context {
        operation: "chat.completions".into(),
        model: model.into(),
        streaming,
        request_id: "r1".into(),
        now_unix_ms: 0,
        base_url: "https://api.replicate.com/v1".into(),
        config: r#"{"api_key":"key-token"}"#.into(),
        ext: Vec::new(),
    }
}

/// The smallest chat request.
pub(super) const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

/// Plays a call to its end. Streams are cut into reads of `piece` bytes, and a stream that ends does so with `end`.
pub(super) fn play(
    ctx: &Context,
    body: &str,
    piece: usize,
    mut upstream: impl FnMut(&HttpRequest) -> Answer,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut step = call::begin(ctx, body);
    loop {
        let fetch = match step {
            Err(failure) => {
                outcome.failure = Some(failure);
                return outcome;
            }
            Ok(Step::Done(answer)) => {
                outcome.answer = Some(value(&answer));
                return outcome;
            }
            Ok(Step::End(chunks)) => {
                outcome.chunks.extend(chunks.iter().map(|chunk| value(chunk)));
                return outcome;
            }
            Ok(Step::Fetch(fetch)) => fetch,
        };
        outcome.chunks.extend(fetch.emit.iter().map(|chunk| value(chunk)));
        outcome.requests.push((
            format!("{} {}", fetch.request.method, fetch.request.url),
            fetch.delay_ms,
        ));
        assert!(outcome.requests.len() < 200, "no end: {:?}", outcome.requests);
        let answer = upstream(&fetch.request);
        step = if fetch.request.framing == "sse" && answer.status < 300 {
            read_stream(ctx, &fetch.state, &answer.body, piece, &mut outcome)
        } else {
            let response = HttpResponse {
                status: answer.status,
                headers: answer.headers,
                body: Payload::Text(answer.body),
            };
            call::resume(ctx, fetch.state, response)
        };
    }
}

fn read_stream(ctx: &Context, state: &str, body: &str, piece: usize, outcome: &mut Outcome) -> Result<Step, Failure> {
    let reader = call::open(ctx, state)?;
    let mut cutter = Cutter::default();
    for bytes in body.as_bytes().chunks(piece.max(1)) {
        let output = reader.push(&cutter.cut(bytes));
        outcome.chunks.extend(output.emit.iter().map(|chunk| value(chunk)));
        if output.ended {
            return reader.finish("ended");
        }
    }
    reader.finish("eof")
}

pub(super) fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("what the adapter gives is JSON")
}

/// The JSON of a request's body.
pub(super) fn sent(request: &HttpRequest) -> Value {
    match &request.body {
        Body::Text(text) => value(text),
        _ => Value::Null,
    }
}

/// Cuts server-sent events, the plain way.
#[derive(Default)]
pub(super) struct Cutter {
    line: Vec<u8>,
    event: String,
    data: Vec<String>,
}

impl Cutter {
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                let line = String::from_utf8(std::mem::take(&mut self.line)).expect("the recordings are UTF-8");
                frames.extend(self.line(line.trim_end_matches('\r')));
            } else {
                self.line.push(byte);
            }
        }
        frames
    }

    fn line(&mut self, line: &str) -> Option<Frame> {
        if line.is_empty() {
            let (event, data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
            return (!data.is_empty()).then(|| Frame {
                event,
                data: Payload::Text(data.join("\n")),
                headers: Vec::new(),
            });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => self.data.push(value.to_owned()),
            _ => {}
        }
        None
    }
}
