//! From a prediction to an answer: the whole one, and the chunk that says what was used.

use serde::Serialize;
use witgate_sdk::{Chunks, json::Raw};

use crate::prediction::Prediction;

/// What a prediction used. Tokens, where the model counts them: a missing count is left out, not made zero.
#[derive(Serialize)]
struct Usage {
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_tokens: Option<u64>,
}

/// What only Replicate has: the prediction's id, and its metrics with the seconds it is billed by.
#[derive(Serialize)]
struct Own<'p> {
    id: &'p str,
    metrics: Raw<'p>,
}

/// Usage and what only Replicate has, beside the `choices` of an answer or of a chunk.
#[derive(Serialize)]
struct Answer<'p, C> {
    choices: C,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicate: Option<Own<'p>>,
}

#[derive(Serialize)]
struct Choice {
    index: u32,
    message: Message,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: String,
}

fn with_accounts<'p, C>(choices: C, prediction: &'p Prediction<'_>) -> Answer<'p, C> {
    let usage = prediction.tokens().map(|tokens| Usage {
        prompt_tokens: tokens.input,
        completion_tokens: tokens.output,
        total_tokens: tokens
            .input
            .zip(tokens.output)
            .map(|(input, output)| input.saturating_add(output)),
    });
    let id = prediction.id.as_deref().unwrap_or_default();
    let replicate = prediction.metrics.map(|metrics| Own {
        id,
        metrics: metrics.into(),
    });
    Answer {
        choices,
        usage,
        replicate,
    }
}

/// The whole answer of a prediction that succeeded.
pub(crate) fn whole(prediction: &Prediction<'_>) -> impl Serialize {
    let message = Message {
        role: "assistant",
        content: prediction.text(),
    };
    with_accounts(
        [Choice {
            index: 0,
            message,
            finish_reason: "stop",
        }],
        prediction,
    )
}

/// More text; the first piece of an answer is preceded by whose it is.
pub(crate) fn more(out: &mut Chunks, text: &str, first: bool) {
    if first {
        out.role();
    }
    out.content(text);
}

/// The end of the text.
pub(crate) fn end(out: &mut Chunks, first: bool) {
    if first {
        out.role();
    }
    out.finish("stop");
}

/// What a prediction used, if it says so.
pub(crate) fn accounts(out: &mut Chunks, prediction: &Prediction<'_>) {
    if prediction.metrics.is_some() {
        out.push(&with_accounts([(); 0], prediction));
    }
}
