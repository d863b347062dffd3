//! The fields beside messages and tools: renamed, dropped where the API has nothing like them, passed on where they are its own.

use serde_json::value::RawValue;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::old_form;

use super::{Config, format, refuse, unsupported};
use crate::json::{Object, push_comma, push_field, push_string, string};

/// Fields of other APIs that this one has nothing like.
pub(crate) const DROPPED: [&str; 13] = [
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "prediction",
    "top_k",
    "min_p",
    "repetition_penalty",
    "extra_body",
    "cache_control",
    "messages.name",
    "messages.audio",
    "messages.is_error",
];

/// Fields that the gateway has dealt with.
const DONE: [&str; 3] = ["model", "stream", "n"];

/// The API takes no smaller limit.
const LEAST_TOKENS: u64 = 16;

/// The settings of one request; texts are JSON text.
#[derive(Default)]
pub(super) struct Settings<'a> {
    pub(super) tool_choice: Option<&'a str>,
    /// `web_search_options`
    pub(super) web_search: Option<&'a str>,
    /// the client's own, beside its messages
    pub(super) instructions: Option<&'a str>,
    max_tokens: Option<&'a str>,
    response_format: Option<&'a str>,
    verbosity: Option<&'a str>,
    effort: Option<&'a str>,
    /// Anthropic's `thinking`
    thinking: Option<&'a str>,
    logprobs: bool,
    /// the API's own
    text: Option<&'a str>,
    reasoning: Option<&'a str>,
    include: Option<&'a str>,
    store: Option<&'a str>,
    further: Vec<(&'a str, &'a str)>,
}

impl<'a> Settings<'a> {
    /// Sorts the fields.
    pub(super) fn read(fields: &'a Object<'a>) -> Result<Self, Failure> {
        let mut settings = Self::default();
        for (key, value) in fields.entries() {
            settings.set(key, value)?;
        }
        Ok(settings)
    }

    fn set(&mut self, key: &'a str, value: &'a str) -> Result<(), Failure> {
        match key {
            "max_completion_tokens" | "max_output_tokens" => self.max_tokens = Some(value),
            "max_tokens" => self.max_tokens = self.max_tokens.or(Some(value)),
            "tool_choice" => self.tool_choice = Some(value),
            "web_search_options" => self.web_search = Some(value),
            "instructions" => self.instructions = Some(value),
            "response_format" => self.response_format = Some(value),
            "verbosity" => self.verbosity = Some(value),
            "reasoning_effort" => self.effort = Some(value),
            "thinking" => self.thinking = Some(value),
            "logprobs" => self.logprobs = value == "true",
            "text" => self.text = Some(value),
            "reasoning" => self.reasoning = Some(value),
            "include" => self.include = Some(value),
            "store" => self.store = Some(value),
            "stream_options" => self.set_stream_options(value),
            "modalities" if !value.contains("\"audio\"") => {}
            "stop" if matches!(value, "[]" | "\"\"") => {}
            "stop" => return Err(unsupported("This provider knows no stop sequences.", key)),
            "audio" | "modalities" => return Err(unsupported("This provider's models do not speak.", key)),
            "background" if value == "true" => {
                return Err(unsupported("A chat cannot be answered in the background.", key));
            }
            "functions" | "function_call" => return Err(old_form(key)),
            _ if DROPPED.contains(&key) || DONE.contains(&key) => {}
            // The API's own, or the same in both.
            _ => self.further.push((key, value)),
        }
        Ok(())
    }

    /// Of a chat's options one is the same here; usage is told always.
    fn set_stream_options(&mut self, options: &'a str) {
        if Object::parse(options).is_some_and(|options| options.get("include_obfuscation") == Some("false")) {
            self.further.push(("stream_options", "{\"include_obfuscation\":false}"));
        }
    }

