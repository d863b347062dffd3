//! `response_format` and `web_search_options`: OpenAI's switches that are something else at Anthropic.

use witgate_sdk::Failure;

use super::settings::push_text_field;
use super::{refuse, schema};
use crate::json::{Object, push_comma, push_field, push_string};
use crate::model::Model;
use crate::structured;

/// What a client gets that asks for JSON and gives no schema.
const JSON_ONLY: &str = "Answer with one JSON object and nothing else: no text before or after it, no code fence.";

/// How the answer is made to have its format.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// as the model likes
    Free,
    /// `output_config.format` with this schema
    Native(String),
    /// this tool must be called; its input is the answer
    Tool(String),
    /// the system prompt asks for JSON
    Words,
}

impl Format {
    /// Reads `response_format`.
    pub(super) fn of(response_format: Option<&str>, model: Model) -> Result<Self, Failure> {
        let Some(format) = response_format else {
            return Ok(Self::Free);
        };
        let wrong = || {
            let text = "This response_format is not known.".to_owned();
            refuse(text, "response_format".to_owned())
        };
        let format = Object::parse(format).ok_or_else(wrong)?;
        let r#type = format.text("type").unwrap_or_default();
        match &*r#type {
            "text" => Ok(Self::Free),
            "json_object" => Ok(Self::Words),
            "json_schema" => {
                let named = format.get("json_schema").and_then(Object::parse).ok_or_else(wrong)?;
                let Some(schema) = named.get("schema") else {
                    return Ok(Self::Words);
                };
                let native = if model.structured_output() {
                    schema::closed(schema)
                } else {
                    None
                };
                Ok(native.map_or_else(|| Self::Tool(tool(&named, schema)), Self::Native))
            }
            _ => Err(wrong()),
        }
    }

    /// The way to what this format leaves out of `response_format`.
    pub(super) fn dropped(&self) -> &'static [&'static str] {
        match self {
            Self::Free => &[],
            Self::Native(_) => &["response_format.json_schema.description"],
            // A tool's input need not be valid against its schema.
            Self::Tool(_) => &["response_format.json_schema.strict"],
            Self::Words => &[
                "response_format.json_schema.description",
                "response_format.json_schema.strict",
            ],
        }
    }
}

fn tool(named: &Object<'_>, schema: &str) -> String {
    let mut out = String::from("{\"name\":");
    push_string(&mut out, structured::TOOL);
    let name = named.text("name").unwrap_or_default();
    let description = named
        .text("description")
        .unwrap_or_else(|| format!("Gives the answer ({name}) in the format that is wanted.").into());
    push_text_field(&mut out, "description", &description);
    out.push_str(",\"input_schema\":");
    schema::push_object(&mut out, schema);
    out.push('}');
    out
}

/// Asks for JSON in the system prompt.
pub(super) fn push_words(system: &mut String) {
    push_comma(system);
    system.push_str("{\"type\":\"text\"");
    push_text_field(system, "text", JSON_ONLY);
    system.push('}');
}

/// Adds Anthropic's search tool for `web_search_options`.
pub(super) fn push_web_search(tools: &mut String, options: &str) {
    push_comma(tools);
    tools.push_str("{\"type\":\"web_search_20250305\",\"name\":\"web_search\"");
    let location = Object::parse(options).unwrap_or_default();
    let place = location
        .get("user_location")
        .and_then(Object::parse)
        .unwrap_or_default();
    if let Some(place) = place.get("approximate").and_then(Object::parse) {
        let mut fields = String::from("{\"type\":\"approximate\"");
        for (key, value) in &place.0 {
            push_field(&mut fields, key, value.get());
        }
        fields.push('}');
        push_field(tools, "user_location", &fields);
    }
    tools.push('}');
}
