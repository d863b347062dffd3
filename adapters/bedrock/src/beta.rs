//! The words of the client's header `anthropic-beta` that Claude takes on Bedrock. It refuses a request with any other, and clients
//! send many, so those are left out. Which they are is what LiteLLM has found out, whose list is by provider
//! (`anthropic_beta_headers_config`).

use witgate_sdk::Context;

use crate::json::{push_comma, push_list, push_string};

/// Taken in both forms.
const BOTH: [&str; 7] = [
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "context-1m-2025-08-07",
    "effort-2025-11-24",
    "fine-grained-tool-streaming-2025-05-14",
    "thinking-binding-controls-2026-08-01",
    "thinking-display-updates-2026-08-18",
];
/// Taken by Converse.
const CONVERSE: [&str; 1] = ["structured-outputs-2025-11-13"];
/// Taken by InvokeModel.
const INVOKE: [&str; 3] = [
    "compact-2026-01-12",
    "context-management-2025-06-27",
    "tool-search-tool-2025-10-19",
];

/// `"anthropic_beta":[…]`, with the word that the request itself needs, or "" if there is none.
pub(crate) fn field(ctx: &Context, invokes: bool, needed: Option<&str>) -> String {
    let own: &[&str] = if invokes { &INVOKE } else { &CONVERSE };
    let header = ctx.ext("header.anthropic-beta").unwrap_or_default();
    let asked = header.split(',').map(str::trim);
    let mut words: Vec<&str> = Vec::new();
    for word in needed
        .into_iter()
        .chain(asked.filter(|word| BOTH.contains(word) || own.contains(word)))
    {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let mut list = String::new();
    for word in words {
        push_comma(&mut list);
        push_string(&mut list, word);
    }
    let mut field = String::new();
    push_list(&mut field, "anthropic_beta", &list);
    field
}
