//! What models say that go on with one text, whole or as a piece of a stream. Each maker names the same few things differently; they are
//! told by their names and not by the model.

use serde::Deserialize;
use witgate_sdk::json::Str;
use witgate_sdk::openai::{ChatResponse, Usage};
use witgate_sdk::{Chunks, End, Response, Result, Step};

use super::thought::{self, Thought};
use super::unreadable;

/// The state of a request whose prompt ends inside of a thought, where the answer goes on.
pub(super) const THINKS: &str = "thinks";

/// An answer, or a piece of one.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said<'a> {
    #[serde(borrow, alias = "generation", alias = "outputText", alias = "completion")]
    text: Option<Str<'a>>,
    #[serde(borrow, alias = "finish_reason", alias = "completionReason")]
    stop_reason: Option<Str<'a>>,
    #[serde(
        borrow,
        alias = "outputs",
        alias = "generations",
        alias = "results",
        alias = "choices"
    )]
    parts: Vec<Part<'a>>,
    #[serde(borrow)]
    completions: Vec<Completion<'a>>,
    /// of which answer this is a piece
    index: Option<u64>,
    #[serde(alias = "inputTextTokenCount")]
    prompt_token_count: Option<u64>,
    #[serde(alias = "totalOutputTextTokenCount")]
    generation_token_count: Option<u64>,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<Metrics>,
    #[serde(borrow, rename = "amazon-bedrock-guardrailAction")]
    guardrail: Option<Str<'a>>,
}

/// One answer of several: the first counts.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow, alias = "outputText")]
    text: Option<Str<'a>>,
    #[serde(borrow, alias = "finish_reason", alias = "completionReason")]
    stop_reason: Option<Str<'a>>,
    #[serde(rename = "tokenCount")]
    tokens: Option<u64>,
}

/// AI21's kind of answer.
#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(borrow)]
    data: Part<'a>,
    #[serde(borrow, rename = "finishReason")]
    finish: Option<Finish<'a>>,
}

#[derive(Deserialize)]
struct Finish<'a> {
    #[serde(borrow)]
    reason: Str<'a>,
}

/// What the service counted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    input_token_count: Option<u64>,
    output_token_count: Option<u64>,
}

/// Tokens, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    input: Option<u64>,
    output: Option<u64>,
}

impl Said<'_> {
    fn text(&self) -> Option<&str> {
        let part = || self.parts.first().and_then(|part| part.text.as_ref());
        let completion = || {
            self.completions
                .first()
                .and_then(|completion| completion.data.text.as_ref())
        };
        let text = self.text.as_ref().or_else(part).or_else(completion);
        text.map(Str::as_str)
    }

    /// A guardrail has intervened.
    fn guarded(&self) -> bool {
        let action = self.guardrail.as_ref();
        action.is_some_and(|action| action.as_str() == "INTERVENED")
    }

    /// The words are the guardrail's and nothing that the model thought.
    fn is_the_guardrails(&self) -> bool {
        self.guarded() && self.text().is_some_and(|text| !text.contains(thought::END))
    }

    /// Why it ended, in OpenAI's words; `None` while it has not.
    fn finish(&self) -> Option<&'static str> {
        let part = || self.parts.first().and_then(|part| part.stop_reason.as_ref());
        let completion = || Some(&self.completions.first()?.finish.as_ref()?.reason);
        let native = self.stop_reason.as_ref().or_else(part).or_else(completion)?;
        Some(match native.as_str() {
            _ if self.guarded() => "content_filter",
            "length" | "LENGTH" | "max_tokens" | "MAX_TOKENS" | "ERROR_LIMIT" => "length",
            "CONTENT_FILTERED" | "content_filtered" | "ERROR_TOXIC" | "RAG_QUERY_WHEN_RAG_DISABLED" => "content_filter",
            _ => "stop",
        })
    }

    /// What it tells of tokens: the service's count, else the model's.
    fn counted(&self) -> Counted {
        let metrics = self.metrics.as_ref();
        let part = self.parts.first().and_then(|part| part.tokens);
        Counted {
            input: metrics
                .and_then(|metrics| metrics.input_token_count)
                .or(self.prompt_token_count),
            output: metrics
                .and_then(|metrics| metrics.output_token_count)
                .or(self.generation_token_count)
                .or(part),
        }
    }
}

