//! Tokens of Microsoft Entra's: for an application with a secret, for a workload with a statement of its platform's, or, where the operator
//! says so (`credentials = "managed-identity"`), for the machine or app that the gateway runs in. What the settings leave out is looked
//! for in the variables that Azure's own tools know.

use hyper::{HeaderMap, Method, header::HeaderName};
use url::Url;

use super::{
    Said, exchange,
    grant::{Grant, Proof},
    read,
};
use crate::{
    secret::Secret,
    transport::{
        environment::Environment,
        http::Outgoing,
        key_file,
        metadata::{self, Reach, header},
        renewed::Held,
    },
};

/// The settings that are for it.
pub(super) const SETTINGS: &[&str] = &[
    "token_url",
    "tenant_id",
    "client_id",
    "client_secret",
    "scope",
    "audience",
    "credentials",
];
/// Where its tokens are, unless AZURE_AUTHORITY_HOST says otherwise.
const LOGIN: &str = "https://login.microsoftonline.com";
/// Where a machine asks for its own, unless AZURE_POD_IDENTITY_AUTHORITY_HOST says otherwise.
const MACHINE: &str = "http://169.254.169.254";
/// The word for it in the settings.
const MANAGED: &str = "managed-identity";

/// Who asks for tokens.
pub(super) struct Identity {
    grant: Grant,
    tenant_id: Option<String>,
    /// The one place to look.
    only: Option<String>,
    environment: Environment,
}

impl Identity {
    /// What the operator and the environment say of it, with a `scope` for where the operator names none.
    pub(super) fn new(said: Said<'_>, scope: Option<&str>) -> Self {
        let mut grant = Grant::new(&said, scope);
        grant.client_id = grant.client_id.or_else(|| said.environment.get("AZURE_CLIENT_ID"));
        let secret = || said.environment.get("AZURE_CLIENT_SECRET").map(Secret::new);
        grant.client_secret = grant.client_secret.or_else(secret);
        Self {
            grant,
            tenant_id: said
                .text("tenant_id")
                .or_else(|| said.environment.get("AZURE_TENANT_ID")),
            only: said.text("credentials"),
            environment: said.environment,
        }
    }

    /// A token.
    pub(super) async fn fetch(&self) -> Result<Held<Secret>, String> {
        match self.only.as_deref() {
            None => exchange(self.request().await?).await,
            Some(MANAGED) => self.managed().await,
            Some(_) => Err(format!("its `credentials` is not \"{MANAGED}\"")),
        }
    }

    async fn request(&self) -> Result<Outgoing, String> {
        let client = self.grant.client_id.as_deref().ok_or_else(|| lacks("client_id"))?;
        let statement = self.statement().await?;
        let proof = match (&self.grant.client_secret, &statement) {
            (Some(secret), _) => Proof::Secret(secret),
            (None, Some(statement)) => Proof::Statement(statement),
            (None, None) => return Err(lacks("client_secret")),
        };
        self.grant.request_of(&self.address()?, client, &proof)
    }

    fn address(&self) -> Result<String, String> {
        if let Some(url) = &self.grant.token_url {
            return Ok(url.clone());
        }
        let tenant = self.tenant_id.as_deref().ok_or_else(|| lacks("tenant_id"))?;
        let authority = self.environment.get("AZURE_AUTHORITY_HOST");
        let authority = authority.as_deref().unwrap_or(LOGIN).trim_end_matches('/');
        Ok(format!("{authority}/{tenant}/oauth2/v2.0/token"))
    }

    /// What a workload's platform has written down for it.
    async fn statement(&self) -> Result<Option<Secret>, String> {
        let file = self.environment.get("AZURE_FEDERATED_TOKEN_FILE");
        let Some(file) = file.filter(|_| self.grant.client_secret.is_none()) else {
            return Ok(None);
        };
        let read = key_file::read(&file).await;
        let statement = read.map_err(|error| format!("the workload's token file {file} cannot be read: {error}"))?;
        Ok(Some(Secret::new(statement.trim())))
    }

    /// A token of the identity that the platform manages for this app or machine; with a `client_id` the one of several.
    async fn managed(&self) -> Result<Held<Secret>, String> {
        let scope = self.grant.scope.as_deref().ok_or("it has no `scope`")?;
        let (url, version, headers, reach) = match self.environment.get("IDENTITY_ENDPOINT") {
            Some(url) => (url, "2019-08-01", self.of_app()?, Reach::Near),
            None => (
                self.of_machine(),
                "2018-02-01",
                header(HeaderName::from_static("metadata"), "true")?,
                Reach::Known,
            ),
        };
        let mut url = Url::parse(&url).map_err(|_| "the address of the managed identity is no URL".to_owned())?;
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", resource)
            .extend_pairs(self.grant.client_id.iter().map(|id| ("client_id", id)));
        let answered = metadata::ask(Method::GET, url.as_str(), headers, reach).await;
        let token = answered.and_then(|(status, text)| read(status, &text));
        token.map_err(|reason| format!("the managed identity: {reason}"))
    }

    /// App Service and Container Apps start a token service beside the app, and tell it a word that shows who asks.
    fn of_app(&self) -> Result<HeaderMap, String> {
        let word = self.environment.get("IDENTITY_HEADER").ok_or_else(|| {
            "IDENTITY_ENDPOINT is set without IDENTITY_HEADER: only App Service's and Container Apps' are asked"
                .to_owned()
        })?;
        header(HeaderName::from_static("x-identity-header"), &word)
    }

    fn of_machine(&self) -> String {
        let named = self.environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        let host = named.as_deref().unwrap_or(MACHINE).trim_end_matches('/');
        format!("{host}/metadata/identity/oauth2/token")
    }
}

fn lacks(what: &str) -> String {
    format!(
        "it has no `{what}`; it needs an `api_key`, or `tenant_id`, `client_id` and `client_secret`, or, where the platform manages an \
         identity, `credentials = \"{MANAGED}\"`"
    )
}

#[cfg(test)]
mod tests;
