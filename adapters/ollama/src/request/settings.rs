//! Tools, and the fields beside messages and tools: most are `options`, some have a name of their own, some Ollama has nothing like.

use std::collections::BTreeMap;

use serde::Serialize;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::openai::{ChatRequest, ResponseFormat, Stop, Tool, ToolChoice};
use witgate_sdk::{Result, json};

use super::{refuse, unsupported};
use crate::config::Config;

/// Said to a model that must call a tool: there is no other way to make it.
pub(super) const MUST_CALL: &str = "Answer with a call of one of the tools, and not with text.";

/// Names that are options of Ollama's, when a client sends them as fields.
const OPTIONS: [&str; 18] = [
    "min_p",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_predict",
    "num_thread",
    "penalize_newline",
    "presence_penalty",
    "repeat_last_n",
    "repeat_penalty",
    "tfs_z",
    "top_k",
    "typical_p",
    "use_mmap",
];

/// Fields of OpenAI's, or of other servers of its API, that Ollama has nothing like.
pub(crate) const DROPPED: [&str; 22] = [
    "logit_bias",
    "metadata",
    "modalities",
    "parallel_tool_calls",
    "prediction",
    "service_tier",
    "user",
    "verbosity",
    "extra_body",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "thinking",
    "web_search_options",
    "messages.name",
    "messages.refusal",
    "messages.audio",
    "messages.is_error",
    "messages.content.image_url.detail",
    "response_format.json_schema.description",
];

/// The tools that may be called, and must one be? Ollama has no `tool_choice`.
pub(super) fn tools<'a>(chat: &'a ChatRequest<'a>) -> Result<(Vec<Tool<'a>>, bool)> {
    let wrong = || refuse("This tool_choice is not known.", "tool_choice");
    for (at, tool) in chat.tools.iter().enumerate() {
        if tool.function.as_ref().is_none_or(|function| function.name.is_empty()) {
            let text = format!("Ollama has no tools of type {:?}, only functions.", tool.kind.as_str());
            return Err(unsupported(text, format!("tools[{at}]")));
        }
    }
    let (must, names) = match &chat.tool_choice {
        None => (false, None),
        Some(ToolChoice::Mode(mode)) => (must(mode).ok_or_else(wrong)?, (*mode == "none").then(Vec::new)),
        Some(ToolChoice::Tool(tool)) if tool.kind == "allowed_tools" => {
            let allowed: Allowed<'_> = tool
                .rest
                .get("allowed_tools")
                .and_then(|raw| raw.parse().ok())
                .ok_or_else(wrong)?;
            let names = allowed.tools.iter().filter_map(name).collect();
            (must(&allowed.mode).ok_or_else(wrong)?, Some(names))
        }
        Some(ToolChoice::Tool(tool)) => (true, Some(vec![name(tool).ok_or_else(wrong)?])),
    };
    let may = |tool: &&Tool<'_>| {
        names
            .as_ref()
            .is_none_or(|names| name(tool).is_some_and(|name| names.contains(&name)))
    };
    let tools: Vec<_> = chat.tools.iter().filter(may).cloned().collect();
    if must && tools.is_empty() {
        return Err(refuse(
            "The tool that must be called is not among the tools.",
            "tool_choice",
        ));
    }
    Ok((tools, must))
}

witgate_sdk::object! {
    struct Allowed<'a> {
        mode: Str<'a>,
        tools: Vec<Tool<'a>>,
    }
}

fn name(tool: &Tool<'_>) -> Option<String> {
    tool.function.as_ref().map(|function| function.name.as_str().to_owned())
}

fn must(mode: &str) -> Option<bool> {
    match mode {
        "auto" | "none" => Some(false),
        "required" | "any" => Some(true),
        _ => None,
    }
}

