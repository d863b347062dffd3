//! A whole answer: Cohere's message to a `chat.completion`.

use serde::Deserialize;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{ChatResponse, Message, ToolCall};
use witgate_sdk::{Failure, Kind, Response, Result, Step};

use crate::answer::{Counts, annotations, finish, logprobs};
use crate::error;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    message: Said<'a>,
    #[serde(borrow)]
    finish_reason: Option<Str<'a>>,
    #[serde(borrow)]
    usage: Option<Counts<'a>>,
    #[serde(borrow)]
    logprobs: Option<Raw<'a>>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    content: Option<Vec<Part<'a>>>,
    #[serde(borrow)]
    tool_plan: Option<Str<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<Call<'a>>>,
    #[serde(borrow)]
    citations: Option<Vec<Raw<'a>>>,
}

/// A part of the content; of an unknown kind neither is there.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Str<'a>>,
    #[serde(borrow)]
    thinking: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    id: Option<Str<'a>>,
    #[serde(borrow)]
    function: Called<'a>,
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow)]
    arguments: Option<Str<'a>>,
}

/// The client's answer.
pub(crate) fn translate(reply: &Response) -> Result<Step> {
    let body = reply.text()?;
    let Ok(answer) = serde_json::from_str::<Answer<'_>>(body) else {
        return Err(error::in_answer(reply));
    };
    let said = answer.message;
    let parts = said.content.unwrap_or_default();
    let text: String = parts.iter().filter_map(|part| part.text.as_deref()).collect();
    let thinking: String = parts.iter().filter_map(|part| part.thinking.as_deref()).collect();
    let plan = said.tool_plan.as_deref().unwrap_or_default();
    let calls: Vec<_> = said.tool_calls.into_iter().flatten().map(call).collect();
    let reason = finish(answer.finish_reason.as_deref(), !calls.is_empty()).map_err(|failure| told(failure, reply))?;

    let text = [plan, &text].concat();
    let mut message = Message::answer(text, calls);
    message.reasoning_content = (!thinking.is_empty()).then(|| thinking.into());
    if let Some(citations) = said.citations.filter(|list| !list.is_empty()) {
        let found: Vec<_> = citations.iter().flat_map(annotations).collect();
        message.annotations = (!found.is_empty()).then(|| Raw::of(&found)).transpose()?;
        message.rest.push("citations", Raw::of(&citations)?);
    }
    let mut response = ChatResponse::new(message, reason);
    response.usage = answer.usage.as_ref().map(Counts::usage);
    if let (Some(given), Some(choice)) = (answer.logprobs.as_ref(), response.choices.first_mut()) {
        choice.logprobs = logprobs(given);
    }
    Step::done(&response)
}

fn call(call: Call<'_>) -> ToolCall<'_> {
    let arguments = call.function.arguments.filter(|text| !text.trim().is_empty());
    let arguments = arguments.unwrap_or_else(|| "{}".into());
    ToolCall::new(call.id.unwrap_or_default(), call.function.name, arguments)
}

fn told(failure: Failure, reply: &Response) -> Failure {
    let failure = failure.status(reply.status());
    match failure.kind() {
        Kind::Upstream => failure.upstream_text(reply.text().unwrap_or_default()),
        _ => failure,
    }
}
