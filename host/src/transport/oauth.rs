//! Access tokens by OAuth's client credentials (RFC 6749, section 4.4), for adapters that declare the auth kind
//! `oauth-client-credentials`, or `azure-ad`: the same at Microsoft Entra, where a workload's own token (RFC 7523) may stand for the
//! secret. [`Client`] keeps the token.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{
    ask::ask,
    aws::Environment,
    http::Outgoing,
    renewed::{Held, Renewed},
};
use crate::{
    error::{Error, Result},
    secret::Secret,
};

/// The settings that are for the token, and not for the adapter; beside them the secret `client_secret`.
pub const SETTINGS: &[&str] = &["token_url", "tenant_id", "client_id", SECRET, "scope", "audience"];
const SECRET: &str = "client_secret";
/// Where Microsoft's tokens are, unless AZURE_AUTHORITY_HOST says otherwise.
const ENTRA: &str = "https://login.microsoftonline.com";
/// How long a token is kept whose life is not told.
const UNTOLD: Duration = Duration::from_mins(5);

/// What an adapter declares of it.
#[derive(Clone, Copy, Debug)]
pub struct Declared<'a> {
    /// What a token is to allow, unless the operator says otherwise.
    pub scope: Option<&'a str>,
    /// The tokens are Microsoft Entra's.
    pub entra: bool,
    /// The header of a provider's own key.
    pub key: Option<&'a HeaderName>,
}

/// Who a provider's requests are from, and the token that says so. Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    provider: String,
    entra: bool,
    /// A header that stands for a token, if the operator sets it himself.
    key: Option<HeaderName>,
    token_url: Option<String>,
    tenant_id: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    scope: Option<String>,
    audience: Option<String>,
    environment: Environment,
    token: Renewed<Secret>,
}

/// What the token's address answers.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<Value>,
}

/// How it says no.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

impl Client {
    /// The client that asks for `provider`'s tokens. What is for it is taken out of the provider's settings.
    pub fn take(
        provider: &str,
        declared: &Declared<'_>,
        settings: &mut Map<String, Value>,
        secrets: &BTreeMap<String, Secret>,
        environment: Environment,
    ) -> Self {
        let mut text = |name: &str| match settings.remove(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        };
        let variable = |name: &str| environment(name).filter(|text| declared.entra && !text.trim().is_empty());
        let own_secret = text(SECRET).map(Secret::new);
        Self(Arc::new(Inner {
            provider: provider.to_owned(),
            entra: declared.entra,
            key: declared.key.cloned(),
            token_url: text("token_url"),
            tenant_id: text("tenant_id").or_else(|| variable("AZURE_TENANT_ID")),
            client_id: text("client_id").or_else(|| variable("AZURE_CLIENT_ID")),
            client_secret: secrets
                .get(SECRET)
                .cloned()
                .or(own_secret)
                .or_else(|| variable("AZURE_CLIENT_SECRET").map(Secret::new)),
            scope: text("scope").or_else(|| declared.scope.map(str::to_owned)),
            audience: text("audience"),
            environment,
            token: Renewed::default(),
        }))
    }

    /// Puts a token on a request, and says which. One that has an `authorization`, or the header of a key, already keeps it: the
    /// operator's headers win.
    pub async fn sign(&self, request: &mut Outgoing) -> Result<Option<Arc<Held<Secret>>>> {
        let own = self.0.key.as_ref().is_some_and(|key| request.headers.contains_key(key));
        if own || request.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let fetch = || {
            let inner = Arc::clone(&self.0);
            async move { inner.fetch().await }
        };
        let token = self.0.token.get(&self.0.provider, fetch).await?;
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let mut value = value.map_err(|_| self.0.misconfigured("its access token has control characters in it"))?;
        value.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, value);
        Ok(Some(token))
    }

    /// Forgets a token that a provider did not take.
    pub fn forget(&self, refused: &Arc<Held<Secret>>) {
        self.0.token.forget(refused);
    }
}

impl Inner {
    async fn fetch(&self) -> Result<Held<Secret>> {
        let fetched = async {
            let (status, text) = ask(self.request().await?).await?;
            read(status, &text)
        };
        let fetched = fetched.await;
        fetched.map_err(|reason| self.misconfigured(&format!("no access token: {reason}")))
    }

    /// The request for a token.
    async fn request(&self) -> Result<Outgoing, String> {
        let client_id = self.client_id.as_deref().ok_or_else(|| self.lacks("client_id"))?;
        let workload = self.workload_token().await?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        form.append_pair("client_id", client_id);
        match (&self.client_secret, workload) {
            (Some(secret), _) => form.append_pair(SECRET, secret.expose()),
            (None, Some(token)) => form
                .append_pair(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                )
                .append_pair("client_assertion", token.expose()),
            (None, None) => return Err(self.lacks(SECRET)),
        };
        for (name, value) in [("scope", &self.scope), ("audience", &self.audience)] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        let headers = [
            (CONTENT_TYPE, "application/x-www-form-urlencoded"),
            (ACCEPT, "application/json"),
        ];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        Ok(Outgoing {
            method: Method::POST,
            url: self.address()?,
            headers: HeaderMap::from_iter(headers),
            body: Bytes::from(form.finish()),
            timeout: None,
        })
    }

    fn address(&self) -> Result<Url, String> {
        let address = match (&self.token_url, &self.tenant_id) {
            (Some(url), _) => url.clone(),
            (None, Some(tenant)) if self.entra => {
                let authority = (self.environment)("AZURE_AUTHORITY_HOST").filter(|host| !host.trim().is_empty());
                let authority = authority.as_deref().unwrap_or(ENTRA).trim_end_matches('/');
                format!("{authority}/{tenant}/oauth2/v2.0/token")
            }
            _ if self.entra => return Err(self.lacks("tenant_id")),
            _ => return Err(self.lacks("token_url")),
        };
        Url::parse(&address).map_err(|_| "the address of the tokens is no URL".to_owned())
    }

