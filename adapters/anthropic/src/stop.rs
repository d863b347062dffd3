//! Why an answer ended: Anthropic's `stop_reason` in OpenAI's words.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Object, push_field, push_string};

/// The fields that tell how a message ended: those of a message, or of a `message_delta`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct StopFields<'a> {
    /// "end_turn", …
    pub(crate) stop_reason: Option<String>,
    /// the stop sequence that was met
    #[serde(borrow)]
    pub(crate) stop_sequence: Option<&'a RawValue>,
    /// why an answer was refused
    #[serde(borrow)]
    pub(crate) stop_details: Option<&'a RawValue>,
}

/// How a message ended.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    reason: Option<String>,
    sequence: Option<String>,
    details: Option<String>,
}

impl Stop {
    /// Takes in newer fields; what they leave out stays.
    pub(crate) fn update(&mut self, fields: &StopFields<'_>) {
        if fields.stop_reason.is_some() {
            self.reason.clone_from(&fields.stop_reason);
        }
        let owned = |value: Option<&RawValue>| value.map(|value| value.get().to_owned());
        self.sequence = owned(fields.stop_sequence).or_else(|| self.sequence.take());
        self.details = owned(fields.stop_details).or_else(|| self.details.take());
    }

    /// The provider has said how it ended.
    pub(crate) fn known(&self) -> bool {
        self.reason.is_some()
    }

    /// What a refusal says of itself, if it says anything.
    pub(crate) fn refusal(&self) -> Option<Cow<'_, str>> {
        let details = self
            .details
            .as_deref()
            .filter(|_| self.reason.as_deref() == Some("refusal"))?;
        Object::parse(details)?.text("explanation")
    }

    /// Writes `finish_reason` and, where that says less than the provider did, the provider's own words.
    /// `calls`: the answer holds tool calls for the client.
    pub(crate) fn push(&self, out: &mut String, calls: bool) {
        let unsaid = if calls { "tool_use" } else { "end_turn" };
        let native = self.reason.as_deref().unwrap_or(unsaid);
        let finish = match native {
            "tool_use" if calls => "tool_calls",
            "max_tokens" | "model_context_window_exceeded" => "length",
            // The second is said for hosts that guard their answers.
            "refusal" | "guardrail_intervened" => "content_filter",
            // A paused server tool, a stop sequence, and whatever is new: the answer stands as it is.
            _ => "stop",
        };
        push_field(out, "finish_reason", &format!("\"{finish}\""));
        if !matches!(native, "end_turn" | "tool_use" | "max_tokens") {
            out.push_str(",\"native_finish_reason\":");
            push_string(out, native);
        }
        for (key, value) in [("stop_sequence", &self.sequence), ("stop_details", &self.details)] {
            if let Some(value) = value {
                push_field(out, key, value);
            }
        }
    }
}
