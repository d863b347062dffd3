//! From a chat to one prompt: what the model goes on with. Each kind of message has a dress, which a template says. Adapters of other
//! hosts whose models are asked so use this, too.

use std::borrow::Cow;

use serde::Deserialize;
use witgate_sdk::openai::{Content, ContentPart, Message};
use witgate_sdk::{Failure, Kind, Result};

/// Where a message's text stands in its dress.
const PLACE: &str = "{text}";

/// The setting: a template's name, or the template itself.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Setting<'a> {
    /// one of those known here
    Named(#[serde(borrow)] Cow<'a, str>),
    /// the operator's own
    Own(#[serde(borrow)] Template<'a>),
}

/// How each kind of message is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Template<'a> {
    #[serde(borrow)]
    start: Cow<'a, str>,
    #[serde(borrow)]
    system: Cow<'a, str>,
    #[serde(borrow)]
    user: Cow<'a, str>,
    #[serde(borrow)]
    assistant: Cow<'a, str>,
    /// what the model's own turn begins with
    #[serde(borrow)]
    open: Cow<'a, str>,
}

/// The templates by name: start, system, user, assistant, open.
const TEMPLATES: [(&str, [&str; 5]); 7] = [
    (
        "plain",
        [
            "",
            "{text}\n\n",
            "User: {text}\n\n",
            "Assistant: {text}\n\n",
            "Assistant:",
        ],
    ),
    (
        "chatml",
        [
            "",
            "<|im_start|>system\n{text}<|im_end|>\n",
            "<|im_start|>user\n{text}<|im_end|>\n",
            "<|im_start|>assistant\n{text}<|im_end|>\n",
            "<|im_start|>assistant\n",
        ],
    ),
    (
        "llama3",
        [
            "<|begin_of_text|>",
            "<|start_header_id|>system<|end_header_id|>\n\n{text}<|eot_id|>",
            "<|start_header_id|>user<|end_header_id|>\n\n{text}<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n{text}<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ],
    ),
    (
        "llama4",
        [
            "<|begin_of_text|>",
            "<|header_start|>system<|header_end|>\n\n{text}<|eot|>",
            "<|header_start|>user<|header_end|>\n\n{text}<|eot|>",
            "<|header_start|>assistant<|header_end|>\n\n{text}<|eot|>",
            "<|header_start|>assistant<|header_end|>\n\n",
        ],
    ),
    (
        "deepseek-r1",
        [
            "<｜begin▁of▁sentence｜>",
            "{text}",
            "<｜User｜>{text}",
            "<｜Assistant｜>{text}<｜end▁of▁sentence｜>",
            "<｜Assistant｜><think>\n",
        ],
    ),
    (
        "inst",
        ["", "{text}\n\n", "[INST] {text} [/INST]", " {text} </s><s>", ""],
    ),
    (
        "zephyr",
        [
            "",
            "<|system|>\n{text}</s>\n",
            "<|user|>\n{text}</s>\n",
            "<|assistant|>\n{text}</s>\n",
            "<|assistant|>\n",
        ],
    ),
];

/// The prompt that these messages are. Without a template one user's message is the prompt as it is, and a longer chat is `plain`.
///
/// # Errors
/// What is no text, or an unknown template.
pub fn write(messages: &[Message<'_>], setting: Option<&Setting<'_>>) -> Result<String> {
    let mut turns = Vec::with_capacity(messages.len());
    for (at, message) in messages.iter().enumerate() {
        turns.push((role(message, at)?, text(message, at)?));
    }
    if let (None, [(Role::User, text)]) = (setting, turns.as_slice()) {
        return Ok(text.clone().into_owned());
    }
    let Some((last, before)) = turns.split_last() else {
        return Err(refuse("There must be at least one message.", "messages"));
    };
    let template = Template::of(setting)?;
    let mut prompt = template.start.clone().into_owned();
    for (role, text) in before {
        prompt.extend([template.before(*role), text, template.after(*role)]);
    }
    // A last message of the model's own is left open: it goes on there.
    let (role, text) = last;
    prompt.extend([template.before(*role), text]);
    if *role != Role::Assistant {
        prompt.extend([template.after(*role), &template.open]);
    }
    Ok(prompt)
}

impl<'a> Template<'a> {
    fn of(setting: Option<&'a Setting<'_>>) -> Result<Self> {
        let name = match setting {
            None => "plain",
            Some(Setting::Named(name)) => name,
            Some(Setting::Own(own)) => {
                let part = |text: &'a Cow<'_, str>| Cow::Borrowed(&**text);
                return Ok(Self {
                    start: part(&own.start),
                    system: part(&own.system),
                    user: part(&own.user),
                    assistant: part(&own.assistant),
                    open: part(&own.open),
                });
            }
        };
        let Some((_, parts)) = TEMPLATES.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).collect();
            let text = format!("prompt_template: there is no {name:?}, but {}.", names.join(", "));
            return Err(Failure::new(Kind::Config, text));
        };
        let [start, system, user, assistant, open] = parts.map(Cow::Borrowed);
        Ok(Self {
            start,
            system,
            user,
            assistant,
            open,
        })
    }

    fn dress(&self, role: Role) -> &str {
        match role {
            Role::System => &self.system,
            Role::User => &self.user,
            Role::Assistant => &self.assistant,
        }
    }

    fn before(&self, role: Role) -> &str {
        self.dress(role).split_once(PLACE).map_or("", |(before, _)| before)
    }

    fn after(&self, role: Role) -> &str {
        self.dress(role).split_once(PLACE).map_or("", |(_, after)| after)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
}

fn role(message: &Message<'_>, at: usize) -> Result<Role> {
    match message.role.as_str() {
        "system" | "developer" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" if message.tool_calls.is_empty() => Ok(Role::Assistant),
        "assistant" => Err(unsupported(
            "Text generation knows no tool calls.",
            format!("messages[{at}].tool_calls"),
        )),
        "tool" => Err(unsupported(
            "Text generation knows no tool results.",
            format!("messages[{at}].role"),
        )),
        role => {
            let text = format!("Messages of role {role:?} cannot be made a prompt of.");
            Err(refuse(text, format!("messages[{at}].role")))
        }
    }
}

/// The text of a message, with its images as Markdown, which is how models of TGI that see take them.
fn text<'a>(message: &'a Message<'_>, at: usize) -> Result<Cow<'a, str>> {
    let parts = match &message.content {
        Some(Content::Parts(parts)) => parts,
        Some(Content::Text(text)) => return Ok(Cow::Borrowed(text)),
        None => return Ok(Cow::Borrowed("")),
    };
    let mut text = String::new();
    for (place, part) in parts.iter().enumerate() {
        push_part(&mut text, part, format!("messages[{at}].content[{place}]"))?;
    }
    Ok(Cow::Owned(text))
}

fn push_part(text: &mut String, part: &ContentPart<'_>, param: String) -> Result<()> {
    match part.kind.as_str() {
        "text" => text.push_str(part.text.as_deref().unwrap_or_default()),
        "refusal" => text.push_str(part.refusal.as_deref().unwrap_or_default()),
        "image_url" => {
            let Some(image) = part.image_url.as_ref().filter(|image| !image.url.is_empty()) else {
                return Err(refuse("An image part needs a URL.", param));
            };
            let web = ["https://", "http://"]
                .iter()
                .any(|scheme| image.url.starts_with(scheme));
            match image.data() {
                Some((media, _)) if !media.starts_with("image/") => {
                    let text = format!("Text generation does not take files of type {media:?}.");
                    return Err(unsupported(text, param));
                }
                None if !web => return Err(refuse("An image is an http, https or base64 data URL.", param)),
                _ => text.extend(["![](", &image.url, ")"]),
            }
        }
        kind => {
            let text = format!("Text generation takes no parts of type {kind:?}.");
            return Err(unsupported(text, param));
        }
    }
    Ok(())
}

/// What the client sent is wrong. `param`: the field.
pub(crate) fn refuse(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::invalid_request(message).param(param)
}

/// What the client asks for is nothing that text generation has.
pub(crate) fn unsupported(message: impl Into<String>, param: impl Into<String>) -> Failure {
    Failure::unsupported(message).param(param)
}
