//! The model list: the one model that a server has, or those of the hub that the inference API serves.

use serde::Deserialize;
use witgate_sdk::openai::Model;
use witgate_sdk::{Context, Http, Request, Result};

use crate::config::{Api, Config, bare};
use crate::error;

/// The hub's list of models that the inference API generates text with.
const HUB: &str =
    "https://huggingface.co/api/models?inference_provider=hf-inference&pipeline_tag=text-generation&limit=1000";

/// What a server says of itself.
#[derive(Deserialize)]
struct Info {
    model_id: String,
    max_total_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

/// All models.
pub(crate) async fn list(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
    let config: Config<'_> = ctx.config()?;
    let request = match config.api(ctx.base_url()) {
        Api::Tgi => Request::get([bare(ctx.base_url()), "/info"].concat()),
        Api::Models => Request::get(HUB),
    };
    let reply = http.fetch(request).await?;
    if !reply.is_success() {
        return Err(error::from_reply(&reply));
    }
    match config.api(ctx.base_url()) {
        Api::Tgi => {
            let info: Info = reply.json()?;
            let mut model = Model::new(info.model_id);
            model.context_window = info.max_total_tokens;
            Ok(vec![model])
        }
        Api::Models => {
            let list: Vec<Listed> = reply.json()?;
            Ok(list.into_iter().map(|listed| Model::new(listed.id)).collect())
        }
    }
}
