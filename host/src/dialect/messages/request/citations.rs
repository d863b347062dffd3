//! Citations in a conversation. Those that were made here mean something to nobody but the client: a chat has no place for them, and
//! Anthropic refuses them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    dialect::{object::list, state},
    scan::Scan,
};

#[derive(Deserialize)]
struct Citation<'a> {
    #[serde(borrow)]
    encrypted_index: Option<Cow<'a, str>>,
}

/// True if there is something in `citations` that was not made here. (A document has an object there, which says that it may be
/// cited.)
pub(super) fn are_foreign(citations: Option<&RawValue>) -> bool {
    let citations = citations.map_or("[]", RawValue::get);
    !list(citations).is_some_and(|list| list.iter().all(|citation| is_own(citation)))
}

/// `block`, which is an object, without those of its `citations` that were made here; `None` if there are none. All else stays as it
/// is.
pub(super) fn without_own(block: &str, citations: &str) -> Option<String> {
    let all = list(citations)?;
    let foreign: Vec<&str> = all
        .iter()
        .filter(|citation| !is_own(citation))
        .map(|citation| citation.get())
        .collect();
    if foreign.len() == all.len() {
        return None;
    }
    let mut member = None;
    let mut before = 0;
    let read = Scan::new(block).members(|scan, key| {
        let value = scan.skip()?;
        if key.name == b"citations" {
            member = Some((before, key.start, value.clone()));
        }
        before = value.end;
        Ok(())
    });
    let (before, key, value) = member.filter(|_| read.is_ok())?;
    let (start, rest) = (block.get(..key)?, block.get(value.end..)?);
    if !foreign.is_empty() {
        return Some([block.get(..value.start)?, "[", &foreign.join(","), "]", rest].concat());
    }
    // The comma after it goes with it, or else the one before.
    if let Some(rest) = rest.trim_ascii_start().strip_prefix(',') {
        return Some([start, rest.trim_ascii_start()].concat());
    }
    let start = if before > 0 { block.get(..before)? } else { start };
    Some([start, rest].concat())
}

fn is_own(citation: &RawValue) -> bool {
    let read: Option<Citation<'_>> = serde_json::from_str(citation.get()).ok();
    let index = read.and_then(|citation| citation.encrypted_index);
    index.is_some_and(|index| state::is_sealed(&index))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::{are_foreign, without_own};

    const OWN: &str = r#"{"type":"web_search_result_location","url":"u","encrypted_index":"witgate.W10"}"#;
    const FOREIGN: &str = r#"{ "url":"v", "encrypted_index":"Eo8B" }"#;

    #[test]
    fn only_what_was_made_here_is_not_foreign() {
        let cases = [
            ("[]".to_owned(), false),
            (format!("[{OWN},{OWN}]"), false),
            (format!("[{OWN},{FOREIGN}]"), true),
            ("{\"enabled\":true}".to_owned(), true),
        ];
        for (citations, foreign) in cases {
            let citations: &RawValue = serde_json::from_str(&citations).expect("JSON");
            assert_eq!(are_foreign(Some(citations)), foreign, "{citations}");
        }
        assert!(!are_foreign(None));
    }

    #[test]
    fn what_was_made_here_is_taken_out_and_every_other_byte_stays() {
        let both = format!("[{OWN} , {FOREIGN}]");
        let own = format!("[ {OWN} ]");
        for (block, expected) in [
            (
                format!("{{ \"citations\" : {own} , \"text\" : \"a\" }}"),
                Some("{ \"text\" : \"a\" }".to_owned()),
            ),
            (
                format!("{{ \"text\" : \"\\u0061\" , \"citations\":{own} }}"),
                Some("{ \"text\" : \"\\u0061\" }".to_owned()),
            ),
            (format!("{{\"citations\":{own}}}"), Some("{}".to_owned())),
            (
                format!("{{\"a\":1,\"citations\":{both},\"b\":1.0e0}}"),
                Some(format!("{{\"a\":1,\"citations\":[{FOREIGN}],\"b\":1.0e0}}")),
            ),
            (format!("{{\"citations\":[{FOREIGN}]}}"), None),
        ] {
            let fields: std::collections::HashMap<&str, &RawValue> = serde_json::from_str(&block).expect("JSON");
            let made = without_own(&block, fields["citations"].get());
            assert_eq!(made, expected, "{block}");
        }
    }
}
