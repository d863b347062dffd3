//! Embeddings: texts to feature extraction, of the inference API or of text-embeddings-inference, and the vectors back as they are.

use std::collections::BTreeMap;

use serde::Serialize;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::{EmbeddingsRequest, EmbeddingsResponse};
use witgate_sdk::{Context, Failure, Kind, Request, Response, Result, Step};

use crate::config::Config;
use crate::error;

#[derive(Serialize)]
struct Sent<'a> {
    inputs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
    #[serde(flatten)]
    further: BTreeMap<&'a str, Raw<'a>>,
}

/// The request for embeddings of the client's texts.
pub(crate) fn request(ctx: &Context, config: &Config<'_>, body: &str) -> Result<Step> {
    let asked: EmbeddingsRequest<'_> = witgate_sdk::openai::parse(body)?;
    let texts = asked.input.texts()?;
    if texts.is_empty() {
        return Err(Failure::invalid_request("There must be at least one text.").param("input"));
    }
    let sent = Sent {
        inputs: texts.iter().map(|text| text.as_str().to_owned()).collect(),
        dimensions: asked.dimensions,
        further: asked.rest.iter().map(|(key, value)| (key, value.reborrow())).collect(),
    };
    let url = config.embed(ctx.base_url(), ctx.model());
    Request::post(url).json(&sent).idempotent().send()
}

/// The client's list of embeddings: of one bare vector, or of several. A model that gives a vector for each token gives no embedding.
pub(crate) fn answer(reply: &Response) -> Result<Step> {
    let body = reply.text()?;
    let list: Vec<Raw<'_>> = serde_json::from_str(body).map_err(|_| error::in_answer(reply))?;
    let Some(first) = list.first() else {
        return Err(nothing(reply, "The provider gave no embeddings."));
    };
    let vectors = if !first.get().starts_with('[') {
        vec![serde_json::from_str(body)?]
    } else if first.get().trim_start_matches('[').len() + 1 < first.get().len() {
        return Err(nothing(
            reply,
            "The model gives a vector for each token, and none for a whole text.",
        ));
    } else {
        list
    };
    let mut list = EmbeddingsResponse::new(vectors);
    list.object = Some("list".into());
    Step::done(&list)
}

fn nothing(reply: &Response, text: &str) -> Failure {
    Failure::new(Kind::Upstream, text)
        .status(reply.status())
        .upstream_text(reply.text().unwrap_or_default())
}
