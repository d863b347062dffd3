//! Gemini's answer as it comes, whole or in events: what each is read into, and what is remembered of a candidate.

mod arguments;
mod citations;
mod logprobs;
mod part;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{push_comma, push_field, push_string};
use crate::kept::Kept;
use crate::stop::Stop;
use crate::usage::Counts;

pub(crate) use logprobs::logprobs;
use part::Begun;
pub(crate) use part::{OWN_ID, Part, Piece};

/// The key that sources are handed on with.
const GROUNDING: &str = "grounding_metadata";

/// A `GenerateContentResponse`: a whole answer, or one event of a stream.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reply<'a> {
    #[serde(borrow)]
    pub(crate) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow)]
    pub(crate) prompt_feedback: Option<Feedback<'a>>,
    pub(crate) usage_metadata: Option<Counts>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// What was thought of the prompt.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Feedback<'a> {
    #[serde(borrow)]
    block_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    block_reason_message: Option<&'a RawValue>,
}

/// One of the answers, or a piece of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Candidate<'a> {
    pub(crate) index: Option<u64>,
    #[serde(borrow)]
    content: Option<Content<'a>>,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    finish_message: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) logprobs_result: Option<&'a RawValue>,
    #[serde(borrow)]
    grounding_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    citation_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    url_context_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    safety_ratings: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    parts: Option<Vec<&'a RawValue>>,
}

impl Reply<'_> {
    /// Reads an answer, or a list of the events of one; `None` if it is neither, or tells of an error.
    pub(crate) fn parse(text: &str) -> Option<Vec<Reply<'_>>> {
        let text = text.trim_start();
        let replies: Vec<Reply<'_>> = if text.starts_with('[') {
            serde_json::from_str(text).ok()?
        } else {
            vec![serde_json::from_str(text).ok()?]
        };
        replies.iter().all(|reply| reply.error.is_none()).then_some(replies)
    }

    /// How the answer ended if the prompt was refused.
    pub(crate) fn blocked(&self) -> Option<Stop> {
        let feedback = self.prompt_feedback.as_ref()?;
        Some(Stop::blocked(feedback.block_reason?, feedback.block_reason_message))
    }
}

impl<'a> Candidate<'a> {
    /// The parts of this piece.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &'a RawValue> {
        let parts = self.content.as_ref().and_then(|content| content.parts.as_ref());
        parts.into_iter().flatten().copied()
    }
}

/// What is remembered of one candidate, whether its answer is streamed or not.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// its number
    pub(crate) index: u64,
    /// calls so far
    pub(crate) calls: u64,
    pub(crate) kept: Kept,
    pub(crate) stop: Stop,
    /// a call of which more is to come
    begun: Option<Begun>,
    /// what is handed on as it is: key and JSON text
    further: Vec<(&'static str, String)>,
}

impl Choice {
    /// The candidate of this number.
    pub(crate) fn new(index: u64) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }

    /// Takes in all of a candidate but its parts.
    pub(crate) fn update(&mut self, candidate: &Candidate<'_>) {
        self.stop.update(candidate.finish_reason, candidate.finish_message);
        self.keep(GROUNDING, candidate.grounding_metadata);
        self.keep("citation_metadata", candidate.citation_metadata);
        self.keep("url_context_metadata", candidate.url_context_metadata);
        self.keep("safety_ratings", candidate.safety_ratings);
    }

    /// Keeps the last that says something: many a stream ends with empty ones.
    fn keep(&mut self, key: &'static str, value: Option<&RawValue>) {
        let Some(value) = value.map(RawValue::get).filter(|text| !matches!(*text, "{}" | "[]")) else {
            return;
        };
        match self.further.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => value.clone_into(old),
            None => self.further.push((key, value.to_owned())),
        }
    }

    /// Writes the fields of a message, or of a last delta, that are only known at the end.
    pub(crate) fn push_last(&self, out: &mut String) {
        if let Some(refusal) = self.stop.refusal() {
            push_comma(out);
            out.push_str("\"refusal\":");
            push_string(out, refusal);
        }
        let grounding = self.further.iter().find(|(key, _)| *key == GROUNDING);
        let annotations = grounding.and_then(|(_, found)| citations::annotations(found, &self.kept.parts()));
        if let Some(annotations) = annotations {
            push_field(out, "annotations", &annotations);
        }
        if let Some(extra) = self.kept.extra_content() {
            push_field(out, "extra_content", &extra);
        }
    }

    /// Writes the fields beside the message: why it ended, and what Gemini says of it.
    pub(crate) fn push_end(&self, out: &mut String) {
        self.stop.push(out, self.calls > 0);
        for (key, value) in &self.further {
            push_field(out, key, value);
        }
    }
}
