//! The fields beside messages and tools: renamed, dropped where Cohere has nothing like them, passed on where they are its own.

use std::collections::BTreeMap;

use serde::Serialize;
use witgate_sdk::json::{Number, Raw, Str};
use witgate_sdk::openai::{ChatRequest, ResponseFormat, Stop};
use witgate_sdk::{Context, Result};

use super::{Given, refuse, thinking, thinks, unsupported};

/// Fields of OpenAI's, or of other servers of its API, that Cohere has nothing like.
pub(crate) const DROPPED: [&str; 23] = [
    "logit_bias",
    "metadata",
    "modalities",
    "parallel_tool_calls",
    "prediction",
    "service_tier",
    "top_logprobs",
    "user",
    "verbosity",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "stop_token_ids",
    "web_search_options",
    "extra_body",
    "min_p",
    "messages.name",
    "messages.refusal",
    "messages.audio",
    "messages.is_error",
    "response_format.json_schema.description",
];

/// More stop sequences Cohere does not take.
const MAX_STOPS: usize = 5;

/// The settings as Cohere has them.
#[derive(Default, Serialize)]
pub(super) struct Settings<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Given<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Given<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Given<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Given<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Given<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Raw<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Raw<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    logprobs: bool,
    /// Cohere's own, or unknown
    #[serde(flatten)]
    further: BTreeMap<&'a str, Raw<'a>>,
}

/// The settings of the client's request. `thinks`: the model can be told how long to think.
pub(super) fn translate<'a>(chat: &'a ChatRequest<'a>, thinks: bool) -> Result<Settings<'a>> {
    if chat.audio.is_some() {
        return Err(unsupported("Cohere's models do not speak.", "audio"));
    }
    for old in ["functions", "function_call"] {
        if chat.rest.get(old).is_some() {
            return Err(refuse(
                format!("{old} is OpenAI's old form: use tools and tool_choice."),
                old,
            ));
        }
    }
    let number = |number: &'a Option<Number<'a>>| number.clone();
    let mut settings = Settings {
        max_tokens: chat.token_limit(),
        temperature: number(&chat.temperature),
        p: number(&chat.top_p),
        seed: number(&chat.seed),
        frequency_penalty: at_least_zero(chat.frequency_penalty.as_ref()),
        presence_penalty: at_least_zero(chat.presence_penalty.as_ref()),
        stop_sequences: stops(chat.stop.as_ref())?,
        response_format: chat.response_format.as_ref().map(format).transpose()?.flatten(),
        thinking: effort(chat, thinks)?,
        logprobs: chat.logprobs == Some(true),
        further: BTreeMap::new(),
    };
    for (key, value) in chat
        .rest
        .iter()
        .filter(|(key, value)| !value.is_null() && !DROPPED.contains(key))
    {
        settings.own(key, value)?;
    }
    Ok(settings)
}

impl<'a> Settings<'a> {
    /// A field that is no OpenAI field: it goes before what was made of one.
    fn own(&mut self, key: &'a str, value: &'a Raw<'a>) -> Result<()> {
        match key {
            "thinking" => self.thinking = Some(own_thinking(value)?),
            "p" => self.p = value.parse().ok(),
            "top_k" => {
                self.further.entry("k").or_insert_with(|| value.reborrow());
            }
            "stop_sequences" => self.stop_sequences = value.parse().unwrap_or_default(),
            _ => {
                self.further.insert(key, value.reborrow());
            }
        }
        Ok(())
    }
}

/// What this request gives and Cohere does not get, beside what it never gets.
pub(crate) fn dropped(ctx: &Context, chat: &ChatRequest<'_>) -> Vec<&'static str> {
    let negative = |penalty: Option<&Number<'_>>| penalty.is_some() && at_least_zero(penalty).is_none();
    let effort = chat.reasoning_effort.as_deref().is_some_and(|effort| effort != "none");
    let dropped = [
        ("frequency_penalty", negative(chat.frequency_penalty.as_ref())),
        ("presence_penalty", negative(chat.presence_penalty.as_ref())),
        ("reasoning_effort", effort && !thinks(ctx.model())),
        ("messages.reasoning_content", !thinks(ctx.model())),
    ];
    dropped
        .into_iter()
        .filter_map(|(field, is)| is.then_some(field))
        .collect()
}

/// Cohere knows no negative penalties.
fn at_least_zero<'a>(penalty: Option<&Number<'a>>) -> Given<'a> {
    penalty.filter(|penalty| penalty.as_f64() >= 0.0).cloned()
}

fn stops<'a>(stop: Option<&'a Stop<'a>>) -> Result<Vec<Str<'a>>> {
    let given = stop.map(Stop::as_slice).unwrap_or_default().iter();
    let stops: Vec<Str<'_>> = given.filter(|text| !text.is_empty()).map(Str::reborrow).collect();
    if stops.len() > MAX_STOPS {
        return Err(unsupported(
            format!("Cohere takes at most {MAX_STOPS} stop sequences."),
            "stop",
        ));
    }
    Ok(stops)
}

fn format(format: &ResponseFormat<'_>) -> Result<Option<Raw<'static>>> {
    // As the client wrote it: a model fills in what it is asked for in that order.
    let json = |schema: Option<&Raw<'_>>| {
        let schema = schema.map(|schema| [",\"json_schema\":", schema.get()].concat());
        let text = ["{\"type\":\"json_object\"", &schema.unwrap_or_default(), "}"].concat();
        Ok(Some(Raw::parse_text(&text)?.into_static()))
    };
    match format.kind.as_str() {
        "text" => Ok(None),
        "json_object" => json(format.rest.get("json_schema").or_else(|| format.rest.get("schema"))),
        "json_schema" => {
            let named = format.json_schema.as_ref();
            let named = named.ok_or_else(|| refuse("This response_format has no json_schema.", "response_format"))?;
            json(named.schema.as_ref())
        }
        _ => Err(refuse("This response_format is not known.", "response_format")),
    }
}

/// `reasoning_effort` as a budget of tokens.
fn effort(chat: &ChatRequest<'_>, thinks: bool) -> Result<Option<Raw<'static>>> {
    let Some(effort) = chat.reasoning_effort.as_deref().filter(|_| thinks) else {
        return Ok(None);
    };
    let (enabled, budget) = match effort {
        "none" => (false, None),
        "minimal" => (true, Some(512)),
        "low" => (true, Some(1024)),
        "medium" => (true, Some(8192)),
        _ => (true, None),
    };
    thinking(enabled, budget).map(Some)
}

witgate_sdk::object! {
    struct Thinking<'a> {
        kind: Str<'a> = "type",
        token_budget: Option<u64>,
        budget_tokens: Option<u64>,
    }
}

/// `thinking` in Cohere's form, or in Anthropic's, which other clients use.
fn own_thinking(given: &Raw<'_>) -> Result<Raw<'static>> {
    let wrong = |_| refuse("This `thinking` is not known.", "thinking");
    let given: Thinking<'_> = given.parse().map_err(wrong)?;
    thinking(given.kind != "disabled", given.token_budget.or(given.budget_tokens))
}
