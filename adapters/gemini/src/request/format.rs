//! `response_format`: OpenAI's forms of an answer as Gemini's media type and schema.

use witgate_sdk::Failure;

use super::{refuse, schema};
use crate::json::{Object, push_string};
use crate::model::Model;

/// How the answer is made to have its format.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// as the model likes
    Free,
    /// JSON of any shape
    Json,
    /// JSON that fits a schema: the field of `generationConfig` and its value
    Schema(&'static str, String),
    /// the system instruction asks for it: this part
    Words(String),
}

impl Format {
    /// Reads `response_format`. `functions`: the model may call some.
    pub(super) fn of(response_format: Option<&str>, model: Model, functions: bool) -> Result<Self, Failure> {
        let Some(format) = response_format else {
            return Ok(Self::Free);
        };
        let wrong = || refuse("This response_format is not known.", "response_format");
        let format = Object::parse(format).ok_or_else(wrong)?;
        let schema = match &*format.text("type").unwrap_or_default() {
            "text" => return Ok(Self::Free),
            "json_object" => None,
            "json_schema" => {
                let named = format.get("json_schema").and_then(Object::parse).ok_or_else(wrong)?;
                named.get("schema")
            }
            _ => return Err(wrong()),
        };
        // Older models take either functions or a format.
        if functions && !model.functions_with_format() {
            return Ok(Self::Words(words(schema)));
        }
        Ok(match schema.map(schema::translate) {
            None | Some(schema::Translated::Nothing) => Self::Json,
            Some(schema::Translated::OpenApi(schema)) => Self::Schema("responseSchema", schema),
            Some(schema::Translated::Json(schema)) => Self::Schema("responseJsonSchema", schema.to_owned()),
        })
    }

    /// The way to what this format leaves out of `response_format`.
    pub(super) fn dropped(&self) -> &'static [&'static str] {
        match self {
            Self::Free => &[],
            Self::Json | Self::Schema(..) => &["response_format.json_schema.description"],
            Self::Words(_) => &[
                "response_format.json_schema.description",
                "response_format.json_schema.strict",
            ],
        }
    }
}

fn words(schema: Option<&str>) -> String {
    let mut text = "When you answer in words, answer with one JSON value and nothing else: no text before or after it, no code fence."
        .to_owned();
    if let Some(schema) = schema {
        text.push_str(" It must fit this JSON Schema: ");
        text.push_str(schema);
    }
    let mut part = String::from("{\"text\":");
    push_string(&mut part, &text);
    part.push('}');
    part
}
