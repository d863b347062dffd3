//! Pictures, recordings and documents in a client's request. What a guest sees of a large one is a token, so that megabytes do not
//! pass through it: into its memory, through its reader and out again.

use std::ops::Range;

use memchr::memmem;

use super::site::NO_RANDOM;
use crate::{
    call::{Call, edits::Edits},
    error::Result,
    transport::tokens::Tokens,
};

/// What comes before the base64 text in a data URL (RFC 2397), and how long that may be.
const IN_URL: &[u8] = b";base64,";
const LONGEST_HEAD: usize = 128;
/// The member that has the base64 text of a recording in Chat Completions, and of any file in Messages.
const IN_MEMBER: &[u8] = b"\"data\"";
/// Each is looked for when the request leaves.
const MOST: usize = 64;

/// `call` with a token in the place of every large file in it; `None` if there is no such file.
pub(super) fn hold(call: &Call, tokens: &mut Tokens) -> Result<Option<Call>> {
    let (body, text) = (call.body(), call.body().text());
    let files = body.long_strings().iter();
    let files = files.filter_map(|string| file(text.as_ref(), string)).take(MOST);
    let mut edits = Vec::new();
    for file in files {
        let base64 = text.slice_ref(text.get(file.clone()).unwrap_or_default());
        let token = tokens.issue_file(base64).ok_or(NO_RANDOM)?;
        edits.push((file, token.to_owned().into()));
    }
    Ok((!edits.is_empty()).then(|| call.edited(&Edits::new(edits))))
}

/// Where the base64 text of a file stands, if this string of `text` has one.
fn file(text: &str, string: &Range<usize>) -> Option<Range<usize>> {
    let (before, said) = (
        text.get(..string.start)?.as_bytes(),
        text.get(string.clone())?.as_bytes(),
    );
    let base64 = if is_data(before) { 0 } else { in_url(said)? };
    is_base64(said.get(base64..)?).then_some(string.start + base64..string.end)
}

/// Where in a data URL its base64 text begins. Text is left where it is: some providers take it as such.
fn in_url(url: &[u8]) -> Option<usize> {
    let head = url.get(..url.len().min(LONGEST_HEAD))?;
    let kind = head.strip_prefix(b"data:")?;
    let known = [&b"image/"[..], b"audio/", b"video/", b"application/pdf"];
    let known = known.iter().any(|known| kind.starts_with(known));
    memmem::find(head, IN_URL).filter(|_| known).map(|at| at + IN_URL.len())
}

/// Whether what comes after `before`, which ends with a quotation mark, is the value of the member that files are in.
fn is_data(before: &[u8]) -> bool {
    let key = before.strip_suffix(b"\"").map(<[u8]>::trim_ascii_end);
    let key = key.and_then(|before| before.strip_suffix(b":"));
    key.is_some_and(|before| before.trim_ascii_end().ends_with(IN_MEMBER))
}

/// Base64 of either alphabet (RFC 4648). Every byte is looked at even if the first is wrong: so compilers look at many at a time.
fn is_base64(text: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    text.iter().fold(true, |all, byte| all & known(byte))
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;
    use crate::{call::Operation, transport::tokens::Escape};

    /// A chat with this in it as it is held, and the same when it leaves.
    fn held(inside: &str) -> (String, String, bool) {
        let text = format!(r#"{{"model":"m", "messages":[{{"role":"user","content":[{inside}]}}], "after":[1]}}"#);
        let call = Call::parse(
            Operation::Chat,
            "r".to_owned(),
            HeaderMap::new(),
            text.clone().into(),
            9,
        )
        .unwrap();
        let mut tokens = Tokens::default();
        let held = hold(&call, &mut tokens).unwrap();
        let call = held.as_ref().unwrap_or(&call);
        assert_eq!(call.field("after"), Some("[1]"));
        let message = call.messages().next().unwrap();
        assert!(message.starts_with(r#"{"role":"user""#) && message.ends_with('}'));
        assert!(tokens.reveal(call.text(), Escape::Json) == text);
        assert!(tokens.reveal_body(call.text().to_owned(), Escape::Json).whole() == text);
        (text, call.text().to_owned(), held.is_some())
    }

    #[test]
    fn large_files_are_held_and_nothing_else() {
        let (large, small, text) = ("Aa0+/-_=".repeat(1000), "A".repeat(100), "word ".repeat(2000));
        for file in [
            format!(r#"{{"url":"data:image/png;base64,{large}"}}"#),
            format!(r#"{{"url" : "data:application/pdf;name=a.pdf;base64,{large}"}}"#),
            format!(r#"{{"input_audio":{{"format":"wav","data" :  "{large}"}}}}"#),
            format!(r#"{{"url":"data:image/png;base64,{large}"}},{{"data":"{large}"}}"#),
        ] {
            let (text, told, any) = held(&file);
            assert!(any && told.len() < 300, "{}", text.get(..90).unwrap());
        }
        for left in [
            format!(r#"{{"url":"data:image/png;base64,{small}"}}"#),
            format!(r#"{{"url":"data:text/plain;base64,{large}"}}"#),
            format!(r#"{{"text":"an image is data:image/png;base64,{large}"}}"#),
            format!(r#"{{"url":"data:image/png;base64,{large}\n"}}"#),
            format!(r#"{{"data":"{text}"}},["data",{{"data":1}}]"#),
            format!(r#"{{"data":{{"x":"{large}"}}}}"#),
            format!(r#"{{"x":"{}"}}"#, ";base64,".repeat(1000)),
        ] {
            let (text, told, any) = held(&left);
            assert!(!any && told == text, "{}", text.get(..90).unwrap());
        }
    }

    #[test]
    fn ten_thousand_files_are_not_ten_thousand_tokens() {
        let file = format!("{{\"data\":\"{}\"}},", "A".repeat(5000));
        let (_, told, _) = held(&format!("{}0", file.repeat(10_000)));
        assert_eq!(told.matches("\"wgs_").count(), MOST);
    }
}
