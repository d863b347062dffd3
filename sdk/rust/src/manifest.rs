//! Who an adapter is and what it needs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::json::Raw;

mod self_test;

pub use self_test::SelfTest;

/// What an adapter tells the host about itself.
///
/// ```
/// use witgate_sdk::{Auth, Manifest};
/// let manifest = Manifest::new("acme", "1.0.0")
///     .types(&["acme"])
///     .operations(&["chat.completions", "embeddings"])
///     .auth(Auth::header("x-api-key"))
///     .config_schema(r#"{"type":"object","properties":{"region":{"type":"string"}}}"#)
///     .expose_header("acme-request-id", "x-upstream-request-id");
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    types: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    base_urls: BTreeMap<String, String>,
    operations: Vec<String>,
    auth: Auth,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_schema: Option<Raw<'static>>,
    permissions: Permissions,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forward_headers: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    expose_headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    limits: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    drops: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tests: Vec<SelfTest>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Permissions {
    hosts: Vec<String>,
    secrets: Vec<String>,
    crypto: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
}

impl Manifest {
    /// An adapter of this name that serves providers of the `type` of the same name, answers `chat.completions`, and has its requests
    /// carry the provider's key as `authorization: Bearer`. `version` is best `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            description: None,
            types: vec![name.to_owned()],
            base_urls: BTreeMap::new(),
            operations: vec!["chat.completions".to_owned()],
            auth: Auth::bearer(),
            config_schema: None,
            permissions: Permissions::default(),
            forward_headers: Vec::new(),
            expose_headers: BTreeMap::new(),
            limits: BTreeMap::new(),
            drops: BTreeMap::new(),
            media: None,
            tests: Vec::new(),
        }
    }

    /// One sentence for people.
    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }

    /// The `type`s of providers it serves, instead of its name: what a provider entry of the configuration has as `type`.
    #[must_use]
    pub fn types(mut self, types: &[&str]) -> Self {
        self.types = owned(types);
        self
    }

    /// Where the providers of one of its types are, for an operator who names no base URL: `https` and a host's name.
    #[must_use]
    pub fn base_url(mut self, provider_type: &str, url: &str) -> Self {
        self.base_urls.insert(provider_type.to_owned(), url.to_owned());
        self
    }

    /// The operations it answers. The host translates the others to and from `chat.completions` where it can.
    #[must_use]
    pub fn operations(mut self, operations: &[&str]) -> Self {
        self.operations = owned(operations);
        self
    }

    /// How requests carry the provider's key.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// JSON Schema of the provider's settings, as JSON text. Settings that do not fit never reach the adapter.
    ///
    /// # Panics
    /// If `schema` is not JSON: a mistake that the first test or load shows.
    #[must_use]
    pub fn config_schema(mut self, schema: &str) -> Self {
        self.config_schema = Some(
            Raw::parse_text(schema)
                .expect("the config schema is JSON")
                .into_static(),
        );
        self
    }

    /// Hosts it may reach besides the base URL's: names, or `*.` and a suffix.
    #[must_use]
    pub fn hosts(mut self, hosts: &[&str]) -> Self {
        self.permissions.hosts = owned(hosts);
        self
    }

    /// Settings that are secrets, besides `api_key`: it sees a token instead of each, as [`Context::secret`](crate::Context::secret).
    /// A secret inside an object is named with the way to it, as `account.password`; its token then stands beside the object, under
    /// this name.
    #[must_use]
    pub fn secrets(mut self, secrets: &[&str]) -> Self {
        self.permissions.secrets = owned(secrets);
        self
    }

    /// Settings that may be the path of a file, as key files are handed out: it sees what the file holds, an object if it is JSON.
    #[must_use]
    pub fn files(mut self, settings: &[&str]) -> Self {
        self.permissions.files = owned(settings);
        self
    }

    /// Algorithms that [`crypto::sign`](crate::crypto::sign) may use.
    #[must_use]
    pub fn crypto(mut self, algorithms: &[&str]) -> Self {
        self.permissions.crypto = owned(algorithms);
        self
    }

    /// Headers of the client's request that it wants to see, as `ctx.ext("header.NAME")`.
    #[must_use]
    pub fn forward_headers(mut self, names: &[&str]) -> Self {
        self.forward_headers = owned(names);
        self
    }

    /// Gives the client the provider's header `theirs` under the name `ours`.
    #[must_use]
    pub fn expose_header(mut self, theirs: &str, ours: &str) -> Self {
        self.expose_headers
            .insert(theirs.to_ascii_lowercase(), ours.to_ascii_lowercase());
        self
    }

    /// The most of something that one request may hold, as `embeddings-batch` or `n`: the host splits larger ones.
    #[must_use]
    pub fn limit(mut self, name: &str, most: u64) -> Self {
        self.limits.insert(name.to_owned(), most);
        self
    }

    /// Fields of a request of `operation` that the provider has nothing for, and that the adapter leaves out. The host tells the
    /// client, or refuses the request if the operator wants it so. What is left out of some requests only is told by
    /// [`Request::dropped`](crate::Request::dropped).
    #[must_use]
    pub fn drops(mut self, operation: &str, fields: &[&str]) -> Self {
        self.drops
            .entry(operation.to_owned())
            .or_default()
            .extend(owned(fields));
        self
    }

    /// The provider takes images only inside the request: the host fetches their URLs and gives `data:`
    /// URLs, whose base64 text is a token: copy it, do not decode it.
    #[must_use]
    pub fn inline_media(mut self) -> Self {
        self.media = Some("inline");
        self
    }

    /// A test that a new version must pass before it is put into service.
    #[must_use]
    pub fn test(mut self, test: SelfTest) -> Self {
        self.tests.push(test);
        self
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// How requests carry the provider's key. Each is done by the host; the adapter sees no key.
///
/// ```
/// use witgate_sdk::Auth;
/// let ways = [
///     Auth::bearer(),                                 // authorization: Bearer KEY
///     Auth::header("x-api-key"),                      // x-api-key: KEY
///     Auth::header("authorization").prefix("Token "), // authorization: Token KEY
///     Auth::query("key"),                             // ?key=KEY
///     Auth::aws_sigv4("bedrock"),                     // authorization: AWS4-HMAC-SHA256 …
///     Auth::oauth(),                                  // authorization: Bearer, a token that the host fetches
///     Auth::azure_ad("https://ai.azure.com/.default"),
///     Auth::google_oauth("https://www.googleapis.com/auth/cloud-platform"),
/// ];
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Auth {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl Auth {
    fn of(kind: &'static str) -> Self {
        Self {
            kind,
            header: None,
            prefix: None,
            query: None,
            service: None,
            scope: None,
        }
    }

    /// Not at all.
    #[must_use]
    pub fn none() -> Self {
        Self::of("none")
    }

    /// `authorization: Bearer KEY`.
    #[must_use]
    pub fn bearer() -> Self {
        Self::of("bearer")
    }

    /// A header that holds the key.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self {
            header: Some(name.to_ascii_lowercase()),
            ..Self::of("header")
        }
    }

    /// With text before the key, its blank included: `Token `.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// A query parameter that holds the key.
    #[must_use]
    pub fn query(name: &str) -> Self {
        Self {
            query: Some(name.to_owned()),
            ..Self::of("query")
        }
    }

    /// `authorization: Basic`, of `user:password`.
    #[must_use]
    pub fn basic() -> Self {
        Self::of("basic")
    }

    /// Signed for this service of AWS's, with keys that the host finds; a provider's own key goes as a bearer. The region is
    /// `region` in the provider's settings.
    #[must_use]
    pub fn aws_sigv4(service: &str) -> Self {
        Self {
            service: Some(service.to_owned()),
            ..Self::of("aws-sigv4")
        }
    }

    /// An access token by OAuth's client credentials: the host fetches it with `token_url`, `client_id`, `client_secret`, `scope` and
    /// `audience` of the provider's settings. A provider's own key goes as a bearer.
    #[must_use]
    pub fn oauth() -> Self {
        Self::of("oauth-client-credentials")
    }

    /// The same at Microsoft Entra (Azure AD), with `tenant_id`, `client_id` and `client_secret`, or a workload's identity. `scope`:
    /// what the token is to allow, unless the operator says otherwise.
    #[must_use]
    pub fn azure_ad(scope: &str) -> Self {
        Self {
            scope: Some(scope.to_owned()),
            ..Self::of("azure-ad")
        }
    }

    /// An access token of Google's: by the operator's `service_account_key`, else by Google's application-default credentials, or by
    /// the machine's account. `scope`: what the token is to allow, unless the operator says otherwise. `project_id` is in the
    /// provider's settings also where only the key file has it.
    #[must_use]
    pub fn google_oauth(scope: &str) -> Self {
        Self {
            scope: Some(scope.to_owned()),
            ..Self::of("google-oauth")
        }
    }

    /// The header of a provider's own key, for [`oauth`](Self::oauth), [`azure_ad`](Self::azure_ad) and
    /// [`google_oauth`](Self::google_oauth). One request may carry it as a bearer: [`Request::key_as_bearer`](crate::Request::key_as_bearer).
    #[must_use]
    pub fn key_header(mut self, name: &str) -> Self {
        self.header = Some(name.to_ascii_lowercase());
        self
    }

    /// As [`Adapter::authenticate`](crate::Adapter::authenticate) finds out.
    #[must_use]
    pub fn custom() -> Self {
        Self::of("custom")
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
