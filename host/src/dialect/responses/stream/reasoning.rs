//! A reasoning item: the thoughts as its summary, and the provider's state as its encrypted content.

use super::sink::{Items, Place, Sink};
use crate::dialect::{json::quoted, responses::state::State};

/// The item, while its thoughts come.
#[derive(Debug)]
pub(super) struct Reasoning {
    place: Place,
    names: String,
    /// Escaped, without quotes.
    text: String,
}

impl Reasoning {
    /// Begins one.
    pub(super) fn open(items: &mut Items, sink: &mut Sink) -> Self {
        let place = items.open("rs");
        let item = format!("{{\"id\":\"{}\",\"type\":\"reasoning\",\"summary\":[]}}", place.id);
        Items::added(&place, &item, sink);
        Self {
            names: place.fields(),
            place,
            text: String::new(),
        }
    }

    /// Takes a piece of the thoughts: escaped.
    pub(super) fn push(&mut self, piece: &str, sink: &mut Sink) {
        let names = &self.names;
        if self.text.is_empty() {
            sink.event(
                "response.reasoning_summary_part.added",
                format_args!("{names},\"summary_index\":0,\"part\":{{\"type\":\"summary_text\",\"text\":\"\"}}"),
            );
        }
        self.text.push_str(piece);
        sink.event(
            "response.reasoning_summary_text.delta",
            format_args!("{names},\"summary_index\":0,\"delta\":\"{piece}\""),
        );
    }

    /// Ends it. `state`, of `provider`, goes out with it.
    pub(super) fn close(self, state: &State, provider: &str, items: &mut Items, sink: &mut Sink) {
        let (names, text) = (&self.names, &self.text);
        let mut summary = String::new();
        if !text.is_empty() {
            summary = format!("{{\"type\":\"summary_text\",\"text\":\"{text}\"}}");
            sink.event(
                "response.reasoning_summary_text.done",
                format_args!("{names},\"summary_index\":0,\"text\":\"{text}\""),
            );
            sink.event(
                "response.reasoning_summary_part.done",
                format_args!("{names},\"summary_index\":0,\"part\":{summary}"),
            );
        }
        let encrypted = match state.is_empty() {
            true => String::new(),
            false => format!(",\"encrypted_content\":{}", quoted(&state.seal(provider))),
        };
        let id = &self.place.id;
        let item = format!("{{\"id\":\"{id}\",\"type\":\"reasoning\",\"summary\":[{summary}]{encrypted}}}");
        items.done(&self.place, item, sink);
    }
}
