//! What an adapter says about itself: [`Manifest`], read from the JSON of its `describe`. Unknown keys are left alone, so that an
//! adapter may say more to a newer gateway; a wrong value is an error that names its key.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::transport::{Auth, Issuer, egress::HostRule};

/// An adapter's description of itself.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its id: what a provider's config names it by.
    pub name: String,
    /// Its own version, free text.
    pub version: String,
    /// The provider `type`s it serves.
    pub types: Vec<String>,
    /// Where the providers of a type are, for an operator who names no base URL: public hosts, over https.
    pub base_urls: BTreeMap<String, Url>,
    /// What it can do: the contract's words for operations.
    pub operations: Vec<String>,
    /// How the provider's key travels; `None` if the adapter's `authenticate` finds out.
    pub auth: Option<Auth>,
    /// JSON Schema of the provider's settings.
    pub config_schema: Option<Value>,
    /// What it may reach and use.
    pub permissions: Permissions,
    /// Client headers it wants to see, lower case.
    pub forward_headers: Vec<String>,
    /// The provider's headers for the client, and what they are called there.
    pub expose_headers: Vec<(HeaderName, HeaderName)>,
    /// How much one call may carry: the host splits larger ones.
    pub limits: BTreeMap<String, u64>,
    /// By operation the fields of a request that its provider has nothing for.
    pub drops: BTreeMap<String, Vec<String>>,
    /// The host is to fetch images and hand over `data:` URLs.
    pub media_inline: bool,
    /// What it tests itself with.
    pub tests: Vec<SelfTest>,
}

/// What an adapter may reach and use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Beside the provider's own origin.
    pub hosts: Vec<HostRule>,
    /// Config keys that hold secrets, beside `api_key`; of a secret inside an object the way to it, with dots.
    pub secrets: Vec<String>,
    /// Algorithms it may sign with.
    pub crypto: Vec<String>,
    /// Config keys that may be the path of a file: it sees what the file holds.
    pub files: Vec<String>,
}

/// One test an adapter brings along; the host plays it before it puts a new version into service.
#[derive(Clone, Debug, Deserialize)]
pub struct SelfTest {
    /// What it shows.
    pub name: String,
    /// The contract's word.
    pub operation: String,
    /// The client's request.
    pub body: Value,
    /// The provider's settings.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// What the provider answers, in order.
    #[serde(default)]
    pub replies: Vec<CannedReply>,
    /// What has to come of it.
    pub expect: Expectation,
}

/// A reply of a provider that is not there.
#[derive(Clone, Debug, Deserialize)]
pub struct CannedReply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A text as it is, anything else as JSON.
    #[serde(default)]
    pub body: Value,
}

/// What a test expects; the one that is given.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Expectation {
    /// The whole answer.
    pub answer: Option<Value>,
    /// The chunks, in order.
    pub chunks: Option<Vec<Value>>,
    /// Keys of the failure.
    pub failure: Option<Value>,
}

/// Why a manifest is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ManifestError(String);

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Wire {
    name: String,
    version: String,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    base_urls: BTreeMap<String, String>,
    operations: Vec<String>,
    #[serde(default)]
    auth: WireAuth,
    config_schema: Option<Value>,
    #[serde(default)]
    permissions: WirePermissions,
    #[serde(default)]
    forward_headers: Vec<String>,
    #[serde(default)]
    expose_headers: BTreeMap<String, String>,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
    #[serde(default)]
    drops: BTreeMap<String, Vec<String>>,
    media: Option<String>,
    #[serde(default)]
    tests: Vec<SelfTest>,
}

#[derive(Deserialize)]
struct WireAuth {
    kind: String,
    header: Option<String>,
    prefix: Option<String>,
    query: Option<String>,
    service: Option<String>,
    scope: Option<String>,
}

impl Default for WireAuth {
    fn default() -> Self {
        Self {
            kind: "bearer".to_owned(),
            header: None,
            prefix: None,
            query: None,
            service: None,
            scope: None,
        }
    }
}

#[derive(Default, Deserialize)]
struct WirePermissions {
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    crypto: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
}

