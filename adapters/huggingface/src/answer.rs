//! What a reply says, whole or as the last event of a stream, in the shape that the operation fixes.

use serde::Deserialize;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{ChatChunk, ChatResponse, ChunkChoice, CompletionChoice, CompletionResponse, Delta, Usage};
use witgate_sdk::{Chunks, Context, Failure, Kind, Response, Result, Step, json};

use crate::error;
use crate::request::State;
use crate::stops;

/// A generated text: the reply is one, or a list of one.
#[derive(Deserialize)]
struct Generated<'a> {
    #[serde(borrow)]
    generated_text: Str<'a>,
    #[serde(borrow)]
    details: Option<Details<'a>>,
}

/// What is known of it.
#[derive(Default, Deserialize)]
pub(crate) struct Details<'a> {
    #[serde(borrow)]
    pub(crate) finish_reason: Option<Str<'a>>,
    generated_tokens: Option<u64>,
    /// of the prompt, in newer versions' streams
    input_length: Option<u64>,
    /// the prompt's tokens, if they were asked for
    #[serde(borrow)]
    prefill: Option<Vec<Raw<'a>>>,
    #[serde(borrow)]
    tokens: Option<Vec<Token<'a>>>,
    #[serde(borrow)]
    top_tokens: Option<Vec<Vec<Token<'a>>>>,
}

/// A token of the answer.
#[derive(Deserialize)]
pub(crate) struct Token<'a> {
    #[serde(borrow)]
    pub(crate) text: Str<'a>,
    logprob: Option<f64>,
    /// it means something to the model only
    special: Option<bool>,
}

impl Token<'_> {
    /// Is it part of the text? Those that only mean something to the model are not.
    pub(crate) fn is_text(&self) -> bool {
        self.special != Some(true)
    }
}

impl Details<'_> {
    /// OpenAI's word for why it ended.
    pub(crate) fn finish(&self) -> &'static str {
        match self.finish_reason.as_deref() {
            Some("length") => "length",
            // The end of the text, a stop sequence, and what is new or not said.
            _ => "stop",
        }
    }

    /// The answer ended at a text that was to end it.
    pub(crate) fn met_stop(&self) -> bool {
        self.finish_reason.as_deref() == Some("stop_sequence")
    }

    /// What was used, if it was counted. `prompt`: what the reply's head says of the prompt.
    pub(crate) fn usage(&self, prompt: Option<u64>) -> Option<Usage<'static>> {
        let listed = self.prefill.as_ref().map(Vec::len).filter(|listed| *listed > 0);
        let listed = listed.map(|listed| listed as u64);
        let prompt = self.input_length.or(listed).or(prompt);
        self.generated_tokens
            .map(|tokens| Usage::new(prompt.unwrap_or(0), tokens))
    }
}

/// OpenAI's `logprobs` of a token, `top` being those that might have been.
fn entry(token: &Token<'_>) -> serde_json::Value {
    json!({"token": token.text, "logprob": token.logprob.unwrap_or(0.0), "bytes": token.text.as_bytes(), "top_logprobs": []})
}

/// OpenAI's `logprobs` of these tokens.
pub(crate) fn logprobs(tokens: &[(&Token<'_>, &[Token<'_>])]) -> Option<Raw<'static>> {
    let content: Vec<serde_json::Value> = tokens
        .iter()
        .filter(|(token, _)| token.is_text())
        .map(|(token, top)| {
            let mut chosen = entry(token);
            let likely = |token: &Token<'_>| {
                let mut likely = entry(token);
                likely.as_object_mut().map(|fields| fields.remove("top_logprobs"));
                likely
            };
            chosen["top_logprobs"] = top.iter().map(likely).collect();
            chosen
        })
        .collect();
    (!content.is_empty()).then(|| Raw::of(&json!({"content": content, "refusal": null})).ok())?
}

