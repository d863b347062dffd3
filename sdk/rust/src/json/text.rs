//! JSON as text, read and written without a tree: what a translation does not look at is copied as it stands, still escaped.
//!
//! The quickest way to translate, and the barest: it is for adapters that rewrite long bodies. Strings are looked at with [`string`]
//! where their value matters, and pieced together with [`between_quotes`] where it does not.
//!
//! ```
//! use witgate_sdk::json::text::{Object, push_field};
//! let asked = Object::parse(r#"{"temperature":0.70,"stop":null}"#).unwrap();
//! let mut out = String::from("{");
//! for (key, value) in &asked.0 {
//!     push_field(&mut out, key, value.get());
//! }
//! out.push('}');
//! assert_eq!(out, r#"{"temperature":0.70,"stop":null}"#);
//! assert_eq!(asked.get("stop"), None);
//! ```

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object as its entries, in their order, each value still JSON text.
#[derive(Debug, Default)]
pub struct Object<'a>(
    /// the entries; a key that was written twice is there twice
    pub Vec<(Cow<'a, str>, &'a RawValue)>,
);

impl<'a> Object<'a> {
    /// Reads an object; `None` for any other value.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The JSON text of a key; `null` is none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        Some(value.get()).filter(|text| *text != "null")
    }

    /// The key's value, if it is a string.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Cow<'a, str>> {
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
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Key<'a>(
    /// the text
    #[serde(borrow)]
    pub Cow<'a, str>,
);

/// A JSON string's value; `None` for any other value.
#[must_use]
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Key<'_>>(text).ok().map(|key| key.0)
}

/// The text between the quotes of a JSON string, still escaped. Pieces of it can be put one after another.
#[must_use]
pub fn between_quotes(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// As [`between_quotes`], "" for what is no string.
#[must_use]
pub fn pieces(value: Option<&RawValue>) -> &str {
    value.and_then(|value| between_quotes(value.get())).unwrap_or_default()
}

/// Writes `text` as a JSON string.
pub fn push_string(out: &mut String, text: &str) {
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
pub fn push_comma(out: &mut String) {
    if !matches!(out.as_bytes().last(), None | Some(b'[' | b'{')) {
        out.push(',');
    }
}

/// Writes `"key":value`, after a comma where one is needed. `value` is JSON text.
pub fn push_field(out: &mut String, key: &str, value: &str) {
    push_comma(out);
    push_string(out, key);
    out.push(':');
    out.push_str(value);
}

/// As [`push_field`] for a number.
pub fn push_number(out: &mut String, key: &str, value: u64) {
    push_field(out, key, &value.to_string());
}
