//! The request: a chat or a completion to `{"inputs", "parameters"}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use witgate_sdk::json::{Number, Raw, Rest};
use witgate_sdk::openai::{ChatRequest, CompletionRequest, EmbeddingsInput, ResponseFormat, Stop, ToolChoice};
use witgate_sdk::{Context, Request, Result, Step, json};

use crate::config::Config;
use crate::prompt::{self, refuse, unsupported};

/// Parameters of TGI's own, when a client sends them as fields.
const PARAMETERS: [&str; 14] = [
    "adapter_id",
    "best_of",
    "decoder_input_details",
    "do_sample",
    "grammar",
    "max_new_tokens",
    "repetition_penalty",
    "return_full_text",
    "top_k",
    "top_n_tokens",
    "truncate",
    "typical_p",
    "watermark",
    "details",
];

/// Fields of OpenAI's, or of other servers of its API, that text generation has nothing like.
pub(crate) const DROPPED: [&str; 24] = [
    "extra_body",
    "logit_bias",
    "metadata",
    "modalities",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "service_tier",
    "store",
    "thinking",
    "user",
    "verbosity",
    "web_search_options",
    "messages.name",
    "messages.refusal",
    "messages.audio",
    "messages.reasoning_content",
    "messages.content.image_url.detail",
    "response_format.json_schema.description",
];

/// Fields of a completion, which the SDK does not name: they are read before, or the gateway has dealt with them.
const DONE: [&str; 3] = ["frequency_penalty", "logprobs", "stream_options"];

/// The body that is sent.
#[derive(Serialize)]
struct Sent<'a> {
    inputs: &'a str,
    parameters: BTreeMap<String, Raw<'a>>,
    /// Asked of `/models/MODEL`; on the other paths it changes nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(flatten)]
    further: BTreeMap<&'a str, Raw<'a>>,
}

/// What the reply must be read with.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct State {
    /// texts at which the answer ends, which are no part of it
    pub(crate) stops: Vec<String>,
    /// report the tokens' likelihood
    pub(crate) logprobs: bool,
}

/// What chats and completions both say.
#[derive(Default)]
struct Settings<'a> {
    max_tokens: Option<u64>,
    temperature: Option<&'a Number<'a>>,
    top_p: Option<&'a Number<'a>>,
    seed: Option<&'a Number<'a>>,
    frequency_penalty: Option<&'a Number<'a>>,
    stop: Option<&'a Stop<'a>>,
    logprobs: bool,
    top_logprobs: Option<u64>,
}

/// A chat.
pub(crate) fn chat(ctx: &Context, config: &Config<'_>, body: &str) -> Result<Step> {
    let chat = ChatRequest::parse(body)?;
    check(&chat)?;
    let prompt = prompt::write(&chat.messages, config.prompt_template.as_ref())?;
    let settings = Settings {
        max_tokens: chat.token_limit(),
        temperature: chat.temperature.as_ref(),
        top_p: chat.top_p.as_ref(),
        seed: chat.seed.as_ref(),
        frequency_penalty: chat.frequency_penalty.as_ref(),
        stop: chat.stop.as_ref(),
        logprobs: chat.logprobs == Some(true),
        top_logprobs: chat.top_logprobs,
    };
    let mut parameters = settings.parameters(config)?;
    if let Some(grammar) = chat.response_format.as_ref().map(grammar).transpose()?.flatten() {
        parameters.insert("grammar".to_owned(), grammar);
    }
    send(ctx, config, &prompt, parameters, &chat.rest, &settings)
}

/// A completion: the prompt is the client's own.
pub(crate) fn completion(ctx: &Context, config: &Config<'_>, body: &str) -> Result<Step> {
    let asked: CompletionRequest<'_> = witgate_sdk::openai::parse(body)?;
    let prompt = match &asked.prompt {
        EmbeddingsInput::Text(text) => text,
        EmbeddingsInput::Texts(texts) if texts.len() == 1 => &texts[0],
        EmbeddingsInput::Texts(_) => return Err(unsupported("Text generation takes one prompt at a time.", "prompt")),
        EmbeddingsInput::Tokens(_) => return Err(unsupported("Text generation takes no token ids.", "prompt")),
    };
    if asked.suffix.is_some() {
        return Err(unsupported("Text generation fills no gaps.", "suffix"));
    }
    let likely: Option<u64> = asked.rest.get("logprobs").and_then(|raw| raw.parse().ok());
    let penalty: Option<Number<'_>> = asked.rest.get("frequency_penalty").and_then(|raw| raw.parse().ok());
    let settings = Settings {
        max_tokens: asked.max_tokens,
        temperature: asked.temperature.as_ref(),
        top_p: asked.top_p.as_ref(),
        seed: asked.seed.as_ref(),
        frequency_penalty: penalty.as_ref(),
        stop: asked.stop.as_ref(),
        logprobs: likely.is_some(),
        top_logprobs: likely.filter(|most| *most > 0),
    };
    let mut parameters = settings.parameters(config)?;
    if asked.echo == Some(true) {
        parameters.insert("return_full_text".to_owned(), Raw::of(&true)?);
    }
    send(ctx, config, prompt, parameters, &asked.rest, &settings)
}

