//! Puts back into a chat what its client dropped.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{Kept, Named, Own, State, add, key};
use crate::{
    call::{Call, object::Object},
    dialect::json::{inside, push_comma},
    scan::Scan,
};

/// A message that may have calls, read as far as it is needed.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    tool_calls: Option<Vec<&'a RawValue>>,
}

/// A call of a tool of either kind.
#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, alias = "custom")]
    function: Option<Tool<'a>>,
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, alias = "input")]
    arguments: Option<&'a RawValue>,
}

/// What the answer to `call` is found by, but for its calls; and `messages` with what was dropped of them, if anything was.
pub(super) fn restore(kept: &Kept, call: &Call, who: &Sha256) -> Option<(Sha256, Option<String>)> {
    let text = call.field("messages")?;
    let messages: Vec<&str> = call.messages().collect();
    let mut restored: Vec<(usize, String)> = Vec::new();
    if !kept.is_empty() {
        for (at, message) in messages.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| messages.get(before));
            let found = with_state(kept, message, || after(who, before.copied()));
            restored.extend(found.map(|found| (at, found)));
        }
    }
    let after = after(who, messages.last().copied());
    if restored.is_empty() {
        return Some((after, None));
    }
    let mut out = String::with_capacity(text.len() + restored.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut changed = restored.iter().peekable();
    out.push('[');
    for (at, message) in messages.iter().enumerate() {
        push_comma(&mut out);
        let new = changed.next_if(|(place, _)| *place == at);
        out.push_str(new.map_or(*message, |(_, text)| text));
    }
    out.push(']');
    Some((after, Some(out)))
}

/// `who`, with the message that an answer comes after: its role, its text, and the call it answers.
fn after(who: &Sha256, message: Option<&str>) -> Sha256 {
    let mut hash = who.clone();
    let Some((message, Said { fields, texts })) = message.and_then(|text| Some((text, said(text)?))) else {
        return hash;
    };
    for key in ["role", "tool_call_id"] {
        let word = fields
            .get(message, key)
            .and_then(|text| serde_json::from_str::<String>(text).ok());
        add(&mut hash, &word.unwrap_or_default());
    }
    // A client may send as a list what it sent as a string.
    match texts {
        Some(texts) => texts.into_iter().for_each(|text| hash.update(inside(text))),
        None => hash.update(inside(fields.get(message, "content").unwrap_or_default())),
    }
    hash.update([0]);
    hash
}

/// A message, and the texts of a content that is a list. Its other parts may be pictures of megabytes, so all is passed over once.
struct Said<'m> {
    fields: Object,
    texts: Option<Vec<&'m str>>,
}

fn said(message: &str) -> Option<Said<'_>> {
    let mut texts = None;
    let mut scan = Scan::new(message);
    let fields = Object::read_with(&mut scan, |scan, key| {
        if key != "content" {
            return scan.skip();
        }
        // Of a key that comes twice the last counts.
        texts = None;
        if scan.peek() != b'[' {
            return scan.skip();
        }
        let (start, mut parts) = (scan.place(), Vec::new());
        let each = |scan: &mut Scan<'_>| {
            if scan.peek() != b'{' {
                return scan.skip().map(drop);
            }
            parts.extend(Object::read(scan)?.get(message, "text"));
            Ok(())
        };
        scan.items(each)?;
        texts = Some(parts);
        Ok(start..scan.here())
    });
    let fields = fields.ok().filter(|_| scan.end().is_ok())?;
    Some(Said { fields, texts })
}

/// The message with what is kept of it and not in it; `None` if there is no such thing.
fn with_state(kept: &Kept, text: &str, after: impl FnOnce() -> Sha256) -> Option<String> {
    memmem::find(text.as_bytes(), b"\"tool_calls\"")?;
    let message: Message<'_> = serde_json::from_str(text).ok()?;
    let raw = message.tool_calls.filter(|_| message.role == "assistant")?;
    let calls: Vec<ToolCall<'_>> = raw
        .iter()
        .map(|call| serde_json::from_str(call.get()).ok())
        .collect::<Option<_>>()?;
    let state = kept.get(&key(after(), calls.iter().map(ToolCall::named)))?;
    let list = calls_with(&state, &raw, &calls);
    let mut own = state.message.clone();
    own.extend(list.map(|list| ("tool_calls".into(), list.into())));
    with_own(text, &own, |key| key == "tool_calls")
}

impl ToolCall<'_> {
    fn named(&self) -> Named<'_> {
        let tool = self.function.as_ref();
        Named {
            id: &self.id,
            name: tool.map_or("", |tool| &tool.name),
            arguments: tool
                .and_then(|tool| tool.arguments)
                .map_or("", |text| inside(text.get())),
        }
    }
}

/// The list of calls with what is kept of them.
fn calls_with(state: &State, raw: &[&RawValue], calls: &[ToolCall<'_>]) -> Option<String> {
    let mut any = false;
    let mut out = String::from("[");
    for (raw, call) in raw.iter().zip(calls) {
        let own = state.calls.iter().find(|(id, _)| **id == *call.id);
        let found = own.and_then(|(_, own)| with_own(raw.get(), own, |_| false));
        any |= found.is_some();
        push_comma(&mut out);
        out.push_str(found.as_deref().unwrap_or(raw.get()));
    }
    out.push(']');
    any.then_some(out)
}

/// The object with those of `own` that are not in it, or that replace what is.
fn with_own(text: &str, own: &Own, replaces: impl Fn(&str) -> bool) -> Option<String> {
    let fields = Object::parse(text).ok()?;
    let lacking = own
        .iter()
        .filter(|(key, _)| replaces(key) || fields.get(text, key).is_none());
    let changes: Vec<(&str, &str)> = lacking.map(|(key, value)| (&**key, &**value)).collect();
    (!changes.is_empty()).then(|| fields.with(text, &changes))
}
