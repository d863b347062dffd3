//! The top level of a JSON object, as spans over its own text. A request is read once, and what must change in it is spliced in;
//! every other byte reaches the provider as the client wrote it.

use std::{borrow::Cow, ops::Range};

use serde_json::{Map, Value};

use super::edits::Edits;
use crate::scan::{Malformed, Scan};

/// The fields of a JSON object, in order: where each value stands in the text it was read from.
#[derive(Debug, Clone, Default)]
pub struct Object {
    fields: Vec<(String, Range<usize>)>,
}

impl Object {
    /// Reads the top level of `text`. Errors are serde_json's, with line and column; a value that is no object is one.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Self::of(Scan::new(text)).map_or_else(
            // Only to say what is wrong.
            || serde_json::from_str::<Map<String, Value>>(text).map(|_| Self::default()),
            Ok,
        )
    }

    /// Reads a text to its end; `None` if it is no object, or not one that `scan` takes.
    pub(crate) fn of(mut scan: Scan<'_>) -> Option<Self> {
        let object = Self::read(&mut scan).ok()?;
        scan.end().is_ok().then_some(object)
    }

    /// Reads the object that is next in a text; its spans are over all of that.
    pub(crate) fn read(scan: &mut Scan<'_>) -> Result<Self, Malformed> {
        Self::read_with(scan, |scan, _| scan.skip())
    }

    /// The same; `value` reads the value of each key, and says where it stands.
    pub(crate) fn read_with<'t>(
        scan: &mut Scan<'t>,
        mut value: impl FnMut(&mut Scan<'t>, &str) -> Result<Range<usize>, Malformed>,
    ) -> Result<Self, Malformed> {
        let mut fields = Vec::with_capacity(12);
        scan.members(|scan, key| {
            let name = name(key.name).ok_or(Malformed)?;
            let span = value(scan, &name)?;
            fields.push((name.into_owned(), span));
            Ok(())
        })?;
        Ok(Self { fields })
    }

    /// Where the value of `key` stands. Of a key that comes twice the last counts, as with most readers.
    pub fn span(&self, key: &str) -> Option<Range<usize>> {
        self.fields
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, span)| span.clone())
    }

    /// The value of `key` as JSON text; `null` is no value.
    pub fn get<'t>(&self, text: &'t str, key: &str) -> Option<&'t str> {
        self.span(key)
            .and_then(|span| text.get(span))
            .filter(|value| *value != "null")
    }

    /// The keys and values, in order.
    pub fn iter<'s, 't: 's>(&'s self, text: &'t str) -> impl Iterator<Item = (&'s str, &'t str)> + 's {
        self.fields
            .iter()
            .filter_map(move |(key, span)| Some((key.as_str(), text.get(span.clone())?)))
    }

    /// A key that comes more than once, if there is one: readers differ on which of its values counts.
    pub fn duplicate(&self) -> Option<&str> {
        // Sorted, because a body of a megabyte may have a hundred thousand keys.
        let mut keys: Vec<&str> = self.fields.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        keys.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        })
    }

    /// `text` without the fields that `gone` names.
    pub fn without(&self, text: &str, gone: &[&str]) -> String {
        let kept = self.fields.iter().filter(|(key, _)| !gone.contains(&key.as_str()));
        let mut out = String::with_capacity(text.len());
        for (key, span) in kept {
            out.push(if out.is_empty() { '{' } else { ',' });
            out.push_str(&Value::from(key.as_str()).to_string());
            out.push(':');
            out.push_str(text.get(span.clone()).unwrap_or_default());
        }
        out.push_str(if out.is_empty() { "{}" } else { "}" });
        out
    }

    /// `text` with `changes` made: each a key and the JSON text of its new value. A key that is there gets the new value where it
    /// stands, a new key goes to the end, and all other bytes stay as they are.
    pub fn with(&self, text: &str, changes: &[(&str, &str)]) -> String {
        self.edits(text, changes).apply(text)
    }

    /// What is to change in `text` for that.
    pub(crate) fn edits<'e>(&self, text: &str, changes: &[(&str, &'e str)]) -> Edits<'e> {
        let mut edits: Vec<(Range<usize>, Cow<'e, str>)> = Vec::with_capacity(changes.len() + 1);
        let mut added = String::new();
        for (key, value) in changes {
            if let Some(span) = self.span(key) {
                edits.push((span, Cow::Borrowed(value)));
                continue;
            }
            if !(self.fields.is_empty() && added.is_empty()) {
                added.push(',');
            }
            for piece in ["\"", key, "\":", value] {
                added.push_str(piece);
            }
        }
        if !added.is_empty() {
            let close = text.rfind('}').unwrap_or(text.len());
            edits.push((close..close, added.into()));
        }
        Edits::new(edits)
    }

    /// The fields of the text that `edits` make of theirs.
    pub(super) fn edited(&self, edits: &Edits<'_>) -> Self {
        let moved = |(key, span): &(String, Range<usize>)| (key.clone(), edits.moved(span));
        Self {
            fields: self.fields.iter().map(moved).collect(),
        }
    }
}

/// A key as it is meant, from what stands between its quotation marks.
pub(super) fn name(written: &[u8]) -> Option<Cow<'_, str>> {
    let written = std::str::from_utf8(written).ok()?;
    if written.contains('\\') {
        serde_json::from_str(&format!("\"{written}\"")).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(written))
    }
}

#[cfg(test)]
mod tests {
    use super::Object;

    fn edited(text: &str, changes: &[(&str, &str)]) -> String {
        Object::parse(text).expect("an object").with(text, changes)
    }

    #[test]
    fn every_byte_that_is_not_edited_stays() {
        let text = "{ \"model\" : \"a/b\",\n  \"messages\":[ {\"x\": 1.0e-0} ] , \"z\":null }\n";
        assert_eq!(
            edited(text, &[("model", "\"b\""), ("stream", "true")]),
            "{ \"model\" : \"b\",\n  \"messages\":[ {\"x\": 1.0e-0} ] , \"z\":null ,\"stream\":true}\n"
        );
    }

    #[test]
    fn an_empty_object_takes_a_first_key_without_a_comma() {
        assert_eq!(edited("{}", &[("a", "1"), ("b", "2")]), r#"{"a":1,"b":2}"#);
    }

    #[test]
    fn a_key_that_comes_twice_is_noticed_and_the_last_counts() {
        let text = r#"{"a":1,"b":2,"\u0061":3}"#;
        let object = Object::parse(text).expect("an object");
        assert_eq!(object.duplicate(), Some("a"));
        assert_eq!(object.get(text, "a"), Some("3"));
    }

    #[test]
    fn a_null_is_no_value_but_is_replaced_where_it_stands() {
        let text = r#"{"a":null,"b":1}"#;
        assert_eq!(Object::parse(text).expect("an object").get(text, "a"), None);
        assert_eq!(edited(text, &[("a", "2")]), r#"{"a":2,"b":1}"#);
    }
}
