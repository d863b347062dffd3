//! Why an answer ended: a chat's words in this API's.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Memo;
use crate::dialect::json::push_member;

/// What a choice says of its end.
#[derive(Debug, Default, Deserialize)]
pub(super) struct End<'a> {
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    native_finish_reason: Option<&'a RawValue>,
    /// The stop sequence that was met, where an adapter says so.
    #[serde(borrow)]
    stop_sequence: Option<&'a RawValue>,
    /// The same, where vLLM says so.
    #[serde(borrow)]
    stop_reason: Option<&'a RawValue>,
}

/// How a message ended, in this API's words.
#[derive(Debug, Default)]
pub(super) struct Stop {
    reason: Option<&'static str>,
    /// A JSON string.
    sequence: Option<String>,
}

impl Stop {
    /// Takes in what a choice says.
    pub(super) fn update(&mut self, end: &End<'_>, memo: &Memo) {
        let Some(finish) = end.finish_reason.as_deref() else {
            return;
        };
        let native = end.native_finish_reason.map_or("", RawValue::get);
        self.reason = Some(match (finish, native) {
            ("length", "\"model_context_window_exceeded\"") => "model_context_window_exceeded",
            ("length", _) => "max_tokens",
            ("tool_calls" | "function_call", _) => "tool_use",
            ("content_filter", _) => "refusal",
            ("stop", "\"pause_turn\"") => "pause_turn",
            // Bedrock says that one was met, and not which.
            ("stop", "\"stop_sequence\"") if !memo.stops.is_empty() => "stop_sequence",
            _ => "end_turn",
        });
        let met = [end.stop_sequence, end.stop_reason]
            .into_iter()
            .flatten()
            .map(RawValue::get);
        let known = |text: &&str| serde_json::from_str::<String>(text).is_ok_and(|text| memo.stops.contains(&text));
        self.sequence = met.into_iter().find(known).map(str::to_owned);
        match &memo.stops[..] {
            _ if self.sequence.is_some() => self.reason = Some("stop_sequence"),
            [only] if self.reason == Some("stop_sequence") => self.sequence = serde_json::to_string(only).ok(),
            _ => {}
        }
    }

    /// True if the answer came to its own end.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.reason, None | Some("end_turn" | "stop_sequence"))
    }

    /// Adds `stop_reason` and `stop_sequence`. `calls`: there are calls of tools, which some servers say nothing of.
    pub(super) fn push(&self, out: &mut String, calls: bool) {
        let reason = match self.reason {
            None | Some("end_turn") if calls => "tool_use",
            reason => reason.unwrap_or("end_turn"),
        };
        push_member(out, "stop_reason", &format!("\"{reason}\""));
        push_member(out, "stop_sequence", self.sequence.as_deref().unwrap_or("null"));
    }
}
