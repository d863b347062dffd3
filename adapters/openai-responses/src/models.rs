//! The model list, which these providers have as OpenAI has it.

use serde::Deserialize;
use witgate_sdk::openai::Model;
use witgate_sdk::{Context, Failure, Http, Kind, Request, Result};

use crate::{endpoint, error};

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    data: Vec<Model<'a>>,
}

/// All models.
pub(crate) async fn list(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
    let reply = http
        .fetch(Request::get(endpoint::url(ctx.base_url(), "models")))
        .await?;
    if !reply.is_success() {
        return Err(error::from_reply(&reply));
    }
    let list: List<'_> = serde_json::from_str(reply.text()?)
        .map_err(|_| Failure::new(Kind::Upstream, "The provider's answer is no list of models."))?;
    Ok(list.data.into_iter().map(Model::into_static).collect())
}
