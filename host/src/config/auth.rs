//! How a provider's key travels, and the operator's own headers.

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::{
    key::Key,
    node::Value,
    read::{Found, Table},
    report::Report,
};
use crate::secret::Secret;

/// How a key travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It does not.
    None,
    /// `authorization: Bearer KEY`
    Bearer,
    /// `NAME: PREFIX KEY`
    Header {
        /// `x-api-key`, `api-key`, …
        name: HeaderName,
        /// Put before the key as it is, a blank included.
        prefix: String,
    },
    /// `?NAME=KEY`
    Query {
        /// `key`
        name: String,
    },
    /// `authorization: Basic base64(KEY)`; a key without a colon is the user name.
    Basic,
    /// A signature over the request, with keys that do not travel; only adapters declare it. A provider's own key is a bearer.
    AwsSigV4 {
        /// The name of the service that is signed for: `bedrock`, …
        service: String,
    },
    /// An access token as a bearer, fetched with the operator's credentials; only adapters declare it. A provider's own key goes
    /// before it.
    OAuth {
        /// What the token is to allow, unless the operator says otherwise.
        scope: Option<String>,
        /// Who gives it out.
        issuer: Issuer,
        /// The header of a provider's own key; `None`: it is a bearer.
        key: Option<HeaderName>,
    },
}

/// Who gives out access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// Whoever is at the operator's `token_url`.
    Named,
    /// Microsoft Entra: `tenant_id` says where, or the machine has an identity there.
    Entra,
    /// Google: to whoever has a key file, or to the machine.
    Google,
}

/// Headers that are the gateway's to set.
const OURS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "te",
    "upgrade",
];

impl Auth {
    /// `auth`: a word, or `{ header = "X-Api-Key", prefix = "" }`, or `{ query = "key" }`.
    pub(super) fn read(provider: &mut Table<'_>, report: &mut Report<'_>) -> Option<Self> {
        let found = provider.take("auth", report)?;
        if matches!(found.node.value, Value::Table(_)) {
            return Self::read_table(found, report);
        }
        let text = found.text(report)?;
        match text.text.trim().to_ascii_lowercase().as_str() {
            "none" => Some(Self::None),
            "bearer" => Some(Self::Bearer),
            "basic" => Some(Self::Basic),
            "api-key" => Some(Self::Header {
                name: HeaderName::from_static("api-key"),
                prefix: String::new(),
            }),
            _ => {
                let remedy = "use \"bearer\", \"api-key\", \"basic\", \"none\", { header = \"X-Api-Key\" } or { query = \"key\" }";
                report.problem(found.line, &found.path, "is not a way for a key to travel", remedy);
                None
            }
        }
    }

    fn read_table(found: Found<'_>, report: &mut Report<'_>) -> Option<Self> {
        let mut table = found.table(report)?;
        let header = table.take("header", report);
        let prefix = table.text("prefix", report).unwrap_or_default();
        let query = table.word("query", report);
        let auth = match (header, query) {
            (Some(header), None) => {
                header_name(header.text(report)?.text.trim(), &header, report).map(|name| Self::Header { name, prefix })
            }
            (None, Some(name)) => Some(Self::Query { name }),
            _ => {
                report.problem(
                    table.line,
                    &table.path,
                    "must say one of `header` and `query`",
                    "name the one that carries the key",
                );
                None
            }
        };
        table.end(report);
        auth
    }
}

/// `headers`, with `{api_key}` filled in, and whether one of them has it. A header that needs the key of a provider without one is
/// left out.
pub(super) fn headers(provider: &mut Table<'_>, key: &Key, report: &mut Report<'_>) -> (HeaderMap, bool) {
    let (mut headers, mut carry_key) = (HeaderMap::new(), false);
    let Some(found) = provider.take("headers", report) else {
        return (headers, false);
    };
    if !matches!(found.node.value, Value::Table(_)) {
        found.wrong::<()>("a table", "write `name = \"value\"` pairs in it", report);
    }
    for (name, value) in found.fields() {
        let (Some(name), Some(text)) = (header_name(name, &value, report), value.text(report)) else {
            continue;
        };
        // The body's type is set by whoever writes the body; saying the same here does no harm.
        if name == CONTENT_TYPE && text.text.trim().eq_ignore_ascii_case("application/json") {
            continue;
        }
        let Some(filled) = fill(&text.text, key) else { continue };
        carry_key |= filled != text.text;
        match HeaderValue::from_str(&filled) {
            Ok(mut header) => {
                header.set_sensitive(true);
                headers.insert(name, header);
            }
            Err(_) => {
                let remedy = "remove line breaks and control characters, from the key too if it is part of the value";
                report.problem(value.line, &value.path, "cannot be the value of a header", remedy);
            }
        }
    }
    (headers, carry_key)
}

/// `template` with the key in it; `None` if it needs one that is not there.
fn fill(template: &str, key: &Key) -> Option<String> {
    let placeholder = ["{api_key}", "{apiKey}"]
        .into_iter()
        .find(|name| template.contains(name));
    let Some(placeholder) = placeholder else {
        return Some(template.to_owned());
    };
    let key = key.secret.as_ref().map(Secret::expose)?;
    Some(template.replace(placeholder, key))
}

fn header_name(name: &str, at: &Found<'_>, report: &mut Report<'_>) -> Option<HeaderName> {
    match HeaderName::try_from(name) {
        Ok(name) if OURS.contains(&name.as_str()) => {
            report.problem(
                at.line,
                &at.path,
                "is a header that the gateway sets itself",
                "leave it out",
            );
            None
        }
        Ok(name) => Some(name),
        Err(_) => {
            report.problem(
                at.line,
                &at.path,
                "is not the name of a header",
                "use letters, digits and `-`",
            );
            None
        }
    }
}

/// A key that cannot stand in a header would be left out silently as the request leaves: said here instead.
pub(super) fn check_key(provider: &Table<'_>, key: &Key, report: &mut Report<'_>) {
    let Some(secret) = &key.secret else { return };
    if HeaderValue::from_str(secret.expose()).is_err() {
        let message = format!("({}) cannot stand in the header {AUTHORIZATION}", key.source);
        report.problem(
            provider.line,
            &provider.path("api_key"),
            message,
            "remove line breaks and control characters from it",
        );
    }
}
