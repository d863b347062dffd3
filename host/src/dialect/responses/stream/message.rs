//! A message item: text with its citations and log probabilities, and refusals.

use std::ops::Range;

use serde_json::{Value, json};

use super::sink::{Items, Place, Sink};
use crate::dialect::{
    object::{Object, list},
    sources::{Source, Sources},
};

/// The item, while its text comes.
#[derive(Debug)]
pub(super) struct Message {
    place: Place,
    names: String,
    /// The parts that are finished, with commas between them.
    parts: String,
    /// How many these are.
    count: usize,
    open: Option<Part>,
}

/// The part that is being written.
#[derive(Debug, Default)]
struct Part {
    /// How an event names it.
    names: String,
    refusal: bool,
    /// Escaped, without quotes.
    text: String,
    /// With commas between them.
    annotations: String,
    logprobs: String,
    citations: usize,
}

impl Part {
    fn to_json(&self) -> String {
        let (text, annotations, logprobs) = (&self.text, &self.annotations, &self.logprobs);
        match self.refusal {
            true => format!("{{\"type\":\"refusal\",\"refusal\":\"{text}\"}}"),
            false => format!(
                "{{\"type\":\"output_text\",\"annotations\":[{annotations}],\"logprobs\":[{logprobs}],\"text\":\"{text}\"}}"
            ),
        }
    }
}

impl Message {
    /// Begins one.
    pub(super) fn open(items: &mut Items, sink: &mut Sink) -> Self {
        let place = items.open("msg");
        let id = &place.id;
        let item = format!(
            "{{\"id\":\"{id}\",\"type\":\"message\",\"status\":\"in_progress\",\"content\":[],\"role\":\"assistant\"}}"
        );
        Items::added(&place, &item, sink);
        Self {
            names: place.fields(),
            place,
            parts: String::new(),
            count: 0,
            open: None,
        }
    }

    /// Takes a piece of the text: escaped. `logprobs`: those of its tokens, as a list without brackets.
    pub(super) fn push(&mut self, piece: &str, logprobs: &str, sink: &mut Sink) {
        let part = self.part(false, sink);
        part.text.push_str(piece);
        if !logprobs.is_empty() {
            add(&mut part.logprobs, logprobs);
        }
        let names = &part.names;
        sink.event(
            "response.output_text.delta",
            format_args!("{names},\"delta\":\"{piece}\",\"logprobs\":[{logprobs}]"),
        );
    }

    /// Takes a piece of a refusal: escaped.
    pub(super) fn refuse(&mut self, piece: &str, sink: &mut Sink) {
        let part = self.part(true, sink);
        part.text.push_str(piece);
        let names = &part.names;
        sink.event("response.refusal.delta", format_args!("{names},\"delta\":\"{piece}\""));
    }

    /// Takes what is said of a source of the text.
    pub(super) fn cite(&mut self, annotation: &str, sink: &mut Sink) {
        let part = self.part(false, sink);
        add(&mut part.annotations, annotation);
        let (names, number) = (&part.names, part.citations);
        sink.event(
            "response.output_text.annotation.added",
            format_args!("{names},\"annotation_index\":{number},\"annotation\":{annotation}"),
        );
        part.citations += 1;
    }

    /// The open part; a new one, if that is not of this kind.
    fn part(&mut self, refusal: bool, sink: &mut Sink) -> &mut Part {
        if self.open.as_ref().is_some_and(|part| part.refusal != refusal) {
            self.close_part(sink);
        }
        let (names, count) = (&self.names, self.count);
        self.open.get_or_insert_with(|| {
            let part = Part {
                names: format!("{names},\"content_index\":{count}"),
                refusal,
                ..Part::default()
            };
            let (names, empty) = (&part.names, part.to_json());
            sink.event("response.content_part.added", format_args!("{names},\"part\":{empty}"));
            part
        })
    }

    fn close_part(&mut self, sink: &mut Sink) {
        let Some(part) = self.open.take() else { return };
        let (names, text, logprobs) = (&part.names, &part.text, &part.logprobs);
        match part.refusal {
            true => sink.event("response.refusal.done", format_args!("{names},\"refusal\":\"{text}\"")),
            false => sink.event(
                "response.output_text.done",
                format_args!("{names},\"text\":\"{text}\",\"logprobs\":[{logprobs}]"),
            ),
        }
        let whole = part.to_json();
        sink.event("response.content_part.done", format_args!("{names},\"part\":{whole}"));
        add(&mut self.parts, &whole);
        self.count += 1;
    }

    /// Ends it. `status`: "completed", or "incomplete".
    pub(super) fn close(mut self, status: &str, items: &mut Items, sink: &mut Sink) {
        self.close_part(sink);
        let (id, parts) = (&self.place.id, &self.parts);
        let item = format!(
            "{{\"id\":\"{id}\",\"type\":\"message\",\"status\":\"{status}\",\"content\":[{parts}],\"role\":\"assistant\"}}"
        );
        items.done(&self.place, item, sink);
    }
}

/// An annotation of a chat in the form of a response. `None` for what is no annotation there (OpenRouter has the files that it has
/// read), and for what was said before.
pub(super) fn annotation(annotation: &str, sources: &mut Sources) -> Option<String> {
    let fields = Object::parse(annotation)?;
    match &*fields.text("type")? {
        "url_citation" => sources.cite(annotation).map(|source| citation(&source)),
        "file_citation" | "container_file_citation" | "file_path" => {
            fields.get("file_id").map(|_| annotation.to_owned())
        }
        _ => None,
    }
}

/// What is to be said of the sources that stand beside the choices.
pub(super) fn rest(sources: &mut Sources) -> Vec<String> {
    sources.rest().iter().map(citation).collect()
}

fn citation(source: &Source) -> String {
    let Range { start, end } = source.part.clone().unwrap_or_default();
    let (title, url) = (source.title.as_deref().unwrap_or("\"\""), &source.url);
    format!("{{\"type\":\"url_citation\",\"start_index\":{start},\"end_index\":{end},\"title\":{title},\"url\":{url}}}")
}

/// The log probabilities of a choice, as a list without brackets: each with its bytes, which Chat Completions may leave out.
pub(super) fn logprobs(choice: &str) -> Option<String> {
    let fields = Object::parse(choice)?;
    let mut out = String::new();
    for token in list(fields.get("content")?)? {
        let mut token: Value = serde_json::from_str(token.get()).ok()?;
        with_bytes(&mut token);
        let others = token.get_mut("top_logprobs").and_then(Value::as_array_mut);
        others.into_iter().flatten().for_each(with_bytes);
        if token.get("top_logprobs").is_none_or(|others| !others.is_array()) {
            token.as_object_mut()?.insert("top_logprobs".to_owned(), json!([]));
        }
        add(&mut out, &token.to_string());
    }
    Some(out)
}

fn with_bytes(token: &mut Value) {
    let Some(fields) = token.as_object_mut() else { return };
    if !fields.get("bytes").is_some_and(Value::is_array) {
        let text = fields.get("token").and_then(Value::as_str).unwrap_or_default();
        let bytes: Value = text.bytes().map(Value::from).collect();
        fields.insert("bytes".to_owned(), bytes);
    }
}

/// Adds items to a list without brackets.
fn add(list: &mut String, items: &str) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(items);
}
