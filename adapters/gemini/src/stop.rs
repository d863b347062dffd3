//! Why an answer ended: Gemini's `finishReason` and `blockReason` in OpenAI's words.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{push_field, push_string, string};

/// Reasons that mean that a filter stepped in.
const FILTERED: [&str; 10] = [
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MODEL_ARMOR",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "JAILBREAK",
];

/// The reasons by number, which some clients ask for instead of words.
const NUMBERED: [&str; 10] = [
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
];

/// How an answer ended.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    reason: Option<String>,
    message: Option<String>,
    blocked: bool,
}

impl Stop {
    /// Takes in what a candidate says; a later reason replaces an earlier one, if it is one.
    pub(crate) fn update(&mut self, reason: Option<&RawValue>, message: Option<&RawValue>) {
        if let Some(reason) = reason {
            let number = || reason.get().parse().ok().and_then(|at: usize| NUMBERED.get(at));
            let word = string(reason.get()).or_else(|| number().map(|word| Cow::Borrowed(*word)));
            let word = word.unwrap_or(Cow::Borrowed(reason.get()));
            if word != NUMBERED[0] || self.reason.is_none() {
                self.reason = Some(word.into_owned());
            }
        }
        self.message = message
            .and_then(|text| string(text.get()))
            .map(Cow::into_owned)
            .or_else(|| self.message.take());
    }

    /// The prompt was refused: there is no answer.
    pub(crate) fn blocked(reason: &RawValue, message: Option<&RawValue>) -> Self {
        let mut stop = Self {
            blocked: true,
            ..Self::default()
        };
        stop.update(Some(reason), message);
        stop
    }

    /// The provider has said how it ended.
    pub(crate) fn known(&self) -> bool {
        self.blocked || self.reason.is_some()
    }

    /// What a refusal says of itself, if it says anything.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.message
            .as_deref()
            .filter(|text| self.filtered() && !text.is_empty())
    }

    fn filtered(&self) -> bool {
        self.blocked || self.reason.as_deref().is_some_and(|reason| FILTERED.contains(&reason))
    }

    /// Writes `finish_reason` and, where that says less than the provider did, the provider's own words.
    /// `calls`: the answer holds tool calls for the client.
    pub(crate) fn push(&self, out: &mut String, calls: bool) {
        let native = self.reason.as_deref().unwrap_or("STOP");
        let finish = match native {
            _ if self.filtered() => "content_filter",
            "MAX_TOKENS" => "length",
            // A call that went wrong, and whatever is new: the answer stands as it is.
            _ if calls => "tool_calls",
            _ => "stop",
        };
        push_field(out, "finish_reason", &["\"", finish, "\""].concat());
        if matches!(native, "STOP" | "MAX_TOKENS") {
            return;
        }
        out.push_str(",\"native_finish_reason\":");
        push_string(out, native);
        if let (None, Some(message)) = (self.refusal(), &self.message) {
            out.push_str(",\"finish_message\":");
            push_string(out, message);
        }
    }
}
