//! The fields beside messages and tools: renamed into `generationConfig`, dropped where Gemini has nothing like them, passed on where
//! they are its own.

use witgate_sdk::Failure;
use witgate_sdk::openai::text::{asks, old_form, stops};

use super::format::Format;
use super::{thinking, unsupported};
use crate::json::{Object, push_comma, push_field, string};
use crate::model::Model;

/// Fields of OpenAI's that Gemini has nothing like. Each request says them: of the other models here there are some that take them.
const DROPPED: [&str; 12] = [
    "logit_bias",
    "metadata",
    "parallel_tool_calls",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
];

/// Fields that the gateway has dealt with.
const DONE: [&str; 3] = ["model", "stream", "stream_options"];

/// Fields that are only called something else in `generationConfig`, and fields of its own that clients put beside the others.
const GENERATION: [(&str, &str); 14] = [
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("seed", "seed"),
    ("presence_penalty", "presencePenalty"),
    ("frequency_penalty", "frequencyPenalty"),
    ("logprobs", "responseLogprobs"),
    ("top_logprobs", "logprobs"),
    ("thinkingConfig", "thinkingConfig"),
    ("thinking_config", "thinkingConfig"),
    ("mediaResolution", "mediaResolution"),
    ("responseModalities", "responseModalities"),
    ("speechConfig", "speechConfig"),
    ("imageConfig", "imageConfig"),
];

