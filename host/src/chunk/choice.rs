//! One choice of a chunk or an answer: its delta or message, and why it ended.

use std::ops::Range;

use serde_json::Value;

use super::{
    edits::Edits,
    finish::{self, Finish},
    quoted,
    tools::Tools,
};
use crate::{
    call::Operation,
    scan::{Malformed, Scan},
};

/// What is remembered from chunk to chunk.
#[derive(Debug)]
pub(super) struct State {
    chat: bool,
    whole: bool,
    /// The choices that have had their role, a bit each; those past the last bit share it.
    roles: u64,
    tools: Tools,
    /// The choice that ended last, and with which word.
    ended: Option<(u64, Vec<u8>)>,
    /// The strings of the text being read that may say anything and mean nothing here, quotation marks left out, in order.
    pub(super) free: Vec<Range<usize>>,
}

/// What a list of choices had.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How many.
    pub(super) count: usize,
    /// One of them says that the provider failed.
    pub(super) failed: bool,
    /// One of them has a finish reason.
    pub(super) finished: bool,
    /// There is one, and all it says was said before.
    pub(super) repeated: bool,
    /// Where the last of them counts: Moonshot's do.
    pub(super) usage: Option<Range<usize>>,
    /// What it says depends on the chunks before, or changes how those after it are read.
    pub(super) special: bool,
}

/// What a choice had.
#[derive(Debug, Default)]
struct Choice {
    open: usize,
    any: bool,
    index: u64,
    delta: Option<Delta>,
    /// There is a delta, and it is no object.
    void: bool,
    finish: Option<Range<usize>>,
    /// `finishReason`: Gemini's OpenAI surface of 2024 put it there.
    camel: Option<Range<usize>>,
    usage: Option<Range<usize>>,
    failed: bool,
}

/// What a delta, or a message, had.
#[derive(Debug, Default)]
struct Delta {
    open: usize,
    any: bool,
    role: bool,
    /// A role that is null.
    blank: Option<Range<usize>>,
    /// It brings something.
    payload: bool,
    tools: Option<Range<usize>>,
}

impl State {
    /// For chunks.
    pub(super) fn stream(operation: Operation) -> Self {
        Self {
            chat: operation == Operation::Chat,
            whole: false,
            roles: 0,
            tools: Tools::default(),
            ended: None,
            free: Vec::new(),
        }
    }

    /// For a whole answer.
    pub(super) fn whole_answer(operation: Operation) -> Self {
        Self {
            whole: true,
            ..Self::stream(operation)
        }
    }

    /// True for a whole answer.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// True the first time that it is asked for a choice.
    fn first(&mut self, index: u64) -> bool {
        let bit = 1 << index.min(63);
        let first = self.roles & bit == 0;
        self.roles |= bit;
        first
    }

    /// True if a choice that brings nothing ends with the word it ended with before.
    fn repeats(&mut self, choice: &Choice, text: &str) -> bool {
        let word = choice
            .finish
            .clone()
            .and_then(|span| text.get(span))
            .unwrap_or_default();
        let now = (choice.index, word.as_bytes().to_vec());
        let empty = choice.delta.as_ref().is_none_or(|delta| !delta.payload);
        let repeats = self.chat && empty && self.ended.as_ref() == Some(&now);
        self.ended = Some(now);
        repeats
    }
}

impl Choice {
    /// True if what was remembered decides about it: a choice's first role, and its tool calls.
    fn depends(&self, state: &State) -> bool {
        let first = state.roles & (1 << self.index.min(63)) == 0;
        first || self.delta.as_ref().is_some_and(|delta| delta.tools.is_some())
    }

    /// Why it ended. A null beside Gemini's word is none.
    fn finish(&self, text: &str) -> Finish {
        let word = |span: &Option<Range<usize>>| {
            let value = span.clone().and_then(|span| text.get(span))?;
            value.strip_prefix('"')?.strip_suffix('"')
        };
        match word(&self.finish).or_else(|| word(&self.camel)) {
            None => Finish::NotYet,
            Some(word) => finish::read(word.as_bytes()),
        }
    }

    /// Collects what has to change.
    fn mend(&self, text: &str, finish: Finish, state: &mut State, edits: &mut Edits) {
        self.mend_finish(text, finish, state.whole, edits);
        if !state.chat {
            return;
        }
        let Some(delta) = &self.delta else {
            if !state.whole && !self.void {
                let comma = if self.any { "," } else { "" };
                edits.replace(self.open..self.open, format_args!("\"delta\":{{}}{comma}"));
            }
            return;
        };
        if state.first(self.index) && !delta.role {
            delta.give_role(edits);
        }
        if let Some(span) = &delta.tools
            && let Some(list) = text.get(span.clone())
            && let Some(mended) = state.tools.mend(self.index, list, state.whole)
        {
            edits.replace(span.clone(), format_args!("{mended}"));
        }
    }

    fn mend_finish(&self, text: &str, finish: Finish, whole: bool, edits: &mut Edits) {
        let Some(span) = self.finish.clone() else { return };
        let written = text.get(span.clone()).unwrap_or_default();
        match finish {
            Finish::Foreign(word) => {
                edits.replace(span, format_args!("\"{word}\",\"native_finish_reason\":{written}"));
            }
            // A whole answer has ended, whatever it says.
            Finish::NotYet if written == "\"\"" && whole => {
                let tools = self.delta.as_ref().is_some_and(|delta| delta.tools.is_some());
                edits.replace(
                    span,
                    format_args!("{}", if tools { "\"tool_calls\"" } else { "\"stop\"" }),
                );
            }
            Finish::NotYet if written != "null" => edits.replace(span, format_args!("null")),
            Finish::Known if written == "null" => {
                let camel = self.camel.clone().and_then(|span| text.get(span)).unwrap_or("null");
                edits.replace(span, format_args!("{camel}"));
            }
            _ => {}
        }
    }
}

