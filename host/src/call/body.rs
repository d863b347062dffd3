//! A request's JSON: its text, and where in it the fields and the messages stand ([`Body`]). It is read once, however often it is
//! looked at later: of a long conversation each reading takes a good part of what the gateway needs for it.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use bytestring::ByteString;

use super::{
    asks,
    edits::Edits,
    object::{self, Object},
    validate,
};
use crate::{
    error::Problem,
    scan::{LONG, Malformed, Scan},
};

/// Of so many long strings the places are kept.
const MOST_LONG: usize = 1 << 10;

/// A JSON object with a list of `messages`, or without. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    text: ByteString,
    read: Arc<Read>,
}

#[derive(Debug, Default)]
struct Read {
    fields: Object,
    messages: Messages,
    /// Where strings stand that are long and have no escapes, without their quotation marks.
    long: Vec<Range<usize>>,
}

/// The items of `messages`.
#[derive(Debug, Default)]
struct Messages {
    /// Where each stands.
    spans: Vec<Range<usize>>,
    /// The keys that any of them has.
    keys: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Body {
    /// Reads a text to its end, and what is wrong with its messages; `None` if it is no object, or not one that `scan`, which is at
    /// its start, takes.
    pub(super) fn read(text: &ByteString, scan: Scan<'_>) -> Option<Self> {
        let mut messages = Messages::default();
        let mut long = Vec::with_capacity((text.len() / LONG).min(MOST_LONG));
        let mut scan = scan.noting(&mut long);
        let read = Object::read_with(&mut scan, |scan, key| {
            if key == "messages" && scan.peek() == b'[' {
                messages = Messages::default();
                messages.read(scan, text)
            } else {
                scan.skip()
            }
        });
        let fields = read.ok().filter(|_| scan.end().is_ok())?;
        Some(Self {
            text: text.clone(),
            read: Arc::new(Read { fields, messages, long }),
        })
    }

    /// The body that `edits` make of this one. They are inside of values, or take the place of whole ones.
    pub(super) fn edited(&self, edits: &Edits<'_>) -> Self {
        let Read { fields, messages, .. } = &*self.read;
        Self {
            text: edits.apply(&self.text).into(),
            read: Arc::new(Read {
                fields: fields.edited(edits),
                messages: Messages {
                    spans: messages.spans.iter().map(|span| edits.moved(span)).collect(),
                    keys: messages.keys.clone(),
                    problems: messages.problems.clone(),
                },
                // They are looked for once, in what the client wrote.
                long: Vec::new(),
            }),
        }
    }

    /// Where strings stand that are long (some kilobytes) and have no escapes, without their quotation marks: files, for the most
    /// part.
    pub(crate) fn long_strings(&self) -> &[Range<usize>] {
        &self.read.long
    }

    pub(crate) fn text(&self) -> &ByteString {
        &self.text
    }

    pub(super) fn fields(&self) -> &Object {
        &self.read.fields
    }

    /// The JSON text of each message; none if there is no list of them.
    pub(super) fn messages(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        let text = |span: &Range<usize>| self.text.get(span.clone()).unwrap_or_default();
        self.read.messages.spans.iter().map(text)
    }

    /// What is wrong with the messages, of which no more are told than anybody reads.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.read.messages.problems
    }

    /// Whether there is something at the end of a `path` through the fields (`messages.name`); lists on the way are gone through.
    pub(crate) fn asks(&self, path: &str) -> bool {
        let (key, inside) = path
            .split_once('.')
            .map_or((path, None), |(key, inside)| (key, Some(inside)));
        let Some(value) = self.read.fields.get(&self.text, key) else {
            return false;
        };
        let Some(inside) = inside else {
            return !asks::nothing(key, value);
        };
        let next = inside.split('.').next().unwrap_or(inside);
        (key != "messages" || self.read.messages.keys.contains(next)) && asks::inside(value, inside)
    }
}

impl Messages {
    /// Reads the list that is next in `text`.
    fn read(&mut self, scan: &mut Scan<'_>, text: &str) -> Result<Range<usize>, Malformed> {
        let start = scan.place();
        scan.items(|scan| self.one(scan, text))?;
        Ok(start..scan.here())
    }

    fn one(&mut self, scan: &mut Scan<'_>, text: &str) -> Result<(), Malformed> {
        let start = scan.place();
        let mut known = [const { None }; validate::MESSAGE.len()];
        if scan.peek() == b'{' {
            scan.members(|scan, key| {
                let key = object::name(key.name).ok_or(Malformed)?;
                let value = scan.skip()?;
                if let Some(at) = validate::MESSAGE.iter().position(|(known, _)| *known == key) {
                    known[at] = text.get(value);
                }
                if !self.keys.contains(&*key) {
                    self.keys.insert(key.into_owned());
                }
                Ok(())
            })?;
            validate::message(self.spans.len(), &known, &mut self.problems);
        } else {
            let other = text.get(scan.skip()?).unwrap_or_default();
            validate::no_message(self.spans.len(), other, &mut self.problems);
        }
        self.spans.push(start..scan.here());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Body> {
        Body::read(&text.into(), Scan::strict(text, 8))
    }

    #[test]
    fn messages_are_told_apart_and_what_is_asked_for_in_them_is_found() {
        let text = r#"{ "messages" : [ {"role":"user","n\u0061me":"Ann"} , {"role":"assistant","tool_calls":[{"name":"f"}]},7 ], "a":{"b":[{"c":1}]} }"#;
        let body = read(text).unwrap();
        let messages: Vec<_> = body.messages().collect();
        let [first, second] = [
            r#"{"role":"user","n\u0061me":"Ann"}"#,
            r#"{"role":"assistant","tool_calls":[{"name":"f"}]}"#,
        ];
        assert_eq!(messages, [first, second, "7"]);
        assert_eq!(body.problems().len(), 1);
        for (path, asked) in [
            ("messages", true),
            ("messages.tool_calls.name", true),
            ("messages.audio", false),
            ("messages.role.name", false),
            ("a", true),
            ("a.b.c", true),
            ("a.c", false),
            ("b", false),
        ] {
            assert_eq!(body.asks(path), asked, "{path}");
        }
    }

    #[test]
    fn a_body_is_nested_no_deeper_inside_of_messages_than_elsewhere() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        for (levels, taken) in [(5, true), (6, false)] {
            let message = format!(r#"{{"messages":[{{"role":{}}}]}}"#, nested(levels));
            assert_eq!(read(&message).is_some(), taken, "{message}");
            let field = format!(r#"{{"field":[[{}]]}}"#, nested(levels));
            assert_eq!(read(&field).is_some(), taken, "{field}");
        }
        assert!(read(r#"{"messages":[{"role":"user"}}"#).is_none());
    }
}
