//! The operator's settings, and where the provider is: a server of one's own, or the inference API, whose paths name a model.

use std::borrow::Cow;

use serde::Deserialize;
use witgate_sdk::url::segment;

use crate::prompt::Setting;

/// The provider's settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config<'a> {
    /// how a chat becomes one prompt
    #[serde(borrow)]
    pub(crate) prompt_template: Option<Setting<'a>>,
    /// `max_new_tokens` for clients that name none
    pub(crate) default_max_tokens: Option<u64>,
    /// `tgi` or `models`, if the base URL does not tell
    #[serde(borrow)]
    api: Option<Cow<'a, str>>,
}

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// a server with one model: `POST /generate`, `/generate_stream`, `/embed`
    Tgi,
    /// many models: `POST /models/MODEL`
    Models,
}

/// What base URLs are written with behind what counts.
const ENDINGS: [&str; 5] = ["/generate", "/generate_stream", "/v1", "/models", "/"];

impl Config<'_> {
    /// Which API is behind this base URL.
    pub(crate) fn api(&self, base: &str) -> Api {
        match self.api.as_deref() {
            Some("models") => Api::Models,
            Some(_) => Api::Tgi,
            None if base.ends_with("/models") || is_hub(base) => Api::Models,
            None => Api::Tgi,
        }
    }

    /// Where a text is gone on with.
    pub(crate) fn generate(&self, base: &str, model: &str, streaming: bool) -> String {
        match (self.api(base), streaming) {
            (Api::Tgi, false) => [bare(base), "/generate"].concat(),
            (Api::Tgi, true) => [bare(base), "/generate_stream"].concat(),
            (Api::Models, _) => model_url(base, model),
        }
    }

    /// Where texts are embedded.
    pub(crate) fn embed(&self, base: &str, model: &str) -> String {
        match self.api(base) {
            Api::Tgi => [bare(base), "/embed"].concat(),
            Api::Models => [&model_url(base, model), "/pipeline/feature-extraction"].concat(),
        }
    }
}

/// The base URL without what it may be written with.
pub(crate) fn bare(base: &str) -> &str {
    let bare = ENDINGS.iter().find_map(|ending| base.strip_suffix(ending));
    bare.unwrap_or(base)
}

fn model_url(base: &str, model: &str) -> String {
    let path: Vec<String> = model.split('/').map(segment).collect();
    format!("{}/models/{}", bare(base), path.join("/"))
}

/// Hugging Face's own hosts, but not the endpoints that customers have there, whose hosts end in another name.
fn is_hub(base: &str) -> bool {
    let host = base.split('/').nth(2).unwrap_or_default();
    host == "huggingface.co" || host.ends_with(".huggingface.co")
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn the_base_url_tells_which_api_it_is() {
        let config = Config::default();
        let generate = |base: &str| config.generate(base, "openai-community/gpt2", false);
        let hub = "https://router.huggingface.co/hf-inference";
        for base in [hub.to_owned(), format!("{hub}/models"), format!("{hub}/v1")] {
            assert_eq!(generate(&base), format!("{hub}/models/openai-community/gpt2"), "{base}");
        }
        assert_eq!(
            generate("http://127.0.0.1:1/models"),
            "http://127.0.0.1:1/models/openai-community/gpt2"
        );
        for base in [
            "http://tgi:8080",
            "http://tgi:8080/",
            "http://tgi:8080/v1",
            "http://tgi:8080/generate",
        ] {
            assert_eq!(generate(base), "http://tgi:8080/generate", "{base}");
        }
        assert_eq!(
            config.generate("http://tgi:8080", "m", true),
            "http://tgi:8080/generate_stream"
        );
        assert_eq!(
            generate("https://x.us-east-1.aws.endpoints.huggingface.cloud"),
            "https://x.us-east-1.aws.endpoints.huggingface.cloud/generate"
        );
    }

    #[test]
    fn a_setting_goes_before_what_the_base_url_seems_to_be() {
        let config: Config<'_> = serde_json::from_str(r#"{"api":"models"}"#).expect("settings");
        assert_eq!(
            config.generate("http://a.example", "m x", false),
            "http://a.example/models/m%20x"
        );
        assert_eq!(
            config.embed("http://a.example", "m"),
            "http://a.example/models/m/pipeline/feature-extraction"
        );
    }
}
