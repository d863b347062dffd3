//! The model list: what is on the server's disk.

use serde::Deserialize;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::Model;
use witgate_sdk::time::unix_seconds;
use witgate_sdk::{Response, Result};

#[derive(Deserialize)]
struct Tags<'a> {
    #[serde(borrow)]
    models: Option<Vec<Listed<'a>>>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    name: String,
    modified_at: Option<String>,
    #[serde(borrow)]
    size: Option<Raw<'a>>,
    #[serde(borrow)]
    details: Option<Raw<'a>>,
}

/// All models of `GET /api/tags`.
pub(crate) fn list(reply: &Response) -> Result<Vec<Model<'static>>> {
    let tags: Tags<'_> = reply.json()?;
    Ok(tags.models.iter().flatten().map(Listed::model).collect())
}

impl Listed<'_> {
    fn model(&self) -> Model<'static> {
        let mut model = Model::new(self.name.clone());
        model.owned_by = Some("library".into());
        model.created = self.modified_at.as_deref().and_then(unix_seconds);
        for (key, value) in [("size", &self.size), ("details", &self.details)] {
            if let Some(value) = value {
                model.rest.push(key, value.clone().into_static());
            }
        }
        model
    }
}