/// All other fields.
pub(super) fn translate<'a>(config: &'a Config<'a>, chat: &'a ChatRequest<'a>) -> Result<BTreeMap<&'a str, Raw<'a>>> {
    if chat.audio.is_some() {
        return Err(unsupported("Ollama's models do not speak.", "audio"));
    }
    let mut fields = BTreeMap::new();
    let mut options: BTreeMap<&str, Raw<'_>> = BTreeMap::new();
    options.extend(
        config
            .options
            .iter()
            .map(|(key, value)| (key.as_str(), value.reborrow())),
    );
    known_options(&mut options, chat)?;
    if let Some(keep_alive) = &config.keep_alive {
        fields.insert("keep_alive", keep_alive.reborrow());
    }
    if let Some(format) = chat.response_format.as_ref().map(format).transpose()?.flatten() {
        fields.insert("format", format);
    }
    if let Some(effort) = &chat.reasoning_effort {
        fields.insert("think", think(effort)?);
    }
    if chat.logprobs == Some(true) {
        fields.insert("logprobs", Raw::of(&true)?);
        set(&mut fields, "top_logprobs", chat.top_logprobs.as_ref())?;
    }
    let mut own: BTreeMap<Str<'_>, Raw<'_>> = BTreeMap::new();
    for (key, value) in chat
        .rest
        .iter()
        .filter(|(key, value)| !value.is_null() && !DROPPED.contains(key))
    {
        match key {
            "functions" | "function_call" => {
                return Err(refuse(
                    format!("{key} is OpenAI's old form: use tools and tool_choice."),
                    key,
                ));
            }
            "options" => {
                let wrong = |_| refuse("`options` is no object.", "options");
                own = value.parse().map_err(wrong)?;
            }
            _ if OPTIONS.contains(&key) => {
                options.insert(key, value.reborrow());
            }
            _ => {
                fields.insert(key, value.reborrow());
            }
        }
    }
    // The client's own `options` go before what is made of its other fields.
    options.extend(own.iter().map(|(key, value)| (key.as_str(), value.reborrow())));
    if !options.is_empty() {
        fields.insert("options", Raw::of(&options)?);
    }
    Ok(fields)
}

fn known_options<'a>(options: &mut BTreeMap<&'a str, Raw<'a>>, chat: &ChatRequest<'_>) -> Result<()> {
    set(options, "temperature", chat.temperature.as_ref())?;
    set(options, "top_p", chat.top_p.as_ref())?;
    set(options, "seed", chat.seed.as_ref())?;
    set(options, "frequency_penalty", chat.frequency_penalty.as_ref())?;
    set(options, "presence_penalty", chat.presence_penalty.as_ref())?;
    set(options, "num_predict", chat.token_limit().as_ref())?;
    let stops: Vec<&Str<'_>> = chat
        .stop
        .as_ref()
        .map(Stop::as_slice)
        .unwrap_or_default()
        .iter()
        .collect();
    let stops: Vec<_> = stops.into_iter().filter(|text| !text.is_empty()).collect();
    set(options, "stop", (!stops.is_empty()).then_some(&stops))
}

fn set<'a, T: Serialize>(fields: &mut BTreeMap<&'a str, Raw<'a>>, key: &'a str, value: Option<&T>) -> Result<()> {
    if let Some(value) = value {
        fields.insert(key, Raw::of(value)?);
    }
    Ok(())
}

fn format<'a>(format: &'a ResponseFormat<'a>) -> Result<Option<Raw<'a>>> {
    match format.kind.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(Raw::of("json")?)),
        "json_schema" => {
            let named = format.json_schema.as_ref();
            let named = named.ok_or_else(|| refuse("This response_format has no json_schema.", "response_format"))?;
            let any = || Raw::of("json").ok();
            Ok(named.schema.as_ref().map(Raw::reborrow).or_else(any))
        }
        _ => Err(refuse("This response_format is not known.", "response_format")),
    }
}

/// `think`: a level, which models without levels take for yes, or no.
fn think(effort: &str) -> Result<Raw<'static>> {
    let value = match effort {
        "none" => json!(false),
        "minimal" => json!("low"),
        "xhigh" => json!("high"),
        level => json!(level),
    };
    Ok(Raw::of(&value)?)
}
