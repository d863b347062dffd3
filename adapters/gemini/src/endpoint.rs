//! Where a request goes: to the Gemini API, or to Vertex AI, whose paths begin with a project and a location.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::url::segment;
use witgate_sdk::{Context, Failure, Kind, Request, Result};

/// The Gemini API.
pub(crate) const GEMINI_URL: &str = "https://generativelanguage.googleapis.com";
/// Vertex AI's host for all locations together; each location has one of its own, too.
pub(crate) const VERTEX_URL: &str = "https://aiplatform.googleapis.com";

/// The provider's settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config<'a> {
    #[serde(borrow)]
    project_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    region: Option<Cow<'a, str>>,
    #[serde(borrow)]
    api_version: Option<Cow<'a, str>>,
    /// `safetySettings` for clients that send none
    #[serde(borrow)]
    pub(crate) safety_settings: Option<&'a RawValue>,
    /// Claude's `max_tokens` for clients that name none
    pub(crate) default_max_tokens: Option<u64>,
}

/// The service, and the beginning of its URLs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Vertex AI, not the Gemini API
    pub(crate) vertex: bool,
    /// "https://HOST"
    host: String,
    /// "v1beta1", if the operator says
    version: Option<String>,
    /// "/projects/P/locations/L" for Vertex AI with a project
    location: String,
}

impl Config<'_> {
    /// The service that these settings are for.
    pub(crate) fn endpoint(&self, base: &str) -> Result<Endpoint> {
        let project = self.project_id.as_deref();
        let (host, version, path) = split(base);
        // A key file brings its project along, also for the Gemini API, which has none in its paths.
        let named = project.is_some() && host != GEMINI_URL;
        let vertex = named || base.contains("aiplatform.") || base.contains("/projects/");
        let given = self.api_version.as_deref().or(version);
        let version = given.map(str::to_owned);
        if !vertex {
            return Ok(Endpoint {
                vertex,
                host: host.to_owned(),
                version,
                location: String::new(),
            });
        }
        let region = self.region.as_deref().unwrap_or("global");
        let host_of_region = if host == VERTEX_URL {
            Cow::Owned(regional(region)?)
        } else {
            Cow::Borrowed(host)
        };
        let location = match (path.find("/projects/"), project) {
            (Some(at), _) => path[at..].split('/').take(5).collect::<Vec<_>>().join("/"),
            (None, Some(project)) => format!("/projects/{}/locations/{}", segment(project), segment(region)),
            (None, None) => String::new(),
        };
        Ok(Endpoint {
            vertex,
            host: host_of_region.into_owned(),
            version,
            location,
        })
    }
}

impl Endpoint {
    /// "https://HOST/VERSION"
    fn root(&self) -> String {
        let usual = if self.vertex { "v1beta1" } else { "v1beta" };
        [&self.host, "/", self.version.as_deref().unwrap_or(usual)].concat()
    }

    /// The request for `method` ("rawPredict") of a model that is asked in its maker's own API.
    pub(crate) fn raw(&self, publisher: &str, model: &str, method: &str) -> Request {
        let model = segment(model);
        self.others(&format!("/publishers/{publisher}/models/{model}:{method}"))
    }

    /// The request for a chat of a model that is asked in OpenAI's API. Its body names it.
    pub(crate) fn openai(&self) -> Request {
        self.others("/endpoints/openapi/chat/completions")
    }

    /// A request of a model that is not asked as Gemini is. `path`: what follows the location.
    fn others(&self, path: &str) -> Request {
        let version = self.version.as_deref().unwrap_or("v1");
        self.addressed(Request::post([&self.host, "/", version, &self.location, path].concat()))
    }

    /// The request for `method` ("generateContent") of a model.
    pub(crate) fn post(&self, model: &str, method: &str) -> Request {
        self.addressed(Request::post(format!(
            "{}{}:{method}",
            self.root(),
            self.model_path(model)
        )))
    }

    /// A page of the list of models; `page`: the mark of one that is not the first.
    pub(crate) fn list(&self, page: Option<&str>) -> Request {
        let (path, size) = if self.vertex {
            ("/publishers/google/models", 100)
        } else {
            ("/models", 1000)
        };
        let mut url = format!("{}{path}?pageSize={size}", self.root());
        if let Some(page) = page {
            url.push_str("&pageToken=");
            url.push_str(&segment(page));
        }
        self.addressed(Request::get(url))
    }

    /// On Vertex AI the operator's key is an access token. The hosts of regions, which are Google's too, get it like the configured.
    fn addressed(&self, request: Request) -> Request {
        if self.vertex { request.key_as_bearer() } else { request }
    }

    /// The name of a model in requests that name it in their body.
    pub(crate) fn model_name(model: &str) -> String {
        if model.starts_with("models/") || model.starts_with("tunedModels/") {
            model.to_owned()
        } else {
            format!("models/{model}")
        }
    }

    fn model_path(&self, model: &str) -> String {
        let model = model.trim_start_matches('/');
        let path: Vec<String> = model.split('/').map(segment).collect();
        let path = path.join("/");
        if !self.vertex {
            return format!("/{}", Self::model_name(&path));
        }
        if model.starts_with("projects/") {
            return format!("/{path}");
        }
        let own = ["publishers/", "endpoints/", "models/"]
            .iter()
            .any(|kind| model.starts_with(kind));
        let name = path
            .strip_prefix("models/")
            .or_else(|| path.strip_prefix("google/"))
            .unwrap_or(&path);
        if own && !model.starts_with("models/") {
            format!("{}/{path}", self.location)
        } else {
            format!("{}/publishers/google/models/{name}", self.location)
        }
    }
}

