//! Anthropic's own Messages API for clients that speak it, where Claude is invoked: the body as the client wrote it, and the answer as
//! the model gives it.
//!
//! The service refuses a body with any field that it does not know, and clients send what Anthropic's own host takes. So only what it
//! is known to take goes there, by AWS's documentation of Claude's parameters and by what LiteLLM has found out
//! (`BedrockInvokeAnthropicMessagesRequest`). What needs more than leaving out (a system message amid the others, a picture's address, a
//! tool that Anthropic's host runs) is said as a chat, which the gateway does.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::{Context, Failure, Result, Step};

use super::{CLAUDE, operation};
use crate::endpoint::Config;
use crate::json::{Object, push_comma, push_field};
use crate::model::Family;
use crate::{beta, finish};

/// What the body may have, beside the version and the betas.
const TAKEN: [&str; 13] = [
    "anthropic_beta",
    "max_tokens",
    "messages",
    "metadata",
    "output_config",
    "stop_sequences",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
/// The words of `anthropic-beta` that let a body have this field.
const MANAGES: &str = "context_management";
const MANAGED: [&str; 2] = ["context-management-2025-06-27", "compact-2026-01-12"];
/// The word that lets an older model have `output_config`.
const EFFORT: &str = "\"effort-";
/// Stands elsewhere in the request.
const ELSEWHERE: [&str; 3] = ["anthropic_version", "model", "stream"];

/// The request.
pub(crate) fn request(ctx: &Context, config: &Config, body: &str) -> Result<Step> {
    let (body, dropped) = native(ctx, config, body)?;
    let request = super::guarded(config.post(ctx, operation(ctx))?.json_text(body), config);
    finish(request, ctx).dropped(dropped).send()
}

/// The body that the service takes, and what is left out of the client's.
pub(super) fn native(ctx: &Context, config: &Config, body: &str) -> Result<(String, Vec<String>)> {
    let translated = || Failure::unsupported("This is asked for as a chat.");
    let Family::Claude(claude) = config.model(ctx).family else {
        return Err(translated());
    };
    let fields = Object::parse(body).ok_or_else(|| Failure::invalid_request("The request is no JSON object."))?;
    let native =
        fields.get("messages").is_some_and(messages_are_taken) && fields.get("tools").is_none_or(tools_are_taken);
    if !native {
        return Err(translated());
    }
    let betas = beta::field(ctx, true, None);
    let managed = MANAGED.iter().any(|word| betas.contains(word));
    let mut out = String::with_capacity(body.len() + CLAUDE.len() + betas.len() + 3);
    out.push('{');
    out.push_str(CLAUDE);
    let mut dropped = Vec::new();
    for (key, value) in fields.entries() {
        match key {
            "output_config" if !(claude.adaptive_thinking() || betas.contains(EFFORT)) => dropped.push(key.to_owned()),
            MANAGES if managed => push_field(&mut out, key, value),
            _ if TAKEN.contains(&key) => push_field(&mut out, key, value),
            _ if ELSEWHERE.contains(&key) => {}
            _ => dropped.push(key.to_owned()),
        }
    }
    // The client's own word for it goes before.
    if !betas.is_empty() && fields.get("anthropic_beta").is_none() {
        push_comma(&mut out);
        out.push_str(&betas);
    }
    out.push('}');
    Ok((out, dropped))
}

/// A message, as far as it matters where it can go.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// A block of a message, a source of one, or a tool.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// None of the messages is for Anthropic's host alone. What cannot be read is the service's to refuse.
fn messages_are_taken(messages: &str) -> bool {
    let messages: Vec<Message<'_>> = serde_json::from_str(messages).unwrap_or_default();
    messages
        .iter()
        .all(|message| message.role != "system" && blocks_are_taken(message.content))
}

/// The same of a message's blocks, and of those in a tool's result.
fn blocks_are_taken(blocks: Option<&RawValue>) -> bool {
    let blocks: Vec<Typed<'_>> = blocks
        .and_then(|blocks| serde_json::from_str(blocks.get()).ok())
        .unwrap_or_default();
    blocks.iter().all(|block| {
        let source: Option<Typed<'_>> = block.source.and_then(|source| serde_json::from_str(source.get()).ok());
        let here = source.is_none_or(|source| !matches!(&*source.kind, "url" | "file"));
        let known = matches!(
            &*block.kind,
            "text"
                | "image"
                | "document"
                | "search_result"
                | "thinking"
                | "redacted_thinking"
                | "tool_use"
                | "tool_result"
        );
        here && known && blocks_are_taken(block.content.filter(|_| block.kind == "tool_result"))
    })
}

/// All are the client's own tools, or of those that Claude was taught and the client runs.
fn tools_are_taken(tools: &str) -> bool {
    let hosted = ["web_search", "web_fetch", "code_execution", "advisor", "mcp_toolset"];
    let tools: Vec<Typed<'_>> = serde_json::from_str(tools).unwrap_or_default();
    tools
        .iter()
        .all(|tool| !hosted.iter().any(|kind| tool.kind.starts_with(kind)))
}

#[cfg(test)]
mod tests {
    use super::{messages_are_taken, tools_are_taken};

    #[test]
    fn what_only_anthropics_host_can_do_is_not_asked_of_the_service() {
        for taken in [
            r#"[{"role":"user","content":"Look at \"system\"."}]"#,
            r#"[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]"#,
            r#"[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"fetch","input":{"type":"url","url":"file"}}]}]"#,
        ] {
            assert!(messages_are_taken(taken), "{taken}");
        }
        for translated in [
            r#"[{"role":"system","content":"Be brief."}]"#,
            r#"[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a.example/p.png"}}]}]"#,
            r#"[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"f"}}]}]"#,
            r#"[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"url","url":"https://a.example/p.png"}}]}]}]"#,
            r#"[{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}}]}]"#,
        ] {
            assert!(!messages_are_taken(translated), "{translated}");
        }
        assert!(tools_are_taken(
            r#"[{"name":"web_search","input_schema":{}},{"type":"bash_20250124","name":"bash"}]"#
        ));
        assert!(!tools_are_taken(
            r#"[{"type":"web_search_20250305","name":"web_search"}]"#
        ));
    }
}
