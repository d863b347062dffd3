//! The model list: pages of the Gemini API, or of Vertex AI, to OpenAI's list.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::Model;

/// One page of `GET /models`, or of Vertex AI's `GET /publishers/google/models`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<'a> {
    #[serde(borrow, alias = "publisherModels", default)]
    models: Vec<Listed<'a>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: String,
    display_name: Option<String>,
    input_token_limit: Option<u64>,
    output_token_limit: Option<u64>,
    #[serde(borrow)]
    supported_generation_methods: Option<&'a RawValue>,
}

impl<'a> Page<'a> {
    /// Reads a page; `None` if `body` is none.
    pub(crate) fn parse(body: &'a str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// The mark of the next page, if there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        self.next_page_token.as_deref().filter(|token| !token.is_empty())
    }

    /// The page's models in OpenAI's terms.
    pub(crate) fn models(&self) -> impl Iterator<Item = Model<'static>> {
        self.models.iter().map(Listed::to_model)
    }
}

impl Listed<'_> {
    fn to_model(&self) -> Model<'static> {
        let id = self.name.rsplit_once("models/").map_or(&*self.name, |(_, id)| id);
        // Tuned models are named with their kind.
        let id = if self.name.starts_with("tunedModels/") {
            &self.name
        } else {
            id
        };
        let mut model = Model::new(id.to_owned());
        model.owned_by = Some("google".into());
        model.name = self.display_name.clone().map(Into::into);
        model.context_window = self.input_token_limit;
        model.max_output_tokens = self.output_token_limit;
        if let Some(methods) = self.supported_generation_methods {
            model
                .rest
                .push("supported_generation_methods", Raw::from(methods).into_static());
        }
        model
    }
}
