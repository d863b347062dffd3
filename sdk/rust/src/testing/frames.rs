//! Cuts a stream into frames as the host does: server-sent events, JSON lines, AWS's messages, or bytes as they come.

use super::aws;
use crate::bindings::base::witgate::adapter::types::Payload;
use crate::bindings::streaming::exports::witgate::adapter::streaming::Frame;

/// A cutter of one stream.
pub(super) enum Cutter {
    Sse(Sse),
    Ndjson(Vec<u8>),
    Aws(Vec<u8>),
    Raw,
}

impl Cutter {
    /// The cutter for this framing.
    pub(super) fn new(framing: &str) -> Self {
        match framing {
            "sse" => Self::Sse(Sse::default()),
            "ndjson" => Self::Ndjson(Vec::new()),
            "aws-eventstream" => Self::Aws(Vec::new()),
            "raw" => Self::Raw,
            other => panic!("the test harness cannot cut frames of {other}"),
        }
    }

    /// The frames that are complete with these bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Frame> {
        match self {
            Self::Sse(sse) => bytes.iter().filter_map(|byte| sse.feed(*byte)).collect(),
            Self::Ndjson(line) => bytes.iter().filter_map(|byte| feed_line(line, *byte)).collect(),
            Self::Aws(message) => bytes.iter().filter_map(|byte| aws::feed(message, *byte)).collect(),
            Self::Raw => vec![frame("", bytes)],
        }
    }

    /// What is left when the stream is over.
    pub(super) fn end(&mut self) -> Option<Frame> {
        match self {
            Self::Sse(sse) => sse.feed(b'\n').or_else(|| sse.feed(b'\n')),
            Self::Ndjson(line) => feed_line(line, b'\n'),
            Self::Aws(_) | Self::Raw => None,
        }
    }
}

pub(super) fn frame(event: &str, data: &[u8]) -> Frame {
    let data = match std::str::from_utf8(data) {
        Ok(text) => Payload::Text(text.to_owned()),
        Err(_) => Payload::Bytes(data.to_vec()),
    };
    Frame {
        event: event.to_owned(),
        data,
        headers: Vec::new(),
    }
}

fn feed_line(line: &mut Vec<u8>, byte: u8) -> Option<Frame> {
    if byte != b'\n' {
        line.push(byte);
        return None;
    }
    let line = std::mem::take(line);
    let line = line.trim_ascii();
    (!line.is_empty()).then(|| frame("", line))
}

/// The reader of the WHATWG standard, a byte at a time: slow, and plain to see.
#[derive(Default)]
pub(super) struct Sse {
    line: Vec<u8>,
    event: String,
    data: Option<Vec<u8>>,
    headers: Vec<(String, String)>,
    after_cr: bool,
}

impl Sse {
    fn feed(&mut self, byte: u8) -> Option<Frame> {
        let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
        match byte {
            b'\n' if after_cr => None,
            b'\n' | b'\r' => self.end_of_line(),
            _ => {
                self.line.push(byte);
                None
            }
        }
    }

    fn end_of_line(&mut self) -> Option<Frame> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if line.is_empty() {
            return self.end_of_event();
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value).into_owned();
        match field {
            b"event" => self.event = text(),
            b"id" | b"retry" => self.headers.push((String::from_utf8_lossy(field).into_owned(), text())),
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            _ => {}
        }
        None
    }

    fn end_of_event(&mut self) -> Option<Frame> {
        let event = std::mem::take(&mut self.event);
        let headers = std::mem::take(&mut self.headers);
        let data = self.data.take()?;
        Some(Frame {
            headers,
            ..frame(&event, &data)
        })
    }
}
