//! Where a request goes. Azure has OpenAI's API under three kinds of paths, and Claude's under a fourth.

use std::borrow::Cow;

use serde::Deserialize;
use witgate_sdk::url::segment;
use witgate_sdk::{Context, Result};

/// The version for deployments' paths where the operator names none: the last that is no preview.
const VERSION: &str = "2024-10-21";
/// The version for Foundry's own path where the operator names none.
const FOUNDRY_VERSION: &str = "2024-05-01-preview";
/// The first version that has the Responses API.
const RESPONSES: &str = "2025-03-01";

/// What base URLs are written with behind the resource, and what it says.
const ENDINGS: [(&str, Kind); 7] = [
    ("/openai/v1", Kind::V1),
    ("/openai/deployments", Kind::Deployments),
    ("/openai", Kind::Said),
    ("/models", Kind::Foundry),
    ("/anthropic/v1", Kind::Claude),
    ("/anthropic", Kind::Claude),
    ("/api/projects", Kind::Said),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config<'a> {
    #[serde(borrow)]
    api_version: Option<Cow<'a, str>>,
}

/// A kind of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `/openai/v1/…`: the body names the deployment.
    V1,
    /// `/openai/deployments/NAME/…?api-version=…`
    Deployments,
    /// `/models/…?api-version=…`: Foundry's models, named by the body.
    Foundry,
    /// `/anthropic/v1/…`
    Claude,
    /// As the version says.
    Said,
}

/// A resource, and how it is asked.
#[derive(Debug)]
pub(crate) struct Endpoint<'a> {
    /// "https://NAME.openai.azure.com"
    root: &'a str,
    kind: Kind,
    /// The deployment that the base URL names.
    deployment: Option<&'a str>,
    version: Option<Cow<'a, str>>,
}

/// The endpoint of a call's provider.
pub(crate) fn of(ctx: &Context) -> Result<Endpoint<'_>> {
    let config: Config<'_> = ctx.config()?;
    let version = config.api_version.filter(|version| !version.trim().is_empty());
    Ok(Endpoint::new(ctx.base_url(), version))
}

impl<'a> Endpoint<'a> {
    fn new(base: &'a str, version: Option<Cow<'a, str>>) -> Self {
        let base = base.trim_end_matches('/');
        let (root, kind, deployment) = match base.split_once("/openai/deployments/") {
            Some((root, name)) => (root, Kind::Deployments, Some(name)),
            None => {
                let written = ENDINGS
                    .iter()
                    .find_map(|(end, kind)| Some((base.strip_suffix(end)?, *kind)));
                let (root, kind) = written.unwrap_or((base, Kind::Said));
                (root, kind, None)
            }
        };
        let dated = version.as_deref().is_some_and(|version| version.starts_with("20"));
        let kind = match kind {
            Kind::Said if dated => Kind::Deployments,
            Kind::Said => Kind::V1,
            kind => kind,
        };
        Self {
            root: root.trim_end_matches('/'),
            kind,
            deployment,
            version,
        }
    }

