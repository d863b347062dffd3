//! The fields beside messages and tools: renamed, dropped where Anthropic has nothing like them, passed on where they are its own.

use std::borrow::Cow;

use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Message, ToolChoice, asks, old_form, stops, whole_number};

use super::format::Format;
use super::thinking::Thinking;
use super::unsupported;
use crate::json::{Object, push_comma, push_field, push_list, push_string, string};
use crate::model::Model;

/// Fields of OpenAI's that Anthropic has nothing like.
pub const DROPPED: [&str; 13] = [
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "modalities",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "seed",
    "store",
    "top_logprobs",
    "verbosity",
];

/// Fields that the gateway has dealt with.
const DONE: [&str; 4] = ["model", "n", "stream", "stream_options"];

/// The settings of one request; texts are JSON text unless they are said to be read.
#[derive(Default)]
pub(super) struct Settings<'a> {
    pub(super) max_tokens: Option<u64>,
    pub(super) tool_choice: Option<&'a str>,
    pub(super) parallel_tool_calls: bool,
    pub(super) response_format: Option<&'a str>,
    pub(super) web_search: Option<&'a str>,
    /// Anthropic's own `thinking`: goes before `reasoning_effort`
    pub(super) thinking: Option<&'a str>,
    decided: Thinking,
    /// the effort beside the client's own `thinking`
    beside: Option<&'static str>,
    /// read
    effort: Option<Cow<'a, str>>,
    output_config: Option<&'a str>,
    temperature: Option<&'a str>,
    top_p: Option<&'a str>,
    top_k: Option<&'a str>,
    stop: Option<&'a str>,
    user: Option<&'a str>,
    service_tier: Option<&'a str>,
    /// What this request gives and the one that is sent does not have.
    dropped: Vec<&'static str>,
    /// Anthropic's, or unknown
    further: Vec<(&'a str, &'a str)>,
}

impl<'a> Settings<'a> {
    /// Sorts the fields.
    pub(super) fn read(fields: &'a Object<'a>) -> Result<Self, Failure> {
        let mut settings = Self {
            parallel_tool_calls: true,
            ..Self::default()
        };
        for (key, value) in fields.entries() {
            settings.set(key, value)?;
        }
        Ok(settings)
    }

    fn set(&mut self, key: &'a str, value: &'a str) -> Result<(), Failure> {
        match key {
            "max_completion_tokens" => self.max_tokens = Some(whole_number(key, value)?),
            "max_tokens" => self.max_tokens = Some(self.max_tokens.map_or_else(|| whole_number(key, value), Ok)?),
            "tool_choice" => self.tool_choice = Some(value),
            "parallel_tool_calls" => self.parallel_tool_calls = value != "false",
            "response_format" => self.response_format = Some(value),
            "web_search_options" => self.web_search = Some(value),
            "thinking" => self.thinking = Some(value),
            "reasoning_effort" => self.effort = string(value),
            "output_config" => self.output_config = Some(value),
            "temperature" => self.temperature = Some(value),
            "top_p" => self.top_p = Some(value),
            "top_k" => self.top_k = Some(value),
            "stop" => self.stop = Some(value),
            "user" => self.user = Some(value),
            "safety_identifier" => self.user = self.user.or(Some(value)),
            // OpenAI's metadata is free; of Anthropic's one key is known, and others are refused.
            "metadata" => self.set_metadata(value),
            "service_tier" => {
                self.service_tier = service_tier(value);
                self.drop_if(self.service_tier.is_none(), "service_tier");
            }
            "functions" | "function_call" | "audio" => return Err(refused(key)),
            // Where the gateway is told so, it asks for one at a time.
            "n" if value != "1" => {
                let text = "Claude gives one answer at a time: `n` must be 1.".to_owned();
                return Err(unsupported(text, key.to_owned()));
            }
            _ if DONE.contains(&key) => {}
            _ => match DROPPED.iter().find(|field| **field == key) {
                // Said here too: at other hosts of Claude's there are models that take them.
                Some(field) => self.drop_if(asks(value), field),
                None => self.further.push((key, value)),
            },
        }
        Ok(())
    }

    fn set_metadata(&mut self, value: &'a str) {
        let data = Object::parse(value).unwrap_or_default();
        self.user = data.get("user_id").or(self.user);
        self.drop_if(data.0.iter().any(|(key, _)| key != "user_id"), "metadata");
    }

    fn drop_if(&mut self, dropped: bool, field: &'static str) {
        if dropped {
            self.dropped.push(field);
        }
    }

