//! Embeddings: texts to `POST /api/embed`, and the vectors back, copied as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{EmbeddingsRequest, EmbeddingsResponse, Usage};
use witgate_sdk::{Context, Failure, Kind, Response, Result, Step};

use crate::config::Config;

/// The body that is sent.
#[derive(Serialize)]
pub(crate) struct Sent<'a> {
    model: &'a str,
    input: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
    #[serde(flatten)]
    further: BTreeMap<String, Raw<'a>>,
}

/// The body for the client's request.
pub(crate) fn translate<'a>(ctx: &'a Context, config: &Config<'_>, asked: &EmbeddingsRequest<'_>) -> Result<Sent<'a>> {
    let texts = asked.input.texts()?;
    if texts.is_empty() {
        return Err(Failure::invalid_request("There must be at least one text.").param("input"));
    }
    let mut further = BTreeMap::new();
    if !config.options.is_empty() {
        further.insert("options".to_owned(), Raw::of(&config.options)?);
    }
    if let Some(keep_alive) = &config.keep_alive {
        further.insert("keep_alive".to_owned(), keep_alive.clone().into_static());
    }
    for (key, value) in asked.rest.iter() {
        further.insert(key.to_owned(), value.clone().into_static());
    }
    Ok(Sent {
        model: ctx.model(),
        input: texts.iter().map(|text| text.as_str().to_owned()).collect(),
        dimensions: asked.dimensions,
        further,
    })
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    embeddings: Option<Vec<Raw<'a>>>,
    #[serde(borrow)]
    model: Option<Str<'a>>,
    prompt_eval_count: Option<u64>,
}

/// The client's list of embeddings.
pub(crate) fn answer(reply: &Response) -> Result<Step> {
    let answer: Answer<'_> = reply.json()?;
    let Some(vectors) = answer.embeddings.filter(|vectors| !vectors.is_empty()) else {
        return Err(Failure::new(Kind::Upstream, "The provider gave no embeddings.").status(reply.status()));
    };
    let mut list = EmbeddingsResponse::new(vectors);
    list.object = Some("list".into());
    list.model = answer.model;
    list.usage = answer.prompt_eval_count.map(|tokens| Usage::new(tokens, 0));
    Step::done(&list)
}
