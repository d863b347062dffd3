//! Changes to JSON that leave it JSON, so that they get past the parser: to a whole document, or to one line of a stream.

use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::random::Random;

/// Changes one JSON value in `data`, if one is found.
pub(super) fn change(data: &mut Vec<u8>, words: &[Vec<u8>], random: &mut Random) {
    let span = place(data, random);
    let Some(mut value) = data
        .get(span.clone())
        .and_then(|text| serde_json::from_slice(text).ok())
    else {
        return;
    };
    let word = random
        .pick(words)
        .map(|word| String::from_utf8_lossy(word).into_owned());
    let steps = random.below(8);
    alter(node(&mut value, steps, random), word.unwrap_or_default(), random);
    let written = if random.once_in(8) {
        serde_json::to_vec_pretty(&value)
    } else {
        serde_json::to_vec(&value)
    };
    if let Ok(written) = written {
        data.splice(span, written);
    }
}

/// Where a JSON value may stand: all of it if it begins like one, else the end of a line from its first bracket on.
fn place(data: &[u8], random: &mut Random) -> Range<usize> {
    let all = 0..data.len();
    if data
        .trim_ascii_start()
        .first()
        .is_some_and(|byte| matches!(byte, b'{' | b'['))
        && !random.once_in(4)
    {
        return all;
    }
    let lines: Vec<Range<usize>> = data
        .split_inclusive(|byte| *byte == b'\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some(start..start + line.trim_ascii_end().len())
        })
        .filter_map(|line| {
            let bracket = data.get(line.clone())?.iter().position(|byte| *byte == b'{')?;
            Some(line.start + bracket..line.end)
        })
        .collect();
    random.pick(&lines).cloned().unwrap_or(all)
}

/// A value in `value`, at most `steps` down.
fn node<'v>(value: &'v mut Value, steps: usize, random: &mut Random) -> &'v mut Value {
    let count = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    if steps == 0 || count == 0 {
        return value;
    }
    let chosen = random.below(count);
    let inner = match value {
        Value::Array(items) => items.get_mut(chosen),
        Value::Object(fields) => fields.values_mut().nth(chosen),
        _ => None,
    };
    node(inner.expect("the chosen one is below the count"), steps - 1, random)
}

fn alter(value: &mut Value, word: String, random: &mut Random) {
    let chosen = random.below(4);
    match value {
        Value::Array(items) if chosen == 0 => {
            let item = random.pick(items).cloned().unwrap_or_default();
            items.insert(random.below(items.len() + 1), item);
        }
        Value::Array(items) if chosen == 1 && !items.is_empty() => {
            items.remove(random.below(items.len()));
        }
        Value::Array(items) if chosen == 2 && !items.is_empty() => {
            let (one, other) = (random.below(items.len()), random.below(items.len()));
            items.swap(one, other);
        }
        Value::Object(fields) if chosen < 3 => member(fields, word, chosen, random),
        _ => {
            let old = value.take();
            *value = replacement(&old, word, random);
        }
    }
}

/// Adds, removes or renames a member.
fn member(fields: &mut Map<String, Value>, word: String, chosen: usize, random: &mut Random) {
    let keys: Vec<String> = fields.keys().cloned().collect();
    let key = random.pick(&keys).cloned().unwrap_or_default();
    match chosen {
        0 => {
            let value = fields.get(&key).cloned().unwrap_or_default();
            fields.insert(word, replacement(&value, String::new(), random));
        }
        1 => {
            fields.remove(&key);
        }
        _ => {
            let value = fields.remove(&key).unwrap_or_default();
            fields.insert(word, value);
        }
    }
}

fn replacement(old: &Value, word: String, random: &mut Random) -> Value {
    match random.below(16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(1.5),
        5 => json!(u64::MAX),
        6 => json!(i64::MIN),
        7 => json!(1e300),
        8 => json!([]),
        9 => json!({}),
        10 => json!(""),
        11 => json!("\u{0}\n\"\\\u{2028}\u{1f600}"),
        12 => json!([old]),
        13 => json!({ word: old }),
        14 => json!(old.to_string()),
        _ => json!(word),
    }
}
