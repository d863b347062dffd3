//! A chat's whole answer as a message.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Memo, block,
    cite::{self, Told},
    stop::{End, Stop},
    usage,
};
use crate::{
    call::object::Object,
    dialect::{
        json::{self, push_comma, push_member, quoted},
        object::list,
        old,
        sources::Sources,
    },
};

#[derive(Deserialize)]
struct Chat<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    choices: Vec<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    citations: Option<&'a RawValue>,
    #[serde(borrow)]
    search_results: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Said<'a>,
}

/// What a message of a chat says, as far as this API has words for it.
#[derive(Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_text: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_opaque: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking_blocks: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow)]
    extra_content: Option<&'a RawValue>,
    #[serde(borrow)]
    annotations: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow, alias = "custom")]
    function: Function<'a>,
    #[serde(borrow)]
    extra_content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, alias = "input")]
    arguments: Option<Cow<'a, str>>,
}

/// The message that says what `chat`, a chat's answer, says. The error says what is wrong with it.
pub fn from_chat(chat: &str, memo: &Memo) -> Result<String, &'static str> {
    const UNREADABLE: &str = "an answer that is no chat completion";
    let (mut once, mut choice_once, mut end_once) = (String::new(), String::new(), String::new());
    let answer: Chat<'_> = json::read(chat, &mut once).map_err(|_| UNREADABLE)?;
    let choice = answer.choices.first().ok_or(UNREADABLE)?.get();
    let said: Choice<'_> = json::read(choice, &mut choice_once).map_err(|_| UNREADABLE)?;
    let end: End<'_> = json::read(choice, &mut end_once).map_err(|_| UNREADABLE)?;
    let mut stop = Stop::default();
    stop.update(&end, memo);
    let mut content = String::with_capacity(chat.len());
    let citations = citations(&answer, &said.message, memo);
    let calls = push_content(&mut content, &said.message, citations, memo);
    let mut out = String::with_capacity(content.len() + 512);
    out.push('{');
    push_head(&mut out, answer.model.map(RawValue::get), memo);
    push_member(&mut out, "content", &format!("[{content}]"));
    stop.push(&mut out, calls);
    push_member(
        &mut out,
        "usage",
        &usage::of_chat(answer.usage.map_or("", RawValue::get)),
    );
    out.push('}');
    Ok(out)
}

/// Adds the members that say whose a message is. `model` is a JSON string.
pub(super) fn push_head(out: &mut String, model: Option<&str>, memo: &Memo) {
    let named = model.filter(|model| !memo.claude_code && model.starts_with('"') && *model != "\"\"");
    push_member(
        out,
        "id",
        &quoted(&format!("msg_{}", memo.id.trim_start_matches("req_"))),
    );
    push_member(out, "type", "\"message\"");
    push_member(out, "role", "\"assistant\"");
    push_member(out, "model", &named.map_or_else(|| quoted(&memo.model), str::to_owned));
}

/// Adds the blocks of a message; true if calls are among them. `citations`: those of its text.
fn push_content(out: &mut String, said: &Said<'_>, mut citations: Option<String>, memo: &Memo) -> bool {
    let mut push = |block: &str| {
        push_comma(out);
        out.push_str(block);
    };
    let text = |value: Option<&RawValue>| value.map_or("", RawValue::get).to_owned();
    let says = |text: &str| text.starts_with('"') && text != "\"\"";
    for (name, state) in [
        ("extra_content", said.extra_content),
        ("reasoning_opaque", said.reasoning_opaque),
    ] {
        if let Some(state) = state {
            push(&block::redacted(&block::sealed_member(
                &memo.provider,
                name,
                state.get(),
            )));
        }
    }
    match said.thinking_blocks.as_deref() {
        Some(blocks) if !blocks.is_empty() => blocks.iter().for_each(|block| push(&without_number(block.get()))),
        _ => {
            let named = [
                ("reasoning_content", said.reasoning_content),
                ("reasoning", said.reasoning),
                ("reasoning_text", said.reasoning_text),
            ];
            let found = named.into_iter().find(|(_, value)| says(&text(*value)));
            let details = said.reasoning_details.map(RawValue::get);
            if let Some((name, value)) = found.filter(|_| memo.thinking) {
                let signature = block::sealed_reasoning(&memo.provider, name, details);
                push(&block::thinking(&text(value), &quoted(&signature)));
            } else if let Some(details) = details.filter(|details| !matches!(*details, "null" | "[]")) {
                push(&block::redacted(&block::sealed_member(
                    &memo.provider,
                    "reasoning_details",
                    details,
                )));
            }
        }
    }
    for value in [said.content, said.refusal]
        .map(text)
        .iter()
        .filter(|value| says(value))
    {
        push(&block::text(value, citations.take().as_deref()));
    }
    if let Some(citations) = citations {
        push(&block::text("\"\"", Some(&citations)));
    }
    let calls = said.tool_calls.as_deref().unwrap_or_default();
    for call in calls {
        if let Some(extra) = call.extra_content {
            let sealed = block::sealed_call(&memo.provider, call.id.get(), extra.get());
            push(&block::redacted(&sealed));
        }
        let input = block::input(call.function.arguments.as_deref().unwrap_or_default());
        push(&block::tool_use(call.id.get(), call.function.name.get(), &input));
    }
    // Who has both says the same in both.
    let old = said.function_call.filter(|_| calls.is_empty());
    let old = old.and_then(|call| serde_json::from_str::<Function<'_>>(call.get()).ok());
    let old = old.filter(|call| says(call.name.get()));
    if let Some(call) = &old {
        let input = block::input(call.arguments.as_deref().unwrap_or_default());
        push(&block::tool_use(&quoted(&old::id(&memo.id)), call.name.get(), &input));
    }
    old.is_some() || !calls.is_empty()
}

/// What the text cites, as a list; `None` if it cites nothing.
fn citations(answer: &Chat<'_>, said: &Said<'_>, memo: &Memo) -> Option<String> {
    let annotations = said.annotations.and_then(|annotations| list(annotations.get()));
    let (mut sources, mut told) = (Sources::default(), Told::default());
    told.add(json::inside(said.content.map_or("", RawValue::get)));
    sources.find(answer.citations, answer.search_results);
    let annotations = annotations.iter().flatten();
    let mut all: Vec<_> = annotations
        .filter_map(|annotation| sources.cite(annotation.get()))
        .collect();
    all.extend(sources.rest());
    let mut out = String::from("[");
    for source in all {
        push_comma(&mut out);
        out.push_str(&cite::citation(&source, &mut told, &memo.provider));
    }
    out.push(']');
    (out != "[]").then_some(out)
}

/// A signed thought without the number that streams give it.
pub(super) fn without_number(block: &str) -> String {
    let fields = Object::parse(block).unwrap_or_default();
    if fields.get(block, "index").is_none() {
        return block.to_owned();
    }
    let mut out = String::from("{");
    for (key, value) in fields.iter(block).filter(|(key, _)| *key != "index") {
        push_member(&mut out, key, value);
    }
    out.push('}');
    out
}
