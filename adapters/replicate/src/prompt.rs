//! From a conversation to what a Replicate model takes: one prompt, perhaps a system prompt, perhaps images.
//!
//! A model takes a prompt, not messages, so a conversation of several turns is written out by a template. A single user message is
//! sent as it is: the model's own wrapper makes a turn of it.

use std::borrow::Cow;

use crate::chat::{Message, Part};
use crate::config::{Settings, TemplateSetting};
use crate::error;
use witgate_sdk::{Failure, Kind, Result};

/// What came of a conversation.
#[derive(Debug, Default)]
pub(crate) struct Prompt<'a> {
    /// the conversation
    pub(crate) prompt: String,
    /// system and developer messages, where the model has an input for them
    pub(crate) system: Option<String>,
    /// URLs, `data:` or other
    pub(crate) images: Vec<&'a str>,
}

/// How each kind of message is written; `{text}` stands for its text.
struct Template<'t> {
    start: &'t str,
    system: &'t str,
    user: &'t str,
    assistant: &'t str,
    open: &'t str,
    /// a lone user message is written without its dress
    bare: bool,
}

const PLACE: &str = "{text}";

const PLAIN: Template<'static> = Template {
    start: "",
    system: "{text}\n\n",
    user: "User: {text}\n\n",
    assistant: "Assistant: {text}\n\n",
    open: "Assistant:",
    bare: true,
};
const CHATML: Template<'static> = Template {
    start: "",
    system: "<|im_start|>system\n{text}<|im_end|>\n",
    user: "<|im_start|>user\n{text}<|im_end|>\n",
    assistant: "<|im_start|>assistant\n{text}<|im_end|>\n",
    open: "<|im_start|>assistant\n",
    bare: false,
};
const LLAMA3: Template<'static> = Template {
    start: "<|begin_of_text|>",
    system: "<|start_header_id|>system<|end_header_id|>\n\n{text}<|eot_id|>",
    user: "<|start_header_id|>user<|end_header_id|>\n\n{text}<|eot_id|>",
    assistant: "<|start_header_id|>assistant<|end_header_id|>\n\n{text}<|eot_id|>",
    open: "<|start_header_id|>assistant<|end_header_id|>\n\n",
    bare: false,
};
const INST: Template<'static> = Template {
    start: "",
    system: "{text}\n\n",
    user: "[INST] {text} [/INST]",
    assistant: " {text} </s><s>",
    open: "",
    bare: false,
};

impl<'t> Template<'t> {
    fn of(setting: Option<&'t TemplateSetting<'_>>) -> Result<Self> {
        Ok(match setting {
            None => PLAIN,
            Some(TemplateSetting::Named(name)) => match &**name {
                "plain" => PLAIN,
                "chatml" => CHATML,
                "llama3" => LLAMA3,
                "inst" => INST,
                other => {
                    let message =
                        format!("prompt_template: there is no {other:?}; there are plain, chatml, llama3 and inst");
                    return Err(Failure::new(Kind::Config, message));
                }
            },
            Some(TemplateSetting::Own {
                start,
                system,
                user,
                assistant,
                open,
            }) => Template {
                start,
                system,
                user,
                assistant,
                open,
                bare: false,
            },
        })
    }

    fn dress(&self, role: Role) -> &'t str {
        match role {
            Role::System => self.system,
            Role::User => self.user,
            Role::Assistant => self.assistant,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
}

/// Writes the conversation out.
pub(crate) fn write<'a>(messages: &'a [Message<'a>], settings: &Settings<'_>) -> Result<Prompt<'a>> {
    let template = Template::of(settings.template())?;
    let mut written = Prompt::default();
    let mut turns = Vec::with_capacity(messages.len());
    for message in messages {
        let role = role_of(message)?;
        let text = text_of(message, &mut written.images)?;
        match role {
            Role::System if settings.name("system").is_some() => {
                add_paragraph(written.system.get_or_insert_default(), &text);
            }
            _ => turns.push((role, text)),
        }
    }
    written.prompt = write_turns(&template, &turns);
    Ok(written)
}

fn role_of(message: &Message<'_>) -> Result<Role> {
    match &*message.role {
        "system" | "developer" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" if message.calls_tools() => {
            Err(error::unsupported("messages", "Models on Replicate take no tool calls"))
        }
        "assistant" => Ok(Role::Assistant),
        "tool" | "function" => Err(error::unsupported(
            "messages",
            "Models on Replicate take no tool results",
        )),
        other => Err(error::invalid("messages", format!("There is no role {other:?}"))),
    }
}

/// The text of a message; its images go to `images`.
fn text_of<'a>(message: &'a Message<'a>, images: &mut Vec<&'a str>) -> Result<Cow<'a, str>> {
    let mut text = Cow::Borrowed("");
    for part in message.parts() {
        match part {
            Part::Text(piece) if text.is_empty() => text = Cow::Borrowed(piece),
            Part::Text(piece) => {
                let text = text.to_mut();
                text.push('\n');
                text.push_str(piece);
            }
            Part::Image(url) => images.push(url),
            Part::Other(kind) => {
                return Err(error::unsupported(
                    "messages",
                    format!("A content part of type {kind:?} cannot be sent to Replicate"),
                ));
            }
        }
    }
    Ok(text)
}

fn add_paragraph(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

/// The turns in the template's dress, open for the model's next one. A last message of the model's own is left open: it goes on there.
fn write_turns(template: &Template<'_>, turns: &[(Role, Cow<'_, str>)]) -> String {
    let mut prompt = String::with_capacity(turns.iter().map(|(_, text)| text.len() + 64).sum());
    let question = turns.iter().filter(|(role, _)| *role != Role::System).count() <= 1
        && matches!(turns.last(), Some((Role::User, _)));
    if template.bare && question {
        turns.iter().for_each(|(_, text)| add_paragraph(&mut prompt, text));
        return prompt;
    }
    prompt.push_str(template.start);
    let (last, before) = match turns.split_last() {
        Some(((Role::Assistant, text), before)) => (Some(text), before),
        _ => (None, turns),
    };
    for (role, text) in before {
        let (front, back) = dress(template, *role);
        prompt.extend([front, &**text, back]);
    }
    match last {
        Some(text) => prompt.extend([dress(template, Role::Assistant).0, &**text]),
        None => prompt.push_str(template.open),
    }
    prompt
}

/// What stands before and after a message's text.
fn dress<'t>(template: &Template<'t>, role: Role) -> (&'t str, &'t str) {
    template.dress(role).split_once(PLACE).unwrap_or(("", ""))
}
