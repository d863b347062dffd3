//! The model list: Bedrock's own models and its inference profiles, to OpenAI's list.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::Model;

/// Bedrock's own models.
pub(crate) const MODELS: &str = "/foundation-models";
/// Those that stand for one in several regions: many models are reached by these only.
pub(crate) const PROFILES: &str = "/inference-profiles?maxResults=1000";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    #[serde(borrow, default)]
    model_summaries: Vec<Summary<'a>>,
    #[serde(default)]
    inference_profile_summaries: Vec<Profile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    model_id: String,
    model_name: Option<String>,
    provider_name: Option<String>,
    #[serde(borrow)]
    input_modalities: Option<&'a RawValue>,
    #[serde(borrow)]
    output_modalities: Option<&'a RawValue>,
    #[serde(default)]
    inference_types_supported: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    inference_profile_id: String,
    inference_profile_name: Option<String>,
}

/// Adds what a list holds; `None` if `body` is none.
pub(crate) fn add(models: &mut Vec<Model<'static>>, body: &str) -> Option<()> {
    let list: List<'_> = serde_json::from_str(body).ok()?;
    models.extend(
        list.model_summaries
            .iter()
            .filter(|model| model.on_demand())
            .map(Summary::to_model),
    );
    models.extend(list.inference_profile_summaries.into_iter().map(Profile::into_model));
    Some(())
}

impl Summary<'_> {
    /// It can be called by its own id.
    fn on_demand(&self) -> bool {
        let types = &self.inference_types_supported;
        types.is_empty() || types.iter().any(|kind| kind == "ON_DEMAND")
    }

    fn to_model(&self) -> Model<'static> {
        let mut model = Model::new(self.model_id.clone());
        model.owned_by = self.provider_name.clone().map(Into::into);
        model.name = self.model_name.clone().map(Into::into);
        let modalities = [
            ("input_modalities", self.input_modalities),
            ("output_modalities", self.output_modalities),
        ];
        for (key, value) in modalities {
            if let Some(value) = value {
                model.rest.push(key, Raw::from(value).into_static());
            }
        }
        model
    }
}

impl Profile {
    fn into_model(self) -> Model<'static> {
        let mut model = Model::new(self.inference_profile_id);
        model.owned_by = Some("aws".into());
        model.name = self.inference_profile_name.map(Into::into);
        model
    }
}
