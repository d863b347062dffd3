//! The model list: Cohere's pages to OpenAI's list.

use serde::Deserialize;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::Model;
use witgate_sdk::url::segment;
use witgate_sdk::{Context, Http, Request, Result};

use crate::{endpoint, error};

/// More pages of models than this are not read: one holds a thousand.
const MAX_PAGES: usize = 20;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    models: Vec<Listed<'a>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    name: String,
    context_length: Option<f64>,
    #[serde(borrow)]
    endpoints: Option<Raw<'a>>,
    #[serde(borrow)]
    features: Option<Raw<'a>>,
}

/// All models.
pub(crate) async fn list(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
    let first = endpoint::url(ctx.base_url(), "v1/models?page_size=1000");
    let (mut models, mut url) = (Vec::new(), first.clone());
    for _ in 0..MAX_PAGES {
        let reply = http.fetch(Request::get(url)).await?;
        if !reply.is_success() {
            return Err(error::from_reply(&reply));
        }
        let page: Page<'_> = reply.json()?;
        models.extend(page.models.iter().map(Listed::model));
        let Some(next) = page.next_page_token.filter(|token| !token.is_empty()) else {
            break;
        };
        url = [&first, "&page_token=", &segment(&next)].concat();
    }
    Ok(models)
}

impl Listed<'_> {
    fn model(&self) -> Model<'static> {
        let mut model = Model::new(self.name.clone());
        model.owned_by = Some("cohere".into());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, an absurd length stays large"
        )]
        let length = self.context_length.map(|tokens| tokens as u64);
        model.context_window = length.filter(|tokens| *tokens > 0);
        for (key, value) in [("endpoints", &self.endpoints), ("features", &self.features)] {
            if let Some(value) = value {
                model.rest.push(key, value.clone().into_static());
            }
        }
        model
    }
}
