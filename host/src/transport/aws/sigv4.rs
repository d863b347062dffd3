//! Signature Version 4 (AWS, "Signature Version 4 for API requests"): a request written in one agreed way, hashed, and signed with a
//! key that is good for one day, region and service.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use ring::{digest, hmac};

use super::{Credentials, time::Stamp};
use crate::transport::pieces::Pieces;

/// All but letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same in a path, whose slashes stay.
const IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// What is signed of a request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// As it is sent.
    pub(super) path: &'a str,
    /// As it is sent, without the question mark.
    pub(super) query: &'a str,
    /// Lower-case names, `host` among them.
    pub(super) headers: Vec<(&'a str, &'a str)>,
    /// SHA-256 of the body, in hexadecimal.
    pub(super) payload_hash: &'a str,
    /// The path counts as it is, and is not encoded once more.
    pub(super) plain_path: bool,
    /// Dots and double slashes in the path are resolved first.
    pub(super) normal_path: bool,
}

/// What the key is good for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) at: &'a Stamp,
}

impl Request<'_> {
    /// The value of `authorization`.
    pub(super) fn authorization(mut self, credentials: &Credentials, scope: &Scope<'_>) -> String {
        // The sort keeps the order of a header that comes twice.
        self.headers.sort_by_key(|(name, _)| *name);
        let signature = scope.signature(credentials, &scope.string_to_sign(&self.canonical()));
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={signature}",
            credentials.access_key_id,
            scope.text(),
            self.names(),
        )
    }

    /// The request in the one way to write it. Its headers are in order.
    fn canonical(&self) -> String {
        let mut out = format!(
            "{}\n{}\n{}\n",
            self.method,
            self.canonical_path(),
            self.canonical_query()
        );
        let mut before = None;
        for (name, value) in &self.headers {
            if before == Some(name) {
                out.pop();
                out.push(',');
            } else {
                out.push_str(name);
                out.push(':');
            }
            for (at, word) in value.split_ascii_whitespace().enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                out.push_str(word);
            }
            out.push('\n');
            before = Some(name);
        }
        let _ = write!(out, "\n{}\n{}", self.names(), self.payload_hash);
        out
    }

    fn names(&self) -> String {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        names.dedup();
        names.join(";")
    }

    fn canonical_path(&self) -> String {
        let path = if self.normal_path {
            normal(self.path)
        } else {
            self.path.to_owned()
        };
        let path = if path.is_empty() { "/".to_owned() } else { path };
        if self.plain_path {
            return path;
        }
        percent_encode(path.as_bytes(), IN_PATH).to_string()
    }

    fn canonical_query(&self) -> String {
        let encode = |text: &str| {
            let plain: Vec<u8> = percent_decode_str(text).collect();
            percent_encode(&plain, RESERVED).to_string()
        };
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        let mut pairs: Vec<(String, String)> = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        pairs.sort();
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}

impl Scope<'_> {
    fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.at.date(), self.region, self.service)
    }

    fn string_to_sign(&self, canonical: &str) -> String {
        let hash = hex_sha256(canonical.as_bytes());
        format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", self.at.basic(), self.text())
    }

    fn signature(&self, credentials: &Credentials, string_to_sign: &str) -> String {
        let secret = zeroize::Zeroizing::new(format!("AWS4{}", credentials.secret_access_key.expose()));
        let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        let mut key = sign(secret.as_bytes(), &self.at.date());
        for part in [self.region, self.service, "aws4_request"] {
            key = sign(key.as_ref(), part);
        }
        hex(sign(key.as_ref(), string_to_sign).as_ref())
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn hex_sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The same of pieces, one after the other.
pub(super) fn hex_sha256_of(pieces: &Pieces) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    pieces.iter().for_each(|piece| hash.update(piece));
    hex(hash.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The path without `.`, `..` and empty segments; a slash at its end stays.
fn normal(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", segments.join("/"))
}

#[cfg(test)]
mod tests;
