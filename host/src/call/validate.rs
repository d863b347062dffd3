//! What a request must look like: a table of fields and their types, and the messages. Unknown fields pass: they are between the
//! client and its provider. The value's first byte tells its type, so nothing is parsed twice.

use super::{Operation, body::Body};
use crate::error::Problem;

/// A set of JSON types a field may have.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Text,
    Boolean,
    Number,
    Integer,
    Object,
    Array,
    TextOrArray,
    TextOrObject,
}

impl Type {
    fn admits(self, value: &str) -> bool {
        let first = value.as_bytes().first().copied().unwrap_or_default();
        let number = first == b'-' || first.is_ascii_digit();
        match self {
            Self::Text => first == b'"',
            Self::Boolean => matches!(first, b't' | b'f'),
            Self::Number => number,
            Self::Integer => number && !value.contains(['.', 'e', 'E']),
            Self::Object => first == b'{',
            Self::Array => first == b'[',
            Self::TextOrArray => matches!(first, b'"' | b'['),
            Self::TextOrObject => matches!(first, b'"' | b'{'),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Integer => "an integer",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::TextOrArray => "a string or an array",
            Self::TextOrObject => "a string or an object",
        }
    }
}

/// The fields the three operations share or have, from OpenAI's API reference.
const FIELDS: &[(&str, Type)] = &[
    ("model", Type::Text),
    ("stream", Type::Boolean),
    ("stream_options", Type::Object),
    ("temperature", Type::Number),
    ("top_p", Type::Number),
    ("presence_penalty", Type::Number),
    ("frequency_penalty", Type::Number),
    ("n", Type::Integer),
    ("max_tokens", Type::Integer),
    ("max_completion_tokens", Type::Integer),
    ("seed", Type::Integer),
    ("top_logprobs", Type::Integer),
    ("parallel_tool_calls", Type::Boolean),
    ("stop", Type::TextOrArray),
    ("tools", Type::Array),
    ("tool_choice", Type::TextOrObject),
    ("response_format", Type::Object),
    ("user", Type::Text),
    ("encoding_format", Type::Text),
    ("dimensions", Type::Integer),
];

/// Those that the Messages API has beside them, or means otherwise, from Anthropic's API reference.
const MESSAGES_FIELDS: &[(&str, Type)] = &[
    ("system", Type::TextOrArray),
    ("stop_sequences", Type::Array),
    ("top_k", Type::Integer),
    ("tool_choice", Type::Object),
    ("thinking", Type::Object),
    ("metadata", Type::Object),
    ("output_config", Type::Object),
];

/// Those of operations that pass as they are.
const PLAIN_FIELDS: &[(&str, Type)] = &[("model", Type::Text), ("stream", Type::Boolean), ("n", Type::Integer)];

/// Those that the Responses API has beside them, from OpenAI's API reference.
const RESPONSES_FIELDS: &[(&str, Type)] = &[
    ("input", Type::TextOrArray),
    ("instructions", Type::Text),
    ("include", Type::Array),
    ("max_output_tokens", Type::Integer),
    ("metadata", Type::Object),
    ("previous_response_id", Type::Text),
    ("prompt", Type::Object),
    ("reasoning", Type::Object),
    ("store", Type::Boolean),
    ("text", Type::Object),
    ("truncation", Type::Text),
];

/// So many problems are told; a body of a megabyte may have a hundred thousand.
const MOST: usize = 32;

/// All that is wrong with the body, up to [`MOST`].
pub(super) fn check(operation: Operation, body: &Body) -> Vec<Problem> {
    let (fields, text) = (body.fields(), body.text());
    let mut problems = Vec::new();
    if let Some(key) = fields.duplicate() {
        problems.push(problem(format!("The field '{key}' comes more than once."), key));
    }
    // What other operations call by the same name is something else: the `response_format` of a picture is a word.
    let shared = if operation.is_plain() { PLAIN_FIELDS } else { FIELDS };
    let own = match operation {
        Operation::Messages | Operation::CountTokens => MESSAGES_FIELDS,
        Operation::Responses => RESPONSES_FIELDS,
        _ => &[],
    };
    for (key, type_) in shared.iter().chain(own) {
        if let Some(value) = fields.get(text, key)
            && !type_.admits(value)
        {
            problems.push(wrong_type(key, *type_, value));
        }
    }
    // No tokens at all are asked for to fill a prompt cache (Messages), or to learn how likely a prompt is (completions).
    let none = matches!(operation, Operation::Messages | Operation::Completions);
    for (key, least) in [
        ("n", 1),
        ("max_tokens", u8::from(!none)),
        ("max_completion_tokens", 1),
        ("max_output_tokens", 1),
        ("dimensions", 1),
    ] {
        let value = fields.get(text, key).unwrap_or("1");
        if value.starts_with('-') || value == "0" && least > 0 {
            problems.push(problem(format!("'{key}' must be at least {least}."), key));
        }
    }
    model(fields.get(text, "model"), &mut problems);
    match operation {
        Operation::Chat => messages(body, &mut problems),
        Operation::Completions => required("prompt", fields.get(text, "prompt"), &mut problems),
        Operation::Embeddings => required("input", fields.get(text, "input"), &mut problems),
        Operation::Messages => {
            if fields.get(text, "max_tokens").is_none() {
                problems.push(problem("max_tokens: Field required", "max_tokens"));
            }
            messages(body, &mut problems);
        }
        Operation::CountTokens => messages(body, &mut problems),
        Operation::Images => required("prompt", fields.get(text, "prompt"), &mut problems),
        Operation::Rerank => {
            for key in ["query", "documents"] {
                if fields.get(text, key).is_none() {
                    problems.push(problem(format!("The field '{key}' is missing."), key));
                }
            }
        }
        Operation::Speech => required("input", fields.get(text, "input"), &mut problems),
        // Of pictures to judge there are lists of objects.
        Operation::Moderations if fields.get(text, "input").is_none() => {
            problems.push(problem("The field 'input' is missing.", "input"));
        }
        Operation::ImageEdits
        | Operation::ImageVariations
        | Operation::Transcriptions
        | Operation::Translations
        | Operation::Moderations
        | Operation::Responses
        | Operation::Models => {}
    }
    problems
}

