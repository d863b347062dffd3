//! Whether a request asks for something, and where: for what is told of that its provider does not get.

use memchr::memmem;

use crate::scan::{Malformed, Scan};

/// Whether there is something at the end of a `path` through JSON; lists on the way are gone through. Keys written with escapes are
/// not found: nobody writes these keys so, and what is at stake is a word in a header.
pub(crate) fn inside(text: &str, path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let quoted = format!("\"{last}\"");
    memmem::find(text.as_bytes(), quoted.as_bytes()).is_some()
        && asked_at(&mut Scan::new(text), text, path).unwrap_or(false)
}

fn asked_at(scan: &mut Scan<'_>, text: &str, path: &str) -> Result<bool, Malformed> {
    let mut asked = false;
    let (key, inside) = path
        .split_once('.')
        .map_or((path, None), |(key, inside)| (key, Some(inside)));
    match scan.peek() {
        b'[' => scan.items(|scan| {
            asked |= asked_at(scan, text, path)?;
            Ok(())
        })?,
        b'{' => scan.members(|scan, found| {
            asked |= match inside {
                Some(inside) if found.name == key.as_bytes() => asked_at(scan, text, inside)?,
                None if found.name == key.as_bytes() => !nothing(key, text.get(scan.skip()?).unwrap_or_default()),
                _ => {
                    scan.skip()?;
                    false
                }
            };
            Ok(())
        })?,
        _ => {
            scan.skip()?;
        }
    }
    Ok(asked)
}

/// True if a request says the same without this field.
pub(crate) fn nothing(key: &str, value: &str) -> bool {
    match key {
        "parallel_tool_calls" => return value == "true",
        "detail" if value == "\"auto\"" => return true,
        _ => {}
    }
    let nothing = ["null", "false", "0", "0.0", "\"\"", "[]", "{}", "[\"text\"]"];
    nothing.contains(&value.trim())
}

#[cfg(test)]
mod tests {
    use super::{inside, nothing};

    #[test]
    fn a_field_inside_others_is_found_by_the_way_to_it() {
        let messages = r#"[{"role":"user","content":[{"type":"text","text":"detail"},
            {"type":"image_url","image_url":{"url":"u","detail":"low"}}]},{"role":"tool","content":"name","tool_calls":[{"name":"n"}]}]"#;
        assert!(inside(messages, "content.image_url.detail") && inside(messages, "tool_calls.name"));
        for path in [
            "name",
            "content.detail",
            "detail",
            "content.image_url.url.detail",
            "content.text.detail",
        ] {
            assert!(!inside(messages, path), "{path}");
        }
        assert!(!inside(r#"[{"detail":"auto"},{"detail":null}]"#, "detail"));
        assert!(inside(r#"{"json_schema":{"strict":true}}"#, "json_schema.strict"));
    }

    #[test]
    fn a_field_that_asks_for_nothing_is_not_dropped() {
        for value in ["null", "false", "0", "[]", "{}", "\"\"", "[\"text\"]"] {
            assert!(nothing("store", value), "{value}");
        }
        for something in ["true", "1", "0.5", "{\"1\":2}", "\"x\"", "[\"audio\"]"] {
            assert!(!nothing("store", something), "{something}");
        }
        assert!(nothing("parallel_tool_calls", "true") && !nothing("parallel_tool_calls", "false"));
    }
}
