//! Fields of an answer that are the provider's own, put together out of the chunks they came in and carried as the very text they came
//! in: signatures of thoughts are good for nothing once they have been written again.

use serde_json::{Map, Value};

use super::{
    json::{push_comma, quoted},
    object::{Object, list},
};
use crate::chunk;

/// Fields in order, each with the values that came for it: JSON text.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, Vec<String>)>);

impl Fields {
    /// True if there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of all, and the JSON text of their values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(key, pieces)| (&**key, whole(key, pieces)))
    }

    /// Takes a value as it came in a stream: a further piece of one that is there, or a new one.
    pub(super) fn keep(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, pieces)) => pieces.push(value.to_owned()),
            None => self.0.push((key.to_owned(), vec![value.to_owned()])),
        }
    }

    /// Takes a value that is whole: lists of several items follow each other, of anything else the last counts.
    pub(super) fn add(&mut self, key: &str, value: &str) {
        let Some((_, pieces)) = self.0.iter_mut().find(|(known, _)| known == key) else {
            return self.keep(key, value);
        };
        let joined = match pieces.first().map(String::as_str) {
            Some(there) if there.starts_with('[') && value.starts_with('[') => joined(&[there, value]),
            _ => value.to_owned(),
        };
        *pieces = vec![joined];
    }

    /// As an object.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::from("{");
        for (key, pieces) in &self.0 {
            push_comma(&mut out);
            out.push_str(&quoted(key));
            out.push(':');
            out.push_str(&whole(key, pieces));
        }
        out.push('}');
        out
    }

    /// Writes those that `may` be written.
    pub(super) fn push(&self, out: &mut String, may: impl Fn(&str) -> bool) {
        for (key, pieces) in self.0.iter().filter(|(key, _)| may(key)) {
            push_comma(out);
            out.push_str(&quoted(key));
            out.push(':');
            out.push_str(&whole(key, pieces));
        }
    }
}

/// A value out of its pieces. One piece, and lists whose items are whole, stay the very text that came.
fn whole(key: &str, pieces: &[String]) -> String {
    if let [only] = pieces {
        return only.clone();
    }
    let texts: Vec<&str> = pieces.iter().map(String::as_str).collect();
    if numbered(&texts) {
        return joined(&texts);
    }
    let mut merged = Map::new();
    for piece in pieces {
        let value: Value = serde_json::from_str(piece).unwrap_or_default();
        chunk::merge(&mut merged, Map::from_iter([(key.to_owned(), value)]));
    }
    merged.remove(key).unwrap_or_default().to_string()
}

/// True for lists in which each item has a number of its own: none goes on with another.
fn numbered(lists: &[&str]) -> bool {
    let mut numbers = Vec::new();
    for text in lists {
        let Some(items) = list(text) else { return false };
        for item in items {
            let number = Object::parse(item.get()).and_then(|item| item.get("index").map(str::to_owned));
            match number {
                Some(number) if !numbers.contains(&number) => numbers.push(number),
                _ => return false,
            }
        }
    }
    true
}

/// One list with the items of all.
fn joined(lists: &[&str]) -> String {
    let mut out = String::from("[");
    for item in lists.iter().filter_map(|text| list(text)).flatten() {
        push_comma(&mut out);
        out.push_str(item.get());
    }
    out.push(']');
    out
}
