//! Opaque stand-ins for secrets, and for large files, for a guest to copy to where the value belongs: [`Tokens`] of one call. A token
//! cannot be guessed, so neither a client's prompt nor another call can name one. The real value takes its place as the request
//! leaves, after the egress policy has said yes.

use std::{borrow::Cow, fmt, sync::LazyLock};

use bytestring::ByteString;
use memchr::memmem;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::pieces::Pieces;
use crate::secret::Secret;

/// How a token begins. The rest is 32 hexadecimal digits; all of it survives URLs, JSON and forms as it is.
const PREFIX: &str = "wgs_";
const DIGITS: usize = 32;
/// The bytes of a token.
const TOKEN: usize = PREFIX.len() + DIGITS;

/// Made once: a searcher costs more to make than most texts cost to search.
static BEGIN: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(PREFIX));

/// How a value is written where its token stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As it is: headers, plain text, fields of a multipart body.
    Plain,
    /// For URLs and forms.
    Percent,
    /// Inside a JSON string.
    Json,
}

/// The tokens of one call, and what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    entries: Vec<(String, Value)>,
}

/// What a token stands for.
#[derive(Clone)]
enum Value {
    /// A secret, which nobody may be shown.
    Secret(Secret),
    /// The base64 text of a file, which is large, and the client's.
    File(ByteString),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(secret) => secret.fmt(f),
            Self::File(base64) => write!(f, "a file of {} characters", base64.len()),
        }
    }
}

impl Tokens {
    /// Makes the token for one more secret. `None` if the system gives no random bytes.
    pub fn issue(&mut self, secret: Secret) -> Option<&str> {
        self.token(Value::Secret(secret))
    }

    /// Makes the token for the base64 text (RFC 4648) of a file. `None` if the system gives no random bytes.
    pub fn issue_file(&mut self, base64: ByteString) -> Option<&str> {
        self.token(Value::File(base64))
    }

    fn token(&mut self, value: Value) -> Option<&str> {
        let mut random = [0; DIGITS / 2];
        getrandom::fill(&mut random).ok()?;
        let mut token = String::with_capacity(TOKEN);
        token.push_str(PREFIX);
        for byte in random {
            for digit in [byte >> 4, byte & 15] {
                token.push(char::from_digit(digit.into(), 16)?);
            }
        }
        self.entries.push((token, value));
        self.entries.last().map(|(token, _)| token.as_str())
    }

    /// `text` with this call's tokens replaced. A token of another call stays what it is: meaningless.
    pub fn reveal<'t>(&self, text: &'t str, escape: Escape) -> Cow<'t, str> {
        let mut out = String::new();
        let mut done = 0;
        for (at, value) in self.found(text) {
            if done == 0 {
                out.reserve(text.len() + self.files());
            }
            out.push_str(text.get(done..at).unwrap_or_default());
            match (value, escape) {
                (Value::Secret(secret), _) => out.push_str(&written(secret.expose(), escape)),
                (Value::File(base64), Escape::Percent) => out.push_str(&written(base64, escape)),
                // Nothing in base64 means anything there.
                (Value::File(base64), Escape::Plain | Escape::Json) => out.push_str(base64),
            }
            done = at + TOKEN;
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// The same for a whole body, with files where they are: megabytes are not copied.
    pub fn reveal_body(&self, text: String, escape: Escape) -> Pieces {
        if escape == Escape::Percent || self.files() == 0 {
            return match self.reveal(&text, escape) {
                Cow::Borrowed(_) => text.into(),
                Cow::Owned(revealed) => revealed.into(),
            };
        }
        let text = ByteString::from(text);
        let (mut out, mut done) = (Pieces::default(), 0);
        for (at, value) in self.found(&text) {
            out.push(text.as_bytes().slice(done..at));
            out.push(match value {
                Value::Secret(secret) => written(secret.expose(), escape).into(),
                // Nothing in base64 means anything there.
                Value::File(base64) => base64.as_bytes().clone(),
            });
            done = at + TOKEN;
        }
        out.push(text.as_bytes().slice(done..));
        out
    }

    /// `text` with this call's secrets taken out: for what a provider says about a request that it refused, which sometimes holds
    /// the key. Very short values are left alone: they would be found everywhere.
    pub fn hide(&self, text: String) -> String {
        self.entries.iter().fold(text, |text, (_, value)| {
            let Value::Secret(secret) = value else {
                return text;
            };
            let secret = secret.expose();
            if secret.len() >= 8 && memmem::find(text.as_bytes(), secret.as_bytes()).is_some() {
                text.replace(secret, "[secret]")
            } else {
                text
            }
        })
    }

    /// The size of all files, most of which a request has once.
    fn files(&self) -> usize {
        let sizes = self.entries.iter().map(|(_, value)| match value {
            Value::Secret(_) => 0,
            Value::File(base64) => base64.len(),
        });
        sizes.sum()
    }

    /// Where tokens of this call stand in `text`, and what they stand for.
    fn found<'s>(&'s self, text: &'s str) -> impl Iterator<Item = (usize, &'s Value)> {
        BEGIN.find_iter(text.as_bytes()).filter_map(|at| {
            let token = text.get(at..at + TOKEN)?;
            Some((at, self.value(token)?))
        })
    }

    fn value(&self, token: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(mine, _)| mine == token)
            .map(|(_, value)| value)
    }
}

