//! Witgate's adapter for Mistral's API. The README says what becomes of what.
//!
//! Its answers are OpenAI's and are relayed. Its requests nearly are, but Mistral refuses every field it does not know, and ids of calls
//! that are not its own: `request` writes those, `message` and `part` what is in them, `tools` what may be called; `error` reads what goes wrong.
//!
//! Others have Mistral's models too, behind their own URLs and credentials. Their adapters use this crate as a library, without its
//! feature `export`: [`chat`] makes the body, [`failure`] reads what goes wrong.

mod describe;
mod error;
mod message;
mod part;
mod request;
mod tools;

use std::borrow::Cow;

use witgate_sdk::openai::Model;
use witgate_sdk::{Adapter, Context, Failure, Http, Kind, Manifest, Request, Response, Result, Step};

pub use error::from_reply as failure;
pub use request::{Translated, chat};

/// The adapter.
#[derive(Debug)]
pub struct Mistral;

#[cfg(feature = "export")]
witgate_sdk::export!(Mistral: models);

/// The URL of `path` ("chat/completions"): base URLs are written with and without `/v1`.
fn url(ctx: &Context, path: &str) -> String {
    let base = ctx.base_url();
    let base = base.strip_suffix("/v1").unwrap_or(base);
    [base, "/v1/", path].concat()
}

impl Adapter for Mistral {
    fn describe() -> Manifest {
        describe::manifest()
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let mut dropped = Vec::new();
        let (path, body) = match ctx.operation() {
            "chat.completions" => {
                let sent = chat(body, ctx.model())?;
                dropped = sent.dropped;
                ("chat/completions", Cow::Owned(sent.body))
            }
            "embeddings" => ("embeddings", Cow::Owned(request::embeddings(body)?)),
            "moderations" => ("moderations", Cow::Borrowed(body)),
            other => return Err(Failure::unsupported(format!("Mistral has nothing like {other}."))),
        };
        // A request that failed has cost nothing, so it may be sent again.
        let request = Request::post(url(ctx, path)).json_text(body);
        request.dropped(dropped).idempotent().relay().send()
    }

    fn transform_response(_: &Context, reply: Response) -> Result<Step> {
        Err(error::from_reply(&reply))
    }

    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        let reply = http.fetch(Request::get(url(&ctx, "models"))).await?.ok()?;
        let list = witgate_sdk::json::text::Object::parse(reply.text()?);
        let data = list.as_ref().and_then(|list| list.get("data"));
        data.and_then(|data| serde_json::from_str::<Vec<Model<'_>>>(data).ok())
            .map(|models| models.into_iter().map(described).collect())
            .ok_or_else(|| Failure::new(Kind::Upstream, "The provider's answer is no list of models."))
    }
}

/// A model of the list, with what Mistral says of it under its own names.
fn described(listed: Model<'_>) -> Model<'static> {
    let mut model = Model::new(listed.id.into_string());
    model.created = listed.created;
    model.owned_by = listed.owned_by.map(|owner| owner.into_string().into());
    for (key, value) in listed.rest.iter() {
        match key {
            "max_context_length" => model.context_window = value.parse().ok(),
            "capabilities" | "deprecation" => model.rest.push(key.to_owned(), value.clone().into_static()),
            _ => {}
        }
    }
    model
}
