//! What the assistant said: reasoning items, messages and calls that follow each other are one message of a chat.

use serde_json::value::RawValue;

use super::{
    Request,
    content::{Content, Parts},
    turns::Item,
    wrong,
};
use crate::{
    dialect::{
        json::{inside, push_comma, push_member, quoted},
        object::{Object, list, string},
        responses::state::State,
    },
    error::Result,
};

/// The message as it grows.
#[derive(Default)]
pub(super) struct Assistant {
    said: Parts,
    /// A piece of a JSON string, as are the thoughts.
    refusal: String,
    thoughts: String,
    calls: Vec<Call>,
    state: State,
}

/// A call of a function: JSON.
struct Call {
    id: String,
    name: String,
    arguments: String,
}

impl Request<'_> {
    /// Takes a message of the assistant's.
    pub(super) fn push_said(&mut self, item: &Item<'_>, path: &str) -> Result<()> {
        let path = format!("{path}.content");
        let content = Content::read(item.content, &path)?;
        let (mut said, mut refused) = (Parts::default(), String::new());
        match &content {
            Content::Text(_) => said = self.parts(&content, &path)?,
            Content::Parts(list) => {
                for (at, part) in list.iter().enumerate() {
                    match &*part.r#type {
                        "refusal" => refused.push_str(part.refusal.map_or("", |text| inside(text.get()))),
                        _ => self.push_part(&mut said, part, &format!("{path}[{at}]"))?,
                    }
                }
            }
        }
        let assistant = self.assistant.get_or_insert_default();
        if !said.is_empty() && said.content(true) != "\"\"" {
            assistant.said.append(&said);
        }
        assistant.refusal.push_str(&refused);
        Ok(())
    }

    /// Takes a call. `arguments`: a JSON string.
    pub(super) fn push_call(&mut self, item: &Item<'_>, name: &str, arguments: String, path: &str) -> Result<()> {
        let id = call_id(item, path)?.to_owned();
        let call = Call {
            id,
            name: quoted(name),
            arguments,
        };
        self.assistant.get_or_insert_default().calls.push(call);
        Ok(())
    }

    /// Takes the state that a reasoning item carries. Another provider's is of no use here; thoughts without it no provider takes.
    pub(super) fn push_reasoning(&mut self, item: &Item<'_>) {
        let provider = self.taker.provider;
        let assistant = self.assistant.get_or_insert_default();
        let sealed = item.encrypted_content.as_deref().unwrap_or_default();
        if !assistant.state.open(provider, sealed) {
            return self.drop("input.reasoning");
        }
        for part in item.summary.and_then(|summary| list(summary.get())).unwrap_or_default() {
            let text = Object::parse(part.get()).and_then(|part| part.get("text"));
            assistant.thoughts.push_str(text.map_or("", inside));
        }
    }

    /// Writes the message, if there is one.
    pub(super) fn end_assistant(&mut self) {
        let Some(assistant) = self.assistant.take() else { return };
        if assistant.said.is_empty() && assistant.refusal.is_empty() && assistant.calls.is_empty() {
            // Thoughts that came to nothing.
            return self.drop("input.reasoning");
        }
        self.end_results();
        push_comma(&mut self.chat);
        assistant.push(&mut self.chat, self.taker.adapter);
    }
}

impl Assistant {
    fn push(&self, out: &mut String, adapter: bool) {
        out.push_str("{\"role\":\"assistant\"");
        let content = match self.said.is_empty() {
            true => "null".to_owned(),
            false => self.said.content(adapter),
        };
        push_member(out, "content", &content);
        if !self.refusal.is_empty() {
            push_member(out, "refusal", &["\"", &self.refusal, "\""].concat());
        }
        if let Some(key) = &self.state.reasoning {
            push_comma(out);
            for piece in [&quoted(key), ":\"", &self.thoughts, "\""] {
                out.push_str(piece);
            }
        }
        self.state.push_message(out);
        if !self.calls.is_empty() {
            push_member(out, "tool_calls", "[");
            self.calls.iter().for_each(|call| call.push(out, &self.state));
            out.push(']');
        }
        out.push('}');
    }
}

impl Call {
    fn push(&self, out: &mut String, state: &State) {
        push_comma(out);
        out.push_str("{\"id\":");
        out.push_str(&self.id);
        out.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        out.push_str(&self.name);
        push_member(out, "arguments", &self.arguments);
        out.push('}');
        state.push_call(out, &string(&self.id).unwrap_or_default());
        out.push('}');
    }
}

/// The id of a call, as JSON.
pub(super) fn call_id<'a>(item: &Item<'a>, path: &str) -> Result<&'a str> {
    let id = item.call_id.map(RawValue::get).filter(|id| id.starts_with('"'));
    id.ok_or_else(|| wrong("must be a string", &format!("{path}.call_id")))
}
