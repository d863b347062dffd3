//! Embeddings in the shape OpenAI's clients read: `{object, data: [{object, index, embedding}], model, usage}`. Servers that give bare
//! vectors, one flat vector for several inputs, or a list too much are understood. A vector is numbers, or base64 of 32-bit floats, least
//! byte first: what the client asked for, whatever came.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Answer, Flaw, Stamp, usage};
use crate::scan::{Malformed, Scan};

/// Makes the answer to a call with `inputs` inputs what OpenAI's clients expect. An answer that is right is not copied.
pub(crate) fn embeddings(stamp: &Stamp, answer: &Bytes, inputs: usize) -> Result<Answer, Flaw> {
    let text = std::str::from_utf8(answer).map_err(|_| Flaw::Malformed("it is not valid UTF-8"))?;
    let (right, counted) = look(text, inputs, stamp.base64).ok_or(Flaw::Malformed("it is not valid JSON"))?;
    let body = if right {
        answer.clone()
    } else {
        rebuild(stamp, text, inputs)?
    };
    Ok(Answer {
        body,
        usage: usage(counted),
    })
}

/// Whether it is right, and its usage.
fn look(text: &str, inputs: usize, base64: bool) -> Option<(bool, &str)> {
    let mut scan = Scan::new(text);
    if scan.peek() != b'{' {
        scan.skip().ok()?;
        scan.end().ok()?;
        return Some((false, ""));
    }
    let (mut list, mut model, mut good, mut count, mut counted, mut error) = (false, false, true, 0, "", false);
    scan.members(|scan, key| {
        let first = scan.peek();
        match key.name {
            b"data" if first == b'[' => {
                return scan.items(|scan| {
                    count += 1;
                    good &= vector(scan, base64)?;
                    Ok(())
                });
            }
            b"usage" => counted = text.get(scan.skip()?).unwrap_or_default(),
            b"object" => list = text.get(scan.skip()?) == Some("\"list\""),
            b"model" => model = scan.skip()?.len() > 2 && first == b'"',
            b"error" => error = !matches!(text.get(scan.skip()?), Some("null" | "false")),
            _ => {
                scan.skip()?;
            }
        }
        Ok(())
    })
    .ok()?;
    scan.end().ok()?;
    Some((good && list && model && !error && count > 0 && count >= inputs, counted))
}

/// Whether an item of `data` is `{object, index, embedding}` with what the client asked for in it.
fn vector(scan: &mut Scan<'_>, base64: bool) -> Result<bool, Malformed> {
    if scan.peek() != b'{' {
        scan.skip()?;
        return Ok(false);
    }
    let (mut embedding, mut index, mut object) = (false, false, false);
    scan.members(|scan, key| {
        match key.name {
            b"embedding" => {
                embedding = base64 && scan.peek() == b'"';
                if scan.peek() == b'[' {
                    let mut first = 0;
                    scan.items(|scan| {
                        first = first.max(scan.peek());
                        scan.skip().map(|_| ())
                    })?;
                    embedding = !base64 && (first.is_ascii_digit() || first == b'-');
                    return Ok(());
                }
            }
            b"index" => index = true,
            b"object" => object = true,
            _ => {}
        }
        scan.skip().map(|_| ())
    })?;
    Ok(embedding && index && object)
}

fn rebuild(stamp: &Stamp, text: &str, inputs: usize) -> Result<Bytes, Flaw> {
    let value: Value = serde_json::from_str(text).map_err(|_| Flaw::Malformed("it is not valid JSON"))?;
    if value.get("error").is_some_and(|error| !error.is_null()) {
        return Err(Flaw::Error(text.to_owned()));
    }
    let (mut answer, data) = match value {
        Value::Object(mut answer) => {
            let data = ["data", "embeddings", "embedding"]
                .iter()
                .find_map(|key| answer.remove(*key));
            (answer, data.unwrap_or_default())
        }
        list => (Map::new(), list),
    };
    let vectors = split(vectors(data), inputs);
    if vectors.is_empty() {
        return Err(Flaw::Malformed("it has no embeddings"));
    }
    let item = |(index, mut item): (usize, Map<String, Value>)| {
        item.entry("object").or_insert_with(|| json!("embedding"));
        item.entry("index").or_insert_with(|| json!(index));
        if let Some(vector) = item.remove("embedding") {
            item.insert("embedding".to_owned(), written(vector, stamp.base64));
        }
        Value::Object(item)
    };
    answer.insert("object".to_owned(), json!("list"));
    answer.insert("data".to_owned(), vectors.into_iter().enumerate().map(item).collect());
    if !answer.get("model").is_some_and(Value::is_string) {
        answer.insert("model".to_owned(), json!(stamp.model));
    }
    Ok(Bytes::from(Value::Object(answer).to_string()))
}

/// The vectors in what a server calls its data, each as an object with an `embedding`.
fn vectors(data: Value) -> Vec<Map<String, Value>> {
    let Value::Array(items) = data else { return Vec::new() };
    if items.first().is_some_and(Value::is_number) {
        return vec![object(Value::Array(items))];
    }
    items
        .into_iter()
        .filter_map(|item| match item {
            Value::Object(mut item) => {
                let embedding = flat(item.remove("embedding")?);
                item.insert("embedding".to_owned(), embedding);
                Some(item)
            }
            other => Some(object(flat(other))),
        })
        .collect()
}

/// A vector that lies in a list of its own (llama.cpp with pooling) without that list.
fn flat(vector: Value) -> Value {
    match vector {
        Value::Array(mut items) if items.len() == 1 && items.first().is_some_and(Value::is_array) => items.remove(0),
        other => other,
    }
}

/// A vector as the client asked for it; what is no vector stays as it is.
fn written(vector: Value, base64: bool) -> Value {
    match vector {
        Value::Array(numbers) if base64 && numbers.iter().all(Value::is_number) => {
            let floats = numbers.iter().filter_map(Value::as_f64);
            let bytes: Vec<u8> = floats.flat_map(|number| (number as f32).to_le_bytes()).collect();
            Value::String(BASE64_STANDARD.encode(bytes))
        }
        Value::String(text) if !base64 => match BASE64_STANDARD.decode(&text) {
            Ok(bytes) if bytes.len() % 4 == 0 => {
                let floats = bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four));
                floats.map(Value::from).collect()
            }
            _ => Value::String(text),
        },
        vector => vector,
    }
}

fn object(embedding: Value) -> Map<String, Value> {
    Map::from_iter([("embedding".to_owned(), embedding)])
}

/// One flat vector for several inputs, cut into one for each.
fn split(mut found: Vec<Map<String, Value>>, inputs: usize) -> Vec<Map<String, Value>> {
    let [only] = found.as_mut_slice() else { return found };
    match only.get_mut("embedding") {
        Some(Value::Array(numbers)) if inputs > 1 && !numbers.is_empty() && numbers.len() % inputs == 0 => {
            let size = numbers.len() / inputs;
            numbers.chunks(size).map(|part| object(part.to_vec().into())).collect()
        }
        _ => found,
    }
}
