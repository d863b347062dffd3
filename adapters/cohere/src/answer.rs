//! What an answer is made of, whole or streamed: usage, citations, log-probabilities and why it ended.

use serde::Deserialize;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::Usage;
use witgate_sdk::{Failure, Kind, json};

/// Cohere's `usage`.
#[derive(Deserialize)]
pub(crate) struct Counts<'a> {
    #[serde(borrow)]
    billed_units: Option<Raw<'a>>,
    tokens: Option<Tokens>,
    cached_tokens: Option<f64>,
}

/// What was counted; Cohere writes these as floating point numbers.
#[derive(Clone, Copy, Default, Deserialize)]
struct Tokens {
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
    reasoning_tokens: Option<f64>,
    image_tokens: Option<f64>,
}

impl<'a> Counts<'a> {
    /// The same in OpenAI's terms. What is billed is less than what the model reads, and is kept under its own name.
    pub(crate) fn usage(&self) -> Usage<'a> {
        let billed: Tokens = self
            .billed_units
            .as_ref()
            .and_then(|raw| raw.parse().ok())
            .unwrap_or_default();
        let real = self.tokens.unwrap_or_default();
        let input = real.input_tokens.or(billed.input_tokens);
        let output = real.output_tokens.or(billed.output_tokens);
        let mut usage = Usage::new(whole(input), whole(output)).cached(whole(self.cached_tokens));
        if let Some(tokens) = real.reasoning_tokens {
            usage = usage.reasoning(whole(Some(tokens)));
        }
        if let (Some(tokens), Some(details)) = (real.image_tokens, &mut usage.prompt_tokens_details)
            && let Ok(tokens) = Raw::of(&whole(Some(tokens)))
        {
            details.rest.push("image_tokens", tokens);
        }
        match &self.billed_units {
            Some(billed) => usage.with("billed_units", billed.clone()),
            None => usage,
        }
    }
}

/// A count; `as` saturates, so an absurd one becomes the largest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturating is what is wanted"
)]
fn whole(count: Option<f64>) -> u64 {
    count.unwrap_or_default() as u64
}

/// OpenAI's word for why an answer ended, or what went wrong instead. `calls`: it holds tool calls.
pub(crate) fn finish(reason: Option<&str>, calls: bool) -> Result<&'static str, Failure> {
    match reason {
        Some("MAX_TOKENS" | "ERROR_LIMIT") => Ok("length"),
        Some("ERROR_TOXIC") => Ok("content_filter"),
        Some("TIMEOUT") => Err(broken(Kind::Timeout, "The provider took too long for its answer.")),
        Some("ERROR") => Err(broken(
            Kind::Upstream,
            "The provider broke its answer off with an error.",
        )),
        _ if calls => Ok("tool_calls"),
        // A stop sequence, and whatever is new: the answer stands as it is.
        _ => Ok("stop"),
    }
}

/// An error inside an answer.
pub(crate) fn broken(kind: Kind, message: &str) -> Failure {
    Failure::new(kind, message)
}

#[derive(Deserialize)]
struct Citation<'a> {
    start: Option<u64>,
    end: Option<u64>,
    #[serde(borrow)]
    sources: Option<Vec<Source<'a>>>,
}

#[derive(Deserialize)]
struct Source<'a> {
    #[serde(borrow)]
    document: Option<Document<'a>>,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    url: Option<Str<'a>>,
    #[serde(borrow)]
    title: Option<Str<'a>>,
}

/// OpenAI's annotations for one of Cohere's citations: those of its sources that have an address.
pub(crate) fn annotations(citation: &Raw<'_>) -> Vec<serde_json::Value> {
    let Ok(citation) = citation.parse::<Citation<'_>>() else {
        return Vec::new();
    };
    let documents = citation
        .sources
        .iter()
        .flatten()
        .filter_map(|source| source.document.as_ref());
    let annotation = |document: &Document<'_>| {
        let url = document.url.as_deref()?;
        let title = document.title.as_deref().unwrap_or_default();
        Some(json!({"type": "url_citation", "url_citation":
            {"url": url, "title": title, "start_index": citation.start, "end_index": citation.end}}))
    };
    documents.filter_map(annotation).collect()
}

#[derive(Deserialize)]
struct Likelihood<'a> {
    #[serde(borrow)]
    text: Option<Str<'a>>,
    logprobs: Option<Vec<f64>>,
}

/// OpenAI's `logprobs` of Cohere's: one entry or a list. A piece of text is one token here, its tokens' likelihoods multiplied.
pub(crate) fn logprobs(given: &Raw<'_>) -> Option<Raw<'static>> {
    let list: Vec<Likelihood<'_>> = given.parse().or_else(|_| given.parse().map(|one| vec![one])).ok()?;
    let entry = |piece: &Likelihood<'_>| {
        let token = piece.text.as_deref().unwrap_or_default();
        let logprob: f64 = piece.logprobs.iter().flatten().sum();
        json!({"token": token, "logprob": logprob, "bytes": token.as_bytes(), "top_logprobs": []})
    };
    let content: Vec<serde_json::Value> = list.iter().map(entry).collect();
    (!content.is_empty()).then(|| Raw::of(&json!({"content": content, "refusal": null})).ok())?
}
