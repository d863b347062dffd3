//! InvokeModel: chats in each model's own form, for operators who want that (`invoke = true`): models that Converse does not have,
//! fields that it does not pass on. Whole and streamed; a stream's messages hold the model's events in base64.
//!
//! Claude's form is Anthropic's, by that adapter's translation; Nova's is Converse's; most newer models take OpenAI's. Others go on
//! with one text: `prompt` makes it and `said` reads what they say.

pub(crate) mod count;
mod guardrail;
pub(crate) mod messages;
mod openai;
mod prompt;
mod said;
mod stream;
mod thought;

use witgate_anthropic::Asked;
use witgate_sdk::{Context, Failure, Request, Response, Result, Step};

use crate::endpoint::Config;
use crate::json::{Object, push_comma, push_field};
use crate::model::{Family, Model};
use crate::{beta, error, finish, request, response, structured};
use prompt::Words;
pub(crate) use stream::Invoked;

/// What Claude's body begins with here.
const CLAUDE: &str = "\"anthropic_version\":\"bedrock-2023-05-31\"";
/// What Nova's body begins with.
const NOVA: &str = "{\"schemaVersion\":\"messages-v1\"";

/// How a model is asked, and answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// Anthropic's Messages
    Claude,
    /// The same, for a client that speaks that API itself
    Messages,
    /// Converse's
    Nova,
    /// Chat Completions, or Mistral's own kind of it
    OpenAi,
    /// one text that the model goes on with
    Text(&'static Words),
}

impl Form {
    /// The form of this call and model. One that is not known takes OpenAI's: what is imported does.
    pub(crate) fn of(ctx: &Context, model: Model<'_>) -> Self {
        match model.family {
            _ if ctx.operation() == "messages" => Self::Messages,
            Family::Claude(_) => Self::Claude,
            Family::Nova => Self::Nova,
            _ => Words::of(model).map_or(Self::OpenAi, Self::Text),
        }
    }
}

/// The request for a chat.
pub(crate) fn request(ctx: &Context, config: &Config, body: &str) -> Result<Step> {
    let model = config.model(ctx);
    let (body, state, dropped) = match Form::of(ctx, model) {
        Form::Messages => return messages::request(ctx, config, body),
        Form::Claude => claude(ctx, body, model)?,
        Form::Nova => {
            let sent = request::translate(body, model, "")?;
            let state = if sent.structured { structured::STATE } else { "" };
            (nova(&sent.body).ok_or_else(|| unreadable(body))?, state, sent.dropped)
        }
        Form::OpenAi => (openai::request(body, ctx.streaming())?, "", Vec::new()),
        Form::Text(words) => {
            let (body, state) = prompt::body(body, words, ctx.streaming())?;
            (body, state, Vec::new())
        }
    };
    let request = guarded(config.post(ctx, operation(ctx))?.json_text(body), config);
    finish(request, ctx).dropped(dropped).then(state)
}

/// The answer to a chat.
pub(crate) fn answer(ctx: &Context, reply: &Response) -> Result<Step> {
    let config: Config = ctx.config()?;
    let body = reply.text()?;
    let guarded = guardrail::intervened(body);
    let ended = |key| guarded.then(|| guardrail::with_reason(body, key)).flatten();
    let answer = match Form::of(ctx, config.model(ctx)) {
        Form::Messages => Some(body.to_owned()),
        Form::Claude => match ended("stop_reason") {
            Some(body) => witgate_anthropic::message(&body, reply.state()),
            None => return witgate_anthropic::answer(reply),
        },
        Form::Nova => {
            let ended = ended("stopReason");
            response::translate(ended.as_deref().unwrap_or(body), structured::is_state(reply.state()))
        }
        Form::OpenAi => openai::answer(reply, body, guarded),
        Form::Text(_) => said::answer(reply, body),
    };
    answer.map(Step::done_text).ok_or_else(|| unreadable(body))
}

fn operation(ctx: &Context) -> &'static str {
    if ctx.streaming() {
        "invoke-with-response-stream"
    } else {
        "invoke"
    }
}

fn unreadable(body: &str) -> Failure {
    error::unreadable(0, "The provider's answer is none of this model's.", body)
}

/// The body, the state to read the reply with, and what the client asks for and the body does not have.
fn claude(ctx: &Context, body: &str, model: Model<'_>) -> Result<(String, &'static str, Vec<&'static str>)> {
    let sent = witgate_anthropic::chat(
        body,
        &Asked {
            model: model.id,
            streaming: ctx.streaming(),
            default_max_tokens: None,
            head: Some(CLAUDE),
        },
    )?;
    let mut body = sent.body;
    let betas = beta::field(ctx, true, sent.beta);
    // The client's own word for it goes before.
    if !betas.is_empty() && Object::parse(&body).is_some_and(|body| body.get("anthropic_beta").is_none()) {
        body.pop();
        push_comma(&mut body);
        body.push_str(&betas);
        body.push('}');
    }
    Ok((body, sent.state, sent.dropped))
}

/// Nova's own form of a request to Converse: the model's own fields are not beside the others but among them.
fn nova(converse: &str) -> Option<String> {
    let fields = Object::parse(converse)?;
    let own = fields
        .get("additionalModelRequestFields")
        .and_then(Object::parse)
        .unwrap_or_default();
    let mut out = NOVA.to_owned();
    for key in ["messages", "system", "toolConfig"] {
        if let Some(value) = fields.get(key) {
            push_field(&mut out, key, value);
        }
    }
    let mut settings = String::from("{");
    for settings_of in [&fields, &own] {
        let entries = settings_of
            .get("inferenceConfig")
            .and_then(Object::parse)
            .unwrap_or_default();
        for (key, value) in &entries.0 {
            push_field(&mut settings, key, value.get());
        }
    }
    settings.push('}');
    if settings != "{}" {
        push_field(&mut out, "inferenceConfig", &settings);
    }
    for (key, value) in own.0.iter().filter(|(key, _)| key != "inferenceConfig") {
        push_field(&mut out, key, value.get());
    }
    out.push('}');
    Some(out)
}

/// With the operator's guardrail, which is named in headers here.
fn guarded(request: Request, config: &Config) -> Request {
    let Some((id, version)) = config.guardrail_names() else {
        return request;
    };
    request
        .header("x-amzn-bedrock-guardrailidentifier", id)
        .header("x-amzn-bedrock-guardrailversion", version)
        .header("x-amzn-bedrock-trace", "ENABLED")
}
