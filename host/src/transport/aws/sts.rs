//! Roles: credentials for a while, from AWS's token service. Its address is that of the region, or the operator's by the variable that
//! AWS's tools know (`AWS_ENDPOINT_URL_STS`).

use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue},
};
use url::{Url, form_urlencoded};

use super::{Credentials, chain::Reason, put_signature, time};
use crate::{
    secret::Secret,
    transport::{ask::ask, http::Outgoing},
};

/// The name of a session that the operator does not name.
const SESSION: &str = "witgate";

/// Where the token service is, and for which region requests to it are signed.
pub(super) struct Endpoint {
    url: String,
    region: String,
}

impl Endpoint {
    /// That of a region, unless the operator names another.
    pub(super) fn new(named: Option<String>, region: Option<&str>) -> Self {
        let region = region.unwrap_or("us-east-1");
        let end = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        Self {
            url: named.unwrap_or_else(|| format!("https://sts.{region}.{end}")),
            region: region.to_owned(),
        }
    }
}

/// The credentials of a role, for whoever holds a token of an identity provider's that the role trusts. The request needs no signature.
pub(super) async fn assume_by_web_identity(
    endpoint: &Endpoint,
    role: &str,
    session: Option<&str>,
    token: &str,
) -> Result<Credentials, Reason> {
    let fields = [("Action", "AssumeRoleWithWebIdentity"), ("WebIdentityToken", token)];
    assume_with(endpoint, &fields, role, session, None).await
}

/// The credentials of a role, for one who has others.
pub(super) async fn assume(
    endpoint: &Endpoint,
    role: &str,
    session: Option<&str>,
    own: &Credentials,
) -> Result<Credentials, Reason> {
    assume_with(endpoint, &[("Action", "AssumeRole")], role, session, Some(own)).await
}

async fn assume_with(
    endpoint: &Endpoint,
    fields: &[(&str, &str)],
    role: &str,
    session: Option<&str>,
    own: Option<&Credentials>,
) -> Result<Credentials, Reason> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .extend_pairs([
            ("RoleArn", role),
            ("RoleSessionName", session.unwrap_or(SESSION)),
            ("Version", "2011-06-15"),
        ])
        .finish();
    let url = Url::parse(&endpoint.url).map_err(|_| "the address of the token service is no URL".to_owned())?;
    let mut request = Outgoing {
        method: Method::POST,
        url,
        headers: HeaderMap::new(),
        body: Bytes::from(body).into(),
        timeout: None,
    };
    request.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    request.headers.insert(ACCEPT, HeaderValue::from_static("text/xml"));
    if let Some(own) = own {
        put_signature(&mut request, own, &endpoint.region, "sts")?;
    }
    let (status, text) = ask(request)
        .await
        .map_err(|reason| format!("the token service: {reason}"))?;
    read(status, &text).map_err(|reason| format!("the role {role} cannot be assumed: {reason}"))
}

/// Reads the XML of an answer.
fn read(status: u16, xml: &str) -> Result<Credentials, Reason> {
    if !(200..300).contains(&status) {
        let (code, message) = (element(xml, "Code"), element(xml, "Message"));
        return Err(match (code, message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            _ => format!("status {status}"),
        });
    }
    let found = (|| {
        Some(Credentials {
            access_key_id: element(xml, "AccessKeyId")?,
            secret_access_key: Secret::new(element(xml, "SecretAccessKey")?),
            session_token: Some(Secret::new(element(xml, "SessionToken")?)),
            expire: time::parse(&element(xml, "Expiration")?),
        })
    })();
    found.ok_or_else(|| "an answer without credentials".to_owned())
}

/// The text of the first element of this name. In these answers none has attributes, nor another of its name in it.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    let text = plain.iter().fold(text.trim().to_owned(), |text, (written, meant)| {
        text.replace(written, meant)
    });
    Some(text)
}
