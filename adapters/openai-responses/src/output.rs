//! The items of an answer: what each is to the client, and what is kept so that the client's next request can bring it back.
//!
//! A Chat Completions message has one text and one list of calls. A response is a list of items, and a model that thinks wants those it
//! gave back, its encrypted thoughts above all, unchanged and in their places. A message and calls after it can be rebuilt from the
//! plain message; any other list is handed out whole, as `extra_content.openai.output`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::declared::Declared;
use crate::json::{pieces, push_comma, push_field, push_string, string};
use crate::read;

/// More than this is not kept: the answer is complete without it, only the next request loses the provider's own items.
const KEPT_BYTES: usize = 8 << 20;

/// An item, read as far as the translation looks at it.
#[derive(Deserialize)]
pub(crate) struct Item<'a> {
    #[serde(borrow)]
    pub(crate) r#type: Cow<'a, str>,
    /// a message's parts, or the bare text of thoughts
    #[serde(borrow)]
    content: Option<Vec<Part<'a>>>,
    #[serde(borrow)]
    summary: Option<Vec<Part<'a>>>,
    #[serde(borrow)]
    encrypted_content: Option<&'a RawValue>,
    #[serde(borrow)]
    phase: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) call_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    namespace: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    output_format: Option<Cow<'a, str>>,
}

/// A part of a message, of a summary, or of thoughts.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    annotations: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    logprobs: Option<Vec<&'a RawValue>>,
}

/// What an item is to the client. Texts are pieces of JSON strings: still escaped, without their quotes.
#[derive(Debug)]
pub(crate) enum Said<'a> {
    /// text, what the model refused, and the text's log-probabilities
    Message {
        text: String,
        refusal: String,
        logprobs: String,
    },
    /// thoughts that are shown
    Thoughts(String),
    /// a call of the client's tool
    Call(Call<'a>),
    /// an image: an object as JSON text
    Image(String),
    /// not shown
    Nothing,
}

/// A call of one of the client's tools.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) id: Cow<'a, str>,
    /// JSON
    name: &'a str,
    /// a tool with free-form input
    pub(crate) custom: bool,
    /// the arguments or the input: a piece of a JSON string
    pub(crate) body: &'a str,
}

/// Where an item stands in an answer that can be rebuilt from its plain form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    #[default]
    Begin,
    Message,
    Call,
    /// it cannot be rebuilt
    Other,
}

/// What is remembered of an answer's items.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// which calls are the client's
    declared: Declared,
    /// calls of the client's tools so far
    pub(crate) calls: u64,
    /// items so far
    pub(crate) items: usize,
    /// the items as JSON text, with commas between them
    kept: String,
    last: Place,
    special: bool,
    lost: bool,
    annotations: String,
    /// the text's length so far, in characters: annotations count in them
    characters: u64,
}

impl<'a> Item<'a> {
    /// Reads an item; `None` for what is none.
    pub(crate) fn parse(raw: &'a str) -> Option<Self> {
        read::object(raw)
    }

    /// The call of the client's that this item is.
    pub(crate) fn call(&self, declared: &Declared) -> Option<Call<'a>> {
        let custom = match &*self.r#type {
            "function_call" => false,
            "custom_tool_call" if declared.has_custom(self.name) => true,
            _ => return None,
        };
        Some(Call {
            id: self.call_id.clone().or_else(|| self.id.clone()).unwrap_or_default(),
            name: self.name.map_or("\"\"", RawValue::get),
            custom,
            body: pieces(if custom { self.input } else { self.arguments }),
        })
    }

    /// The text of a message, with its value.
    pub(crate) fn text(&self) -> String {
        let parts = self.parts("output_text");
        parts.filter_map(|part| string(part.text?.get())).collect()
    }

    fn parts(&self, kind: &'static str) -> impl Iterator<Item = &Part<'a>> {
        self.content.iter().flatten().filter(move |part| part.r#type == kind)
    }

    fn said(&self, declared: &Declared) -> Said<'a> {
        if let Some(call) = self.call(declared) {
            return Said::Call(call);
        }
        match &*self.r#type {
            "message" => Said::Message {
                text: self.parts("output_text").map(|part| pieces(part.text)).collect(),
                refusal: self.parts("refusal").map(|part| pieces(part.refusal)).collect(),
                logprobs: logprobs(
                    self.parts("output_text")
                        .flat_map(|part| part.logprobs.iter().flatten()),
                ),
            },
            "reasoning" => {
                let summary = joined(self.summary.iter().flatten());
                // Some servers show what was thought itself.
                let bare = || joined(self.content.iter().flatten());
                Said::Thoughts(if summary.is_empty() { bare() } else { summary })
            }
            "image_generation_call" => self.image().map_or(Said::Nothing, Said::Image),
            _ => Said::Nothing,
        }
    }

    fn image(&self) -> Option<String> {
        let data = pieces(self.result);
        let format = self.output_format.as_deref().unwrap_or("png").replace(['"', '\\'], "");
        (!data.is_empty()).then(|| {
            let (before, after) = ("{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/", "\"}}");
            [before, &format, ";base64,", data, after].concat()
        })
    }

    fn place(&self, declared: &Declared) -> Place {
        match &*self.r#type {
            "message" if self.phase.as_deref().is_none_or(|phase| phase == "final_answer") => Place::Message,
            "function_call" if self.namespace.is_none_or(|group| group.get() == "null") => Place::Call,
            "custom_tool_call" if declared.has_custom(self.name) => Place::Call,
            _ => Place::Other,
        }
    }

    /// Thoughts that the provider would not know again: it has not stored them, and they are not in the item.
    fn is_forgotten(&self) -> bool {
        let encrypted = self.encrypted_content.is_some_and(|content| content.get() != "null");
        let bare = self.content.as_ref().is_some_and(|parts| !parts.is_empty());
        self.r#type == "reasoning" && !encrypted && !bare
    }
}

