//! Chunks and answers in OpenAI's shape, on their way to the client. Adapters and providers leave things out or say them in their
//! own way; here the gaps are filled by splicing, and every byte that is right stays as it came.
//!
//! [`Chunks`] is a stream: identity, the first role, usage kept for the end. [`complete`] does the same for a whole answer,
//! [`Assembler`] makes a whole answer out of chunks and [`synthesise`] chunks out of a whole answer.

mod answer;
mod assemble;
mod choice;
mod edits;
mod embeddings;
mod finish;
mod reader;
mod synthesise;
mod template;
mod tools;
mod usage;

use bytes::{BufMut, BytesMut};
use memchr::memchr2;

pub(crate) use answer::plain_usage;
pub use answer::{Answer, complete};
pub use assemble::Assembler;
pub(crate) use assemble::merge;

pub(crate) use embeddings::embeddings;
pub use synthesise::synthesise;

pub(crate) use usage::read as usage;

use crate::{call::Operation, reply::Usage};
use reader::{Reader, Top};
use template::Template;

/// The end mark of a stream.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

/// What identifies an answer, for chunks and answers that do not say it themselves.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// `chatcmpl-…`
    pub id: String,
    /// Seconds since 1970-01-01 UTC.
    pub created: u64,
    /// The model.
    pub model: String,
    /// The client asked for a usage chunk at the end of its stream.
    pub include_usage: bool,
    /// The client asked for embeddings in base64, as OpenAI's own SDKs do by themselves, and read nothing else then.
    pub base64: bool,
}

/// Why a chunk or an answer cannot be passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no JSON, or not of the right shape. What is wrong, without the text itself.
    Malformed(&'static str),
    /// It says that something went wrong: its JSON text.
    Error(String),
}

/// What is to be done with a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is right as it is.
    Keep,
    /// It goes out with changes: [`Chunks::write`].
    Change,
    /// The client does not get it, or later.
    Hold,
}

/// A stream of chunks on its way to a client.
#[derive(Debug)]
pub struct Chunks {
    reader: Reader,
    alike: Template,
    /// The event with the usage, ready for the end of the stream.
    last: BytesMut,
}

impl Chunks {
    /// The stream of an answer to `operation`.
    pub fn new(stamp: Stamp, operation: Operation) -> Self {
        Self {
            reader: Reader::stream(stamp, operation),
            alike: Template::default(),
            last: BytesMut::new(),
        }
    }

    /// Reads a chunk and appends it to `out` as the client is to see it: an event, or nothing.
    pub fn add(&mut self, chunk: &str, out: &mut BytesMut) -> Result<(), Flaw> {
        let one_line = memchr2(b'\n', b'\r', chunk.as_bytes()).map(|_| chunk.replace(['\n', '\r'], " "));
        let chunk = one_line.as_deref().unwrap_or(chunk);
        match self.look(chunk)? {
            Verdict::Keep => event(chunk.as_bytes(), out),
            Verdict::Change => self.write(chunk, out),
            Verdict::Hold => {}
        }
        Ok(())
    }

    /// Appends what ends the stream: the usage chunk if the client asked for one and there is one, and the end mark.
    pub fn end(&mut self, out: &mut BytesMut) {
        out.put_slice(&self.last.split());
        out.put_slice(DONE);
    }

    /// What has been counted so far.
    pub fn usage(&self) -> Option<Usage> {
        usage(&self.reader.usage)
    }

    /// True if a finish reason has come.
    pub fn finished(&self) -> bool {
        self.reader.finished
    }

    /// True if something waits for the end of the stream.
    pub(crate) fn holds(&self) -> bool {
        !self.last.is_empty()
    }

    /// Reads a chunk and says what is to be done with it.
    pub(crate) fn look(&mut self, chunk: &str) -> Result<Verdict, Flaw> {
        if let Some(verdict) = self.alike.verdict(chunk) {
            return Ok(verdict);
        }
        self.alike.forget();
        let top = self.reader.read(chunk)?;
        if top.counted && self.reader.stamp.include_usage {
            self.keep_usage(chunk, &top);
        }
        if let Some(usage) = &top.usage {
            if top.empty {
                return Ok(Verdict::Hold);
            }
            self.reader.edits.cut(chunk, usage.key, usage.value.end);
        }
        let verdict = match (top.repeated, self.reader.edits.is_empty()) {
            (true, _) => Verdict::Hold,
            (false, true) => Verdict::Keep,
            (false, false) => Verdict::Change,
        };
        let free = self.reader.free(&top);
        if !free.is_empty() {
            self.alike.learn(chunk, free, verdict);
        }
        Ok(verdict)
    }

    /// Appends the chunk that was looked at last, with its changes: its own, or those of the one it is like.
    pub(crate) fn write(&mut self, chunk: &str, out: &mut BytesMut) {
        out.put_slice(b"data: ");
        self.reader.edits.apply(chunk, out);
        out.put_slice(b"\n\n");
    }

    /// Makes the last event: the chunk itself if it has nothing but usage, else one like it.
    fn keep_usage(&mut self, chunk: &str, top: &Top) {
        self.last.clear();
        self.last.put_slice(b"data: ");
        if top.empty && top.usage.is_some() {
            self.reader.edits.apply(chunk, &mut self.last);
        } else {
            let (identity, usage) = (self.reader.identity(chunk), &self.reader.usage);
            let made = format!("{{{identity},\"choices\":[],\"usage\":{usage}}}");
            self.last.put_slice(made.as_bytes());
        }
        self.last.put_slice(b"\n\n");
    }
}

/// Appends an event with `data`, which has no line ends.
pub(crate) fn event(data: &[u8], out: &mut BytesMut) {
    out.reserve(data.len() + 8);
    out.put_slice(b"data: ");
    out.put_slice(data);
    out.put_slice(b"\n\n");
}

/// JSON without its line ends: between tokens a blank does as well, and in strings there are none.
pub(crate) fn on_one_line(json: &[u8]) -> Vec<u8> {
    json.iter()
        .map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte })
        .collect()
}

/// `text` as JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serialises")
}

#[cfg(test)]
mod tests;
