//! A request on its way to a provider of this API goes as it is, but for what the gateway itself has put into a conversation that was
//! held with another provider before: blocks sealed by [`state`], which nobody else can read, and citations that were made here.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::citations;
use crate::{
    call::{Call, object::Object},
    dialect::{
        json::{push_comma, quoted},
        state,
    },
};

/// A block, as far as it can be sealed.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    signature: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    citations: Option<&'a RawValue>,
}

/// The value of `messages` without what was sealed here; `None` if there is none.
pub fn without_sealed(call: &Call) -> Option<String> {
    let mark = quoted(state::MARK);
    memmem::find(call.text().as_bytes(), mark.trim_end_matches('"').as_bytes())?;
    let turns: Vec<&RawValue> = serde_json::from_str(call.field("messages")?).ok()?;
    let mut out = String::from("[");
    for turn in turns.iter().map(|turn| turn.get()) {
        let fields = Object::parse(turn).ok()?;
        let content: Option<Vec<&RawValue>> = fields
            .get(turn, "content")
            .and_then(|list| serde_json::from_str(list).ok());
        let blocks = content.unwrap_or_default();
        let kept: Vec<Cow<'_, str>> = blocks.iter().filter_map(|block| cleaned(block.get())).collect();
        let same = |(block, kept): (&&RawValue, &Cow<'_, str>)| block.get() == kept.as_ref();
        if kept.len() == blocks.len() && blocks.iter().zip(&kept).all(same) {
            push_comma(&mut out);
            out.push_str(turn);
        } else if !kept.is_empty() {
            // A turn that says nothing is not taken; one of the other side may follow one of its own.
            push_comma(&mut out);
            out.push_str(&fields.with(turn, &[("content", &format!("[{}]", kept.join(",")))]));
        }
    }
    out.push(']');
    Some(out)
}

/// A block without what was sealed here; `None` if there is nothing else in it.
fn cleaned(block: &str) -> Option<Cow<'_, str>> {
    let Ok(fields) = serde_json::from_str::<Block<'_>>(block) else {
        return Some(block.into());
    };
    let mut carriers = [fields.signature, fields.data].into_iter().flatten();
    if carriers.any(|carrier| state::is_sealed(&carrier)) {
        return None;
    }
    let citations = fields.citations.map_or("[]", RawValue::get);
    match citations::without_own(block, citations) {
        // A text that only had sources: an empty one is not taken.
        Some(_) if fields.text.is_some_and(|text| text.get() == "\"\"") => None,
        Some(block) => Some(block.into()),
        None => Some(block.into()),
    }
}