    /// What a workload's platform has written down for it: Kubernetes renews the file, so it is read each time.
    async fn workload_token(&self) -> Result<Option<Secret>, String> {
        let file =
            (self.environment)("AZURE_FEDERATED_TOKEN_FILE").filter(|_| self.entra && self.client_secret.is_none());
        let Some(file) = file else { return Ok(None) };
        let read = tokio::fs::read_to_string(&file).await;
        let token = read.map_err(|error| format!("the workload's token file {file} cannot be read: {error}"))?;
        Ok(Some(Secret::new(token.trim())))
    }

    fn lacks(&self, what: &str) -> String {
        let needed = if self.entra {
            "`tenant_id`, `client_id` and `client_secret`"
        } else {
            "`token_url`, `client_id` and `client_secret`"
        };
        format!("it has no `{what}`; it needs an `api_key`, or {needed}")
    }

    fn misconfigured(&self, reason: &str) -> Error {
        Error::Misconfigured {
            provider: self.provider.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// Reads the answer of the token's address.
fn read(status: u16, text: &str) -> Result<Held<Secret>, String> {
    if !(200..300).contains(&status) {
        let said: Refusal = serde_json::from_str(text).unwrap_or_default();
        // Microsoft's descriptions go on with ids of the case, line by line.
        let description = said.error_description.lines().next().unwrap_or_default();
        return Err(match (said.error.as_str(), description) {
            ("", _) => format!("status {status}"),
            (error, "") => error.to_owned(),
            (error, description) => format!("{error}: {description}"),
        });
    }
    let answer: Answer = serde_json::from_str(text).map_err(|_| "an answer without a token".to_owned())?;
    // Some write the number as a text.
    let seconds = answer.expires_in.and_then(|told| match told {
        Value::String(text) => text.parse().ok(),
        told => told.as_u64(),
    });
    let life = seconds
        .map_or(UNTOLD, Duration::from_secs)
        .min(Duration::from_hours(24));
    Ok(Held::new(Secret::new(answer.access_token), Some(life)))
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("provider", &self.0.provider)
            .field("entra", &self.0.entra)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(entra: bool, settings: Value, environment: &'static [(&'static str, &'static str)]) -> Client {
        let Value::Object(mut settings) = settings else {
            panic!("settings are an object")
        };
        let declared = Declared {
            scope: Some("https://a.example/.default"),
            entra,
            key: None,
        };
        let environment: Environment = Arc::new(move |name: &str| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let client = Client::take("p", &declared, &mut settings, &BTreeMap::new(), environment);
        assert!(settings.is_empty(), "the adapter sees none of it: {settings:?}");
        client
    }

    async fn asked(client: &Client) -> Result<(String, String), String> {
        let request = client.0.request().await?;
        Ok((
            request.url.to_string(),
            String::from_utf8_lossy(&request.body).into_owned(),
        ))
    }

    #[tokio::test]
    async fn microsofts_tokens_are_asked_for_where_the_tenant_is() {
        let settings = serde_json::json!({ "tenant_id": "t", "client_id": "c", "client_secret": "s/&" });
        let (url, form) = asked(&client(true, settings, &[])).await.unwrap();
        assert_eq!(url, "https://login.microsoftonline.com/t/oauth2/v2.0/token");
        assert_eq!(
            form,
            "grant_type=client_credentials&client_id=c&client_secret=s%2F%26&scope=https%3A%2F%2Fa.example%2F.default"
        );
    }

    #[tokio::test]
    async fn what_the_settings_leave_out_is_in_the_variables_that_azures_tools_know() {
        let environment = &[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_CLIENT_SECRET", "s"),
            ("AZURE_AUTHORITY_HOST", "https://login.other.example/"),
        ];
        let (url, form) = asked(&client(true, serde_json::json!({}), environment)).await.unwrap();
        assert_eq!(url, "https://login.other.example/t/oauth2/v2.0/token");
        assert!(form.contains("client_id=c&client_secret=s"), "{form}");
        let error = asked(&client(false, serde_json::json!({}), environment)).await;
        assert!(error.unwrap_err().contains("client_id"), "they are of nobody else");
    }

    #[tokio::test]
    async fn any_other_service_is_asked_at_its_address_with_scope_and_audience() {
        let settings = serde_json::json!({ "token_url": "https://i.example/token", "client_id": "c", "client_secret": "s",
            "scope": "read", "audience": "api" });
        let (url, form) = asked(&client(false, settings, &[])).await.unwrap();
        assert_eq!(url, "https://i.example/token");
        assert!(form.ends_with("&scope=read&audience=api"), "{form}");
        let nowhere = client(
            false,
            serde_json::json!({ "client_id": "c", "client_secret": "s" }),
            &[],
        );
        let error = asked(&nowhere).await;
        assert!(error.unwrap_err().contains("token_url"));
    }

    #[test]
    fn a_token_is_read_and_a_refusal_names_its_reason() {
        let held = read(200, r#"{"access_token":"t","expires_in":"3600"}"#).unwrap();
        assert_eq!(held.expose(), "t");
        let refused = r#"{"error":"invalid_client","error_description":"The secret is wrong.\r\nTrace ID: 1"}"#;
        let said = read(401, refused).err();
        assert_eq!(said.as_deref(), Some("invalid_client: The secret is wrong."));
        assert_eq!(read(502, "<html>").err().as_deref(), Some("status 502"));
        assert!(read(200, "{}").is_err());
    }
}
