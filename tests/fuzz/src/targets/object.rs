//! `call::object::Object`: the top level of a JSON object as spans, and edits by splicing.

use std::collections::BTreeMap;

use witgate::call::object::Object;

use super::{is_json, members};
use crate::random::Random;

/// What values are replaced with.
const VALUES: &[&str] = &[
    "null",
    "1",
    "\"text\"",
    "{\"a\":[1,{}]}",
    "[]",
    "true",
    "\"\\\"}\\u00e9\"",
];

/// Reads an object, compares its fields with what serde_json finds, and edits it.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expected = members(text);
    let Ok(object) = Object::parse(text) else {
        assert!(expected.is_none(), "serde_json reads this object");
        return;
    };
    let expected = expected.expect("what `Object` reads, serde_json reads");
    for (key, value) in object.iter(text) {
        assert!(is_json(value), "the value of {key:?} is no JSON");
    }
    for (key, value) in &expected {
        let found = object.get(text, key);
        assert_eq!(found, Some(value.get()).filter(|value| *value != "null"), "{key:?}");
    }
    assert_eq!(
        object.duplicate().is_none(),
        object.iter(text).count() == expected.len()
    );
    edits(text, &object, &mut Random::of(data));
}

/// Replaces some fields and adds others; what is read afterwards must be what is expected, and taking it back gives the text.
fn edits(text: &str, object: &Object, random: &mut Random) {
    let keys: Vec<&str> = object
        .iter(text)
        .map(|(key, _)| key)
        .filter(|key| is_plain(key))
        .collect();
    let mut changes: BTreeMap<&str, &str> = BTreeMap::new();
    for _ in 0..random.below(4) {
        if let (Some(key), Some(value)) = (random.pick(&keys), random.pick(VALUES)) {
            changes.insert(key, value);
        }
    }
    let replaced: Vec<(&str, &str)> = changes.iter().map(|(key, value)| (*key, *value)).collect();
    let edited = object.with(text, &replaced);
    let again = Object::parse(&edited).expect("an edited object is an object");
    let back: Vec<(&str, &str)> = replaced
        .iter()
        .filter_map(|(key, _)| Some((*key, text.get(object.span(key)?)?)))
        .collect();
    assert_eq!(again.with(&edited, &back), text, "edits taken back give the text");

    for key in ["model", "stream", "stream_options"].iter().take(random.below(4)) {
        changes.insert(key, random.pick(VALUES).copied().unwrap_or("0"));
    }
    let all: Vec<(&str, &str)> = changes.iter().map(|(key, value)| (*key, *value)).collect();
    check(text, &object.with(text, &all), &all);
}

/// The fields of `edited` must be those of `text` with `changes` made.
pub(super) fn check(text: &str, edited: &str, changes: &[(&str, &str)]) {
    let raw = members(text).expect("an object");
    let mut expected: BTreeMap<&str, &str> = raw.iter().map(|(key, value)| (key.as_str(), value.get())).collect();
    expected.extend(changes.iter().copied());
    let found = members(edited).expect("an edited object is an object");
    let found: BTreeMap<&str, &str> = found.iter().map(|(key, value)| (key.as_str(), value.get())).collect();
    assert_eq!(found, expected, "after {changes:?}");
}

/// The gateway's own keys need no escapes.
fn is_plain(key: &str) -> bool {
    !key.contains(|c: char| c == '"' || c == '\\' || c.is_control())
}
