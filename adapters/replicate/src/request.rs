//! From a chat request to the inputs of a model: the prompt, and every parameter under the name the model has for it.
//!
//! The table of what is sent, dropped and refused is in README.md; the tests hold it to its word.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::chat::Chat;
use crate::config::Settings;
use crate::error;
use crate::input::{Input, Value};
use crate::prompt;
use witgate_sdk::Result;
use witgate_sdk::json::Str;

/// The body of the create call for a chat request. `dropped` gets the fields that it does not have.
pub(crate) fn chat_body(
    body: &str,
    settings: &Settings<'_>,
    version: Option<&str>,
    dropped: &mut Vec<String>,
) -> Result<String> {
    let chat: Chat<'_> = serde_json::from_str(body)
        .map_err(|e| error::invalid("messages", format!("The request cannot be read: {e}")))?;
    if chat.messages.is_empty() {
        return Err(error::invalid("messages", "Messages are required"));
    }
    let prompt = prompt::write(&chat.messages, settings)?;
    let mut input = Input::default();
    settings
        .input()
        .for_each(|(name, value)| input.set(name, Value::Raw(value)));
    if let Some(name) = settings.name("prompt") {
        input.set(name, Value::Text(prompt.prompt.into()));
    }
    if let (Some(name), Some(system)) = (settings.name("system"), prompt.system) {
        input.set(name, Value::Text(system.into()));
    }
    set_images(&mut input, prompt.images, settings)?;
    set_parameters(&mut input, &chat, settings, dropped)?;
    Ok(input.body(version))
}

fn set_images<'a>(input: &mut Input<'a>, images: Vec<&'a str>, settings: &'a Settings<'_>) -> Result<()> {
    let Some(&first) = images.first() else { return Ok(()) };
    let Some(name) = settings.name("image") else {
        return Err(error::unsupported("messages", "This model takes no images"));
    };
    if settings.image_list() {
        input.set(name, Value::Texts(images));
    } else if images.len() == 1 {
        input.set(name, Value::Text(first.into()));
    } else {
        return Err(error::unsupported(
            "messages",
            "This model takes one image (for a model that takes several, set image_list)",
        ));
    }
    Ok(())
}

fn set_parameters<'a>(
    input: &mut Input<'a>,
    chat: &'a Chat<'a>,
    settings: &'a Settings<'_>,
    dropped: &mut Vec<String>,
) -> Result<()> {
    let newer = chat.fields.iter().any(|(key, _)| &**key == "max_completion_tokens");
    let mut own = None;
    for (key, value) in &chat.fields {
        match &**key {
            "input" => own = Some(*value),
            "stop" if settings.name("stop").is_some() => set_stop(input, value, settings)?,
            "max_tokens" if newer => {}
            "max_completion_tokens" if settings.name("max_tokens").is_some() => {
                set_named(input, "max_tokens", value, settings);
            }
            key if settings.name(key).is_some() => set_named(input, key, value, settings),
            // The gateway has dealt with these.
            "model" | "stream" | "stream_options" | "n" => {}
            key => {
                refuse_what_matters(key, value)?;
                dropped.push(key.to_owned());
            }
        }
    }
    own.map_or(Ok(()), |own| set_own(input, own))
}

fn set_named<'a>(input: &mut Input<'a>, ours: &'a str, value: &'a RawValue, settings: &'a Settings<'_>) {
    if let Some(name) = settings.name(ours) {
        input.set(name, Value::Raw(value));
    }
}

/// Inputs that the client itself names, for what only this model has.
fn set_own<'a>(input: &mut Input<'a>, own: &'a RawValue) -> Result<()> {
    let own: BTreeMap<Str<'a>, &'a RawValue> = serde_json::from_str(own.get())
        .map_err(|_| error::invalid("input", "input must be an object with inputs of the model"))?;
    own.into_iter()
        .for_each(|(name, value)| input.set(name.into_string(), Value::Raw(value)));
    Ok(())
}

/// Replicate's models take stop sequences as one string with commas.
fn set_stop<'a>(input: &mut Input<'a>, value: &'a RawValue, settings: &'a Settings<'_>) -> Result<()> {
    let Some(name) = settings.name("stop") else {
        return Ok(());
    };
    let text = value.get();
    let stops: Vec<Str<'_>> = serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(text).map(|stop| vec![stop]))
        .map_err(|_| error::invalid("stop", "stop must be a string or a list of strings"))?;
    if stops.iter().any(|stop| stop.contains(',')) {
        return Err(error::unsupported(
            "stop",
            "Replicate separates stop sequences by commas, so none can hold one",
        ));
    }
    if !stops.is_empty() {
        let list: Vec<&str> = stops.iter().map(|stop| &**stop).collect();
        input.set(name, Value::Text(list.join(",").into()));
    }
    Ok(())
}

/// A field the model has no input for: refused if the answer would not be what was asked for without it, else left out.
fn refuse_what_matters(key: &str, value: &RawValue) -> Result<()> {
    let what = match key {
        "tools" | "functions" => "tools",
        "response_format" => "a response format",
        "logprobs" | "top_logprobs" => "log probabilities",
        "logit_bias" => "a logit bias",
        "audio" => "audio",
        "modalities" => "other modalities than text",
        "web_search_options" => "web search",
        _ => return Ok(()),
    };
    let compact: String = value.get().split_ascii_whitespace().collect();
    let says_nothing = matches!(
        compact.as_str(),
        "[]" | "{}" | "false" | "0" | r#"{"type":"text"}"# | r#"["text"]"#
    );
    if says_nothing {
        Ok(())
    } else {
        Err(error::unsupported(
            key,
            format!("Models on Replicate do not offer {what}"),
        ))
    }
}