fn model(value: Option<&str>, problems: &mut Vec<Problem>) {
    let wrong = match value {
        None => "You must provide a model: the field 'model' is missing.",
        // What looks like text and cannot be read has an escape of half a character.
        Some(value) if Type::Text.admits(value) && serde_json::from_str::<String>(value).is_err() => {
            "The field 'model' has an escape that stands for no character."
        }
        Some(_) => return,
    };
    problems.push(problem(wrong, "model"));
}

fn required(key: &str, value: Option<&str>, problems: &mut Vec<Problem>) {
    match value {
        None => problems.push(problem(format!("The field '{key}' is missing."), key)),
        Some(value) if !Type::TextOrArray.admits(value) => problems.push(wrong_type(key, Type::TextOrArray, value)),
        Some(_) => {}
    }
}

/// The list of messages; of each it has been looked at as it was read.
fn messages(body: &Body, problems: &mut Vec<Problem>) {
    match body.fields().get(body.text(), "messages") {
        Some(value) if !Type::Array.admits(value) => problems.push(wrong_type("messages", Type::Array, value)),
        Some(_) if body.messages().len() > 0 => problems.extend_from_slice(body.problems()),
        _ => problems.push(problem("Messages are required", "messages")),
    }
}

/// What a message must have, and what it may.
pub(super) const MESSAGE: [(&str, Type); 4] = [
    ("role", Type::Text),
    ("content", Type::TextOrArray),
    ("tool_calls", Type::Array),
    ("tool_call_id", Type::Text),
];

/// The message at `index`, with its values of the fields in [`MESSAGE`].
pub(super) fn message(index: usize, values: &[Option<&str>; MESSAGE.len()], problems: &mut Vec<Problem>) {
    if problems.len() >= MOST {
        return;
    }
    for ((key, type_), value) in MESSAGE.into_iter().zip(values) {
        match value.filter(|value| *value != "null") {
            Some(value) if type_.admits(value) => {}
            Some(value) => problems.push(wrong_type(&format!("messages[{index}].{key}"), type_, value)),
            None if key == "role" => {
                let path = format!("messages[{index}].role");
                problems.push(problem(format!("Missing required parameter: '{path}'."), &path));
            }
            None => {}
        }
    }
}

/// What stands in the place of the message at `index` and is no object.
pub(super) fn no_message(index: usize, value: &str, problems: &mut Vec<Problem>) {
    if problems.len() < MOST {
        problems.push(wrong_type(&format!("messages[{index}]"), Type::Object, value));
    }
}

fn problem(message: impl Into<String>, param: &str) -> Problem {
    Problem {
        message: message.into(),
        param: Some(param.to_owned()),
    }
}

fn wrong_type(path: &str, expected: Type, value: &str) -> Problem {
    let got = match value.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        _ if value.contains(['.', 'e', 'E']) => "a decimal number",
        _ => "a number",
    };
    problem(
        format!(
            "Invalid type for '{path}': expected {}, but got {got} instead.",
            expected.name()
        ),
        path,
    )
}

#[cfg(test)]
mod tests {
    use super::{MOST, check};
    use crate::{
        call::{Operation, body::Body},
        scan::Scan,
    };

    fn problems(body: &str) -> Vec<String> {
        let body = Body::read(&body.into(), Scan::new(body)).expect("an object");
        let problems = check(Operation::Chat, &body);
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn a_model_with_half_a_character_is_refused_and_not_taken_for_none() {
        let found = problems(r#"{"model":"a\ud800b","messages":[{"role":"user","content":"a"}]}"#);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("'model'"), "{found:?}");
    }

    #[test]
    fn a_hundred_thousand_wrong_messages_are_not_each_complained_about() {
        let body = format!(r#"{{"model":"a","messages":[0{}]}}"#, ",0".repeat(100_000));
        assert_eq!(problems(&body).len(), MOST);
    }
}
