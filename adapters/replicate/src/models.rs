//! The model list: pages of models, and each as OpenAI lists one.

use serde::Deserialize;

use witgate_sdk::json::Str;
use witgate_sdk::openai::Model;
use witgate_sdk::time::unix_seconds;
use witgate_sdk::{Context, Http, Request, Result};

use crate::config::Settings;
use crate::{endpoint, error};

/// One page of `GET /v1/models`.
#[derive(Debug, Deserialize)]
struct Page<'a> {
    /// the URL of the next page
    #[serde(borrow, default)]
    next: Option<Str<'a>>,
    #[serde(borrow, default)]
    results: Vec<Entry<'a>>,
}

#[derive(Debug, Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    owner: Str<'a>,
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow, default)]
    latest_version: Option<Version<'a>>,
}

#[derive(Debug, Deserialize)]
struct Version<'a> {
    #[serde(borrow, default)]
    created_at: Option<Str<'a>>,
}

impl<'a> Page<'a> {
    /// Its models.
    fn models(&self) -> impl Iterator<Item = Model<'static>> {
        self.results.iter().map(|entry| Model {
            created: entry
                .latest_version
                .as_ref()
                .and_then(|version| unix_seconds(version.created_at.as_deref()?)),
            owned_by: Some(entry.owner.reborrow().into_static()),
            ..Model::new(format!("{}/{}", entry.owner, entry.name))
        })
    }
}

/// Reads the first pages of the list: there are thousands of models, and few are meant.
pub(crate) async fn list(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
    let pages = Settings::of(&ctx)?.models_pages();
    let mut url = Some(format!("{}/models", endpoint::root(ctx.base_url())));
    let mut models = Vec::new();
    for _ in 0..pages {
        let Some(page_url) = url else { break };
        let reply = http.fetch(Request::get(page_url)).await?;
        if !reply.is_success() {
            return Err(error::of_reply(&reply));
        }
        let page: Page<'_> = reply.json()?;
        models.extend(page.models());
        // Our key goes with it, so it must lead to where the key may go.
        url = page
            .next
            .filter(|next| endpoint::same_origin(ctx.base_url(), next))
            .map(Str::into_string);
    }
    Ok(models)
}
