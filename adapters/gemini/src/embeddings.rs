//! Embeddings: texts to `batchEmbedContents` of the Gemini API or `predict` of Vertex AI, and the vectors back, copied as they are.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::{EmbeddingsRequest, EmbeddingsResponse, Usage};
use witgate_sdk::{Context, Failure, Kind, Request, Response, Result, Step};

use crate::endpoint::Endpoint;
use crate::error;
use crate::json::{push_comma, push_field, push_number, push_string};

/// The request for embeddings of the client's texts.
pub(crate) fn request(ctx: &Context, endpoint: &Endpoint, body: &str) -> Result<Request> {
    let asked: EmbeddingsRequest<'_> = witgate_sdk::openai::parse(body)?;
    let task = ["task_type", "taskType"].iter().find_map(|key| asked.rest.get(key));
    let texts = asked.input.texts()?;
    let mut list = String::new();
    for text in texts {
        push_comma(&mut list);
        list.push('{');
        if endpoint.vertex {
            push_text(&mut list, "content", text);
            push_raw(&mut list, "task_type", task);
        } else {
            push_text(&mut list, "model", &Endpoint::model_name(ctx.model()));
            list.push_str(",\"content\":{\"parts\":[{");
            push_text(&mut list, "text", text);
            list.push_str("}]}");
            push_raw(&mut list, "taskType", task);
            if let Some(size) = asked.dimensions {
                push_number(&mut list, "outputDimensionality", size);
            }
        }
        list.push('}');
    }
    let (method, mut out) = if endpoint.vertex {
        ("predict", ["{\"instances\":[", &list, "]"].concat())
    } else {
        ("batchEmbedContents", ["{\"requests\":[", &list, "]"].concat())
    };
    if let (true, Some(size)) = (endpoint.vertex, asked.dimensions) {
        push_field(&mut out, "parameters", &format!("{{\"outputDimensionality\":{size}}}"));
    }
    out.push('}');
    Ok(endpoint.post(ctx.model(), method).json_text(out).idempotent())
}

fn push_text(out: &mut String, key: &str, text: &str) {
    push_comma(out);
    push_string(out, key);
    out.push(':');
    push_string(out, text);
}

fn push_raw(out: &mut String, key: &str, value: Option<&Raw<'_>>) {
    if let Some(value) = value {
        push_field(out, key, value.get());
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow, default)]
    embeddings: Vec<Vector<'a>>,
    #[serde(borrow, default)]
    predictions: Vec<Prediction<'a>>,
    usage_metadata: Option<Counts>,
}

#[derive(Deserialize)]
struct Vector<'a> {
    #[serde(borrow)]
    values: &'a RawValue,
    statistics: Option<Statistics>,
}

#[derive(Deserialize)]
struct Prediction<'a> {
    #[serde(borrow)]
    embeddings: Vector<'a>,
}

#[derive(Deserialize)]
struct Statistics {
    token_count: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    prompt_token_count: Option<u64>,
}

/// The client's list of embeddings.
pub(crate) fn answer(reply: &Response) -> Result<Step> {
    let body = reply.text()?;
    let Ok(answer) = serde_json::from_str::<Answer<'_>>(body) else {
        return Err(error::unreadable(
            reply.status(),
            "The provider's answer is no list of embeddings.",
            body,
        ));
    };
    let predicted = answer.predictions.iter().map(|prediction| &prediction.embeddings);
    let vectors: Vec<&Vector<'_>> = answer.embeddings.iter().chain(predicted).collect();
    if vectors.is_empty() {
        return Err(Failure::new(Kind::Upstream, "The provider gave no embeddings.").status(reply.status()));
    }
    let counted = |vector: &&Vector<'_>| vector.statistics.as_ref()?.token_count;
    let counts: Option<Vec<f64>> = vectors.iter().map(counted).collect();
    // `as` saturates, so an absurd count becomes the largest.
    let tokens = counts.map(|counts| counts.iter().sum::<f64>() as u64);
    let tokens = tokens.or_else(|| answer.usage_metadata?.prompt_token_count);
    let values = vectors.iter().map(|vector| Raw::from(vector.values));
    let mut list = EmbeddingsResponse::new(values);
    list.object = Some("list".into());
    list.usage = tokens.map(|tokens| Usage::new(tokens, 0));
    Step::done(&list)
}
