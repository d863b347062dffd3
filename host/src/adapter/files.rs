//! Pictures, recordings and documents in a client's request. What a guest sees of a large one is a token, so that megabytes do not
//! pass through it: into its memory, through its reader and out again.

use std::{ops::Range, sync::LazyLock};

use bytestring::ByteString;
use memchr::{memchr2, memmem, memrchr};

use super::site::NO_RANDOM;
use crate::{error::Result, transport::tokens::Tokens};

/// A shorter file costs a guest less than a token would.
const HELD: usize = 4 << 10;
/// What comes before the base64 text in a data URL (RFC 2397), and how far before that the URL may begin.
static IN_URL: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(";base64,"));
const LONGEST_HEAD: usize = 128;
/// The member that has the base64 text of a recording in Chat Completions, and of any file in Messages.
static IN_MEMBER: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("\"data\""));
/// Each is looked for when the request leaves.
const MOST: usize = 64;

/// `body` with a token in the place of every large file in it.
pub(super) fn hold(body: ByteString, tokens: &mut Tokens) -> Result<String> {
    if body.len() < HELD {
        return Ok(body.into());
    }
    let files = files(&body);
    if files.is_empty() {
        return Ok(body.into());
    }
    let mut out = String::with_capacity(body.len() - files.iter().map(Range::len).sum::<usize>() + files.len() * 64);
    let mut done = 0;
    for file in files {
        let base64 = body.slice_ref(body.get(file.clone()).unwrap_or_default());
        out.push_str(body.get(done..file.start).unwrap_or_default());
        out.push_str(tokens.issue_file(base64).ok_or(NO_RANDOM)?);
        done = file.end;
    }
    out.push_str(body.get(done..).unwrap_or_default());
    Ok(out)
}

/// Where the base64 text of large files stands in JSON, in order.
fn files(body: &str) -> Vec<Range<usize>> {
    let bytes = body.as_bytes();
    let in_urls = IN_URL.find_iter(bytes).filter(|at| is_data_url(bytes, *at));
    let in_urls = in_urls.map(|at| at + IN_URL.needle().len());
    let in_members = IN_MEMBER.find_iter(bytes).filter_map(|at| {
        let value = bytes
            .get(at + IN_MEMBER.needle().len()..)?
            .trim_ascii_start()
            .strip_prefix(b":")?;
        let text = value.trim_ascii_start().strip_prefix(b"\"")?;
        Some(bytes.len() - text.len())
    });
    let mut files: Vec<_> = in_urls
        .chain(in_members)
        .filter_map(|start| file(bytes, start))
        .collect();
    files.sort_unstable_by_key(|file| file.start);
    files.truncate(MOST);
    files
}

/// Whether a file's data URL, the whole of a JSON string, goes on here. Text is left where it is: some providers take it as such.
fn is_data_url(bytes: &[u8], at: usize) -> bool {
    let head = bytes.get(at.saturating_sub(LONGEST_HEAD)..at).unwrap_or_default();
    let quote = memrchr(b'"', head).and_then(|quote| head.get(quote + 1..));
    quote.and_then(|url| url.strip_prefix(b"data:")).is_some_and(|kind| {
        [&b"image/"[..], b"audio/", b"video/", b"application/pdf"]
            .iter()
            .any(|known| kind.starts_with(known))
    })
}

/// The large base64 text that begins here and ends with its JSON string.
fn file(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let rest = bytes.get(start..)?;
    let len = memchr2(b'"', b'\\', rest)?;
    let text = rest
        .get(..len)
        .filter(|_| len >= HELD && rest.get(len) == Some(&b'"'))?;
    is_base64(text).then_some(start..start + len)
}

/// Base64 of either alphabet (RFC 4648). Every byte is looked at even if the first is wrong: so compilers look at many at a time.
fn is_base64(text: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    text.iter().fold(true, |all, byte| all & known(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tokens::Escape;

    #[test]
    fn large_files_are_held_and_nothing_else() {
        let (large, small, text) = ("Aa0+/-_=".repeat(1000), "A".repeat(100), "word ".repeat(2000));
        let held = [
            format!(r#"{{"url":"data:image/png;base64,{large}"}}"#),
            format!(r#"{{"url" : "data:application/pdf;name=a.pdf;base64,{large}"}}"#),
            format!(r#"{{"input_audio":{{"format":"wav","data" :  "{large}"}}}}"#),
        ];
        for body in held {
            let mut tokens = Tokens::default();
            let told = hold(body.clone().into(), &mut tokens).unwrap();
            assert!(told.len() < 200, "{}", body.get(..60).unwrap());
            assert!(tokens.reveal(&told, Escape::Json) == body);
        }
        let left = [
            format!(r#"{{"url":"data:image/png;base64,{small}"}}"#),
            format!(r#"{{"url":"data:text/plain;base64,{large}"}}"#),
            format!(r#"{{"text":"an image is data:image/png;base64,{large}"}}"#),
            format!(r#"{{"url":"data:image/png;base64,{large}\n"}}"#),
            format!(r#"{{"url":"data:image/png;base64,{large}"#),
            format!(r#"{{"data":"{text}","x":["data",{{"data":1}}],"data": "{large}"#),
            format!(r#"{{"data":{{"x":"{large}"}}}}"#),
            ";base64,".repeat(1000),
        ];
        for body in left {
            let told = hold(body.clone().into(), &mut Tokens::default()).unwrap();
            assert!(told == body, "{}", body.get(..60).unwrap());
        }
    }

    #[test]
    fn ten_thousand_files_are_not_ten_thousand_tokens() {
        let body = format!(
            "[{}0]",
            format!("{{\"data\":\"{}\"}},", "A".repeat(HELD)).repeat(10_000)
        );
        let mut tokens = Tokens::default();
        let told = hold(body.clone().into(), &mut tokens).unwrap();
        assert_eq!(told.matches("\"wgs_").count(), MOST);
        assert!(tokens.reveal(&told, Escape::Json) == body);
    }
}
