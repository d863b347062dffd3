//! A streamed answer: Cohere's events to chunks. `message-end` is the end; the `[DONE]` after it is not waited for.

use serde::Deserialize;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{ChatChunk, ChunkChoice, Delta};
use witgate_sdk::{Chunks, Decoder, Flow, Frame, Kind, Result};

use crate::answer::{Counts, annotations, broken, finish, logprobs};

/// More calls in one answer than this are not made by any model.
const MAX_CALLS: usize = 1024;

/// The state of one stream.
#[derive(Debug, Default)]
pub struct Events {
    begun: bool,
    /// the calls so far, by the numbers the provider gave them
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    index: u64,
    /// its arguments have begun
    filled: bool,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'a>>,
    #[serde(borrow)]
    delta: Option<News<'a>>,
    index: Option<u64>,
    #[serde(borrow)]
    logprobs: Option<Raw<'a>>,
    /// of an error that is sent instead of an event
    #[serde(borrow)]
    message: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct News<'a> {
    #[serde(borrow)]
    message: Option<Said<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Str<'a>>,
    #[serde(borrow)]
    usage: Option<Counts<'a>>,
    #[serde(borrow)]
    error: Option<Str<'a>>,
}

/// What is new of the message. Raw, for `message-start` has lists where the others have one thing.
#[derive(Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    content: Option<Raw<'a>>,
    #[serde(borrow)]
    tool_plan: Option<Str<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Raw<'a>>,
    #[serde(borrow)]
    citations: Option<Raw<'a>>,
}

#[derive(Default, Deserialize)]
struct Piece<'a> {
    #[serde(borrow)]
    text: Option<Str<'a>>,
    #[serde(borrow)]
    thinking: Option<Str<'a>>,
}

#[derive(Default, Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    id: Option<Str<'a>>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Default, Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<Str<'a>>,
    #[serde(borrow)]
    arguments: Option<Str<'a>>,
}

impl Events {
    fn event(&mut self, mut event: Event<'_>, out: &mut Chunks) -> Result<Flow> {
        let delta = event.delta.take();
        let kind = event.kind.as_deref().unwrap_or_default();
        if kind == "message-end" {
            return self.end(delta, out);
        }
        let said = delta.and_then(|delta| delta.message).unwrap_or_default();
        match kind {
            "content-start" | "content-delta" => content(&said, event.logprobs.as_ref(), out),
            "tool-plan-delta" => push_some(said.tool_plan.as_deref(), |plan| out.content(plan)),
            "tool-call-start" => self.begin_call(event.index.unwrap_or_default(), &said, out),
            "tool-call-delta" => self.go_on_with_call(event.index.unwrap_or_default(), &said, out),
            "tool-call-end" => self.end_call(event.index.unwrap_or_default(), out),
            "citation-start" => cite(&said, out),
            "" => {
                if let Some(message) = &event.message {
                    return Err(broken(Kind::Upstream, message));
                }
            }
            // What the provider invents tomorrow is no error.
            _ => {}
        }
        Ok(Flow::More)
    }

    fn begin_call(&mut self, index: u64, said: &Said<'_>, out: &mut Chunks) {
        if self.calls.len() >= MAX_CALLS {
            return;
        }
        let called: Called<'_> = read(said.tool_calls.as_ref());
        let function = called.function.unwrap_or_default();
        let arguments = function.arguments.unwrap_or_default();
        let number = self.calls.len() as u64;
        out.tool_call(
            number,
            &called.id.unwrap_or_default(),
            &function.name.unwrap_or_default(),
            &arguments,
        );
        self.calls.push(Call {
            index,
            filled: !arguments.trim().is_empty(),
        });
    }

    fn go_on_with_call(&mut self, index: u64, said: &Said<'_>, out: &mut Chunks) {
        let called: Called<'_> = read(said.tool_calls.as_ref());
        let more = called
            .function
            .and_then(|function| function.arguments)
            .unwrap_or_default();
        if let (Some((number, call)), false) = (self.call(index), more.is_empty()) {
            call.filled |= !more.trim().is_empty();
            out.tool_arguments(number, &more);
        }
    }

    /// A call without arguments gets an empty object: clients parse what they get.
    fn end_call(&mut self, index: u64, out: &mut Chunks) {
        if let Some((number, call)) = self.call(index)
            && !call.filled
        {
            call.filled = true;
            out.tool_arguments(number, "{}");
        }
    }

    /// The latest call of this number, and our number of it.
    fn call(&mut self, index: u64) -> Option<(u64, &mut Call)> {
        let at = self.calls.iter().rposition(|call| call.index == index)?;
        self.calls.get_mut(at).map(|call| (at as u64, call))
    }

    fn end(&mut self, delta: Option<News<'_>>, out: &mut Chunks) -> Result<Flow> {
        let Some(delta) = delta else {
            return Err(broken(Kind::Upstream, "The provider's last event says nothing."));
        };
        if let Some(usage) = &delta.usage
            && (delta.error.is_some() || delta.finish_reason.as_deref() == Some("ERROR"))
        {
            out.usage(&usage.usage());
        }
        if let Some(error) = &delta.error {
            return Err(broken(Kind::Upstream, error));
        }
        out.finish(finish(delta.finish_reason.as_deref(), !self.calls.is_empty())?);
        if let Some(usage) = &delta.usage {
            out.usage(&usage.usage());
        }
        Ok(Flow::Ended)
    }
}

/// More text, or more of the thoughts.
fn content(said: &Said<'_>, likelihood: Option<&Raw<'_>>, out: &mut Chunks) {
    let piece: Piece<'_> = read(said.content.as_ref());
    push_some(piece.thinking.as_deref(), |thinking| out.reasoning(thinking));
    let Some(text) = piece.text.filter(|text| !text.is_empty()) else {
        return;
    };
    match likelihood.and_then(logprobs) {
        None => out.content(&text),
        likelihood => {
            let delta = Delta {
                content: Some(text),
                ..Delta::default()
            };
            let choice = ChunkChoice {
                delta,
                logprobs: likelihood,
                ..ChunkChoice::default()
            };
            out.push(&ChatChunk {
                choices: vec![choice],
                ..ChatChunk::default()
            });
        }
    }
}

fn cite(said: &Said<'_>, out: &mut Chunks) {
    let Some(citation) = &said.citations else {
        return;
    };
    let mut delta = Delta::default();
    if let Ok(list) = Raw::of(&[citation]) {
        delta.rest.push("citations", list);
    }
    let found = annotations(citation);
    if let (false, Ok(list)) = (found.is_empty(), Raw::of(&found)) {
        delta.rest.push("annotations", list);
    }
    out.push(&ChatChunk::new(delta));
}

/// What is of another shape than expected says nothing.
fn read<'a, T: Deserialize<'a> + Default>(raw: Option<&'a Raw<'_>>) -> T {
    raw.and_then(|raw| raw.parse().ok()).unwrap_or_default()
}

fn push_some(text: Option<&str>, push: impl FnOnce(&str)) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        push(text);
    }
}

impl Decoder for Events {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        if frame.text()?.trim() == "[DONE]" {
            return Ok(Flow::More);
        }
        let event: Event<'_> = frame.json()?;
        if !self.begun {
            self.begun = true;
            out.role();
        }
        self.event(event, out)
    }
}