    /// Writes what is left of the body.
    pub(super) fn push(&self, out: &mut String, model: &str, config: &Config) -> Result<(), Failure> {
        if let Some(tokens) = self.max_tokens {
            let wrong = |_| refuse("The limit of tokens must be a whole number.", "max_completion_tokens");
            let tokens: u64 = tokens.parse().map_err(wrong)?;
            push_field(out, "max_output_tokens", &tokens.max(LEAST_TOKENS).to_string());
        }
        if let Some(text) = format::text(self.text, self.response_format, self.verbosity) {
            push_field(out, "text", &text);
        }
        if let Some(reasoning) = self.reasoning(config) {
            push_field(out, "reasoning", &reasoning);
        }
        let stored = if config.store { "true" } else { "false" };
        let stored = self.store.unwrap_or(stored);
        push_field(out, "store", stored);
        if let Some(include) = self.include(stored, model, config) {
            push_field(out, "include", &include);
        }
        for (key, value) in &self.further {
            push_field(out, key, value);
        }
        Ok(())
    }

    /// `reasoning`: the client's own entries go before what is made of a chat's fields.
    fn reasoning(&self, config: &Config) -> Option<String> {
        let own = self.reasoning.and_then(Object::parse).unwrap_or_default();
        let mut out = String::from("{");
        for (key, value) in &own.0 {
            push_field(&mut out, key, value.get());
        }
        let effort = self.effort.or_else(|| self.thinking.and_then(effort));
        if let (Some(effort), None) = (effort, own.get("effort")) {
            push_field(&mut out, "effort", effort);
        }
        if let (Some(summary), None) = (&config.reasoning_summary, own.get("summary")) {
            push_comma(&mut out);
            out.push_str("\"summary\":");
            push_string(&mut out, summary);
        }
        out.push('}');
        (out != "{}").then_some(out)
    }

    /// `include`: what the client asks for, and what is needed of an answer that the provider does not store.
    fn include(&self, stored: &str, model: &str, config: &Config) -> Option<String> {
        let own: Vec<&RawValue> = self
            .include
            .and_then(|list| serde_json::from_str(list).ok())
            .unwrap_or_default();
        let mut words: Vec<&str> = own.iter().map(|word| word.get()).collect();
        let thinks = config.encrypted_reasoning.unwrap_or_else(|| thinks(model));
        if thinks && stored != "true" {
            words.push("\"reasoning.encrypted_content\"");
        }
        if self.logprobs {
            words.push("\"message.output_text.logprobs\"");
        }
        let mut list = String::from("[");
        for (at, word) in words.iter().enumerate() {
            if words.iter().position(|other| other == word) == Some(at) {
                push_comma(&mut list);
                list.push_str(word);
            }
        }
        list.push(']');
        (list != "[]").then_some(list)
    }
}

/// The effort that a budget of tokens for thoughts comes near to.
fn effort(thinking: &str) -> Option<&'static str> {
    let thinking = Object::parse(thinking)?;
    if string(thinking.get("type")?)? != "enabled" {
        return None;
    }
    Some(match thinking.get("budget_tokens")?.parse().ok()? {
        ..4096_u64 => "\"low\"",
        4096..16_384 => "\"medium\"",
        _ => "\"high\"",
    })
}

/// Does the model think before it answers? OpenAI refuses to encrypt the thoughts of one that has none. The names of those that have
/// none are known; newer ones think.
fn thinks(model: &str) -> bool {
    const DO_NOT: [&str; 5] = ["gpt-3.5", "gpt-4", "chatgpt-", "gpt-audio", "ft:gpt-"];
    let name = model.rsplit('/').next().unwrap_or(model);
    !DO_NOT.iter().any(|beginning| name.starts_with(beginning)) && !name.ends_with("-chat-latest")
}

#[cfg(test)]
mod tests {
    use super::thinks;

    #[test]
    fn models_without_thoughts_are_known_by_their_names() {
        for model in [
            "gpt-4o-mini",
            "openai/gpt-4.1",
            "chatgpt-4o-latest",
            "gpt-5-chat-latest",
        ] {
            assert!(!thinks(model), "{model}");
        }
        for model in ["gpt-5", "o3-pro", "openai/gpt-5.1-codex", "grok-4"] {
            assert!(thinks(model), "{model}");
        }
    }
}