impl Counted {
    /// With what is known there and not here, or later.
    fn with(self, later: Self) -> Self {
        Self {
            input: later.input.or(self.input),
            output: later.output.or(self.output),
        }
    }

    fn usage(self) -> Option<Usage<'static>> {
        Some(Usage::new(self.input?, self.output?))
    }
}

/// A whole answer; `None` if `body` is none.
pub(super) fn answer(reply: &Response, body: &str) -> Option<String> {
    let said: Said<'_> = serde_json::from_str(body).ok()?;
    let text = said.text()?;
    let finish = said.finish().unwrap_or("stop");
    let mut answer = if reply.state() == THINKS && !said.is_the_guardrails() {
        let mut thought = Thought::default();
        let (mut thoughts, text) = thought.push(text);
        thoughts.push_str(&thought.rest());
        let mut answer = ChatResponse::text(text, finish);
        for choice in answer.choices.iter_mut().filter(|_| !thoughts.is_empty()) {
            choice.message.reasoning_content = Some(thoughts.clone().into());
        }
        answer
    } else {
        ChatResponse::text(text, finish)
    };
    answer.usage = counted(reply).with(said.counted()).usage();
    serde_json::to_string(&answer).ok()
}

/// The usage that a whole reply's headers tell.
pub(super) fn usage(reply: &Response) -> Option<Usage<'static>> {
    counted(reply).usage()
}

fn counted(reply: &Response) -> Counted {
    let header = |name: &str| reply.header(name)?.trim().parse().ok();
    Counted {
        input: header("x-amzn-bedrock-input-token-count"),
        output: header("x-amzn-bedrock-output-token-count"),
    }
}

/// The state of a stream of such pieces.
#[derive(Debug, Default)]
pub(super) struct Texts {
    begun: bool,
    /// the answer begins inside of one
    thought: Option<Thought>,
    finish: Option<&'static str>,
    counted: Counted,
}

impl Texts {
    /// `state`: what the request has left.
    pub(super) fn new(state: &str) -> Self {
        Self {
            thought: (state == THINKS).then(Thought::default),
            ..Self::default()
        }
    }

    pub(super) fn event(&mut self, data: &str, out: &mut Chunks) -> Result<()> {
        let said: Said<'_> = serde_json::from_str(data).map_err(|_| unreadable(data))?;
        if !self.begun {
            self.begun = true;
            out.role();
        }
        if let Some(text) = said.text().filter(|_| said.index.unwrap_or(0) == 0) {
            let (thought, text) = match &mut self.thought {
                Some(thought) if !said.is_the_guardrails() => thought.push(text),
                _ => (String::new(), text.to_owned()),
            };
            push(out, &thought, &text);
        }
        self.finish = said.finish().or(self.finish);
        self.counted = self.counted.with(said.counted());
        Ok(())
    }

    pub(super) fn finish(&mut self, end: End) -> Result<Step> {
        let mut out = Chunks::new();
        if let Some(thought) = &mut self.thought {
            push(&mut out, &thought.rest(), "");
        }
        if !end.is_broken() {
            let Some(reason) = self.finish else {
                return end.complete();
            };
            out.finish(reason);
        }
        if let Some(usage) = self.counted.usage() {
            out.usage(&usage);
        }
        out.end()
    }
}

fn push(out: &mut Chunks, thought: &str, text: &str) {
    if !thought.is_empty() {
        out.reasoning(thought);
    }
    if !text.is_empty() {
        out.content(text);
    }
}
