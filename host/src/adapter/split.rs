//! A call that is more than its adapter takes at once (`limits` of the manifest): texts to embed, or answers to one prompt. It becomes
//! several calls, and their answers one again. Shapes are those of OpenAI's API reference.

use bytes::Bytes;
use serde_json::{Map, Value, value::RawValue};

use super::manifest::Manifest;
use crate::{
    call::{Operation, object::Object},
    error::{Error, Result},
};

type Fields = Map<String, Value>;

/// How many of the calls are under way at the same time.
pub(super) const AT_ONCE: usize = 4;
/// How many calls one may become: a client must not multiply without end.
const MOST: usize = 256;

/// The bodies of the calls that `body` becomes, given how to find out what it asks for; none if it can go as it is. A batch of one is
/// never split.
pub(super) fn bodies<'b>(
    manifest: &Manifest,
    operation: Operation,
    body: &str,
    asked: impl FnOnce(&str) -> Option<&'b str>,
) -> Result<Vec<String>> {
    let (limit, field) = match operation {
        Operation::Embeddings => ("embeddings-batch", "input"),
        Operation::Chat => ("n", "n"),
        _ => return Ok(Vec::new()),
    };
    let most = manifest.limits.get(limit).and_then(|most| usize::try_from(*most).ok());
    let Some(most) = most.filter(|most| *most > 0) else {
        return Ok(Vec::new());
    };
    let Some(asked) = asked(field) else {
        return Ok(Vec::new());
    };
    let pieces = match operation {
        Operation::Embeddings => lists(asked, most),
        _ => counts(asked, most),
    };
    if pieces.len() > MOST {
        let message = format!("'{field}' is more than {MOST} requests of {most} each to this provider.");
        return Err(Error::invalid(message, Some(field)));
    }
    if pieces.is_empty() {
        return Ok(pieces);
    }
    let object = Object::parse(body).map_err(|_| Error::Internal("a body that is no object"))?;
    let streams = object.get(body, "stream").map(|_| ("stream", "false"));
    let with = |piece: &String| {
        let changes: Vec<_> = streams.into_iter().chain([(field, piece.as_str())]).collect();
        object.with(body, &changes)
    };
    Ok(pieces.iter().map(with).collect())
}

/// A list of texts, or of lists of token ids, in pieces of `most`. A list of numbers is one input.
fn lists(input: &str, most: usize) -> Vec<String> {
    let items: Vec<&RawValue> = serde_json::from_str(input).unwrap_or_default();
    let several = items.first().is_some_and(|first| first.get().starts_with(['"', '[']));
    if !several || items.len() <= most {
        return Vec::new();
    }
    let piece = |items: &[&RawValue]| {
        let texts: Vec<_> = items.iter().map(|item| item.get()).collect();
        format!("[{}]", texts.join(","))
    };
    items.chunks(most).map(piece).collect()
}

/// A number in pieces of `most`.
fn counts(number: &str, most: usize) -> Vec<String> {
    let Ok(mut left) = number.parse::<usize>() else {
        return Vec::new();
    };
    if left <= most {
        return Vec::new();
    }
    // One more than may be is enough to be refused.
    let mut pieces = Vec::new();
    while left > 0 && pieces.len() <= MOST {
        let piece = left.min(most);
        pieces.push(piece.to_string());
        left -= piece;
    }
    pieces
}

/// One answer out of those of the pieces, in order: what stands in lists is numbered through, what was counted is added up. The rest
/// is as the first has it.
pub(super) fn join(operation: Operation, answers: &[Bytes]) -> Option<Bytes> {
    let list = if operation == Operation::Embeddings {
        "data"
    } else {
        "choices"
    };
    let mut joined: Option<Fields> = None;
    let mut items = Vec::new();
    let mut usage = Value::Null;
    for answer in answers {
        let mut answer: Fields = serde_json::from_slice(answer).ok()?;
        let Some(Value::Array(more)) = answer.remove(list) else {
            return None;
        };
        items.extend(more);
        add(&mut usage, answer.remove("usage").unwrap_or_default());
        joined.get_or_insert(answer);
    }
    for (at, item) in items.iter_mut().enumerate() {
        item.as_object_mut()?.insert("index".to_owned(), at.into());
    }
    let mut joined = joined?;
    joined.insert(list.to_owned(), items.into());
    if !usage.is_null() {
        joined.insert("usage".to_owned(), usage);
    }
    Some(Value::Object(joined).to_string().into())
}

