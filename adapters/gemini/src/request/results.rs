//! The results of calls. Gemini tells calls apart by name and place, so each result gets its function's name, and the results of one
//! message's calls are put into the order of the calls.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Message, ToolCall};

use super::assistant::{called, push_id};
use super::{parts, refuse};
use crate::json::{Object, push_comma, push_string, string};
use crate::model::Model;

/// The calls that wait for results, and the results so far.
pub(super) struct Results<'m> {
    images_inside: bool,
    vertex: bool,
    /// names of all calls, by id
    names: HashMap<&'m str, Cow<'m, str>>,
    /// the last message's calls: id, name, and whether it was answered
    pending: Vec<(&'m str, Cow<'m, str>, bool)>,
    /// where to look for the next call: results mostly come in the order of the calls
    next: usize,
    /// results with the places of their calls
    parts: Vec<(usize, String)>,
}

impl<'m> Results<'m> {
    /// No calls yet.
    pub(super) fn new(model: Model, vertex: bool) -> Self {
        Self {
            images_inside: model.images_in_results(),
            vertex,
            names: HashMap::new(),
            pending: Vec::new(),
            next: 0,
            parts: Vec::new(),
        }
    }

    /// Takes in a message's calls.
    pub(super) fn expect(&mut self, calls: &'m [ToolCall<'m>]) {
        if calls.is_empty() {
            return;
        }
        self.pending.retain(|(_, _, answered)| !answered);
        self.next = 0;
        for call in calls {
            let id = call.id.as_deref().unwrap_or_default();
            let name = called(call);
            self.names.insert(id, name.clone());
            self.pending.push((id, name, false));
        }
    }

    /// Adds a tool's message.
    pub(super) fn add(&mut self, message: &'m Message<'m>, at: usize) -> Result<(), Failure> {
        let id = message.tool_call_id.as_deref().unwrap_or_default();
        let (place, name) = self
            .call(id, message.name.and_then(|name| string(name.get())))
            .ok_or_else(|| {
                let text = "A tool's message must answer a call of an assistant's message before it, or have a name.";
                refuse(text, format!("messages[{at}].tool_call_id"))
            })?;
        let result = self.result(message, at, id, &name)?;
        self.parts.push((place, result));
        Ok(())
    }

    /// The place and the name of the call that a result answers: the one of this id, else the first of this name, else the first.
    fn call(&mut self, id: &str, name: Option<Cow<'m, str>>) -> Option<(usize, Cow<'m, str>)> {
        let open = |fits: &dyn Fn(&str, &str) -> bool| {
            let (before, after) = self.pending.split_at(self.next.min(self.pending.len()));
            let fits = |(own, called, answered): &(&str, Cow<'_, str>, bool)| !answered && fits(own, called);
            let later = after.iter().position(fits).map(|at| before.len() + at);
            later.or_else(|| before.iter().position(fits))
        };
        let by_id = || open(&|own, _| !id.is_empty() && own == id);
        let by_name = || open(&|_, called| Some(called) == name.as_deref());
        let known = || self.names.get(id).cloned().filter(|_| !id.is_empty());
        let place = by_id().or_else(by_name);
        let place = place.or_else(|| {
            if known().is_none() && name.is_none() {
                open(&|_, _| true)
            } else {
                None
            }
        });
        let Some(place) = place else {
            return Some((usize::MAX, name.or_else(known)?));
        };
        let call = &mut self.pending[place];
        call.2 = true;
        self.next = place + 1;
        Some((place, call.1.clone()))
    }

    fn result(&self, message: &Message<'_>, at: usize, id: &str, name: &str) -> Result<String, Failure> {
        let content = message.content.map_or("\"\"", RawValue::get);
        let (said, files) = if content.starts_with('[') {
            split(content, at)?
        } else {
            (content.into(), String::new())
        };
        let mut out = String::with_capacity(said.len() + name.len() + 64);
        out.push_str("{\"functionResponse\":{");
        push_id(&mut out, id, self.vertex);
        out.push_str("\"name\":");
        push_string(&mut out, name);
        out.push_str(",\"response\":");
        push_response(&mut out, &said, message.is_error == Some(true));
        if self.images_inside && !files.is_empty() {
            out.push_str(",\"parts\":[");
            out.push_str(&files);
            out.push(']');
        }
        out.push_str("}}");
        if !self.images_inside && !files.is_empty() {
            out.push(',');
            out.push_str(&files);
        }
        Ok(out)
    }

    /// The results so far, as parts in the order of their calls.
    pub(super) fn take(&mut self) -> String {
        self.parts.sort_by_key(|(place, _)| *place);
        let mut out = String::new();
        for (_, part) in self.parts.drain(..) {
            push_comma(&mut out);
            out.push_str(&part);
        }
        out
    }
}

/// The text of a list of parts as a JSON string, several as a list of them, and its files as a list of parts of Gemini's.
fn split(content: &str, at: usize) -> Result<(Cow<'_, str>, String), Failure> {
    let wrong = || {
        refuse(
            "The content of a message is a string or a list of parts.",
            format!("messages[{at}].content"),
        )
    };
    let list: Vec<&RawValue> = serde_json::from_str(content).map_err(|_| wrong())?;
    let (mut texts, mut files) = (Vec::new(), String::new());
    for (number, raw) in list.iter().enumerate() {
        let part = Object::parse(raw.get()).ok_or_else(wrong)?;
        match part.get("text") {
            Some("\"\"") => {}
            Some(text) => texts.push(text),
            None => parts::push_part(&mut files, raw.get(), &format!("messages[{at}].content[{number}]"))?,
        }
    }
    let said = match texts[..] {
        [] => "\"\"".into(),
        [one] => one.into(),
        _ => ["[", &texts.join(","), "]"].concat().into(),
    };
    Ok((said, files))
}

/// Writes a result as the object that the API wants: an object as it is, anything else as the output, or as the error.
fn push_response(out: &mut String, said: &str, failed: bool) {
    let text = string(said).unwrap_or_default();
    let text = text.trim();
    let is_json = |open: char| text.starts_with(open) && serde_json::from_str::<&RawValue>(text).is_ok();
    if failed {
        out.push_str("{\"error\":");
        out.push_str(said);
    } else if is_json('{') {
        return out.push_str(text);
    } else if is_json('[') {
        out.push_str("{\"output\":");
        out.push_str(text);
    } else {
        out.push_str("{\"output\":");
        out.push_str(said);
    }
    out.push('}');
}
