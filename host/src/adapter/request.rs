//! From what a guest asks for to what may be sent: [`prepare`] checks a request of the guest's against the contract and the egress
//! policy, then puts the secrets in. Credentials come later, at each sending ([`Ready::outgoing`]).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use super::{
    auth::Credentials,
    body::{self, Uploads},
    contract::HttpRequest,
    site::Site,
};
use crate::{
    error::{Error, Result},
    transport::{
        Auth,
        frame::Framing,
        http::Outgoing,
        pieces::Pieces,
        renewed::Held,
        tokens::{Escape, Tokens},
    },
};

/// Headers that belong to the connection and to the host.
const OURS: [HeaderName; 9] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::ACCEPT_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
];

/// How a reply is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Whole.
    Whole,
    /// Cut into frames, if its status is 2xx.
    Frames(Framing),
    /// Passed on untouched, if its status is 2xx.
    Relay,
}

/// A request that may be sent.
pub(super) struct Ready {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Pieces,
    timeout: Option<Duration>,
    /// The provider's credentials go with it.
    pub(super) credentialed: bool,
    /// A key among them is a bearer, whatever the adapter declares.
    bearer: bool,
    /// May be sent twice.
    pub(super) idempotent: bool,
    pub(super) reading: Reading,
}

/// What a guest's request is checked against and filled in from.
pub(super) struct Surroundings<'a> {
    pub(super) site: &'a Site,
    pub(super) tokens: &'a Tokens,
    pub(super) uploads: &'a Uploads,
}

/// Checks and completes a guest's request. An error names the rule that was broken, in our words.
pub(super) fn prepare(request: HttpRequest, around: &Surroundings<'_>) -> Result<Ready> {
    let lie = |what: &str| Error::AdapterOutput {
        adapter: around.site.adapter.id.to_string(),
        what: what.to_owned(),
    };
    let method = method(&request.method).ok_or_else(|| lie("a request with a method that is none"))?;
    let url = url(&request.url).ok_or_else(|| lie("a request with a URL that is no absolute http(s) URL"))?;
    allowed(around.site, &url)?;
    let reading = reading(&request.framing).ok_or_else(|| lie("a framing that this gateway does not know"))?;
    let own = around.site.upstream.egress.is_base(&url);
    let url = reveal_url(url, around.tokens);
    let mut headers = headers(&request.headers, around.tokens).map_err(lie)?;
    let body = body::encode(request.body, &mut headers, around.tokens, around.uploads).map_err(lie)?;
    let ext = |name: &str| {
        request
            .ext
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let body = match ext("compress") {
        Some("gzip") if !body.is_empty() => body::gzip(body, &mut headers),
        _ => body,
    };
    let credentialed = match ext("credentials") {
        Some("omit") => false,
        Some("include" | "bearer") => true,
        _ => own,
    };
    Ok(Ready {
        method,
        url,
        headers,
        body,
        timeout: request.timeout_ms.map(|ms| Duration::from_millis(ms.into())),
        credentialed,
        bearer: ext("credentials") == Some("bearer"),
        idempotent: request.idempotent,
        reading,
    })
}

impl Ready {
    /// The request for the wire, with the provider's credentials if it carries any.
    pub(super) fn outgoing(&self, site: &Site, credentials: Option<&Held<Credentials>>) -> Outgoing {
        let (mut url, mut headers) = (self.url.clone(), self.headers.clone());
        if self.credentialed {
            let declared = if self.bearer {
                Some(&Auth::Bearer)
            } else {
                site.adapter.manifest.auth.as_ref()
            };
            let said = site.upstream.auth.as_ref().or(declared);
            if let Some(credentials) = credentials {
                credentials.put(&mut url, &mut headers);
            }
            site.upstream
                .authorize(said.unwrap_or(&Auth::None), &mut url, &mut headers);
        }
        Outgoing {
            method: self.method.clone(),
            url,
            headers,
            body: self.body.clone(),
            timeout: self.timeout,
        }
    }
}

/// Any method with a plain name, but those that make tunnels.
fn method(text: &str) -> Option<Method> {
    let method = Method::from_bytes(text.as_bytes()).ok()?;
    let plain = text.len() <= 16 && text.bytes().all(|b| b.is_ascii_uppercase());
    (plain && method != Method::CONNECT && method != Method::TRACE).then_some(method)
}

/// An absolute URL without a user name in it. What a guest writes with control characters or spaces around it is no URL.
fn url(text: &str) -> Option<Url> {
    if text.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        return None;
    }
    let mut url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !plain || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_fragment(None);
    Some(url)
}

