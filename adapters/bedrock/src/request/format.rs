//! `response_format`: a tool that must be called, or a word in the system prompt.

use witgate_sdk::Failure;

use super::tools::push_spec;
use super::{quoted, refuse};
use crate::json::{Object, push_comma};
use crate::model::Model;
use crate::structured;

/// What a client gets that asks for JSON and gives no schema, or a schema to a model that cannot be made to call a tool.
const JSON_ONLY: &str = "Answer with one JSON object and nothing else: no text before or after it, no code fence.";

/// How the answer is made to have its format.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// as the model likes
    Free,
    /// this tool must be called; its input is the answer
    Tool(String),
    /// the system prompt asks for it in these words
    Words(String),
}

impl Format {
    /// Reads `response_format`.
    pub(super) fn of(response_format: Option<&str>, model: Model<'_>) -> Result<Self, Failure> {
        let Some(format) = response_format else {
            return Ok(Self::Free);
        };
        let wrong = || {
            let text = "This response_format is not known.".to_owned();
            refuse(text, "response_format".to_owned())
        };
        let format = Object::parse(format).ok_or_else(wrong)?;
        match &*format.text("type").unwrap_or_default() {
            "text" => Ok(Self::Free),
            "json_object" => Ok(Self::Words(JSON_ONLY.to_owned())),
            "json_schema" => {
                let named = format.get("json_schema").and_then(Object::parse).ok_or_else(wrong)?;
                Ok(match named.get("schema") {
                    None => Self::Words(JSON_ONLY.to_owned()),
                    Some(schema) if model.can_be_forced() => Self::Tool(tool(&named, schema)),
                    Some(schema) => Self::Words(format!(
                        "{JSON_ONLY} It must be valid against this JSON Schema: {schema}"
                    )),
                })
            }
            _ => Err(wrong()),
        }
    }

    /// The way to what this format leaves out of `response_format`.
    pub(super) fn dropped(&self) -> &'static [&'static str] {
        match self {
            Self::Free => &[],
            // A tool's input need not be valid against its schema.
            Self::Tool(_) => &["response_format.json_schema.strict"],
            Self::Words(_) => &[
                "response_format.json_schema.description",
                "response_format.json_schema.strict",
            ],
        }
    }
}

fn tool(named: &Object<'_>, schema: &str) -> String {
    let name = named.text("name").unwrap_or_default();
    let description = named
        .text("description")
        .unwrap_or_else(|| format!("Gives the answer ({name}) in the format that is wanted.").into());
    let mut out = String::new();
    push_spec(&mut out, &quoted(structured::TOOL), Some(&quoted(&description)), schema);
    out
}

/// Asks for JSON in the system prompt.
pub(super) fn push_words(system: &mut String, words: &str) {
    push_comma(system);
    system.push_str("{\"text\":");
    system.push_str(&quoted(words));
    system.push('}');
}
