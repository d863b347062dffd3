//! Puts the chunks of an answer together, as the host does for a client that wants none.

use serde_json::{Map, Value, json};

/// The whole answer that these chunks are.
pub(super) fn assemble(chunks: &[Value]) -> Value {
    let mut answer = Map::new();
    let mut choices: Vec<Value> = Vec::new();
    for chunk in chunks.iter().filter_map(Value::as_object) {
        for (key, value) in chunk.iter().filter(|(key, _)| *key != "choices") {
            answer.insert(key.clone(), value.clone());
        }
        for delta in chunk.get("choices").and_then(Value::as_array).into_iter().flatten() {
            add_choice(&mut choices, delta);
        }
    }
    answer.insert("choices".to_owned(), choices.into());
    answer.into()
}

fn add_choice(choices: &mut Vec<Value>, delta: &Value) {
    let index = delta["index"].as_u64().unwrap_or_default();
    let at = choices
        .iter()
        .position(|choice| choice["index"] == index)
        .unwrap_or_else(|| {
            choices.push(
                json!({ "index": index, "message": { "role": "assistant", "content": null }, "finish_reason": null }),
            );
            choices.len() - 1
        });
    let choice = &mut choices[at];
    for (key, value) in delta.as_object().into_iter().flatten() {
        match key.as_str() {
            "index" => {}
            "delta" => merge(&mut choice["message"], value),
            _ if value.is_null() => {}
            _ => choice[key] = value.clone(),
        }
    }
}

/// Text is joined, lists of things with an index are merged by it, other lists are joined, the rest is replaced.
fn merge(into: &mut Value, news: &Value) {
    match (into, news) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(news)) => {
            for (key, value) in news {
                match into.get_mut(key) {
                    Some(Value::String(text)) if ["role", "id", "type", "name"].contains(&key.as_str()) => {
                        value.as_str().unwrap_or_default().clone_into(text);
                    }
                    Some(old) => merge(old, value),
                    None => {
                        into.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::String(text), Value::String(more)) => text.push_str(more),
        (Value::Array(list), Value::Array(more)) => {
            for item in more {
                let index = item.get("index");
                match list.iter_mut().find(|old| index.is_some() && old.get("index") == index) {
                    Some(old) => merge(old, item),
                    None => list.push(item.clone()),
                }
            }
        }
        (into, news) => *into = news.clone(),
    }
}