impl Manifest {
    /// Reads what `describe` returned.
    pub fn parse(json: &str) -> Result<Self, ManifestError> {
        let wire: Value = serde_json::from_str(json).map_err(|e| ManifestError(format!("it is not JSON: {e}")))?;
        let wire: Wire = from_value(wire)?;
        if !is_id(&wire.name) {
            return refuse("`name` must be 1 to 64 characters of a-z, A-Z, 0-9, `-`, `_` and `.`");
        }
        if wire.version.is_empty() || wire.version.len() > 64 || wire.version.contains(char::is_control) {
            return refuse("`version` must be 1 to 64 printable characters");
        }
        if wire.operations.is_empty() {
            return refuse("`operations` is empty: the adapter would serve nothing");
        }
        Ok(Self {
            auth: wire.auth.read()?,
            permissions: wire.permissions.read()?,
            expose_headers: exposed(&wire.expose_headers)?,
            base_urls: base_urls(&wire.base_urls, &wire.types)?,
            name: wire.name,
            version: wire.version,
            types: wire.types,
            operations: wire.operations,
            config_schema: wire.config_schema,
            forward_headers: wire
                .forward_headers
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            limits: wire.limits,
            drops: wire.drops,
            media_inline: wire.media.as_deref() == Some("inline"),
            tests: wire.tests,
        })
    }

    /// `name@version`, for logs and records.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// What the adapter always leaves out of requests of `operation`: names of fields, and ways to fields inside of others
    /// (`messages.name`). One that is asked for a completion as for a chat drops the same of both.
    pub fn drops(&self, operation: &str) -> impl Iterator<Item = &str> {
        let of = |operation: &str| self.drops.get(operation).map_or(&[][..], Vec::as_slice);
        let as_chat = if self.serves(operation) {
            &[][..]
        } else {
            of("chat.completions")
        };
        of(operation).iter().chain(as_chat).map(String::as_str)
    }

    /// Whether the adapter takes calls of `operation` (the contract's word).
    pub fn serves(&self, operation: &str) -> bool {
        self.operations.iter().any(|served| served == operation)
    }
}

/// Reads key by key, so that an error can say which one is wrong.
fn from_value(value: Value) -> Result<Wire, ManifestError> {
    let Value::Object(fields) = &value else {
        return refuse("it is not a JSON object");
    };
    for required in ["name", "version", "operations"] {
        if !fields.contains_key(required) {
            return refuse(format!("`{required}` is missing"));
        }
    }
    for (key, field) in fields {
        let mut one = Map::from_iter([
            ("name".to_owned(), Value::from("x")),
            ("version".to_owned(), Value::from("x")),
            ("operations".to_owned(), Value::Array(Vec::new())),
        ]);
        one.insert(key.clone(), field.clone());
        if let Err(reason) = serde_json::from_value::<Wire>(Value::Object(one)) {
            return refuse(format!("`{key}`: {reason}"));
        }
    }
    serde_json::from_value(value).map_err(|reason| ManifestError(reason.to_string()))
}

impl WireAuth {
    fn read(self) -> Result<Option<Auth>, ManifestError> {
        Ok(Some(match self.kind.as_str() {
            "none" => Auth::None,
            "bearer" => Auth::Bearer,
            "basic" => Auth::Basic,
            "header" => {
                let name = named(&self.header.unwrap_or_default())?;
                let prefix = self.prefix.unwrap_or_default();
                if HeaderValue::try_from(&prefix).is_err() {
                    return refuse("`auth.prefix` cannot be in a header");
                }
                Auth::Header { name, prefix }
            }
            "query" => Auth::Query {
                name: self.query.filter(|name| !name.is_empty()).ok_or_else(|| {
                    ManifestError("`auth.query` is missing: the name of the query parameter".to_owned())
                })?,
            },
            "aws-sigv4" => Auth::AwsSigV4 {
                service: self.service.filter(|name| is_id(name)).ok_or_else(|| {
                    ManifestError("`auth.service` is missing: the name of the service that is signed for".to_owned())
                })?,
            },
            "oauth-client-credentials" => self.oauth(Issuer::Named)?,
            "azure-ad" => self.oauth(Issuer::Entra)?,
            "google-oauth" => self.oauth(Issuer::Google)?,
            "custom" => return Ok(None),
            other => {
                return refuse(format!(
                    "`auth.kind`: `{other}` is unknown here; it is one of none, bearer, header, query, basic, aws-sigv4, oauth-client-credentials, azure-ad, google-oauth, custom"
                ));
            }
        }))
    }

    fn oauth(self, issuer: Issuer) -> Result<Auth, ManifestError> {
        Ok(Auth::OAuth {
            issuer,
            scope: self.scope,
            key: self.header.as_deref().map(named).transpose()?,
        })
    }
}

