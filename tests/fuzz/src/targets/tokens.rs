//! `transport::tokens`: secrets put in where their tokens stand, escaped to fit. `TOKEN0` to `TOKEN2` in the input become tokens.

use std::borrow::Cow;

use url::form_urlencoded;
use witgate::{
    secret::Secret,
    transport::tokens::{Escape, Tokens},
};

/// What keys may look like, and what would break out of its place.
const SECRETS: [&str; 3] = [
    "sk-plain-0123456789",
    "a\"b\\c\r\nd&e=f%41+ü",
    "wgs_0123456789abcdef0123456789abcdef",
];

/// Puts the secrets into the text as plain text, JSON and a form; takes them out again.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut tokens = Tokens::default();
    assert_eq!(tokens.reveal(text, Escape::Plain), text, "no token can be guessed");
    let mut given = text.to_owned();
    let mut expected = text.to_owned();
    for (name, secret) in ["TOKEN0", "TOKEN1", "TOKEN2"].into_iter().zip(SECRETS) {
        let token = tokens.issue(Secret::new(secret)).expect("the system has random bytes");
        given = given.replace(name, token);
        expected = expected.replace(name, secret);
    }
    assert_eq!(tokens.reveal(&given, Escape::Plain), expected);
    json(&tokens, &given, &expected);
    form(&tokens, &given, &expected);
    let hidden = tokens.hide(expected);
    assert!(
        SECRETS.iter().all(|secret| !hidden.contains(secret)),
        "a secret is left"
    );
}

fn json(tokens: &Tokens, given: &str, expected: &str) {
    let document = serde_json::to_string(given).expect("text always serialises");
    let revealed = tokens.reveal(&document, Escape::Json);
    let read: String = serde_json::from_str(&revealed).expect("JSON stays JSON");
    assert_eq!(read, expected);
}

fn form(tokens: &Tokens, given: &str, expected: &str) {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("key", given)
        .finish();
    let revealed = tokens.reveal(&form, Escape::Percent);
    let read: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(revealed.as_bytes()).collect();
    assert_eq!(read, [("key".into(), expected.into())], "a secret stays in its field");
}