impl Call<'_> {
    /// The call's fields, without braces, with `body` as its arguments or input.
    pub(crate) fn fields(&self, body: &str) -> String {
        let mut out = String::from("\"id\":");
        push_string(&mut out, &self.id);
        let (kind, key) = if self.custom {
            ("custom", "input")
        } else {
            ("function", "arguments")
        };
        for piece in [
            ",\"type\":\"",
            kind,
            "\",\"",
            kind,
            "\":{\"name\":",
            self.name,
            ",\"",
            key,
            "\":\"",
            body,
            "\"}",
        ] {
            out.push_str(piece);
        }
        out
    }
}

impl Output {
    /// Of an answer to a request with these tools.
    pub(crate) fn of(declared: Declared) -> Self {
        Self {
            declared,
            ..Self::default()
        }
    }

    /// The call of the client's that an item is.
    pub(crate) fn call<'a>(&self, item: &Item<'a>) -> Option<Call<'a>> {
        item.call(&self.declared)
    }

    /// Takes the next item, which is JSON text, whole. What it is to the client.
    pub(crate) fn add<'a>(&mut self, raw: &'a str) -> Said<'a> {
        self.items += 1;
        let Some(item) = Item::parse(raw) else {
            self.special = true;
            self.keep(raw);
            return Said::Nothing;
        };
        self.cite(&item);
        let said = item.said(&self.declared);
        self.calls += u64::from(matches!(said, Said::Call(_)));
        if !item.is_forgotten() {
            let place = item.place(&self.declared);
            let again = place == Place::Message && self.last == Place::Message;
            self.special |= place == Place::Other || place < self.last || again;
            self.last = place;
            self.keep(raw);
        }
        said
    }

    fn keep(&mut self, raw: &str) {
        if self.kept.len() + raw.len() > KEPT_BYTES {
            self.lost = true;
            self.kept.clear();
        }
        if !self.lost {
            push_comma(&mut self.kept);
            self.kept.push_str(raw);
        }
    }

    /// Collects the annotations of a message. They count from the beginning of their own part.
    fn cite(&mut self, item: &Item<'_>) {
        for part in item.parts("output_text") {
            for annotation in part.annotations.iter().flatten() {
                if let Some(annotation) = Annotation::parse(annotation.get()) {
                    push_comma(&mut self.annotations);
                    self.annotations.push_str(&annotation.to_chat(self.characters));
                }
            }
            let text = part.text.and_then(|text| string(text.get())).unwrap_or_default();
            self.characters += text.chars().count() as u64;
        }
    }

    /// Writes the fields of a message, or of a last delta, that are only known at the end.
    pub(crate) fn push_last(&self, out: &mut String) {
        if !self.annotations.is_empty() {
            push_field(out, "annotations", &["[", &self.annotations, "]"].concat());
        }
        if self.special && !self.lost {
            let extra = ["{\"openai\":{\"output\":[", &self.kept, "]}}"].concat();
            push_field(out, "extra_content", &extra);
        }
    }
}

/// A citation of a page; of files a chat's answer has none.
#[derive(Deserialize)]
struct Annotation<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    url: Option<&'a RawValue>,
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    start_index: Option<u64>,
    end_index: Option<u64>,
}

impl<'a> Annotation<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let annotation: Self = read::object(text)?;
        (annotation.r#type == "url_citation").then_some(annotation)
    }

    /// `before`: the characters of the message before the annotated part.
    fn to_chat(&self, before: u64) -> String {
        let (url, title) = (self.url.map_or("\"\"", RawValue::get), self.title.map(RawValue::get));
        let title = title.filter(|title| *title != "null").unwrap_or("\"\"");
        let at = |index: Option<u64>| index.unwrap_or(0).saturating_add(before);
        let (start, end) = (at(self.start_index), at(self.end_index));
        format!(
            "{{\"type\":\"url_citation\",\"url_citation\":{{\"url\":{url},\"title\":{title},\"start_index\":{start},\"end_index\":{end}}}}}"
        )
    }
}

/// The texts of parts, a blank line between two.
fn joined<'p, 'a: 'p>(parts: impl Iterator<Item = &'p Part<'a>>) -> String {
    let texts: Vec<&str> = parts
        .map(|part| pieces(part.text))
        .filter(|text| !text.is_empty())
        .collect();
    texts.join("\\n\\n")
}

/// Entries of `logprobs` as a chat has them, with commas between them: its clients look for the bytes.
pub(crate) fn logprobs<'p>(entries: impl Iterator<Item = &'p &'p RawValue>) -> String {
    let mut out = String::new();
    for entry in entries.map(|entry| entry.get()) {
        let known = crate::json::Object::parse(entry).unwrap_or_default();
        push_comma(&mut out);
        out.push('{');
        for (key, value) in &known.0 {
            push_field(&mut out, key, value.get());
        }
        for (key, none) in [("bytes", "null"), ("top_logprobs", "[]")] {
            if !known.0.iter().any(|(name, _)| name == key) {
                push_field(&mut out, key, none);
            }
        }
        out.push('}');
    }
    out
}
