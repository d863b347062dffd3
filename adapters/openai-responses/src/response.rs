//! A whole answer: a response to a `chat.completion`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::{Failure, Kind, Result};

use crate::declared::Declared;
use crate::error;
use crate::json::{push_comma, push_field};
use crate::output::{Output, Said};
use crate::read;
use crate::usage::{self, Counts, ToolUsage};

/// A response, read as far as the translation looks at it: what a whole answer is, and what the last event of a stream tells.
#[derive(Default, Deserialize)]
pub(crate) struct Response<'a> {
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) output: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    incomplete_details: Option<Details<'a>>,
    usage: Option<Counts>,
    tool_usage: Option<ToolUsage>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

impl<'a> Response<'a> {
    /// Reads the response of a stream's last event, whose kind says how it ended if the response itself does not.
    pub(crate) fn ended(kind: &'a str, text: &'a str) -> Option<Self> {
        let mut response: Self = read::object(text)?;
        response.status = response
            .status
            .or_else(|| kind.strip_prefix("response.").map(Cow::Borrowed));
        Some(response)
    }

    /// Why the answer ended, in OpenAI's word; the failure if it did not end well. `calls`: it has calls of the client's tools.
    pub(crate) fn finish(&self, calls: bool, status: u16) -> Result<&'static str> {
        match self.status.as_deref() {
            Some("failed") => Err(error::told(self.error.map_or("{}", RawValue::get), status)),
            Some(word @ ("cancelled" | "queued" | "in_progress")) => {
                let text = format!("The provider gave no answer: its response is {word}.");
                Err(Failure::new(Kind::Upstream, text).status(status))
            }
            Some("incomplete") => {
                let reason = self
                    .incomplete_details
                    .as_ref()
                    .and_then(|details| details.reason.as_deref());
                Ok(if reason == Some("content_filter") {
                    "content_filter"
                } else {
                    "length"
                })
            }
            _ if calls => Ok("tool_calls"),
            _ => Ok("stop"),
        }
    }

    /// `usage`, as a chat has it.
    pub(crate) fn usage(&self) -> Option<String> {
        usage::to_json(self.usage?, self.tool_usage)
    }

    /// Writes what a chat's answer has beside its choices and its usage.
    pub(crate) fn push_tier(&self, out: &mut String) {
        if let Some(tier) = self.service_tier.filter(|tier| tier.get().starts_with('"')) {
            push_field(out, "service_tier", tier.get());
        }
    }
}

/// The message as it grows. Texts are pieces of JSON strings: still escaped, without their quotes.
#[derive(Default)]
struct Message {
    text: String,
    refusal: String,
    logprobs: String,
    thoughts: String,
    calls: String,
    images: String,
}

/// The answer's JSON text, or `None` if `body` is no response.
pub(crate) fn translate(body: &str, status: u16, declared: Declared) -> Result<Option<String>> {
    let Some(response) = read::object::<Response<'_>>(body) else {
        return Ok(None);
    };
    let Some(items) = &response.output else {
        return Ok(None);
    };
    let (mut message, mut output) = (Message::default(), Output::of(declared));
    for raw in items {
        message.add(output.add(raw.get()));
    }
    let reason = response.finish(output.calls > 0, status)?;
    let mut out = String::with_capacity(body.len() + 256);
    out.push_str("{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"");
    message.push(&mut out);
    output.push_last(&mut out);
    out.push('}');
    if !message.logprobs.is_empty() {
        let content = ["{\"content\":[", &message.logprobs, "],\"refusal\":null}"].concat();
        push_field(&mut out, "logprobs", &content);
    }
    for piece in [",\"finish_reason\":\"", reason, "\"}]"] {
        out.push_str(piece);
    }
    response.push_tier(&mut out);
    if let Some(usage) = response.usage() {
        push_field(&mut out, "usage", &usage);
    }
    out.push('}');
    Ok(Some(out))
}

impl Message {
    fn add(&mut self, said: Said<'_>) {
        match said {
            Said::Message {
                text,
                refusal,
                logprobs,
            } => {
                self.text.push_str(&text);
                self.refusal.push_str(&refusal);
                if !logprobs.is_empty() {
                    push_comma(&mut self.logprobs);
                    self.logprobs.push_str(&logprobs);
                }
            }
            Said::Thoughts(text) => {
                if !self.thoughts.is_empty() && !text.is_empty() {
                    self.thoughts.push_str("\\n\\n");
                }
                self.thoughts.push_str(&text);
            }
            Said::Call(call) => {
                push_comma(&mut self.calls);
                for piece in ["{", &call.fields(call.body), "}"] {
                    self.calls.push_str(piece);
                }
            }
            Said::Image(image) => {
                push_comma(&mut self.images);
                self.images.push_str(&image);
            }
            Said::Nothing => {}
        }
    }

    fn push(&self, out: &mut String) {
        let says_nothing = self.text.is_empty() && (!self.calls.is_empty() || !self.refusal.is_empty());
        match says_nothing {
            true => push_field(out, "content", "null"),
            false => push_text(out, "content", &self.text),
        }
        for (key, text) in [("refusal", &self.refusal), ("reasoning_content", &self.thoughts)] {
            if !text.is_empty() {
                push_text(out, key, text);
            }
        }
        for (key, list) in [("images", &self.images), ("tool_calls", &self.calls)] {
            if !list.is_empty() {
                push_field(out, key, &["[", list, "]"].concat());
            }
        }
    }
}

/// Writes a text that is escaped already.
fn push_text(out: &mut String, key: &str, text: &str) {
    for piece in [",\"", key, "\":\"", text, "\""] {
        out.push_str(piece);
    }
}
