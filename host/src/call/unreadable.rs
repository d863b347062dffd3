//! Why a body cannot be read: what is said of one that the scanner has refused.

use std::str::Bytes;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// What is wrong with `text`, which should be a JSON object nested no deeper than `limit`.
pub(super) fn why(text: &str, limit: usize) -> Error {
    let unread = |what: &str| Error::invalid(format!("We could not parse the JSON body of your request{what}."), None);
    // First what nothing recursive may read.
    match check(text, limit).map(|()| serde_json::from_str::<Map<String, Value>>(text)) {
        Err(error) => error,
        Ok(Err(error)) => unread(&format!(": {error}")),
        Ok(Ok(_)) => unread(""),
    }
}

/// Refuses JSON nested deeper than `limit`, and strings with an escape for half a character, which readers take for different things or
/// for none. Other text that is no JSON passes: the parser says what is wrong with that.
fn check(text: &str, limit: usize) -> Result<()> {
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if !skip_string(&mut bytes) => {
                let at = text.len() - bytes.len();
                return Err(Error::invalid(
                    format!(
                        "A string has an escape that stands for half a character (\\ud800 to \\udfff), before byte {at}."
                    ),
                    None,
                ));
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return Err(Error::invalid(
                        format!("The JSON body is nested deeper than {limit} levels."),
                        None,
                    ));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Goes on behind the string's end; false if it has half a character.
fn skip_string(bytes: &mut Bytes<'_>) -> bool {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.next() == Some(b'u') && !is_whole(bytes) => return false,
            b'"' => return true,
            _ => {}
        }
    }
    true
}

/// Whether the escape that begins here stands for a character, alone or with the one after it (RFC 8259, section 7).
fn is_whole(bytes: &mut Bytes<'_>) -> bool {
    match unit(bytes) {
        Some(0xd800..=0xdbff) => {
            bytes.next() == Some(b'\\') && bytes.next() == Some(b'u') && matches!(unit(bytes), Some(0xdc00..=0xdfff))
        }
        Some(0xdc00..=0xdfff) => false,
        _ => true,
    }
}

/// Four hexadecimal digits.
fn unit(bytes: &mut Bytes<'_>) -> Option<u32> {
    let mut value = 0;
    for _ in 0..4 {
        value = value * 16 + char::from(bytes.next()?).to_digit(16)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert!(check(r#"{"a":"[[[[\"[[[["}"#, 1).is_ok());
    }

    #[test]
    fn half_a_character_is_refused_and_a_whole_one_is_not() {
        for whole in [r#"["\ud83d\ude80"]"#, r#"["\\ud800"]"#, r#"["\u00e9 \" \n"]"#] {
            assert!(check(whole, 1).is_ok(), "{whole}");
        }
        for half in [
            r#"["\ud83d"]"#,
            r#"["\ud83d\ud83d"]"#,
            r#"["\ude80"]"#,
            r#"["\uD83Dx"]"#,
        ] {
            assert!(check(half, 1).is_err(), "{half}");
        }
    }

    #[test]
    fn the_limit_is_the_last_depth_that_passes() {
        assert!(check("[[[]]]", 3).is_ok());
        assert!(check("[[[[]]]]", 3).is_err());
    }
}
