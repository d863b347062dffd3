//! What models say that go on with one text, whole or as a piece of a stream. Each maker names the same few things differently; they are
//! told by their names and not by the model.

use serde::Deserialize;
use witgate_sdk::json::Str;
use witgate_sdk::openai::{ChatResponse, Usage};
use witgate_sdk::{Chunks, End, Response, Result, Step};

use super::unreadable;

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

    /// Why it ended, in OpenAI's words; `None` while it has not.
    fn finish(&self) -> Option<&'static str> {
        let part = || self.parts.first().and_then(|part| part.stop_reason.as_ref());
        let completion = || Some(&self.completions.first()?.finish.as_ref()?.reason);
        let native = self.stop_reason.as_ref().or_else(part).or_else(completion)?;
        let guarded = self
            .guardrail
            .as_ref()
            .is_some_and(|action| action.as_str() == "INTERVENED");
        Some(match native.as_str() {
            _ if guarded => "content_filter",
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
    let header = |name: &str| reply.header(name)?.trim().parse().ok();
    let counted = Counted {
        input: header("x-amzn-bedrock-input-token-count"),
        output: header("x-amzn-bedrock-output-token-count"),
    };
    let mut answer = ChatResponse::text(text, said.finish().unwrap_or("stop"));
    answer.usage = counted.with(said.counted()).usage();
    serde_json::to_string(&answer).ok()
}

/// The state of a stream of such pieces.
#[derive(Debug, Default)]
pub(super) struct Texts {
    begun: bool,
    finish: Option<&'static str>,
    counted: Counted,
}

impl Texts {
    pub(super) fn event(&mut self, data: &str, out: &mut Chunks) -> Result<()> {
        let said: Said<'_> = serde_json::from_str(data).map_err(|_| unreadable(data))?;
        if !self.begun {
            self.begun = true;
            out.role();
        }
        if let Some(text) = said.text().filter(|_| said.index.unwrap_or(0) == 0) {
            out.content(text);
        }
        self.finish = said.finish().or(self.finish);
        self.counted = self.counted.with(said.counted());
        Ok(())
    }

    pub(super) fn finish(&self, end: End) -> Result<Step> {
        let mut out = Chunks::new();
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