/// Asks for what text generation cannot do?
fn check(chat: &ChatRequest<'_>) -> Result<()> {
    let none = matches!(&chat.tool_choice, Some(ToolChoice::Mode(mode)) if *mode == "none");
    if !chat.tools.is_empty() && !none {
        let text = "Text generation calls no tools; TGI's own translation to OpenAI's API, under /v1, does.";
        return Err(unsupported(text, "tools"));
    }
    if chat.audio.is_some() {
        return Err(unsupported("Text generation does not speak.", "audio"));
    }
    for old in ["functions", "function_call"] {
        if chat.rest.get(old).is_some() {
            return Err(unsupported("Text generation calls no functions.", old));
        }
    }
    Ok(())
}

impl Settings<'_> {
    /// What both endpoints take. TGI refuses values at their limits, where they would change nothing: those are left out.
    fn parameters(&self, config: &Config<'_>) -> Result<BTreeMap<String, Raw<'static>>> {
        let mut parameters = BTreeMap::new();
        let mut set =
            |key: &str, value: Option<Raw<'static>>| value.map(|value| parameters.insert(key.to_owned(), value));
        let number = |number: &Number<'_>| Raw::of(number).ok();
        set("return_full_text", Raw::of(&false).ok());
        set("details", Raw::of(&true).ok());
        set(
            "max_new_tokens",
            self.max_tokens
                .or(config.default_max_tokens)
                .and_then(|most| Raw::of(&most).ok()),
        );
        let warm = self.temperature.filter(|temperature| temperature.as_f64() > 0.0);
        set("temperature", warm.and_then(number));
        if let Some(temperature) = self.temperature {
            set("do_sample", Raw::of(&(temperature.as_f64() > 0.0)).ok());
        }
        let top_p = self.top_p.filter(|top_p| top_p.as_f64() > 0.0 && top_p.as_f64() < 1.0);
        set("top_p", top_p.and_then(number));
        set("seed", self.seed.and_then(number));
        set(
            "frequency_penalty",
            self.frequency_penalty
                .filter(|penalty| penalty.as_f64() != 0.0)
                .and_then(number),
        );
        let stops = self.stops();
        set("stop", (!stops.is_empty()).then(|| Raw::of(&stops).ok()).flatten());
        set(
            "top_n_tokens",
            self.top_logprobs
                .filter(|_| self.logprobs)
                .and_then(|most| Raw::of(&most).ok()),
        );
        Ok(parameters)
    }

    fn stops(&self) -> Vec<String> {
        let stops = self.stop.map(Stop::as_slice).unwrap_or_default().iter();
        stops
            .filter(|text| !text.is_empty())
            .map(|text| text.as_str().to_owned())
            .collect()
    }
}

/// Sends the prompt. Fields of the provider's own go before what is made of OpenAI's.
fn send<'a>(
    ctx: &Context,
    config: &Config<'_>,
    prompt: &'a str,
    mut parameters: BTreeMap<String, Raw<'a>>,
    rest: &'a Rest<'a>,
    settings: &Settings<'_>,
) -> Result<Step> {
    let mut further = BTreeMap::new();
    let mut own: BTreeMap<String, Raw<'a>> = BTreeMap::new();
    for (key, value) in rest
        .iter()
        .filter(|(key, value)| !value.is_null() && !DROPPED.contains(key) && !DONE.contains(key))
    {
        match key {
            "parameters" => {
                let wrong = |_| refuse("`parameters` is no object.", "parameters");
                own = value.parse().map_err(wrong)?;
            }
            _ if PARAMETERS.contains(&key) => {
                parameters.insert(key.to_owned(), value.reborrow());
            }
            _ => {
                further.insert(key, value.reborrow());
            }
        }
    }
    parameters.extend(own);
    let sent = Sent {
        inputs: prompt,
        parameters,
        stream: ctx.streaming(),
        further,
    };
    let state = State {
        stops: settings.stops(),
        logprobs: settings.logprobs,
    };
    let url = config.generate(ctx.base_url(), ctx.model(), ctx.streaming());
    let request = Request::post(url).json(&sent).idempotent();
    let request = if ctx.streaming() { request.sse() } else { request };
    request.then(serde_json::to_string(&state)?)
}

/// OpenAI's format as TGI's grammar.
fn grammar(format: &ResponseFormat<'_>) -> Result<Option<Raw<'static>>> {
    let schema = match format.kind.as_str() {
        "text" => return Ok(None),
        "json_object" => json!({"type": "object"}),
        "json_schema" => {
            let schema = format.json_schema.as_ref().and_then(|named| named.schema.as_ref());
            let schema = schema.ok_or_else(|| refuse("This response_format has no schema.", "response_format"))?;
            schema.parse()?
        }
        _ => return Err(refuse("This response_format is not known.", "response_format")),
    };
    Ok(Some(Raw::of(&json!({"type": "json", "value": schema}))?))
}