    /// Whether this model is asked in Anthropic's API: its deployment is called as Claude's models are, as it is unless the operator
    /// calls it otherwise, or the base URL says so.
    pub(crate) fn has_claude(&self, model: &str) -> bool {
        let called = model.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("claude"));
        self.kind == Kind::Claude || called
    }

    /// The URL of a path of Anthropic's API ("messages").
    pub(crate) fn claude(&self, path: &str) -> String {
        [self.root, "/anthropic/v1/", path].concat()
    }

    /// The URL for an operation of a deployment, if there is one.
    pub(crate) fn url(&self, operation: &str, deployment: &str) -> Option<String> {
        let path = match operation {
            "chat.completions" => "chat/completions",
            "completions" => "completions",
            "embeddings" => "embeddings",
            "images.generations" => "images/generations",
            "audio.speech" => "audio/speech",
            "responses" => return self.responses(),
            _ => return None,
        };
        let deployment = self.deployment.unwrap_or(deployment);
        match self.kind {
            Kind::Foundry if !matches!(path, "chat/completions" | "embeddings") => None,
            Kind::Foundry => Some(self.with_version(&["/models/", path], FOUNDRY_VERSION)),
            Kind::V1 => Some(self.v1(path)),
            _ => Some(self.with_version(&["/openai/deployments/", &segment(deployment), "/", path], VERSION)),
        }
    }

    /// The Responses API: on deployments' paths it is beside them, and not in old versions.
    fn responses(&self) -> Option<String> {
        match self.kind {
            Kind::V1 => Some(self.v1("responses")),
            Kind::Deployments if self.version.as_deref().unwrap_or(VERSION) >= RESPONSES => {
                Some(self.with_version(&["/openai/responses"], VERSION))
            }
            _ => None,
        }
    }

    /// The list of what is deployed. Its version is the last that has it.
    pub(crate) fn deployments(&self) -> String {
        [self.root, "/openai/deployments?api-version=2023-03-15-preview"].concat()
    }

    /// The list of the models that the resource can serve.
    pub(crate) fn models(&self) -> String {
        self.v1("models")
    }

    fn v1(&self, path: &str) -> String {
        let named = self
            .version
            .as_deref()
            .filter(|version| matches!(*version, "preview" | "latest"));
        let (query, version) = named.map_or(("", ""), |version| ("?api-version=", version));
        [self.root, "/openai/v1/", path, query, version].concat()
    }

    fn with_version(&self, path: &[&str], default: &str) -> String {
        let version = segment(self.version.as_deref().unwrap_or(default));
        [self.root, &path.concat(), "?api-version=", &version].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    const HOST: &str = "https://a.openai.azure.com";

    fn url(base: &str, version: Option<&str>, operation: &str) -> String {
        let endpoint = Endpoint::new(base, version.map(Into::into));
        endpoint.url(operation, "gpt 4").unwrap_or_default()
    }

    #[test]
    fn a_dated_version_asks_the_deployment_and_none_the_v1_path() {
        let chat = "chat.completions";
        let dated = format!("{HOST}/openai/deployments/gpt%204/chat/completions?api-version=2024-02-15-preview");
        for base in [
            HOST,
            &format!("{HOST}/"),
            &format!("{HOST}/openai"),
            &format!("{HOST}/openai/deployments"),
        ] {
            assert_eq!(url(base, Some("2024-02-15-preview"), chat), dated, "{base}");
        }
        for base in [HOST, &format!("{HOST}/openai"), &format!("{HOST}/openai/v1/")] {
            for version in [None, Some("v1")] {
                assert_eq!(
                    url(base, version, chat),
                    format!("{HOST}/openai/v1/chat/completions"),
                    "{base}"
                );
            }
        }
        assert_eq!(
            url(HOST, Some("preview"), "responses"),
            format!("{HOST}/openai/v1/responses?api-version=preview")
        );
    }

    #[test]
    fn a_base_url_of_deployments_has_a_version_and_may_name_the_deployment() {
        assert_eq!(
            url(&format!("{HOST}/openai/deployments"), None, "embeddings"),
            format!("{HOST}/openai/deployments/gpt%204/embeddings?api-version=2024-10-21")
        );
        assert_eq!(
            url(&format!("{HOST}/openai/deployments/mine"), None, "completions"),
            format!("{HOST}/openai/deployments/mine/completions?api-version=2024-10-21")
        );
    }

    #[test]
    fn responses_are_where_the_version_has_them() {
        assert_eq!(
            url(HOST, Some("2025-04-01-preview"), "responses"),
            format!("{HOST}/openai/responses?api-version=2025-04-01-preview")
        );
        assert_eq!(url(HOST, Some("2024-10-21"), "responses"), "");
        assert_eq!(url(&format!("{HOST}/models"), None, "responses"), "");
    }

    #[test]
    fn foundrys_own_path_has_chats_and_embeddings() {
        let base = "https://a.services.ai.azure.com/models";
        assert_eq!(
            url(base, None, "chat.completions"),
            format!("{base}/chat/completions?api-version=2024-05-01-preview")
        );
        assert_eq!(url(base, None, "audio.speech"), "");
    }

    #[test]
    fn claude_is_asked_beside_the_others() {
        let host = "https://a.services.ai.azure.com";
        for base in [
            host,
            &format!("{host}/openai/v1"),
            &format!("{host}/anthropic"),
            &format!("{host}/anthropic/v1"),
        ] {
            let endpoint = Endpoint::new(base, None);
            assert!(endpoint.has_claude("claude-sonnet-4-5"), "{base}");
            assert_eq!(
                endpoint.claude("messages"),
                format!("{host}/anthropic/v1/messages"),
                "{base}"
            );
        }
        assert!(!Endpoint::new(host, None).has_claude("gpt-5"));
        assert!(Endpoint::new(&format!("{host}/anthropic"), None).has_claude("mine"));
    }
}