    /// What of the client's fields is not sent to this model, once it is decided how it thinks.
    pub(super) fn dropped(&mut self, model: Model) -> Vec<&'static str> {
        let sampling = self.samples(model);
        let both = model.temperature_with_top_p() || self.temperature.is_none();
        self.drop_if(self.temperature.is_some() && !sampling, "temperature");
        self.drop_if(self.top_p.is_some() && !(sampling && both), "top_p");
        self.drop_if(self.top_k.is_some() && !sampling, "top_k");
        let effort = self.effort.as_deref().is_some_and(|effort| effort != "none");
        self.drop_if(
            effort && !self.decided.is_on() && self.beside.is_none(),
            "reasoning_effort",
        );
        self.drop_if(self.stop.is_some_and(loses_a_stop), "stop");
        std::mem::take(&mut self.dropped)
    }

    /// While it thinks, a model takes no sampling settings; the newest never do.
    fn samples(&self, model: Model) -> bool {
        model.sampling() && !self.decided.is_on()
    }

    /// Decides how the model is to think, from the client's `reasoning_effort`; beside its own `thinking` that only leads it.
    pub(super) fn decide_thinking(
        &mut self,
        model: Model,
        max_tokens: u64,
        choice: &ToolChoice,
        messages: &[Message<'_>],
    ) {
        match (self.thinking, self.effort.as_deref()) {
            (None, Some(effort)) => self.decided = Thinking::of(effort, model, max_tokens, choice, messages),
            (Some(own), Some(effort)) => self.beside = model.effort_beside(own, effort),
            (_, None) => {}
        }
    }

    /// Writes what is left of the body.
    pub(super) fn push(&self, out: &mut String, model: Model, format: &Format) {
        self.push_sampling(out, model);
        if let Some(stop) = self.stop {
            push_stop(out, stop);
        }
        if let Some(user) = self.user {
            push_field(out, "metadata", &["{\"user_id\":", user, "}"].concat());
        }
        if let Some(tier) = self.service_tier {
            push_field(out, "service_tier", tier);
        }
        if let Some(thinking) = self.thinking {
            push_field(out, "thinking", thinking);
        }
        if let Some(thinking) = self.decided.to_json() {
            push_field(out, "thinking", &thinking);
        }
        self.push_output_config(out, format);
        for (key, value) in &self.further {
            push_field(out, key, value);
        }
    }

    fn push_sampling(&self, out: &mut String, model: Model) {
        if !self.samples(model) {
            return;
        }
        let both = model.temperature_with_top_p() || self.temperature.is_none();
        let top_p = self.top_p.filter(|_| both);
        for (key, value) in [
            ("temperature", self.temperature),
            ("top_p", top_p),
            ("top_k", self.top_k),
        ] {
            if let Some(value) = value {
                push_field(out, key, value);
            }
        }
    }

    /// The client's own keys go before ours.
    fn push_output_config(&self, out: &mut String, format: &Format) {
        let own = self.output_config.and_then(Object::parse).unwrap_or_default();
        let mut config = String::from("{");
        for (key, value) in &own.0 {
            push_field(&mut config, key, value.get());
        }
        if let (Some(effort), None) = (self.decided.effort().or(self.beside), own.get("effort")) {
            push_field(&mut config, "effort", &format!("\"{effort}\""));
        }
        if let (Format::Native(schema), None) = (format, own.get("format")) {
            let format = ["{\"type\":\"json_schema\",\"schema\":", schema, "}"].concat();
            push_field(&mut config, "format", &format);
        }
        config.push('}');
        if config != "{}" {
            push_field(out, "output_config", &config);
        }
    }
}

/// What a client may ask of OpenAI only.
fn refused(key: &str) -> Failure {
    match key {
        "audio" => unsupported("Anthropic's models do not speak.".to_owned(), key.to_owned()),
        _ => old_form(key),
    }
}

/// Anthropic knows two tiers.
fn service_tier(value: &str) -> Option<&'static str> {
    match value {
        "\"auto\"" | "\"priority\"" => Some("\"auto\""),
        "\"default\"" | "\"standard_only\"" => Some("\"standard_only\""),
        _ => None,
    }
}

/// The API takes no stop sequence that is only white space.
fn is_blank(sequence: &str) -> bool {
    string(sequence).is_some_and(|text| text.trim().is_empty())
}

/// True if a sequence that says something is not sent.
fn loses_a_stop(stop: &str) -> bool {
    stops(stop)
        .into_iter()
        .any(|sequence| sequence != "\"\"" && is_blank(sequence))
}

/// One stop sequence or a list.
fn push_stop(out: &mut String, stop: &str) {
    let mut sequences = String::new();
    for sequence in stops(stop) {
        if string(sequence).is_some() && !is_blank(sequence) {
            push_comma(&mut sequences);
            sequences.push_str(sequence);
        }
    }
    push_list(out, "stop_sequences", &sequences);
}

/// Writes `text` as a JSON string after `key`.
pub(super) fn push_text_field(out: &mut String, key: &str, text: &str) {
    push_comma(out);
    push_string(out, key);
    out.push(':');
    push_string(out, text);
}
