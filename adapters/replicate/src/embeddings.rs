//! Embedding models: texts in, a list of vectors out.
//!
//! The input is named `texts` unless the settings say otherwise, and is a list, or (as many models on Replicate want it) a list
//! written into a string. The numbers of the vectors are passed on as they are.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::Settings;
use crate::error;
use crate::input::{Input, Value};
use crate::prediction::Prediction;
use witgate_sdk::Result;
use witgate_sdk::json::Str;

#[derive(Debug, Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    input: Texts<'a>,
    #[serde(borrow, default)]
    dimensions: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts<'a> {
    One(#[serde(borrow)] Str<'a>),
    Many(Vec<Str<'a>>),
}

/// The body of the create call for an embeddings request.
pub(crate) fn body(body: &str, settings: &Settings<'_>, version: Option<&str>) -> Result<String> {
    let request: Request<'_> = serde_json::from_str(body).map_err(|_| {
        error::invalid(
            "input",
            "input must be a string or a list of strings: models on Replicate take no tokens",
        )
    })?;
    let texts: Vec<&str> = match &request.input {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts.iter().map(|text| &**text).collect(),
    };
    let mut input = Input::default();
    settings
        .input()
        .for_each(|(name, value)| input.set(name, Value::Raw(value)));
    if let Some(name) = settings.name("texts") {
        let list = if settings.texts_as_json() {
            Value::Text(
                serde_json::to_string(&texts)
                    .expect("strings can always be written")
                    .into(),
            )
        } else {
            Value::Texts(texts)
        };
        input.set(name, list);
    }
    match (request.dimensions, settings.name("dimensions")) {
        (Some(number), Some(name)) => input.set(name, Value::Raw(number)),
        (Some(_), None) => {
            return Err(error::unsupported(
                "dimensions",
                "This model has embeddings of one size",
            ));
        }
        (None, _) => {}
    }
    Ok(input.body(version))
}

/// The shapes embedding models answer in.
#[derive(Deserialize)]
#[serde(untagged)]
enum Output {
    Vectors(Vec<Vec<serde_json::Number>>),
    Objects(Vec<Object>),
    Named {
        #[serde(alias = "vectors", alias = "data")]
        embeddings: Vec<Vec<serde_json::Number>>,
    },
    Single(Vec<serde_json::Number>),
}

#[derive(Deserialize)]
struct Object {
    #[serde(alias = "vector")]
    embedding: Vec<serde_json::Number>,
}

/// The answer of an embedding prediction that succeeded.
pub(crate) fn answer(prediction: &Prediction<'_>) -> Result<String> {
    let output = prediction.output.map_or("null", RawValue::get);
    let vectors = match serde_json::from_str(output) {
        Ok(Output::Vectors(vectors) | Output::Named { embeddings: vectors }) => vectors,
        Ok(Output::Objects(objects)) => objects.into_iter().map(|object| object.embedding).collect(),
        Ok(Output::Single(vector)) => vec![vector],
        Err(_) => return Err(error::unreadable(output)),
    };
    let data: Vec<_> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| Datum {
            object: "embedding",
            index,
            embedding: vector,
        })
        .collect();
    let usage = prediction.tokens().and_then(|tokens| tokens.input).map(|input| Usage {
        prompt_tokens: input,
        total_tokens: input,
    });
    Ok(serde_json::to_string(&List {
        object: "list",
        data,
        usage,
    })
    .expect("numbers and strings can always be written"))
}

#[derive(serde::Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Datum<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(serde::Serialize)]
struct Datum<'a> {
    object: &'static str,
    index: usize,
    embedding: &'a [serde_json::Number],
}

#[derive(serde::Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}