/// Host, version if it names one, and the rest of a base URL: people write it with and without the version, and with the paths of
/// endpoints behind it.
fn split(base: &str) -> (&str, Option<&str>, &str) {
    let base = base.trim_end_matches('/');
    let host = base.find("://").map_or(0, |at| at + 3);
    let Some(slash) = base[host..].find('/') else {
        return (base, None, "");
    };
    let mut at = host + slash;
    for word in base[at + 1..].split('/') {
        let end = at + 1 + word.len();
        if ["v1", "v1alpha", "v1beta", "v1beta1"].contains(&word) {
            return (&base[..at], Some(word), &base[end..]);
        }
        if word == "projects" {
            return (&base[..at], None, &base[at..]);
        }
        at = end;
    }
    (base, None, "")
}

/// The host of one location.
fn regional(region: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match region {
        "global" => Ok(VERTEX_URL.to_owned()),
        "us" | "eu" => Ok(format!("https://aiplatform.{region}.rep.googleapis.com")),
        _ if !region.is_empty() && region.bytes().all(plain) => {
            Ok(format!("https://{region}-aiplatform.googleapis.com"))
        }
        _ => {
            let text = "The provider's region is none: it is a word such as us-central1 or global.";
            Err(Failure::new(Kind::Config, text))
        }
    }
}

/// The settings of a call, and the service they are for.
pub(crate) fn of(ctx: &Context) -> Result<(Config<'_>, Endpoint)> {
    let config: Config<'_> = ctx.config()?;
    let endpoint = config.endpoint(ctx.base_url())?;
    Ok((config, endpoint))
}

#[cfg(test)]
mod tests {
    use super::{Config, Endpoint};

    fn endpoint(config: &str, base: &str) -> Endpoint {
        let config: Config<'_> = serde_json::from_str(config).expect("settings");
        config.endpoint(base).expect("an endpoint")
    }

    fn path(config: &str, base: &str, model: &str) -> String {
        let endpoint = endpoint(config, base);
        format!("{}{}", endpoint.root(), endpoint.model_path(model))
    }

    #[test]
    fn every_way_to_write_the_base_url_and_the_model_leads_to_the_same_place() {
        for base in [
            "https://a.example",
            "https://a.example/v1beta",
            "https://a.example/v1beta/openai",
            "https://a.example/",
        ] {
            for model in ["gemini-2.5-pro", "models/gemini-2.5-pro"] {
                assert_eq!(
                    path("{}", base, model),
                    "https://a.example/v1beta/models/gemini-2.5-pro",
                    "{base}"
                );
            }
        }
        assert_eq!(path("{}", "https://a.example/v1", "m"), "https://a.example/v1/models/m");
        assert_eq!(
            path("{}", "https://a.example/x/v1beta", "m"),
            "https://a.example/x/v1beta/models/m"
        );
        assert_eq!(
            path(r#"{"api_version":"v1alpha"}"#, "https://a.example/v1", "tunedModels/m"),
            "https://a.example/v1alpha/tunedModels/m"
        );
    }

    #[test]
    fn vertex_paths_name_project_and_location() {
        let config = r#"{"project_id":"p","region":"us-east1"}"#;
        let model = "/projects/p/locations/us-east1/publishers/google/models/gemini-2.5-pro";
        let regional = "https://us-east1-aiplatform.googleapis.com/v1beta1";
        for name in [
            "gemini-2.5-pro",
            "google/gemini-2.5-pro",
            "models/gemini-2.5-pro",
            "publishers/google/models/gemini-2.5-pro",
        ] {
            assert_eq!(
                path(config, "https://aiplatform.googleapis.com", name),
                format!("{regional}{model}"),
                "{name}"
            );
        }
        assert_eq!(
            path(config, "http://b.example", "gemini-2.5-pro"),
            format!("http://b.example/v1beta1{model}")
        );
        assert_eq!(
            path(
                "{}",
                "https://c.example/v1/projects/q/locations/l/publishers/google/models",
                "m"
            ),
            "https://c.example/v1/projects/q/locations/l/publishers/google/models/m"
        );
        assert_eq!(
            path(config, "https://b.example", "endpoints/12"),
            "https://b.example/v1beta1/projects/p/locations/us-east1/endpoints/12"
        );
        assert_eq!(
            path(r#"{"project_id":"p"}"#, "https://aiplatform.googleapis.com", "m"),
            "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/publishers/google/models/m"
        );
    }

    #[test]
    fn the_gemini_api_stays_what_it_is_for_one_whose_key_file_names_a_project() {
        assert_eq!(
            path(r#"{"project_id":"p"}"#, super::GEMINI_URL, "m"),
            "https://generativelanguage.googleapis.com/v1beta/models/m"
        );
    }

    #[test]
    fn a_region_that_would_change_the_host_is_refused() {
        let config: Config<'_> =
            serde_json::from_str(r#"{"project_id":"p","region":"evil.example/"}"#).expect("settings");
        let failure = config
            .endpoint("https://aiplatform.googleapis.com")
            .expect_err("refused");
        assert!(failure.message().contains("region"));
    }
}
