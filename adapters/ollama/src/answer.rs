//! An answer: one object, or a line for each piece of it, of which the last says `done`.

use std::borrow::Cow;

use serde::Deserialize;
use witgate_sdk::json::text::string;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{ChatChunk, ChatResponse, ChunkChoice, Delta, Message, ToolCall, Usage};
use witgate_sdk::{Chunks, Context, Decoder, Failure, Flow, Frame, Kind, Response, Result, Step};

use crate::error;

/// A whole answer, or a line of a streamed one.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    message: Option<Said<'a>>,
    #[serde(borrow)]
    done_reason: Option<Str<'a>>,
    done: Option<bool>,
    #[serde(borrow)]
    error: Option<Raw<'a>>,
    /// in OpenAI's form
    #[serde(borrow)]
    logprobs: Option<Raw<'a>>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    #[serde(borrow)]
    total_duration: Option<Raw<'a>>,
    #[serde(borrow)]
    load_duration: Option<Raw<'a>>,
    #[serde(borrow)]
    prompt_eval_duration: Option<Raw<'a>>,
    #[serde(borrow)]
    eval_duration: Option<Raw<'a>>,
}

/// What the message says, or what is new of it.
#[derive(Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    content: Option<Str<'a>>,
    #[serde(borrow)]
    thinking: Option<Str<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    id: Option<Str<'a>>,
    #[serde(borrow)]
    function: Called<'a>,
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    /// an object
    #[serde(borrow)]
    arguments: Option<Raw<'a>>,
}

impl<'a> Line<'a> {
    /// The failure that it is, if it is one.
    fn failure(&self) -> Option<Failure> {
        let error = self.error.as_ref().filter(|error| !error.is_null())?;
        let text = error.as_str();
        Some(error::from_text(text.as_deref().unwrap_or_else(|| error.get())))
    }

    fn finish(&self, calls: bool) -> &'static str {
        match self.done_reason.as_deref() {
            Some("length") => "length",
            _ if calls => "tool_calls",
            // "stop", "load" of a model that had nothing to say, and whatever is new.
            _ => "stop",
        }
    }

    /// OpenAI's `usage`, and Ollama's own durations in nanoseconds beside it. `None` if nothing was counted. A prompt that was read
    /// from the cache whole is not counted by some versions.
    fn usage(&self) -> Option<Usage<'a>> {
        self.prompt_eval_count.or(self.eval_count)?;
        let usage = Usage::new(self.prompt_eval_count.unwrap_or(0), self.eval_count.unwrap_or(0));
        let durations = [
            ("total_duration", &self.total_duration),
            ("load_duration", &self.load_duration),
            ("prompt_eval_duration", &self.prompt_eval_duration),
            ("eval_duration", &self.eval_duration),
        ];
        let known = durations
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.clone()?)));
        Some(known.fold(usage, |usage, (key, value)| usage.with(key, value)))
    }
}

impl Call<'_> {
    fn id(&self, ctx: &Context) -> String {
        let id = self.id.as_deref().filter(|id| !id.is_empty());
        id.map_or_else(|| ctx.id("call_"), str::to_owned)
    }

    /// The arguments' JSON text. Some servers of this API send that, in a string, in place of the object.
    fn arguments(&self) -> Cow<'_, str> {
        let arguments = self.function.arguments.as_ref().map_or("null", Raw::get);
        let text = string(arguments).unwrap_or(Cow::Borrowed(arguments));
        match &*text {
            "" | "null" => Cow::Borrowed("{}"),
            _ => text,
        }
    }
}

fn unreadable(text: &str) -> Failure {
    Failure::new(Kind::Upstream, "The provider's answer is none of Ollama's.").upstream_text(text)
}

/// The client's answer.
pub(crate) fn whole(ctx: &Context, reply: &Response) -> Result<Step> {
    let body = reply.text()?;
    let line: Line<'_> = serde_json::from_str(body).map_err(|_| unreadable(body).status(reply.status()))?;
    if let Some(failure) = line.failure() {
        return Err(failure.status(reply.status()));
    }
    let said = line
        .message
        .as_ref()
        .ok_or_else(|| unreadable(body).status(reply.status()))?;
    let calls = said.tool_calls.as_deref().unwrap_or_default();
    let text = said.content.as_deref().unwrap_or_default();
    let call = |call: &Call<'_>| {
        ToolCall::new(
            call.id(ctx),
            call.function.name.as_str().to_owned(),
            call.arguments().into_owned(),
        )
    };
    let mut message = Message::answer(text, calls.iter().map(call).collect());
    message.reasoning_content = said.thinking.clone().filter(|text| !text.is_empty());
    let mut response = ChatResponse::new(message, line.finish(!calls.is_empty()));
    if let (Some(list), Some(choice)) = (&line.logprobs, response.choices.first_mut()) {
        choice.logprobs = logprobs(list);
    }
    response.usage = line.usage();
    Step::done(&response)
}

fn logprobs(list: &Raw<'_>) -> Option<Raw<'static>> {
    Raw::of(&witgate_sdk::json!({"content": list.parse::<serde_json::Value>().ok()?, "refusal": null})).ok()
}

/// The state of one stream.
#[derive(Debug)]
pub struct Lines {
    ctx: Context,
    begun: bool,
    calls: u64,
}

impl Lines {
    /// The stream of this call.
    #[must_use]
    pub fn new(ctx: &Context) -> Self {
        Self {
            ctx: ctx.clone(),
            begun: false,
            calls: 0,
        }
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Chunks) -> Flow {
        if !self.begun {
            self.begun = true;
            out.role();
        }
        if let Some(said) = &line.message {
            push(said.thinking.as_deref(), |thoughts| out.reasoning(thoughts));
            match line.logprobs.as_ref().and_then(logprobs) {
                Some(logprobs) => out.push(&likely(said, logprobs)),
                None => push(said.content.as_deref(), |text| out.content(text)),
            }
            for call in said.tool_calls.iter().flatten() {
                out.tool_call(self.calls, &call.id(&self.ctx), &call.function.name, &call.arguments());
                self.calls += 1;
            }
        }
        if line.done != Some(true) {
            return Flow::More;
        }
        out.finish(line.finish(self.calls > 0));
        if let Some(usage) = line.usage() {
            out.usage(&usage);
        }
        Flow::Ended
    }
}

fn push(text: Option<&str>, push: impl FnOnce(&str)) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        push(text);
    }
}

/// More text, with its likelihood.
fn likely<'a>(said: &'a Said<'_>, logprobs: Raw<'a>) -> ChatChunk<'a> {
    let delta = Delta {
        content: said.content.as_ref().map(Str::reborrow),
        ..Delta::default()
    };
    let choice = ChunkChoice {
        delta,
        logprobs: Some(logprobs),
        ..ChunkChoice::default()
    };
    ChatChunk {
        choices: vec![choice],
        ..ChatChunk::default()
    }
}

impl Decoder for Lines {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        let text = frame.text()?;
        let line: Line<'_> = serde_json::from_str(text).map_err(|_| unreadable(text))?;
        match line.failure() {
            Some(failure) => Err(failure),
            None => Ok(self.line(&line, out)),
        }
    }
}