impl Delta {
    fn give_role(&self, edits: &mut Edits) {
        if let Some(blank) = self.blank.clone() {
            edits.replace(blank, format_args!("\"assistant\""));
            return;
        }
        let comma = if self.any { "," } else { "" };
        edits.replace(self.open..self.open, format_args!("\"role\":\"assistant\"{comma}"));
    }
}

/// Reads a list of choices.
pub(super) fn list(
    scan: &mut Scan<'_>,
    text: &str,
    state: &mut State,
    edits: &mut Edits,
) -> Result<Outcome, Malformed> {
    let mut outcome = Outcome::default();
    let mut repeated = false;
    scan.items(|scan| {
        outcome.count += 1;
        if scan.peek() != b'{' {
            return scan.skip().map(|_| ());
        }
        let choice = read(scan, text, state, edits)?;
        let finish = choice.finish(text);
        outcome.failed |= choice.failed || finish == Finish::Failed;
        outcome.usage = choice.usage.clone().or(outcome.usage.take());
        let ended = matches!(finish, Finish::Known | Finish::Foreign(_));
        outcome.finished |= ended;
        outcome.special |= ended || choice.depends(state);
        repeated = ended && state.repeats(&choice, text);
        choice.mend(text, finish, state, edits);
        Ok(())
    })?;
    outcome.repeated = repeated && outcome.count == 1;
    Ok(outcome)
}

fn read(scan: &mut Scan<'_>, text: &str, state: &mut State, edits: &mut Edits) -> Result<Choice, Malformed> {
    let mut choice = Choice {
        open: scan.place() + 1,
        ..Choice::default()
    };
    let body: &[u8] = match (state.chat, state.whole) {
        (true, false) => b"delta",
        (true, true) => b"message",
        (false, _) => b"",
    };
    scan.members(|scan, key| {
        choice.any = true;
        match key.name {
            b"index" => choice.index = text.get(scan.skip()?).and_then(|n| n.parse().ok()).unwrap_or_default(),
            b"finish_reason" => choice.finish = Some(scan.skip()?),
            b"finishReason" => choice.camel = Some(scan.skip()?),
            b"error" => {
                let object = scan.peek() == b'{';
                choice.failed = scan.skip()?.len() > 2 && object;
            }
            name if name == body && scan.peek() == b'{' => {
                choice.delta = Some(delta(scan, text, &mut state.free, edits)?);
            }
            b"text" if scan.peek() == b'"' => {
                let value = scan.skip()?;
                state.free.push(value.start + 1..value.end - 1);
            }
            name if name == body => {
                edits.replace(scan.skip()?, format_args!("{{}}"));
                choice.void = true;
            }
            b"usage" if scan.peek() == b'{' => choice.usage = Some(scan.skip()?),
            _ => {
                scan.skip()?;
            }
        }
        Ok(())
    })?;
    Ok(choice)
}

fn delta(scan: &mut Scan<'_>, text: &str, free: &mut Vec<Range<usize>>, edits: &mut Edits) -> Result<Delta, Malformed> {
    let mut delta = Delta {
        open: scan.place() + 1,
        ..Delta::default()
    };
    scan.members(|scan, key| {
        delta.any = true;
        let first = scan.peek();
        let value = scan.skip()?;
        match key.name {
            b"role" if first == b'"' => delta.role = true,
            b"role" => delta.blank = Some(value),
            b"content" if first == b'[' => {
                delta.payload = true;
                parts(text, value, edits);
            }
            b"tool_calls" if first == b'[' && value.len() > 2 => {
                delta.payload = true;
                delta.tools = Some(value);
            }
            _ => {
                if first == b'"' {
                    free.push(value.start + 1..value.end - 1);
                }
                delta.payload |= !matches!(text.get(value), Some("null" | "\"\"" | "[]" | "{}"));
            }
        }
        Ok(())
    })?;
    Ok(delta)
}

/// Content that is a list of parts, as OpenAI's clients take it: text as text, thoughts (Mistral) as `reasoning_content`, and what is
/// neither as `content_parts`, so that nothing is lost.
fn parts(text: &str, value: Range<usize>, edits: &mut Edits) {
    let list: Vec<Value> = text
        .get(value.clone())
        .and_then(|list| serde_json::from_str(list).ok())
        .unwrap_or_default();
    let (mut content, mut thoughts, mut others) = (String::new(), String::new(), Vec::new());
    for part in list {
        match &part {
            Value::String(text) => content.push_str(text),
            Value::Object(fields) => match (fields.get("text"), fields.get("thinking")) {
                (Some(Value::String(text)), _) => content.push_str(text),
                (_, Some(Value::String(text))) => thoughts.push_str(text),
                (_, Some(Value::Array(inner))) => {
                    inner
                        .iter()
                        .filter_map(|part| part.get("text")?.as_str())
                        .for_each(|text| thoughts.push_str(text));
                }
                _ => others.push(part),
            },
            _ => others.push(part),
        }
    }
    let mut mended = quoted(&content);
    if !thoughts.is_empty() {
        mended.push_str(",\"reasoning_content\":");
        mended.push_str(&quoted(&thoughts));
    }
    if !others.is_empty() {
        mended.push_str(",\"content_parts\":");
        mended.push_str(&Value::Array(others).to_string());
    }
    edits.replace(value, format_args!("{mended}"));
}
