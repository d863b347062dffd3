//! The list of models: what is deployed, by the names that requests use; where the resource does not tell, what it could serve.

use serde::Deserialize;
use witgate_sdk::openai::Model;
use witgate_sdk::{Context, Failure, Http, Request, Result};

use crate::{endpoint, error};

#[derive(Deserialize)]
struct Page {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    /// of a deployment: what is deployed
    model: Option<String>,
    /// "succeeded", "running", …
    status: Option<String>,
    created_at: Option<u64>,
}

/// The models of a call's provider.
pub(crate) async fn list(ctx: &Context, http: &Http) -> Result<Vec<Model<'static>>> {
    let endpoint = endpoint::of(ctx)?;
    let mut reply = http.fetch(Request::get(endpoint.deployments())).await?;
    if matches!(reply.status(), 400 | 404) {
        reply = http.fetch(Request::get(endpoint.models())).await?;
    }
    if !reply.is_success() {
        return Err(error::from_reply(ctx, &reply));
    }
    let page: Page = reply.json().map_err(|_| {
        Failure::new(
            witgate_sdk::Kind::Upstream,
            "The provider's answer is no list of models.",
        )
    })?;
    let serves = |listed: &Listed| !matches!(listed.status.as_deref(), Some("failed" | "canceled" | "deleted"));
    Ok(page.data.into_iter().filter(serves).map(Listed::into_model).collect())
}

impl Listed {
    fn into_model(self) -> Model<'static> {
        let mut model = Model::new(self.id);
        model.created = self.created_at;
        model.owned_by = Some("azure-openai".into());
        model.name = self.model.map(Into::into);
        model
    }
}
