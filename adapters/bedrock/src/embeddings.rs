//! Embeddings: texts to each model's own form, and the vectors back, copied as they are. Cohere's models take many texts in one request,
//! Amazon's one: there the answers are collected, one request after the other.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::{EmbeddingsRequest, EmbeddingsResponse, Usage};
use witgate_sdk::{Context, Failure, Kind, Response, Result, Step};

use crate::endpoint::Config;
use crate::error;
use crate::json::{Object, push_comma, push_field, push_number, push_string};

/// Fields of the models' own that are passed on.
const OWN: [&str; 5] = [
    "normalize",
    "embeddingTypes",
    "truncate",
    "input_type",
    "embeddingPurpose",
];

/// What is left to do, and what is done: the state of a request for one text of many.
#[derive(Default, Serialize, Deserialize)]
struct Work {
    /// bodies of further requests, the next one last
    bodies: Vec<String>,
    /// the vectors so far, as JSON text
    vectors: Vec<String>,
    tokens: u64,
}

/// The request for embeddings of the client's texts.
pub(crate) fn request(ctx: &Context, config: &Config, body: &str) -> Result<Step> {
    let asked: EmbeddingsRequest<'_> = witgate_sdk::openai::parse(body)?;
    let texts: Vec<String> = asked.input.texts()?.iter().map(|text| (*text).to_string()).collect();
    let mut bodies = if ctx.model().contains("cohere.") {
        vec![cohere(&asked, &texts)]
    } else {
        texts.iter().map(|text| amazon(ctx.model(), &asked, text)).collect()
    };
    bodies.reverse();
    send(
        ctx,
        config,
        Work {
            bodies,
            ..Work::default()
        },
    )
}

fn send(ctx: &Context, config: &Config, mut work: Work) -> Result<Step> {
    let next = work.bodies.pop();
    let next = next.ok_or_else(|| Failure::invalid_request("There is nothing to embed.").param("input"))?;
    let state =
        serde_json::to_string(&work).map_err(|_| Failure::new(Kind::Internal, "The work cannot be written down."))?;
    config.post(ctx, "invoke")?.json_text(next).idempotent().then(state)
}

fn cohere(asked: &EmbeddingsRequest<'_>, texts: &[String]) -> String {
    let mut list = String::new();
    for text in texts {
        push_comma(&mut list);
        push_string(&mut list, text);
    }
    let mut out = String::from("{");
    push_field(&mut out, "texts", &["[", &list, "]"].concat());
    if asked.rest.get("input_type").is_none() {
        push_field(&mut out, "input_type", "\"search_document\"");
    }
    if let Some(size) = asked.dimensions {
        push_number(&mut out, "output_dimension", size);
    }
    push_own(&mut out, asked);
    out.push('}');
    out
}

fn amazon(model: &str, asked: &EmbeddingsRequest<'_>, text: &str) -> String {
    let mut quoted = String::new();
    push_string(&mut quoted, text);
    let mut out = String::from("{");
    if model.contains("nova") {
        let purpose = asked.rest.get("embeddingPurpose").map_or("\"GENERIC_INDEX\"", Raw::get);
        out.push_str("\"taskType\":\"SINGLE_EMBEDDING\",\"singleEmbeddingParams\":{\"embeddingPurpose\":");
        out.push_str(purpose);
        if let Some(size) = asked.dimensions {
            push_number(&mut out, "embeddingDimension", size);
        }
        push_field(
            &mut out,
            "text",
            &["{\"truncationMode\":\"END\",\"value\":", &quoted, "}"].concat(),
        );
        out.push_str("}}");
        return out;
    }
    push_field(&mut out, "inputText", &quoted);
    if let Some(size) = asked.dimensions {
        let image = model.contains("embed-image");
        let config = format!("{{\"outputEmbeddingLength\":{size}}}");
        if image {
            push_field(&mut out, "embeddingConfig", &config);
        } else {
            push_number(&mut out, "dimensions", size);
        }
    }
    push_own(&mut out, asked);
    out.push('}');
    out
}

fn push_own(out: &mut String, asked: &EmbeddingsRequest<'_>) {
    for key in OWN {
        if let Some(value) = asked.rest.get(key) {
            push_field(out, key, value.get());
        }
    }
}

/// What the models answer: Titan, Nova, and Cohere in its two forms.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    embedding: Option<&'a RawValue>,
    #[serde(borrow)]
    embeddings: Option<&'a RawValue>,
    input_text_token_count: Option<u64>,
}

impl Answer<'_> {
    fn vectors(&self) -> Option<Vec<String>> {
        if let Some(vector) = self.embedding {
            return Some(vec![vector.get().to_owned()]);
        }
        let list = self.embeddings?.get();
        let by_type = Object::parse(list);
        let list = by_type.as_ref().map_or(Some(list), |types| types.get("float"))?;
        let vectors: Vec<&RawValue> = serde_json::from_str(list).ok()?;
        let vector = |raw: &&RawValue| match Object::parse(raw.get()) {
            Some(object) => object.get("embedding").map(str::to_owned),
            None => Some(raw.get().to_owned()),
        };
        vectors.iter().map(vector).collect()
    }
}

/// The client's list of embeddings, or the request for the next.
pub(crate) fn answer(ctx: &Context, reply: &Response) -> Result<Step> {
    let body = reply.text()?;
    let unreadable = || error::unreadable(reply.status(), "The provider's answer is no list of embeddings.", body);
    let mut work: Work = serde_json::from_str(reply.state()).unwrap_or_default();
    let answer: Answer<'_> = serde_json::from_str(body).map_err(|_| unreadable())?;
    work.vectors.extend(answer.vectors().ok_or_else(unreadable)?);
    // Cohere's models tell in a header only.
    let header = || reply.header("x-amzn-bedrock-input-token-count")?.trim().parse().ok();
    work.tokens = work
        .tokens
        .saturating_add(answer.input_text_token_count.or_else(header).unwrap_or(0));
    if !work.bodies.is_empty() {
        return send(ctx, &ctx.config()?, work);
    }
    let vectors: Result<Vec<Raw<'_>>> = work
        .vectors
        .iter()
        .map(|vector| serde_json::from_str::<Raw<'_>>(vector).map_err(|_| unreadable()))
        .collect();
    let mut list = EmbeddingsResponse::new(vectors?);
    list.object = Some("list".into());
    list.usage = (work.tokens > 0).then(|| Usage::new(work.tokens, 0));
    Step::done(&list)
}
