//! Embeddings: texts to `POST /v2/embed`, and the vectors back, copied as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{EmbeddingsRequest, EmbeddingsResponse, Usage};
use witgate_sdk::{Context, Failure, Kind, Response, Result, Step};

/// The body that is sent.
#[derive(Serialize)]
pub(crate) struct Sent<'a> {
    model: String,
    texts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
    #[serde(flatten)]
    further: BTreeMap<String, Raw<'a>>,
}

/// The body for the client's request: texts to be found by a search, unless it says otherwise.
pub(crate) fn translate(ctx: &Context, asked: &EmbeddingsRequest<'_>) -> Result<Sent<'static>> {
    let texts = asked.input.texts()?;
    if texts.is_empty() {
        return Err(Failure::invalid_request("There must be at least one text.").param("input"));
    }
    let kind = match asked.encoding_format.as_deref() {
        Some("base64") => "base64",
        _ => "float",
    };
    let mut further = BTreeMap::new();
    further.insert("input_type".to_owned(), Raw::of("search_document")?);
    further.insert("embedding_types".to_owned(), Raw::of(&[kind])?);
    for (key, value) in asked.rest.iter() {
        further.insert(key.to_owned(), value.clone().into_static());
    }
    Ok(Sent {
        model: ctx.model().to_owned(),
        texts: texts.iter().map(|text| text.as_str().to_owned()).collect(),
        output_dimension: asked.dimensions,
        further,
    })
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    embeddings: Raw<'a>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    billed_units: Option<Units>,
}

#[derive(Deserialize)]
struct Units {
    input_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

/// The client's list of embeddings.
pub(crate) fn answer(reply: &Response) -> Result<Step> {
    let answer: Answer<'_> = reply.json().map_err(|_| nothing(reply))?;
    let units = answer.meta.and_then(|meta| meta.billed_units);
    let mut list = EmbeddingsResponse::new(vectors(&answer.embeddings).ok_or_else(|| nothing(reply))?);
    list.object = Some("list".into());
    list.usage = units
        .and_then(|units| Some(units.input_tokens?.saturating_add(units.image_tokens.unwrap_or(0))))
        .map(|tokens| Usage::new(tokens, 0));
    Step::done(&list)
}

/// The vectors of the first kind there is, floating point numbers before others; the old form is a bare list.
fn vectors<'a>(embeddings: &'a Raw<'_>) -> Option<Vec<Raw<'a>>> {
    if let Ok(list) = embeddings.parse::<Vec<Raw<'a>>>() {
        return (!list.is_empty()).then_some(list);
    }
    let mut kinds: BTreeMap<Str<'a>, Option<Vec<Raw<'a>>>> = embeddings.parse().ok()?;
    let float = kinds.remove(&Str::from("float")).flatten();
    let mut lists = float.into_iter().chain(kinds.into_values().flatten());
    lists.find(|list| !list.is_empty())
}

fn nothing(reply: &Response) -> Failure {
    Failure::new(Kind::Upstream, "The provider gave no embeddings.")
        .status(reply.status())
        .upstream_text(reply.text().unwrap_or_default())
}