/// Adds what was counted to what was counted before, however deep the numbers stand.
fn add(sum: &mut Value, more: Value) {
    match (&mut *sum, more) {
        (_, Value::Null) => {}
        (Value::Object(sum), Value::Object(more)) => {
            for (key, value) in more {
                add(sum.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Number(before), Value::Number(now)) => {
            if let (Some(before), Some(now)) = (before.as_u64(), now.as_u64()) {
                *sum = before.saturating_add(now).into();
            }
        }
        (Value::Null, more) => *sum = more,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest() -> Manifest {
        let text = r#"{"name":"x","version":"1","operations":["embeddings"],"limits":{"embeddings-batch":2,"n":3}}"#;
        Manifest::parse(text).unwrap()
    }

    fn asked(operation: Operation, body: &str) -> Vec<String> {
        let fields = Object::parse(body).unwrap();
        bodies(&manifest(), operation, body, |field| fields.get(body, field)).unwrap()
    }

    #[test]
    fn a_call_is_split_only_where_it_is_more_than_the_adapter_takes() {
        for whole in [
            r#"{"input":["a","b"]}"#,
            r#"{"input":"abc"}"#,
            r#"{"input":[1,2,3]}"#,
            "{}",
        ] {
            assert!(asked(Operation::Embeddings, whole).is_empty(), "{whole}");
        }
        assert_eq!(
            asked(
                Operation::Embeddings,
                r#"{"input":["a","b","c"],"model":"m","stream":true}"#
            ),
            [
                r#"{"input":["a","b"],"model":"m","stream":false}"#,
                r#"{"input":["c"],"model":"m","stream":false}"#
            ]
        );
        assert!(asked(Operation::Chat, r#"{"n":3}"#).is_empty());
        assert_eq!(
            asked(Operation::Chat, r#"{"n":4,"stream":false}"#),
            [r#"{"n":3,"stream":false}"#, r#"{"n":1,"stream":false}"#]
        );
    }

    #[test]
    fn a_client_cannot_ask_for_calls_without_end() {
        let most = |_: &str| Some("18446744073709551615");
        let error = bodies(&manifest(), Operation::Chat, "{}", most).unwrap_err();
        assert_eq!((error.status(), error.param()), (400, Some("n")));
    }

    #[test]
    fn joined_answers_are_numbered_through_and_their_usage_is_added_up() {
        let answer = |text: &str, tokens: u64| {
            let usage = json!({ "prompt_tokens": 1, "completion_tokens": tokens, "prompt_tokens_details": { "cached_tokens": 1 } });
            let choices = json!([{ "index": 0, "message": { "content": text } }]);
            Bytes::from(json!({ "id": text, "choices": choices, "usage": usage }).to_string())
        };
        let joined = join(Operation::Chat, &[answer("a", 2), answer("b", 3)]).unwrap();
        let joined: Value = serde_json::from_slice(&joined).unwrap();
        assert_eq!(joined["id"], "a");
        assert_eq!(
            (
                &joined["choices"][1]["index"],
                &joined["choices"][1]["message"]["content"]
            ),
            (&json!(1), &json!("b"))
        );
        assert_eq!(
            joined["usage"],
            json!({ "prompt_tokens": 2, "completion_tokens": 5, "prompt_tokens_details": { "cached_tokens": 2 } })
        );
        assert_eq!(join(Operation::Chat, &[Bytes::from_static(b"[]")]), None);
    }
}
