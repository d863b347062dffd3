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

use super::read::read;

/// An object as its entries, in their order, each value still JSON text.
#[derive(Debug, Default)]
pub struct Object<'a>(
    /// the entries; a key that was written twice is there twice
    pub Vec<(Cow<'a, str>, &'a RawValue)>,
);

impl<'a> Object<'a> {
    /// Reads an object; `None` for any other value.
    // One piece of code for all callers: the reader is large, and a call is nothing beside reading.
    #[inline(never)]
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        read(text)
    }

    /// The JSON text of a key; `null` is none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        Some(value.get()).filter(|text| *text != "null")
    }

    /// The entries in their order, each value as JSON text, without those that are `null`.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &'a str)> {
        let entries = self.0.iter().map(|(key, value)| (&**key, value.get()));
        entries.filter(|(_, value)| *value != "null")
    }

    /// The key's value, if it is a string.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key).and_then(string)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    #[inline(never)]
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

/// The objects of a list; `None` for any other value.
#[inline(never)]
pub(crate) fn objects(text: &str) -> Option<Vec<Object<'_>>> {
    read(text)
}

/// A JSON string's value; `None` for any other value.
#[inline(never)]
#[must_use]
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Key<'_>>(text).ok().map(|key| key.0)
}

/// The text between the quotes of a JSON string, still escaped. Pieces of it can be put one after another.
#[must_use]
pub fn between_quotes(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// The text between the brackets of a JSON list: its values with commas between them.
#[must_use]
pub fn between_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// As [`between_quotes`], "" for what is no string.
#[must_use]
pub fn pieces(value: Option<&RawValue>) -> &str {
    value.and_then(|value| between_quotes(value.get())).unwrap_or_default()
}

/// Is this a JSON string of nothing but white space? Many APIs refuse blank texts.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    let Some(mut rest) = between_quotes(text) else {
        return false;
    };
    // Nearly every text has a letter at its beginning, after some white space; so nearly none is read to its end here.
    loop {
        rest = rest.trim_start();
        let space = |escape| rest.strip_prefix(escape);
        match space("\\n").or_else(|| space("\\t")).or_else(|| space("\\r")) {
            Some(after) => rest = after,
            None => break,
        }
    }
    rest.is_empty() || (rest.starts_with('\\') && string(text).is_some_and(|text| text.trim().is_empty()))
}

/// Writes `text` as a JSON string.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text);
    out.push('"');
}

/// Writes `text` as a piece of a JSON string: without its quotes.
pub fn push_escaped(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text;
    loop {
        // What ends the plain part is a character of one byte, if anything does.
        let (clean, special) = rest.split_at(plain(rest.as_bytes()));
        out.push_str(clean);
        let Some(byte) = special.bytes().next() else {
            return;
        };
        rest = &special[1..];
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                out.push_str("\\u00");
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}

/// How many bytes may stand in a JSON string as they are, from the first on; looked at eight at a time.
fn plain(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    // A byte of the word is marked if it is less than `than`. A mark can be false only above a true one.
    let less = |word: u64, than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word & TOPS;
    let (words, tail) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let is = |byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
        let marks = less(word, 0x20) | is(b'"') | is(b'\\');
        if marks != 0 {
            return at * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    text.len() - tail.len() + tail.iter().position(special).unwrap_or(tail.len())
}

/// Writes pieces of a JSON string as one: with its quotes.
pub fn push_quoted(out: &mut String, pieces: &str) {
    out.push('"');
    out.push_str(pieces);
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

/// Writes `"key":[values]`, after a comma where one is needed; nothing if there are no `values`, which are JSON text with commas between
/// them.
pub fn push_list(out: &mut String, key: &str, values: &str) {
    if !values.is_empty() {
        push_comma(out);
        push_string(out, key);
        out.push_str(":[");
        out.push_str(values);
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::{is_blank, push_list, push_string};

    #[test]
    fn text_of_every_kind_survives_being_written() {
        let every: String = ('\0'..='\u{17f}').chain(['\u{2028}', '😀', '"', '\\']).collect();
        let mut text = String::new();
        push_string(&mut text, &every);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), every);
    }

    #[test]
    fn what_must_be_escaped_is_found_wherever_it_stands() {
        for at in 0..20 {
            for special in ['"', '\\', '\n', '\u{1}', '\u{1f}'] {
                let expected = format!("{}{special}{}", "é".repeat(at), "x!\u{7f}".repeat(9));
                let mut text = String::new();
                push_string(&mut text, &expected);
                assert_eq!(serde_json::from_str::<String>(&text).unwrap(), expected);
            }
        }
    }

    #[test]
    fn a_list_without_values_is_not_written() {
        let mut out = String::from("{");
        push_list(&mut out, "none", "");
        push_list(&mut out, "some", "1,2");
        push_list(&mut out, "more", "3");
        assert_eq!(out, r#"{"some":[1,2],"more":[3]"#);
    }

    #[test]
    fn blank_is_white_space_however_it_is_written() {
        assert!(["\"\"", "\" \"", r#""\n\u0020\t""#].into_iter().all(is_blank));
        assert!(!["\" a\"", "\"a\"", "\".\"", "null", "[]", ""].into_iter().any(is_blank));
    }
}
