//! The rules that the host enforces: whoever breaks one learns it in a test.

use serde_json::Value;

use super::call::KEY_TOKEN;
use super::played::Sent;
use crate::bindings::base::witgate::adapter::types as wit;

/// Parses what must be a JSON object.
pub(super) fn object(what: &str, text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => value,
        Ok(other) => panic!("{what} is no JSON object but {other}"),
        Err(error) => panic!("{what} is not JSON ({error}): {text}"),
    }
}

/// A request that the host would send.
pub(super) fn check_request(sent: &Sent, base_url: &str, hosts: &[String]) {
    let url = &sent.url;
    let host = host_of(url).unwrap_or_else(|| panic!("{url} is no absolute http or https URL"));
    assert!(
        url.bytes().all(|byte| byte.is_ascii_graphic()),
        "{url} has a character that must be escaped"
    );
    let permitted = host_of(base_url) == Some(host) || hosts.iter().any(|pattern| is_permitted(host, pattern));
    assert!(permitted, "the manifest permits no request to {host}");
    for (name, value) in &sent.headers {
        let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.!#$%&'*+^`|~".contains(&byte);
        assert!(
            !name.is_empty() && name.bytes().all(token),
            "`{name}` is no header name in lower case"
        );
        assert!(
            !value.contains(['\r', '\n', '\0']),
            "the value of the header {name} has a line break"
        );
    }
    let framings = ["buffered", "sse", "ndjson", "aws-eventstream", "raw", "relay"];
    assert!(
        framings.contains(&sent.framing.as_str()),
        "the host knows no framing `{}`",
        sent.framing
    );
    if sent.header("content-type") == Some("application/json") {
        let text = sent.text();
        assert!(
            serde_json::from_str::<Value>(&text).is_ok(),
            "the body of {url} is not JSON: {text}"
        );
    }
}

/// The host of an absolute URL.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    (!host.is_empty() && !authority.contains('@')).then_some(host)
}

fn is_permitted(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == pattern,
    }
}

/// A failure that a client may read.
pub(super) fn check_failure(failure: &wit::Failure) {
    let texts = [Some(&failure.message), failure.code.as_ref(), failure.param.as_ref()];
    assert!(
        !texts.iter().flatten().any(|text| text.contains(KEY_TOKEN)),
        "a failure shows a secret"
    );
    assert!(!failure.message.is_empty(), "a failure has no message");
}

/// An answer that the host would pass on.
pub(super) fn check_done(last_status: Option<u16>, chunks_given: bool) {
    let status = last_status.unwrap_or(200);
    assert!(
        status < 400,
        "`done` for a reply of status {status}: an error must be a failure"
    );
    assert!(!chunks_given, "`done` after chunks were given: end with `Chunks::end`");
}
