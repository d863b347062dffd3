//! Workload identity federation: what another issuer wrote down for this workload is exchanged for a token of Google's (RFC 8693), and
//! that, where the key file wants it, for one of a service account's.

use std::time::Duration;

use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    super::{exchange, form},
    said,
};
use crate::{
    secret::Secret,
    transport::{ask::ask, http::Outgoing, key_file, metadata::header, renewed::Held},
};

/// How long a service account's token is asked to serve.
const SERVES: Duration = Duration::from_hours(1);

/// What a key file of the type `external_account` says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Federated {
    audience: Option<String>,
    subject_token_type: Option<String>,
    token_url: Option<String>,
    credential_source: Option<Source>,
    service_account_impersonation_url: Option<String>,
}

/// Where the other issuer's statement is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    file: Option<String>,
    format: Format,
}

/// How it is written: as it is, or as a member of a JSON object.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    subject_token_field_name: Option<String>,
}

/// A service account's token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    access_token: String,
}

impl Federated {
    /// A token.
    pub(super) async fn fetch(&self, scope: &str) -> Result<Held<Secret>, String> {
        let statement = self.statement().await?;
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("audience", said(&self.audience, "audience")?.as_str()),
            ("scope", scope),
            (
                "subject_token_type",
                said(&self.subject_token_type, "subject_token_type")?,
            ),
            ("subject_token", statement.expose()),
        ];
        let own = exchange(form(said(&self.token_url, "token_url")?, &fields)?).await?;
        match &self.service_account_impersonation_url {
            Some(url) => impersonate(url, &own, scope).await,
            None => Ok(own),
        }
    }

    async fn statement(&self) -> Result<Secret, String> {
        let source = said(&self.credential_source, "credential_source")?;
        let file = source.file.as_deref();
        let file = file.ok_or("the key file's credential_source is other than a file, which is not done here")?;
        let read = key_file::read(file).await;
        let text = read.map_err(|error| format!("the workload's token file {file} cannot be read: {error}"))?;
        let Some(name) = &source.format.subject_token_field_name else {
            return Ok(Secret::new(text.trim()));
        };
        let object: Value = serde_json::from_str(&text).unwrap_or_default();
        let token = object[name].as_str().map(Secret::new);
        token.ok_or_else(|| format!("the workload's token file {file} has no `{name}`"))
    }
}

/// A token of a service account's, for one who may act as it.
async fn impersonate(url: &str, own: &Secret, scope: &str) -> Result<Held<Secret>, String> {
    let wanted = json!({ "scope": [scope], "lifetime": format!("{}s", SERVES.as_secs()) });
    let mut headers: HeaderMap = header(AUTHORIZATION, &format!("Bearer {}", own.expose()))?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request = Outgoing {
        method: Method::POST,
        url: Url::parse(url).map_err(|_| "the key file's service_account_impersonation_url is no URL".to_owned())?,
        headers,
        body: Bytes::from(wanted.to_string()).into(),
        timeout: None,
    };
    let (status, text) = ask(request).await?;
    if !(200..300).contains(&status) {
        return Err(format!("the service account is not to be had: status {status}"));
    }
    let answer: Answer = serde_json::from_str(&text).map_err(|_| "an answer without a token".to_owned())?;
    Ok(Held::new(Secret::new(answer.access_token), Some(SERVES)))
}