/// A value as it is written where its token stood.
fn written(value: &str, escape: Escape) -> String {
    match escape {
        Escape::Plain => value.to_owned(),
        Escape::Percent => utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> (Tokens, String) {
        let mut tokens = Tokens::default();
        let token = tokens.issue(Secret::new(value)).unwrap().to_owned();
        (tokens, token)
    }

    #[test]
    fn a_secret_is_escaped_to_fit_where_its_token_stood() {
        let (tokens, token) = one("a\"b c\\&=ü");
        assert_eq!(
            tokens.reveal(&format!("<{token}>{token}"), Escape::Plain),
            "<a\"b c\\&=ü>a\"b c\\&=ü"
        );
        assert_eq!(
            tokens.reveal(&format!("k={token}&x"), Escape::Percent),
            "k=a%22b%20c%5C%26%3D%C3%BC&x"
        );
        assert_eq!(
            tokens.reveal(&format!(r#"{{"k":"{token}"}}"#), Escape::Json),
            r#"{"k":"a\"b c\\&=ü"}"#
        );
    }

    #[test]
    fn a_body_has_its_files_as_pieces_of_their_own_and_says_the_same() {
        let mut tokens = Tokens::default();
        let secret = tokens.issue(Secret::new("k\"")).unwrap().to_owned();
        let file = tokens.issue_file("QUJD".into()).unwrap().to_owned();
        let text = format!(r#"{{"a":"{file}","b":"{secret}","c":"{file}","d":"wgs_"}}"#);
        for (escape, pieces) in [(Escape::Json, 7), (Escape::Plain, 7), (Escape::Percent, 1)] {
            let body = tokens.reveal_body(text.clone(), escape);
            assert_eq!(body.iter().count(), pieces);
            assert_eq!(body.whole(), tokens.reveal(&text, escape).as_bytes());
        }
    }

    #[test]
    fn another_calls_token_and_a_made_up_one_stay_as_they_are() {
        let (tokens, _) = one("secret");
        let (_, other) = one("secret");
        let made_up = format!("{PREFIX}{}", "0".repeat(DIGITS));
        for text in [other, made_up, "wgs_".to_owned(), "wgs_ü12".to_owned()] {
            assert!(
                matches!(tokens.reveal(&text, Escape::Plain), Cow::Borrowed(_)),
                "{text}"
            );
        }
    }

    #[test]
    fn tokens_differ_from_call_to_call_and_survive_urls_and_json() {
        let (_, a) = one("x");
        let (_, b) = one("x");
        assert_ne!(a, b);
        assert!(a.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') && a.len() == 36);
    }

    #[test]
    fn a_secret_in_a_providers_words_is_taken_out() {
        let (tokens, _) = one("sk-very-secret");
        assert_eq!(
            tokens.hide("Incorrect key: sk-very-secret.".to_owned()),
            "Incorrect key: [secret]."
        );
    }
}
