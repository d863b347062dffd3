//! What the way back has to know of a request: the fields that a response repeats, and what its tools were called before they became
//! functions.

use std::collections::HashMap;

use crate::{
    call::Call,
    dialect::{
        Taker,
        json::{push_member, quoted},
    },
};

/// What the way back needs of a request.
#[derive(Clone, Debug)]
pub struct Memo {
    /// The request's id, of which the response gets its own.
    pub(super) id: String,
    /// The provider's id: what is sealed is sealed for it.
    pub(super) provider: String,
    /// As the client wrote it: for answers that do not name their model.
    pub(super) model: String,
    /// The fields of a response that repeat the request, without braces.
    pub(super) echo: String,
    /// The tools that are no plain functions, by the name of the function that stands for them.
    pub(super) tools: HashMap<String, Tool>,
    /// The client asked for log probabilities.
    pub(super) logprobs: bool,
}

/// A tool that a function stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tool {
    /// What it is.
    pub(super) kind: ToolKind,
    /// Its own name.
    pub(super) name: String,
    /// The group it stands in.
    pub(super) namespace: Option<String>,
}

/// What a tool is to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToolKind {
    /// A function: arguments in JSON.
    Function,
    /// A custom tool: its input is text.
    Custom,
    /// A shell on the client's machine.
    LocalShell,
}

/// The fields of a response that repeat the request, in OpenAI's order, and what they are when the client left them out.
const ECHO: [(&str, &str); 17] = [
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "null"),
    ("user", "null"),
];

impl Memo {
    /// Remembers what a response repeats of a request.
    pub(super) fn of(call: &Call, taker: Taker<'_>) -> Self {
        let mut echo = String::with_capacity(512);
        for (key, default) in ECHO {
            push_member(&mut echo, key, call.field(key).unwrap_or(default));
        }
        // What it really was: there is no storage, and nothing is cut off.
        push_member(&mut echo, "store", "false");
        push_member(&mut echo, "truncation", "\"disabled\"");
        Self {
            id: call.id.clone(),
            provider: taker.provider.to_owned(),
            model: call.model.clone(),
            echo,
            tools: HashMap::new(),
            logprobs: false,
        }
    }
}

/// A response, but for what the memo knows. Texts are JSON.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) id: &'a str,
    pub(super) created_at: &'a str,
    pub(super) model: &'a str,
    /// A word: "in_progress", "completed", …
    pub(super) status: &'a str,
    /// Why it is incomplete: a word.
    pub(super) incomplete: Option<&'a str>,
    pub(super) error: Option<&'a str>,
    pub(super) service_tier: Option<&'a str>,
    pub(super) usage: Option<&'a str>,
    /// The items, without brackets.
    pub(super) output: &'a str,
}

impl Envelope<'_> {
    /// The response as JSON.
    pub(super) fn to_json(&self, memo: &Memo) -> String {
        let mut out = String::with_capacity(memo.echo.len() + self.output.len() + 512);
        out.push('{');
        push_member(&mut out, "id", self.id);
        push_member(&mut out, "object", "\"response\"");
        push_member(&mut out, "created_at", self.created_at);
        push_member(&mut out, "status", &quoted(self.status));
        push_member(&mut out, "error", self.error.unwrap_or("null"));
        let incomplete = self
            .incomplete
            .map(|reason| ["{\"reason\":", &quoted(reason), "}"].concat());
        push_member(&mut out, "incomplete_details", incomplete.as_deref().unwrap_or("null"));
        push_member(&mut out, "model", self.model);
        push_member(&mut out, "output", "[");
        out.push_str(self.output);
        out.push_str("],");
        out.push_str(&memo.echo);
        push_member(&mut out, "service_tier", self.service_tier.unwrap_or("null"));
        push_member(&mut out, "usage", self.usage.unwrap_or("null"));
        out.push('}');
        out
    }
}
