//! The model list: Anthropic's pages to OpenAI's list.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::Model;
use witgate_sdk::time::unix_seconds;

/// One page of `GET /v1/models`.
#[derive(Deserialize)]
pub(crate) struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Listed<'a>>,
    #[serde(default)]
    has_more: bool,
    last_id: Option<String>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    id: String,
    created_at: Option<String>,
    display_name: Option<String>,
    max_input_tokens: Option<u64>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    capabilities: Option<&'a RawValue>,
}

impl<'a> Page<'a> {
    /// Reads a page; `None` if `body` is none.
    pub(crate) fn parse(body: &'a str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// The id after which the next page begins, if there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        self.last_id.as_deref().filter(|id| self.has_more && !id.is_empty())
    }

    /// The page's models in OpenAI's terms.
    pub(crate) fn models(&self) -> impl Iterator<Item = Model<'static>> {
        self.data.iter().map(Listed::to_model)
    }
}

impl Listed<'_> {
    fn to_model(&self) -> Model<'static> {
        let mut model = Model::new(self.id.clone());
        model.created = self.created_at.as_deref().and_then(unix_seconds);
        model.owned_by = Some("anthropic".into());
        model.name = self.display_name.clone().map(Into::into);
        model.context_window = self.max_input_tokens;
        model.max_output_tokens = self.max_tokens;
        if let Some(capabilities) = self.capabilities {
            model.rest.push("capabilities", Raw::from(capabilities).into_static());
        }
        model
    }
}
