//! Where things are: which endpoint creates a prediction of a model, and which URLs of a reply may be used.

use crate::error;
use crate::prediction::Prediction;
use witgate_sdk::Result;

/// What a model's name says: where to create its predictions, and of which version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint<'a> {
    /// path under the API's root
    pub(crate) path: String,
    /// goes into the body
    pub(crate) version: Option<&'a str>,
}

/// A model's name without its version: what settings are looked up by.
pub(crate) fn bare_model(model: &str) -> &str {
    model.split_once(':').map_or(model, |(name, _)| name)
}

impl<'a> Endpoint<'a> {
    /// `owner/name` has an endpoint of its own, `owner/name:version` and a bare version share one, and `deployments/owner/name` is a
    /// deployment. `version` is the one of the settings; one in the name wins over it.
    pub(crate) fn of(model: &'a str, version: Option<&'a str>) -> Result<Self> {
        if !model.split(['/', ':']).all(is_name) {
            return Err(error::no_such_model(model));
        }
        let of_version = |version| Self {
            path: "/predictions".to_owned(),
            version: Some(version),
        };
        let parts: Vec<&str> = model.split('/').collect();
        match (parts.as_slice(), model.split_once(':'), version) {
            (["deployments", owner, name], None, _) => Ok(Self {
                path: format!("/deployments/{owner}/{name}/predictions"),
                version: None,
            }),
            ([_, _], Some((_, id)), _) if is_version(id) => Ok(of_version(id)),
            ([_, _], Some(_), _) => Ok(of_version(model)),
            ([_, _], None, Some(version)) => Ok(of_version(version)),
            ([owner, name], None, None) => Ok(Self {
                path: format!("/models/{owner}/{name}/predictions"),
                version: None,
            }),
            ([id], None, _) if is_version(id) => Ok(of_version(id)),
            _ => Err(error::no_such_model(model)),
        }
    }
}

/// Part of a path, and nothing that could lead elsewhere.
fn is_name(part: &str) -> bool {
    !part.is_empty()
        && part != "."
        && part != ".."
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Version ids are SHA-256 sums.
fn is_version(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The API's root for a base URL: `/v1` is added where the base URL is a bare host.
pub(crate) fn root(base_url: &str) -> String {
    let base = base_url.trim_end_matches('/');
    if path_of(base).is_empty() {
        format!("{base}/v1")
    } else {
        base.to_owned()
    }
}

/// The URL to poll a prediction at.
pub(crate) fn get_url(base_url: &str, prediction: &Prediction<'_>) -> Option<String> {
    own_url(base_url, prediction.get_url(), prediction.id.as_deref(), "")
}

/// The URL that cancels a prediction.
pub(crate) fn cancel_url(base_url: &str, prediction: &Prediction<'_>) -> Option<String> {
    own_url(base_url, prediction.cancel_url(), prediction.id.as_deref(), "/cancel")
}

/// The URL Replicate sent, if it is where our key may go; else (behind a proxy) the same under the base URL.
fn own_url(base_url: &str, theirs: Option<&str>, id: Option<&str>, suffix: &str) -> Option<String> {
    match theirs.filter(|url| same_origin(base_url, url)) {
        Some(url) => Some(url.to_owned()),
        None => id
            .filter(|id| is_name(id))
            .map(|id| format!("{}/predictions/{id}{suffix}", root(base_url))),
    }
}

/// The URL of a prediction's event stream, if it is at the base URL's origin or at one of Replicate's own hosts.
pub(crate) fn stream_url<'p>(base_url: &str, prediction: &'p Prediction<'_>) -> Option<&'p str> {
    let url = prediction.stream_url()?;
    let host = url
        .strip_prefix("https://")
        .map(|rest| rest.split(['/', ':', '?', '#']).next().unwrap_or_default());
    let replicate = host.is_some_and(|host| {
        HOSTS
            .iter()
            .any(|suffix| host.ends_with(suffix.trim_start_matches('*')))
    });
    (replicate || same_origin(base_url, url)).then_some(url)
}

/// Hosts that serve streams, as the manifest asks for them.
pub(crate) const HOSTS: [&str; 2] = ["*.replicate.com", "*.replicate.net"];

/// Whether two URLs share scheme, host and port.
pub(crate) fn same_origin(base_url: &str, url: &str) -> bool {
    let origin = base_url
        .get(..base_url.len() - path_of(base_url).len())
        .unwrap_or(base_url);
    url.strip_prefix(origin)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What follows scheme and authority.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?', '#'])
        .and_then(|at| rest.get(at..))
        .unwrap_or_default()
}
