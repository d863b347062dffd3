//! It reads what serde_json reads, and nothing else.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{is_value, read};
use crate::json::Str;
use crate::json::text::Object;

/// A type with some of everything.
#[derive(Debug, Deserialize, PartialEq)]
struct Mixed<'a> {
    #[serde(borrow, default)]
    text: Option<Str<'a>>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    share: Option<f64>,
    #[serde(default)]
    yes: Option<bool>,
    #[serde(default)]
    list: Option<Vec<i32>>,
    #[serde(default)]
    kind: Option<Kind>,
    #[serde(borrow, default)]
    names: Option<BTreeMap<Str<'a>, Value>>,
    #[serde(borrow, default)]
    copied: Cow<'a, str>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    One,
    Two(u8),
}

fn same(text: &str) {
    let theirs = serde_json::from_str::<Value>(text).ok();
    assert_eq!(read::<Value>(text), theirs, "{text}");
    assert_eq!(
        is_value(text),
        serde_json::from_str::<&RawValue>(text).is_ok(),
        "{text}"
    );
    let raw = |read: Option<&RawValue>| read.map(|raw| raw.get().to_owned());
    assert_eq!(raw(read(text)), raw(serde_json::from_str(text).ok()), "{text}");
    assert_eq!(read::<Mixed<'_>>(text), serde_json::from_str(text).ok(), "{text}");
    let entries = |read: Option<Object<'_>>| {
        let entries = read?
            .0
            .into_iter()
            .map(|(key, raw)| (key.into_owned(), raw.get().to_owned()));
        Some(entries.collect::<Vec<_>>())
    };
    assert_eq!(entries(read(text)), entries(serde_json::from_str(text).ok()), "{text}");
}

const WHOLE: &str = r#"{"text":"a\u00ffé \"b\" \ud83d\ude80","count":12,"share":-1.5e3,"yes":true,"list":[1,-2,3],
    "kind":"one","names":{"k\n":[{},[],null],"long enough for more than one block of sixty-four bytes, and then some":"\\\\\\"},"copied":"" }"#;

#[test]
fn a_byte_changed_anywhere_is_judged_as_serde_json_judges_it() {
    same(WHOLE);
    for at in 0..WHOLE.len() {
        for byte in *b" \"\\{}[]:,09xntf\n-.eu" {
            let mut changed = WHOLE.as_bytes().to_vec();
            changed[at] = byte;
            if let Ok(changed) = String::from_utf8(changed) {
                same(&changed);
            }
        }
    }
}

#[test]
fn a_text_cut_anywhere_or_with_more_after_it_is_none() {
    for at in (0..WHOLE.len()).filter(|at| WHOLE.is_char_boundary(*at)) {
        same(&WHOLE[..at]);
    }
    for more in [" ", "\n", "x", "}", ",", "{}"] {
        same(&format!("{WHOLE}{more}"));
    }
}

#[test]
fn small_texts_are_read_alike() {
    for text in [
        "",
        " ",
        "null",
        "true",
        "nul",
        "truex",
        "1",
        "-",
        "01",
        "1.",
        "1e",
        "1e5",
        "\"\"",
        "\"",
        "\"\\u12g4\"",
        "\"\\x\"",
        "[]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "{\"a\":1 \"b\":2}",
        "[[[]]",
        "{\"kind\":{\"two\":3}}",
        "{\"kind\":\"three\"}",
        "{\"count\":-1}",
        "{\"count\":1.5}",
        "{\"count\":\"1\"}",
        "{\"list\":[1,null]}",
        "{\"text\":null}",
        "{\"text\":1}",
        "{\"text\":\"a\",\"text\":\"b\"}",
        "{\"\\u0074ext\":\"a\"}",
        "[\"a\",1,2.5,true,[1],\"one\",{},\"b\"]",
        "\"\\ud800\"",
        "{\"text\":\"\\ud800\"}",
        "\u{feff}{}",
        "{\"names\":{\"a\":1,\"a\":2}}",
        "123456789012345678901234567890",
        "\"tab\there\"",
    ] {
        same(text);
    }
}

#[test]
fn nesting_has_a_limit_and_no_stack_is_needed_to_find_it() {
    for levels in [100, 127] {
        let nested = "[".repeat(levels) + &"]".repeat(levels);
        assert!(read::<Value>(&nested).is_some() && is_value(&nested), "{levels}");
    }
    let nested = "[".repeat(1 << 20);
    assert!(read::<Value>(&nested).is_none() && !is_value(&nested));
}
