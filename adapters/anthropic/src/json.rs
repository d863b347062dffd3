//! JSON text, read and written without a tree: what the translation does not look at is copied as it stands.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object as its entries, in their order, each value still JSON text.
#[derive(Debug, Default)]
pub(crate) struct Object<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads an object; `None` for any other value.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The JSON text of a key; `null` is none.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        Some(value.get()).filter(|text| *text != "null")
    }

    /// The key's value, if it is a string.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key).and_then(string)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    entries.push((key, map.next_value()?));
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A string that is borrowed where it can be (a bare `Cow` never is, as a map's key or a list's element).
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A JSON string's value; `None` for any other value.
pub(crate) fn string(text: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Key<'_>>(text).ok().map(|key| key.0)
}

/// The text between the quotes of a JSON string, still escaped. Pieces of it can be put one after another.
pub(crate) fn between_quotes(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// As [`between_quotes`], "" for what is no string.
pub(crate) fn pieces(value: Option<&RawValue>) -> &str {
    value.and_then(|value| between_quotes(value.get())).unwrap_or_default()
}

/// Writes `text` as a JSON string.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[clean..at]);
        clean = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => out.push_str(&format!("\\u{byte:04x}")),
        }
    }
    out.push_str(&text[clean..]);
    out.push('"');
}

/// Writes `,` unless `out` ends where a list or an object begins.
pub(crate) fn push_comma(out: &mut String) {
    if !matches!(out.as_bytes().last(), None | Some(b'[' | b'{')) {
        out.push(',');
    }
}

/// Writes `"key":value`, after a comma where one is needed. `value` is JSON text.
pub(crate) fn push_field(out: &mut String, key: &str, value: &str) {
    push_comma(out);
    push_string(out, key);
    out.push(':');
    out.push_str(value);
}

/// As [`push_field`] for a number.
pub(crate) fn push_number(out: &mut String, key: &str, value: u64) {
    push_field(out, key, &value.to_string());
}