fn named(header: &str) -> Result<HeaderName, ManifestError> {
    HeaderName::try_from(header).map_err(|_| ManifestError(format!("`auth.header`: `{header}` is no header name")))
}

impl WirePermissions {
    fn read(self) -> Result<Permissions, ManifestError> {
        let hosts = self.hosts.iter().map(|host| HostRule::parse(host));
        Ok(Permissions {
            hosts: hosts
                .collect::<Result<_, _>>()
                .map_err(|reason| ManifestError(format!("`permissions.hosts`: {reason}")))?,
            secrets: self.secrets,
            crypto: self.crypto,
            files: self.files,
        })
    }
}

/// The operator has no word in these, so they get no further than the public internet.
fn base_urls(offered: &BTreeMap<String, String>, types: &[String]) -> Result<BTreeMap<String, Url>, ManifestError> {
    let read = |(type_, text): (&String, &String)| {
        if !types.contains(type_) {
            return refuse(format!("`base-urls`: `{type_}` is not among its `types`"));
        }
        let url = Url::parse(text).ok().filter(|url| {
            let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
            plain && url.password().is_none() && url.scheme() == "https" && url.domain().is_some()
        });
        let url = url.ok_or_else(|| {
            ManifestError(format!(
                "`base-urls`: that of `{type_}` is no https URL of a named host"
            ))
        });
        Ok((type_.clone(), url?))
    };
    offered.iter().map(read).collect()
}

fn exposed(names: &BTreeMap<String, String>) -> Result<Vec<(HeaderName, HeaderName)>, ManifestError> {
    let read = |name: &String| {
        HeaderName::try_from(name).map_err(|_| ManifestError(format!("`expose-headers`: `{name}` is no header name")))
    };
    names
        .iter()
        .map(|(theirs, ours)| Ok((read(theirs)?, read(ours)?)))
        .collect()
}

fn is_id(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, ManifestError> {
    Err(ManifestError(reason.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_manifest_gets_bearer_and_no_permissions() {
        let manifest =
            Manifest::parse(r#"{"name":"echo","version":"1","operations":["chat.completions"],"novel":1}"#).unwrap();
        assert_eq!(manifest.auth, Some(Auth::Bearer));
        assert_eq!(manifest.permissions, Permissions::default());
        assert_eq!(manifest.id(), "echo@1");
    }

    #[test]
    fn an_error_names_the_key() {
        let cases = [
            (r#"{"version":"1","operations":["x"]}"#, "`name`"),
            (r#"{"name":"../x","version":"1","operations":["x"]}"#, "`name`"),
            (r#"{"name":"x","version":"1","operations":"chat"}"#, "`operations`"),
            (
                r#"{"name":"x","version":"1","operations":["x"],"permissions":{"hosts":[1]}}"#,
                "`permissions`",
            ),
            (
                r#"{"name":"x","version":"1","operations":["x"],"permissions":{"hosts":["a/b"]}}"#,
                "`permissions.hosts`",
            ),
            (
                r#"{"name":"x","version":"1","operations":["x"],"auth":{"kind":"header","header":"a b"}}"#,
                "`auth.header`",
            ),
            (
                r#"{"name":"x","version":"1","operations":["x"],"auth":{"kind":"magic"}}"#,
                "`auth.kind`",
            ),
            (
                r#"{"name":"x","version":"1","operations":["x"],"auth":{"kind":"aws-sigv4"}}"#,
                "`auth.service`",
            ),
            (
                r#"{"name":"x","version":"1","operations":["x"],"expose-headers":{"a b":"c"}}"#,
                "`expose-headers`",
            ),
            (
                r#"{"name":"x","version":"1","operations":["x"],"types":["x"],"base-urls":{"y":"https://y.example"}}"#,
                "`base-urls`",
            ),
            (
                r#"{"name":"x","version":"1","operations":["x"],"types":["x"],"base-urls":{"x":"https://10.0.0.1"}}"#,
                "`base-urls`",
            ),
            (
                r#"{"name":"x","version":"1","operations":["x"],"types":["x"],"base-urls":{"x":"http://x.example"}}"#,
                "`base-urls`",
            ),
            ("[]", "object"),
            ("nope", "JSON"),
        ];
        for (json, key) in cases {
            let error = Manifest::parse(json).unwrap_err().to_string();
            assert!(error.contains(key), "{json}: {error}");
        }
    }
}
