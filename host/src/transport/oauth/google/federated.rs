//! Workload and workforce identity federation: another issuer's statement is exchanged for a token of Google's (RFC 8693), and that,
//! where the key file wants it, for one of a service account's. Where the statement is, is `source`'s.

mod aws;
mod executable;
mod source;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use self::source::Source;
use super::{
    super::{exchange, form},
    SCOPE, said,
};
use crate::{
    secret::Secret,
    transport::{ask::ask, environment::Environment, http::Outgoing, metadata::header, renewed::Held},
};

/// Where statements are exchanged if the key file does not say.
const TOKEN_URL: &str = "https://sts.googleapis.com/v1/token";
/// How long a service account's token is asked to serve if the key file does not say, and the longest that Google gives, in seconds.
const SERVES: u64 = 3600;
const LONGEST: u64 = 43_200;

/// What a key file of the types `external_account` and `external_account_authorized_user` says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Federated {
    audience: Option<String>,
    subject_token_type: Option<String>,
    token_url: Option<String>,
    credential_source: Option<Source>,
    service_account_impersonation_url: Option<String>,
    service_account_impersonation: Impersonation,
    workforce_pool_user_project: Option<String>,
}

/// What it says of a service account's tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Impersonation {
    token_lifetime_seconds: Option<u64>,
}

/// Who asks for the exchange, where that is not just anybody: name and password.
pub(super) type Client<'a> = Option<(&'a str, &'a Secret)>;

/// A service account's token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    access_token: String,
}

impl Federated {
    /// A token for what another issuer says.
    pub(super) async fn fetch(
        &self,
        scope: &str,
        client: Client<'_>,
        environment: &Environment,
    ) -> Result<Held<Secret>, String> {
        let source = said(&self.credential_source, "credential_source")?;
        let statement = source.statement(self, environment).await?;
        let robot = self.service_account_impersonation_url.as_deref();
        let options = self.options(client);
        let mut fields = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("audience", said(&self.audience, "audience")?.as_str()),
            // What a service account's token may be had with is not what that is to allow.
            ("scope", robot.map_or(scope, |_| SCOPE)),
            (
                "subject_token_type",
                said(&self.subject_token_type, "subject_token_type")?,
            ),
        ];
        fields.extend(options.as_deref().map(|options| ("options", options)));
        fields.push(("subject_token", statement.expose()));
        let url = self.token_url.as_deref().unwrap_or(TOKEN_URL);
        let own = exchange(by(client, form(url, &fields)?)?).await?;
        match robot {
            Some(url) => self.impersonate(url, &own, scope).await,
            None => Ok(own),
        }
    }

    /// A token for whom `gcloud` has logged in by another issuer.
    pub(super) async fn refresh(&self, token: &Secret, client: Client<'_>) -> Result<Held<Secret>, String> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
        exchange(by(client, form(said(&self.token_url, "token_url")?, &fields)?)?).await
    }

    /// A workforce has no project of its own: who pays is said, or known by the client.
    fn options(&self, client: Client<'_>) -> Option<String> {
        let project = self
            .workforce_pool_user_project
            .as_deref()
            .filter(|_| client.is_none())?;
        let options = json!({ "userProject": project }).to_string();
        Some(utf8_percent_encode(&options, NON_ALPHANUMERIC).to_string())
    }

    /// The service account's name.
    fn robot(&self) -> Option<&str> {
        let (_, last) = self.service_account_impersonation_url.as_deref()?.rsplit_once('/')?;
        last.strip_suffix(":generateAccessToken")
    }

    /// A token of a service account's, for one who may act as it.
    async fn impersonate(&self, url: &str, own: &Secret, scope: &str) -> Result<Held<Secret>, String> {
        let serves = self.service_account_impersonation.token_lifetime_seconds;
        let serves = serves.unwrap_or(SERVES).min(LONGEST);
        let scopes: Vec<&str> = scope.split_whitespace().collect();
        let wanted = json!({ "scope": scopes, "lifetime": format!("{serves}s") });
        let mut headers: HeaderMap = header(AUTHORIZATION, &format!("Bearer {}", own.expose()))?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = Outgoing {
            method: Method::POST,
            url: Url::parse(url)
                .map_err(|_| "the key file's service_account_impersonation_url is no URL".to_owned())?,
            headers,
            body: Bytes::from(wanted.to_string()).into(),
            timeout: None,
        };
        let (status, text) = ask(request).await?;
        if !(200..300).contains(&status) {
            return Err(format!("the service account is not to be had: status {status}"));
        }
        let answer: Answer = serde_json::from_str(&text).map_err(|_| "an answer without a token".to_owned())?;
        Ok(Held::new(
            Secret::new(answer.access_token),
            Some(Duration::from_secs(serves)),
        ))
    }
}

/// A request in a client's name.
fn by(client: Client<'_>, mut request: Outgoing) -> Result<Outgoing, String> {
    if let Some((id, secret)) = client {
        let pair = zeroize::Zeroizing::new(format!("{id}:{}", secret.expose()));
        let basic = header(AUTHORIZATION, &format!("Basic {}", STANDARD.encode(pair.as_bytes())))?;
        request.headers.extend(basic);
    }
    Ok(request)
}
