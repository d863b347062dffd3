//! Where another issuer's statement is: in a file, at an address, with a program, or, for a workload at AWS, nowhere but made here.

use std::collections::BTreeMap;

use hyper::{
    HeaderMap, Method,
    header::{HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use url::{Position, Url};

use super::{Federated, aws::Aws, executable::Executable, said};
use crate::{
    secret::Secret,
    transport::{
        ask::ask,
        environment::Environment,
        http::Outgoing,
        key_file,
        metadata::{self, Reach},
        pieces::Pieces,
    },
};

/// What a key file calls `credential_source`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Source {
    file: Option<String>,
    url: Option<String>,
    headers: BTreeMap<String, Secret>,
    format: Format,
    executable: Option<Executable>,
    #[serde(flatten)]
    aws: Aws,
}

/// How the statement is written: as it is, or as a member of a JSON object.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    r#type: Option<String>,
    subject_token_field_name: Option<String>,
}

impl Source {
    /// The statement about the workload of this key file.
    pub(super) async fn statement(&self, of: &Federated, environment: &Environment) -> Result<Secret, String> {
        if self.aws.environment_id.is_some() {
            let audience = said(&of.audience, "audience")?;
            return self.aws.statement(self.url.as_deref(), audience, environment).await;
        }
        match (&self.file, &self.url, &self.executable) {
            (Some(file), None, None) => self.of_file(file).await,
            (None, Some(url), None) => self.of_url(url).await,
            (None, None, Some(program)) => program.statement(of, environment).await,
            _ => {
                Err("the key file's credential_source is not one of a file, a url, an executable and AWS's".to_owned())
            }
        }
    }

    async fn of_file(&self, file: &str) -> Result<Secret, String> {
        let called = format!("the workload's token file {file}");
        let read = key_file::read(file).await;
        let text = read.map_err(|error| format!("{called} cannot be read: {error}"))?;
        self.format.read(&text).map_err(|reason| format!("{called} {reason}"))
    }

    async fn of_url(&self, url: &str) -> Result<Secret, String> {
        let url = Url::parse(url).map_err(|_| "the key file's credential_source has a url that is none".to_owned())?;
        // What else it says may be a secret.
        let called = format!(
            "the workload's token service at {}",
            &url[Position::BeforeHost..Position::AfterPort]
        );
        let wrong = |reason: String| format!("{called} {reason}");
        let answered = get(url, self.headers()?).await;
        match answered.map_err(|reason| wrong(format!("does not answer: {reason}")))? {
            (200, text) => self.format.read(&text).map_err(wrong),
            (status, _) => Err(wrong(format!("answers with status {status}"))),
        }
    }

    fn headers(&self) -> Result<HeaderMap, String> {
        let one = |(name, value): (&String, &Secret)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let mut value = HeaderValue::from_str(value.expose()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        };
        let headers: Option<HeaderMap> = self.headers.iter().map(one).collect();
        headers.ok_or_else(|| "the key file's credential_source has headers that are none".to_owned())
    }
}

/// Asks a service of the machine's or its cloud's as such, and any other as a token service.
async fn get(url: Url, headers: HeaderMap) -> Result<(u16, String), String> {
    if metadata::is_at(&url, Reach::Known) {
        return metadata::ask(Method::GET, url.as_str(), headers, Reach::Known).await;
    }
    let request = Outgoing {
        method: Method::GET,
        url,
        headers,
        body: Pieces::default(),
        timeout: None,
    };
    ask(request).await
}

impl Format {
    fn read(&self, text: &str) -> Result<Secret, String> {
        let name = match (self.r#type.as_deref(), &self.subject_token_field_name) {
            (Some("json") | None, Some(name)) => Some(name),
            (Some("json"), None) => {
                return Err("holds JSON, and the key file lacks subject_token_field_name".to_owned());
            }
            (Some("text"), _) | (None, None) => None,
            (Some(_), _) => return Err("is in a format other than \"text\" and \"json\"".to_owned()),
        };
        let Some(name) = name else {
            let text = text.trim();
            return (!text.is_empty())
                .then(|| Secret::new(text))
                .ok_or_else(|| "is empty".to_owned());
        };
        let object: Value = serde_json::from_str(text).unwrap_or_default();
        let token = object[name].as_str().map(Secret::new);
        token.ok_or_else(|| format!("has no `{name}`"))
    }
}