fn allowed(site: &Site, url: &Url) -> Result<()> {
    use crate::transport::egress::Denied;
    let permissions = &site.adapter.manifest.permissions;
    let Err(denied) = site.upstream.egress.check(url, &permissions.hosts) else {
        return Ok(());
    };
    let adapter = &*site.adapter.id;
    tracing::warn!(adapter, host = url.host_str(), "request refused: {denied}");
    Err(match denied {
        Denied::NotPermitted | Denied::NotHttp => Error::AdapterOutput {
            adapter: adapter.to_owned(),
            what: format!("a request that may not leave: {denied}"),
        },
        _ => Error::Egress(format!(
            "the adapter `{adapter}` asked for an address it may not reach: {denied}"
        )),
    })
}

fn reading(word: &str) -> Option<Reading> {
    match word {
        "buffered" => Some(Reading::Whole),
        "relay" => Some(Reading::Relay),
        word => Framing::parse(word).map(Reading::Frames),
    }
}

/// Tokens in the path and the query; never in the host, which the policy has looked at.
fn reveal_url(mut url: Url, tokens: &Tokens) -> Url {
    let path = tokens.reveal(url.path(), Escape::Percent).into_owned();
    if path != url.path() {
        url.set_path(&path);
    }
    if let Some(query) = url.query() {
        let revealed = tokens.reveal(query, Escape::Percent).into_owned();
        if url.query() != Some(&revealed) {
            url.set_query(Some(&revealed));
        }
    }
    url
}

fn headers(pairs: &[(String, String)], tokens: &Tokens) -> Result<HeaderMap, &'static str> {
    let mut headers = HeaderMap::with_capacity(pairs.len() + 4);
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "a header name that is none")?;
        let revealed = tokens.reveal(value, Escape::Plain);
        let mut field = HeaderValue::from_str(&revealed)
            .map_err(|_| "a header value with a line break or another control character")?;
        field.set_sensitive(revealed != value.as_str());
        if !OURS.contains(&name) {
            headers.append(name, field);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_http_urls_without_a_user_are_urls() {
        for text in [
            "",
            "/v1/x",
            "//host/x",
            "host/x",
            "ftp://h/",
            "https://",
            "http://a b/",
            "https://u:p@h/",
            "https://h/\n",
        ] {
            assert_eq!(url(text), None, "{text:?}");
        }
        assert_eq!(url("https://h/x?y=1#z").unwrap().as_str(), "https://h/x?y=1");
    }

    #[test]
    fn a_header_cannot_smuggle_another_one() {
        let tokens = Tokens::default();
        let pair = |name: &str, value: &str| headers(&[(name.to_owned(), value.to_owned())], &tokens);
        assert!(pair("x", "a\r\nauthorization: b").is_err());
        assert!(pair("x\n", "a").is_err());
        assert!(pair("x y", "a").is_err());
        assert!(pair("transfer-encoding", "chunked").unwrap().is_empty());
        assert_eq!(pair("accept", "a").unwrap().len(), 1);
    }

    #[test]
    fn a_token_in_a_url_is_replaced_in_path_and_query_and_never_in_the_host() {
        let mut tokens = Tokens::default();
        let token = tokens.issue(crate::secret::Secret::new("k/&y")).unwrap().to_owned();
        let url = url(&format!("https://{token}.example.com/a/{token}?key={token}")).unwrap();
        let revealed = reveal_url(url, &tokens);
        assert_eq!(
            revealed.as_str(),
            format!("https://{token}.example.com/a/k%2F%26y?key=k%2F%26y")
        );
    }
}