/// The settings of one request; texts are JSON text.
#[derive(Default)]
pub(super) struct Settings<'a> {
    pub(super) tool_choice: Option<&'a str>,
    pub(super) response_format: Option<&'a str>,
    pub(super) web_search: bool,
    /// Gemini's own `toolConfig`
    pub(super) tool_config: Option<&'a str>,
    max_tokens: Option<&'a str>,
    stop: Option<&'a str>,
    candidates: Option<u64>,
    images: bool,
    /// answers in sound are wanted
    spoken: bool,
    /// `extra_body` is for somebody else
    foreign_extra: bool,
    /// a word as a JSON string
    effort: Option<&'a str>,
    /// Anthropic's `thinking`
    thinking: Option<&'a str>,
    /// Gemini's own `generationConfig`: goes before all else
    config: Object<'a>,
    generation: Vec<(&'static str, &'a str)>,
    /// What is there of [`DROPPED`].
    left_out: Vec<&'static str>,
    /// Gemini's, or unknown
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

    fn set(&mut self, key: &'a str, text: &'a str) -> Result<(), Failure> {
        if let Some((_, name)) = GENERATION.iter().find(|(ours, _)| *ours == key) {
            self.generation.push((name, text));
            return Ok(());
        }
        if let Some(field) = DROPPED.iter().find(|field| **field == key) {
            // Several calls at a time are what Gemini makes anyway: it is the other word that asks for something.
            let asked = match key {
                "parallel_tool_calls" => text == "false",
                _ => asks(text),
            };
            if asked {
                self.left_out.push(field);
            }
            return Ok(());
        }
        match key {
            "max_completion_tokens" => self.max_tokens = Some(text),
            "max_tokens" => self.max_tokens = self.max_tokens.or(Some(text)),
            "n" => self.candidates = text.parse().ok(),
            "stop" => self.stop = Some(text),
            "tool_choice" => self.tool_choice = Some(text),
            "response_format" => self.response_format = Some(text),
            "web_search_options" => self.web_search = true,
            "reasoning_effort" => self.effort = Some(text),
            "thinking" => self.thinking = Some(text),
            "modalities" => {
                self.images = text.contains("\"image\"");
                self.spoken = text.contains("\"audio\"");
            }
            "generationConfig" | "generation_config" => self.config = Object::parse(text).unwrap_or_default(),
            "toolConfig" | "tool_config" => self.tool_config = Some(text),
            "extra_body" => self.take_extra(text),
            "functions" | "function_call" | "audio" => return Err(refused(key)),
            _ if DONE.contains(&key) => {}
            _ => self.further.push((key, text)),
        }
        Ok(())
    }

    /// `extra_body.google`: how Google's own translation is told what OpenAI has no field for.
    fn take_extra(&mut self, extra: &'a str) {
        let google = Object::parse(extra).and_then(|extra| extra.get("google"));
        let Some(google) = google.and_then(Object::parse) else {
            self.foreign_extra = true;
            return;
        };
        for (key, value) in google.0 {
            match (&*key, value.get()) {
                ("thinking_config" | "thinkingConfig", value) => self.generation.push(("thinkingConfig", value)),
                ("cached_content" | "cachedContent", value) => self.further.push(("cachedContent", value)),
                ("safety_settings" | "safetySettings", value) => self.further.push(("safetySettings", value)),
                _ => {}
            }
        }
    }

    /// What of the client's fields this model does not get.
    pub(super) fn dropped(&self, model: Model) -> Vec<&'static str> {
        let effort = self.effort.is_some_and(|effort| effort != "\"none\"");
        let dropped = [
            ("reasoning_effort", effort && !model.thinks()),
            ("thinking", self.thinking.is_some() && !model.thinks()),
            ("modalities", self.spoken && !self.images),
            ("extra_body", self.foreign_extra),
        ];
        let dropped = dropped.into_iter().filter_map(|(field, is)| is.then_some(field));
        dropped.chain(self.left_out.iter().copied()).collect()
    }

    /// The client has safety settings of its own.
    pub(super) fn has_safety(&self) -> bool {
        self.further
            .iter()
            .any(|(key, _)| matches!(*key, "safetySettings" | "safety_settings"))
    }

    /// Writes `generationConfig` and what is left of the body.
    pub(super) fn push(&self, out: &mut String, model: Model, format: &Format) {
        let config = self.generation_config(model, format);
        if config != "{}" {
            push_field(out, "generationConfig", &config);
        }
        for (key, value) in &self.further {
            push_field(out, key, value);
        }
    }

    /// The client's own keys go before ours.
    fn generation_config(&self, model: Model, format: &Format) -> String {
        let mut out = String::from("{");
        let mut push = |key: &str, value: &str| {
            if self.config.get(key).is_none() {
                push_field(&mut out, key, value);
            }
        };
        for (key, value) in &self.generation {
            push(key, value);
        }
        if let Some(tokens) = self.max_tokens {
            push("maxOutputTokens", tokens);
        }
        if let Some(candidates) = self.candidates.filter(|number| *number > 1) {
            push("candidateCount", &candidates.to_string());
        }
        if let Some(stop) = self.stop.and_then(sequences) {
            push("stopSequences", &stop);
        }
        if self.images {
            push("responseModalities", "[\"TEXT\",\"IMAGE\"]");
        }
        if let Some(thinking) = self.thinking(model) {
            push("thinkingConfig", &thinking);
        }
        match format {
            Format::Free | Format::Words(_) => {}
            Format::Json => push("responseMimeType", "\"application/json\""),
            Format::Schema(key, schema) => {
                push("responseMimeType", "\"application/json\"");
                push(key, schema);
            }
        }
        for (key, value) in &self.config.0 {
            push_field(&mut out, key, value.get());
        }
        out.push('}');
        out
    }

    fn thinking(&self, model: Model) -> Option<String> {
        if self.generation.iter().any(|(key, _)| *key == "thinkingConfig") {
            return None;
        }
        match (self.thinking, self.effort.and_then(string)) {
            (Some(thinking), effort) => thinking::of_thinking(thinking, effort.as_deref(), model),
            (None, Some(effort)) => thinking::of_effort(&effort, model),
            (None, None) => None,
        }
    }
}

/// What a client may ask of OpenAI only.
fn refused(key: &str) -> Failure {
    match key {
        "audio" => unsupported(
            "Gemini's models speak in formats of their own: ask with speechConfig.",
            key,
        ),
        _ => old_form(key),
    }
}

/// One stop sequence or a list of them, as a list.
fn sequences(stop: &str) -> Option<String> {
    let mut out = String::from("[");
    for sequence in stops(stop).into_iter().filter(|sequence| *sequence != "\"\"") {
        push_comma(&mut out);
        out.push_str(sequence);
    }
    out.push(']');
    (out != "[]").then_some(out)
}
