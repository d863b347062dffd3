//! Client credentials (RFC 6749, section 4.4): a client that an issuer knows asks for a token in its own name.

use super::{Said, exchange, form};
use crate::{
    secret::Secret,
    transport::{http::Outgoing, renewed::Held},
};

/// The settings that are for it.
pub(super) const SETTINGS: &[&str] = &["token_url", "tenant_id", "client_id", SECRET, "scope", "audience"];
const SECRET: &str = "client_secret";

/// Who asks, and for what.
pub(super) struct Grant {
    pub(super) token_url: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) scope: Option<String>,
    audience: Option<String>,
}

/// What shows that a client is the one it says it is.
pub(super) enum Proof<'a> {
    /// A secret that it shares with the issuer.
    Secret(&'a Secret),
    /// Another issuer's statement about it (RFC 7523).
    Statement(&'a Secret),
}

impl Grant {
    /// What the operator says of it, with a `scope` for where he names none.
    pub(super) fn new(said: &Said<'_>, scope: Option<&str>) -> Self {
        Self {
            token_url: said.text("token_url"),
            client_id: said.text("client_id"),
            client_secret: said.secret(SECRET),
            scope: said.text("scope").or_else(|| scope.map(str::to_owned)),
            audience: said.text("audience"),
        }
    }

    /// A token.
    pub(super) async fn fetch(&self) -> Result<Held<Secret>, String> {
        exchange(self.request()?).await
    }

    fn request(&self) -> Result<Outgoing, String> {
        let url = self.token_url.as_deref().ok_or_else(|| lacks("token_url"))?;
        let client = self.client_id.as_deref().ok_or_else(|| lacks("client_id"))?;
        let secret = self.client_secret.as_ref().ok_or_else(|| lacks(SECRET))?;
        self.request_of(url, client, &Proof::Secret(secret))
    }

    /// The request at `url` for a token of `client`'s.
    pub(super) fn request_of(&self, url: &str, client: &str, proof: &Proof<'_>) -> Result<Outgoing, String> {
        let mut fields = vec![("grant_type", "client_credentials"), ("client_id", client)];
        match proof {
            Proof::Secret(secret) => fields.push((SECRET, secret.expose())),
            Proof::Statement(statement) => fields.extend([
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", statement.expose()),
            ]),
        }
        for (name, value) in [("scope", &self.scope), ("audience", &self.audience)] {
            fields.extend(value.as_deref().map(|value| (name, value)));
        }
        form(url, &fields)
    }
}

fn lacks(what: &str) -> String {
    format!("it has no `{what}`; it needs an `api_key`, or `token_url`, `client_id` and `client_secret`")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::transport::service::environment;

    fn asked(settings: &Value) -> Result<(String, String), String> {
        let secrets = BTreeMap::from([(SECRET.to_owned(), Secret::new("s/&"))]);
        let said = Said {
            settings: settings.as_object().unwrap().clone(),
            secrets: &secrets,
            environment: environment(&[("AZURE_CLIENT_ID", "c"), ("AZURE_TENANT_ID", "t")]),
        };
        let request = Grant::new(&said, Some("all")).request()?;
        let form = String::from_utf8(request.body.whole().to_vec()).unwrap();
        Ok((request.url.to_string(), form))
    }

    #[test]
    fn a_service_is_asked_at_its_address_with_scope_and_audience() {
        let mut settings = json!({ "token_url": "https://i.example/token", "client_id": "c" });
        let (url, form) = asked(&settings).unwrap();
        assert_eq!(url, "https://i.example/token");
        assert_eq!(
            form,
            "grant_type=client_credentials&client_id=c&client_secret=s%2F%26&scope=all"
        );
        settings["scope"] = json!("read");
        settings["audience"] = json!("api");
        assert!(asked(&settings).unwrap().1.ends_with("&scope=read&audience=api"));
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_is_taken_from_variables_of_others() {
        for (settings, missing) in [
            (json!({ "client_id": "c" }), "no `token_url`"),
            (json!({ "token_url": "https://i.example/token" }), "no `client_id`"),
        ] {
            let reason = asked(&settings).unwrap_err();
            assert!(reason.contains(missing), "{reason}");
        }
    }
}
