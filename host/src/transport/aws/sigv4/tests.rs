//! Every published vector (`tests/fixtures/aws-sigv4`): AWS's own test suite as its SDK for Rust carries it, and that of OpenAI's SDK.

use std::{fs, path::PathBuf};

use serde_json::Value;

use super::{
    super::time::{self, Stamp},
    *,
};
use crate::secret::Secret;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/aws-sigv4")
}

fn file(name: &str, part: &str) -> Option<String> {
    fs::read_to_string(folder().join(format!("sigv4-{name}.{part}"))).ok()
}

/// A request as the vectors write it: with what may not be in one on the wire.
struct Written {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn written(text: &str) -> Written {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let first = lines.next().expect("a request line");
    let (method, target) = first.split_once(' ').expect("a method");
    let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.split_once(':') {
            Some((name, value)) if !line.starts_with(' ') => {
                headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
            _ => {
                let last = headers.last_mut().expect("a header that goes on");
                last.1 += &format!("\n{line}");
            }
        }
    }
    Written {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: body.to_owned(),
    }
}

/// The two vectors without a context are for other regions and services, and say so only in what they expect.
fn context(name: &str) -> Value {
    let text = file(name, "context.json").unwrap_or_else(|| {
        let signed = file(name, "header-signed-request.txt").expect("a signed request");
        let credential = signed.split("Credential=").nth(1).expect("a credential");
        let scope: Vec<&str> = credential.split(',').next().expect("a scope").split('/').collect();
        let canonical = file(name, "header-canonical-request.txt").expect("a canonical request");
        let date = canonical.split("x-amz-date:").nth(1).expect("a date");
        let (year, month, day) = (&date[..4], &date[4..6], &date[6..8]);
        let (hour, minute, second) = (&date[9..11], &date[11..13], &date[13..15]);
        serde_json::json!({
            "credentials": {"access_key_id": scope[0], "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
            "normalize": false, "region": scope[2], "service": scope[3], "sign_body": false,
            "timestamp": format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"),
        })
        .to_string()
    });
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_published_vector_is_signed_as_its_authors_say() {
    let mut seen = 0;
    for entry in fs::read_dir(folder()).expect("the vectors") {
        let file_name = entry.expect("a file").file_name().to_string_lossy().into_owned();
        let Some(name) = file_name
            .strip_prefix("sigv4-")
            .and_then(|rest| rest.strip_suffix(".request.txt"))
        else {
            continue;
        };
        check(name);
        seen += 1;
    }
    assert_eq!(seen, 24, "the vectors are here");
}

fn check(name: &str) {
    let context = context(name);
    let text = |pointer: &str| context.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let mut request = written(&file(name, "request.txt").expect("a request"));
    let at = Stamp::of(time::parse(&text("/timestamp").expect("a time")).expect("a time"));
    let hash = hex_sha256(request.body.as_bytes());
    let mut set = |name: &str, value: String| {
        request.headers.retain(|(other, _)| other != name);
        request.headers.push((name.to_owned(), value));
    };
    set("x-amz-date", at.basic());
    if context["sign_body"] == true {
        set("x-amz-content-sha256", hash.clone());
    }
    let token = text("/credentials/token");
    if context["omit_session_token"] == true {
        request.headers.retain(|(name, _)| name != "x-amz-security-token");
    } else if let Some(token) = &token {
        set("x-amz-security-token", token.clone());
    }
    let credentials = Credentials {
        access_key_id: text("/credentials/access_key_id").expect("an id"),
        secret_access_key: Secret::new(text("/credentials/secret_access_key").expect("a key")),
        session_token: token.map(Secret::new),
        expire: None,
    };
    let (region, service) = (text("/region").expect("a region"), text("/service").expect("a service"));
    let scope = Scope {
        region: &region,
        service: &service,
        at: &at,
    };
    let mut signed = Request {
        method: &request.method,
        path: &request.path,
        query: &request.query,
        headers: request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect(),
        payload_hash: &hash,
        plain_path: false,
        normal_path: context["normalize"] == true,
    };
    signed.headers.sort_by_key(|(name, _)| *name);
    let canonical = signed.canonical();
    assert_eq!(
        Some(&canonical),
        file(name, "header-canonical-request.txt").as_ref(),
        "{name}"
    );
    if let Some(expected) = file(name, "header-string-to-sign.txt") {
        assert_eq!(scope.string_to_sign(&canonical), expected.trim_end(), "{name}");
    }
    if let Some(expected) = file(name, "header-signature.txt") {
        let authorization = signed.authorization(&credentials, &scope);
        assert!(
            authorization.ends_with(&format!("Signature={}", expected.trim())),
            "{name}: {authorization}"
        );
        let whole = file(name, "header-signed-request.txt").expect("a signed request");
        assert!(
            whole.contains(&format!("Authorization:{authorization}")),
            "{name}: {authorization}"
        );
    }
}

#[test]
fn openais_vector_for_requests_with_a_session_token_is_signed_as_it_says() {
    let vectors = fs::read(folder().join("bedrock-openai-auth-bedrock-sigv4.vectors.json")).expect("the vectors");
    let vectors: Value = serde_json::from_slice(&vectors).expect("JSON");
    let text = |pointer: &str| vectors.pointer(pointer).and_then(Value::as_str).expect("a text");
    let at = Stamp::of(time::parse(text("/signingDate")).expect("a date"));
    let url = url::Url::parse(text("/request/url")).expect("a URL");
    let (hash, date) = (hex_sha256(text("/request/body").as_bytes()), at.basic());
    assert_eq!(hash, text("/expected/payloadHash"));
    let request = Request {
        method: text("/request/method"),
        path: url.path(),
        query: "",
        headers: vec![
            ("x-amz-date", &date),
            ("content-type", text("/request/contentType")),
            ("host", url.host_str().expect("a host")),
            ("x-amz-security-token", text("/credentials/sessionToken")),
            ("x-amz-content-sha256", &hash),
        ],
        payload_hash: &hash,
        plain_path: false,
        normal_path: true,
    };
    let credentials = Credentials {
        access_key_id: text("/credentials/accessKeyId").to_owned(),
        secret_access_key: Secret::new(text("/credentials/secretAccessKey")),
        session_token: None,
        expire: None,
    };
    let scope = Scope {
        region: text("/region"),
        service: text("/service"),
        at: &at,
    };
    assert_eq!(
        request.authorization(&credentials, &scope),
        text("/expected/authorization")
    );
}

#[test]
fn a_header_that_comes_twice_is_one_with_commas_and_a_query_without_values_has_empty_ones() {
    let mut request = Request {
        method: "GET",
        path: "",
        query: "b&a=%20x&b=1&a=+",
        headers: vec![("x-a", " 1  2 "), ("host", "h"), ("x-a", "3")],
        payload_hash: "0",
        plain_path: true,
        normal_path: false,
    };
    request.headers.sort_by_key(|(name, _)| *name);
    assert_eq!(
        request.canonical(),
        "GET\n/\na=%20x&a=%2B&b=&b=1\nhost:h\nx-a:1 2,3\n\nhost;x-a\n0"
    );
}
