//! What a provider answers, by script or from a recording.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One reply of the provider's.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    cuts: Vec<usize>,
    pub(super) end: &'static str,
}

/// The part of a recording's `.meta.json` that a reply needs.
#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default)]
    response: MetaResponse,
}

#[derive(Default, Deserialize)]
struct MetaResponse {
    status: Option<u16>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
}

impl Reply {
    /// A reply of this status, without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            cuts: Vec::new(),
            end: "eof",
        }
    }

    /// A JSON reply of status 200.
    #[must_use]
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).header("content-type", "application/json").body(body)
    }

    /// A stream of server-sent events.
    #[must_use]
    pub fn sse(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).header("content-type", "text/event-stream").body(body)
    }

    /// A stream of JSON lines.
    #[must_use]
    pub fn ndjson(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200)
            .header("content-type", "application/x-ndjson")
            .body(body)
    }

    /// A stream of AWS's binary messages ([`aws_message`](super::aws_message)).
    #[must_use]
    pub fn aws_events(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200)
            .header("content-type", "application/vnd.amazon.eventstream")
            .body(body)
    }

    /// The client leaves while this reply is awaited: the adapter's `cancel` is asked for, and further replies answer that.
    #[must_use]
    pub fn client_gone() -> Self {
        Self {
            end: "client-gone",
            ..Self::status(0)
        }
    }

    /// A recorded reply: the files `STEM.response.json` (or `.response.txt`, `.stream.sse`, `.stream.ndjson`, `.stream.bin`) and, for status and
    /// headers, `STEM.meta.json`. `stem` may be one of these files' names, too.
    ///
    /// # Panics
    /// If there is no such recording.
    #[must_use]
    pub fn recorded(stem: impl AsRef<Path>) -> Self {
        const BODIES: [&str; 5] = [
            ".response.json",
            ".response.txt",
            ".stream.sse",
            ".stream.ndjson",
            ".stream.bin",
        ];
        let text = stem.as_ref().to_string_lossy().into_owned();
        let stem = BODIES
            .iter()
            .chain(&[".meta.json", ".request.json"])
            .find_map(|end| text.strip_suffix(end));
        let stem = stem.unwrap_or(&text);
        let file = |end: &str| PathBuf::from([stem, end].concat());
        let (end, body) = BODIES
            .iter()
            .find_map(|end| std::fs::read(file(end)).ok().map(|body| (*end, body)))
            .unwrap_or_else(|| panic!("there is no recorded reply {stem}"));
        let meta = std::fs::read(file(".meta.json")).unwrap_or_default();
        let meta: Meta = serde_json::from_slice(&meta).unwrap_or_default();
        let plain = match end {
            ".stream.sse" => Self::sse(body),
            ".stream.ndjson" => Self::ndjson(body),
            ".stream.bin" => Self::aws_events(body),
            _ => Self::json(body),
        };
        let status = meta.response.status.unwrap_or(200);
        let reply = Self { status, ..plain };
        meta.response
            .headers
            .iter()
            .fold(reply, |reply, (name, value)| reply.header(name, value))
    }

    /// Adds a header, or replaces it.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Gives it a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A stream arrives in pieces that end at these bytes.
    #[must_use]
    pub fn cut(mut self, at: &[usize]) -> Self {
        self.cuts = at.to_vec();
        self
    }

    /// A stream arrives in pieces of this many bytes.
    #[must_use]
    pub fn cut_every(mut self, bytes: usize) -> Self {
        self.cuts = (1..self.body.len()).step_by(bytes.max(1)).collect();
        self
    }

    /// After its bytes the stream does not end but breaks off: `upstream-error`, `timeout` or `client-gone`.
    #[must_use]
    pub fn breaks_off(mut self, reason: &'static str) -> Self {
        self.end = reason;
        self
    }

    /// The body's length in bytes.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "it is the body's length; a reply is no collection"
    )]
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// True if it is one JSON value by its header and by how it begins: the host reads it whole.
    pub(super) fn is_one_value(&self) -> bool {
        let kind = self.headers.iter().find(|(name, _)| name == "content-type");
        let begin = self.body.trim_ascii_start();
        kind.is_some_and(|(_, kind)| kind.starts_with("application/json"))
            && (begin.starts_with(b"{") || begin.starts_with(b"["))
    }

    /// The pieces it arrives in.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self
            .cuts
            .iter()
            .map(|at| *at.min(&self.body.len()))
            .chain([self.body.len()]);
        let mut begin = 0;
        ends.filter_map(move |end| {
            let piece = self.body.get(begin..end);
            begin = begin.max(end);
            piece.filter(|piece| !piece.is_empty())
        })
    }
}