/// The client's answer.
pub(crate) fn whole(ctx: &Context, reply: &Response) -> Result<Step> {
    let state: State = serde_json::from_str(reply.state()).unwrap_or_default();
    let body = reply.text()?;
    let generated = match serde_json::from_str::<Vec<Generated<'_>>>(body) {
        Ok(list) => list.into_iter().next(),
        Err(_) => serde_json::from_str(body).ok(),
    };
    let Some(generated) = generated else {
        return Err(error::in_answer(reply));
    };
    let details = generated.details.unwrap_or_default();
    let mut text = generated.generated_text.into_string();
    if details.met_stop() {
        stops::cut(&mut text, &state.stops);
    }
    let usage = details.usage(reply.header("x-prompt-tokens").and_then(|count| count.parse().ok()));
    let tops = details.top_tokens.iter().flatten().map(Vec::as_slice);
    let tops = tops.chain(std::iter::repeat(&[][..]));
    let tokens: Vec<_> = details.tokens.iter().flatten().zip(tops).collect();
    let logprobs = state.logprobs.then(|| logprobs(&tokens)).flatten();
    if ctx.operation() == "completions" {
        let mut answer = completion(text.into(), Some(details.finish()), usage);
        if let Some(choice) = answer.choices.first_mut() {
            choice.logprobs = logprobs;
        }
        return Step::done(&answer);
    }
    let mut answer = ChatResponse::text(text, details.finish());
    answer.usage = usage;
    if let Some(choice) = answer.choices.first_mut() {
        choice.logprobs = logprobs;
    }
    Step::done(&answer)
}

/// A completion, or a chunk of one.
fn completion<'a>(text: Str<'a>, finish: Option<&'a str>, usage: Option<Usage<'a>>) -> CompletionResponse<'a> {
    let choice = CompletionChoice {
        text,
        finish_reason: finish.map(Str::from),
        ..CompletionChoice::default()
    };
    CompletionResponse {
        choices: vec![choice],
        usage,
        ..CompletionResponse::default()
    }
}

/// The chunks of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Chat,
    Completion,
}

impl Shape {
    /// The shape that the call's operation fixes.
    pub(crate) fn of(ctx: &Context) -> Self {
        if ctx.operation() == "completions" {
            Self::Completion
        } else {
            Self::Chat
        }
    }

    /// The answer begins.
    pub(crate) fn begin(self, out: &mut Chunks) {
        if self == Self::Chat {
            out.role();
        }
    }

    /// More text, with its likelihood.
    pub(crate) fn text(self, text: &str, logprobs: Option<Raw<'_>>, out: &mut Chunks) {
        match (self, logprobs) {
            (_, None) if text.is_empty() => {}
            (Self::Chat, None) => out.content(text),
            (Self::Chat, logprobs) => {
                let delta = Delta {
                    content: Some(text.into()),
                    ..Delta::default()
                };
                let choice = ChunkChoice {
                    delta,
                    logprobs,
                    ..ChunkChoice::default()
                };
                out.push(&ChatChunk {
                    choices: vec![choice],
                    ..ChatChunk::default()
                });
            }
            (Self::Completion, logprobs) => {
                let mut chunk = completion(text.into(), None, None);
                if let Some(choice) = chunk.choices.first_mut() {
                    choice.logprobs = logprobs;
                }
                out.push(&chunk);
            }
        }
    }

    /// Why it ended, and what was used.
    pub(crate) fn end(self, finish: &str, usage: Option<Usage<'_>>, out: &mut Chunks) {
        match self {
            Self::Chat => {
                out.finish(finish);
                if let Some(usage) = usage {
                    out.usage(&usage);
                }
            }
            Self::Completion => out.push(&completion(Str::default(), Some(finish), usage)),
        }
    }
}

/// A reply that is none of TGI's.
pub(crate) fn unreadable(status: u16, text: &str) -> Failure {
    Failure::new(Kind::Upstream, "The provider's answer is no generated text.")
        .status(status)
        .upstream_text(text)
}
