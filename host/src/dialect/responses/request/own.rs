//! A request for a provider that has the API itself: what was sealed here for another one is nothing that it knows.

use serde_json::value::RawValue;

use crate::{
    call::Call,
    dialect::{
        json::push_comma,
        object::{Object, list},
        state,
    },
};

/// The input without reasoning items that were sealed here, as JSON text; `None` if there are none, and the request can go as it is.
pub fn without_sealed(call: &Call) -> Option<String> {
    let input = call.field("input").filter(|input| input.contains(state::MARK))?;
    let items = list(input)?;
    let kept: Vec<&RawValue> = items.iter().copied().filter(|item| !is_sealed(item.get())).collect();
    if kept.len() == items.len() {
        return None;
    }
    let mut out = String::with_capacity(input.len());
    out.push('[');
    for item in kept {
        push_comma(&mut out);
        out.push_str(item.get());
    }
    out.push(']');
    Some(out)
}

fn is_sealed(item: &str) -> bool {
    let item = Object::parse(item).unwrap_or_default();
    let content = item.text("encrypted_content");
    item.text("type").as_deref() == Some("reasoning") && content.is_some_and(|content| state::is_sealed(&content))
}
