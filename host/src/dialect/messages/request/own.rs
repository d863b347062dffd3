//! A request on its way to a provider of this API goes as it is, but for what the gateway itself has put into a conversation that was
//! held with another provider before: blocks sealed by [`state`], which nobody else can read.

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

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
}

/// The value of `messages` without the blocks that were sealed here; `None` if there are none.
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
        let Some(blocks) = content.filter(|blocks| blocks.iter().any(|block| is_sealed(block.get()))) else {
            push_comma(&mut out);
            out.push_str(turn);
            continue;
        };
        let kept: Vec<_> = blocks
            .iter()
            .map(|block| block.get())
            .filter(|block| !is_sealed(block))
            .collect();
        // A turn that says nothing is not taken; one of the other side may follow one of its own.
        if !kept.is_empty() {
            push_comma(&mut out);
            out.push_str(&fields.with(turn, &[("content", &format!("[{}]", kept.join(",")))]));
        }
    }
    out.push(']');
    Some(out)
}

fn is_sealed(block: &str) -> bool {
    let block: Option<Block<'_>> = serde_json::from_str(block).ok();
    let carriers = block.map(|block| [block.signature, block.data]);
    carriers
        .into_iter()
        .flatten()
        .flatten()
        .any(|carrier| state::is_sealed(&carrier))
}
