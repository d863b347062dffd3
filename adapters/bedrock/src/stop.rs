//! Why an answer ended: `stopReason` in OpenAI's words; and what Bedrock says beside the message.

use serde_json::value::RawValue;

use crate::json::{push_field, push_string};

/// How a message ended.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    reason: Option<String>,
    /// what is handed on as it is: key and JSON text
    further: Vec<(&'static str, String)>,
}

impl Stop {
    /// Takes in why it ended.
    pub(crate) fn update(&mut self, reason: Option<&str>) {
        if let Some(reason) = reason {
            self.reason = Some(reason.to_owned());
        }
    }

    /// Takes in what is handed on: a guardrail's findings, fields of the model's own.
    pub(crate) fn keep(&mut self, key: &'static str, value: Option<&RawValue>) {
        if let Some(value) = value.map(RawValue::get).filter(|text| !matches!(*text, "null" | "{}")) {
            self.further.push((key, value.to_owned()));
        }
    }

    /// The provider has said how it ended.
    pub(crate) fn known(&self) -> bool {
        self.reason.is_some()
    }

    /// Writes `finish_reason` and, where that says less than the provider did, the provider's own words. `calls`: the answer holds
    /// tool calls for the client.
    pub(crate) fn push(&self, out: &mut String, calls: bool) {
        let unsaid = if calls { "tool_use" } else { "end_turn" };
        let native = self.reason.as_deref().unwrap_or(unsaid);
        let finish = match native {
            "tool_use" if calls => "tool_calls",
            "max_tokens" | "model_context_window_exceeded" => "length",
            "guardrail_intervened" | "content_filtered" => "content_filter",
            // A stop sequence, a call that the model broke, and whatever is new: the answer stands as it is.
            _ => "stop",
        };
        push_field(out, "finish_reason", &["\"", finish, "\""].concat());
        if !matches!(native, "end_turn" | "tool_use" | "max_tokens") {
            out.push_str(",\"native_finish_reason\":");
            push_string(out, native);
        }
        for (key, value) in &self.further {
            push_field(out, key, value);
        }
    }
}
