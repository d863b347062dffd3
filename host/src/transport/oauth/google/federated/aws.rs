//! A workload at AWS. Its statement is a request for its own identity, signed and not sent: Google sends it, and AWS answers who signed.

use std::time::SystemTime;

use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::said;
use crate::{
    secret::Secret,
    transport::{
        aws::{Caller, Places},
        environment::Environment,
    },
};

/// The one form of all this that there is.
const VERSION: &str = "aws1";
/// The header that says for whom the statement is, so that nobody else can use it.
const RESOURCE: &str = "x-goog-cloud-target-resource";

/// What the key file says of it, beside a `url`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Aws {
    /// It is meant if this is there.
    pub(super) environment_id: Option<String>,
    region_url: Option<String>,
    imdsv2_session_token_url: Option<String>,
    regional_cred_verification_url: Option<String>,
}

impl Aws {
    /// The statement for `audience`. At `roles` are the credentials that the environment does not hold.
    pub(super) async fn statement(
        &self,
        roles: Option<&str>,
        audience: &str,
        environment: &Environment,
    ) -> Result<Secret, String> {
        if self.environment_id.as_deref() != Some(VERSION) {
            return Err(format!(
                "the key file's environment_id is not \"{VERSION}\", the one that is known"
            ));
        }
        let places = Places {
            zone: self.region_url.as_deref(),
            roles,
            session: self.imdsv2_session_token_url.as_deref(),
        };
        let found = Caller::find(environment, &places).await;
        let caller = found.map_err(|reason| format!("the workload's identity at AWS: {reason}"))?;
        self.signed(&caller, audience)
    }

    fn signed(&self, caller: &Caller, audience: &str) -> Result<Secret, String> {
        let field = "regional_cred_verification_url";
        let text = said(&self.regional_cred_verification_url, field)?.replace("{region}", &caller.region);
        let url = Url::parse(&text).ok().filter(|url| url.scheme() == "https");
        let url = url.ok_or_else(|| format!("the key file's {field} is no https URL"))?;
        let headers = caller.sign(&Method::POST, &url, (RESOURCE, audience), SystemTime::now());
        let pair = |(name, value)| json!({ "key": name, "value": value });
        let headers: Vec<Value> = headers.into_iter().map(pair).collect();
        let request = json!({ "url": text, "method": "POST", "headers": headers }).to_string();
        Ok(Secret::new(utf8_percent_encode(&request, NON_ALPHANUMERIC).to_string()))
    }
}
