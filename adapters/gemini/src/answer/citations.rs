//! Citations: the sources that Gemini found, as OpenAI's annotations of the text.

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Grounding {
    grounding_chunks: Vec<Source>,
    grounding_supports: Vec<Support>,
}

/// A source; which field it has depends on where it was found.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    web: Option<Place>,
    retrieved_context: Option<Place>,
    maps: Option<Place>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Place {
    uri: Option<String>,
    title: Option<String>,
}

/// A piece of the text, and the sources it rests on.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Support {
    segment: Segment,
    grounding_chunk_indices: Vec<usize>,
}

/// In bytes, of one part of the answer.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Segment {
    start_index: usize,
    end_index: usize,
    text: String,
}

#[derive(Deserialize)]
struct Said {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
}

/// The annotations as a JSON list, from `groundingMetadata` and the answer's parts.
pub(super) fn annotations(grounding: &str, parts: &str) -> Option<String> {
    let grounding: Grounding = serde_json::from_str(grounding).ok()?;
    let parts: Vec<Said> = serde_json::from_str(parts).unwrap_or_default();
    let said = parts.iter().filter(|part| !part.thought);
    let text: String = said.filter_map(|part| part.text.as_deref()).collect();
    let mut list = Vec::new();
    for support in &grounding.grounding_supports {
        let (start, end) = support.segment.characters(&text);
        let sources = support.grounding_chunk_indices.iter();
        for source in sources.filter_map(|at| grounding.grounding_chunks.get(*at)) {
            list.extend(source.annotation(start, end));
        }
    }
    (!list.is_empty()).then(|| Value::from(list).to_string())
}

impl Source {
    fn annotation(&self, start: usize, end: usize) -> Option<Value> {
        let place = self
            .web
            .as_ref()
            .or(self.retrieved_context.as_ref())
            .or(self.maps.as_ref())?;
        let url = place.uri.as_deref()?;
        let title = place.title.as_deref().unwrap_or_default();
        let citation = json!({"url": url, "title": title, "start_index": start, "end_index": end});
        Some(json!({"type": "url_citation", "url_citation": citation}))
    }
}

impl Segment {
    /// Where it stands in the whole text, in characters. The bytes count from the beginning of a part of the provider's, which an
    /// answer in a stream no longer shows: then the words themselves are looked for.
    fn characters(&self, text: &str) -> (usize, usize) {
        let begins = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(&self.text));
        let found = Some(self.start_index).filter(begins).or_else(|| text.find(&self.text));
        let start = found.unwrap_or(0);
        let length = if self.text.is_empty() {
            self.end_index.saturating_sub(self.start_index)
        } else {
            self.text.len()
        };
        let count = |end: usize| text.get(..end).map_or(0, |before| before.chars().count());
        (count(start), count(start.saturating_add(length).min(text.len())))
    }
}
