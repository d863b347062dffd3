//! How deep a body is nested, counted before anything recursive reads it.

use crate::error::{Error, Result};

/// Refuses JSON nested deeper than `limit`. Text that is no JSON passes: the parser says what is wrong with that.
pub(super) fn check(text: &str, limit: usize) -> Result<()> {
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
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

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert!(check(r#"{"a":"[[[[\"[[[["}"#, 1).is_ok());
    }

    #[test]
    fn the_limit_is_the_last_depth_that_passes() {
        assert!(check("[[[]]]", 3).is_ok());
        assert!(check("[[[[]]]]", 3).is_err());
    }
}
