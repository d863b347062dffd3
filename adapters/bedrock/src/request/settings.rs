//! The fields beside messages and tools: renamed, dropped where Bedrock has nothing like them, passed on where they are its own or the
//! model's.

use std::borrow::Cow;

use witgate_anthropic::thoughts_are_missing;
use witgate_sdk::Failure;
use witgate_sdk::openai::text::{Message, ToolChoice, old_form, stops, whole_number};

use super::thinking::{Thinking, asks_to_think};
use super::unsupported;
use crate::json::{Object, push_comma, push_field, push_list, push_number, string};
use crate::model::{Family, Model};

/// Fields of OpenAI's that Bedrock has nothing like.
pub(crate) const DROPPED: [&str; 17] = [
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "metadata",
    "modalities",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "seed",
    "store",
    "top_logprobs",
    "user",
    "verbosity",
    "web_search_options",
];

/// Fields that the gateway has dealt with.
const DONE: [&str; 4] = ["model", "n", "stream", "stream_options"];

/// Fields of Converse's own.
const OWN: [&str; 7] = [
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
];

/// A field of OpenAI's or Converse's, which a model does not know.
pub(crate) fn is_not_the_models(key: &str) -> bool {
    DROPPED.contains(&key) || OWN.contains(&key)
}

/// The settings of one request; texts are JSON text unless they are said to be read.
#[derive(Default)]
pub(super) struct Settings<'a> {
    max_tokens: Option<u64>,
    pub(super) tool_choice: Option<&'a str>,
    pub(super) parallel_tool_calls: bool,
    pub(super) response_format: Option<&'a str>,
    /// Anthropic's own `thinking`: goes before `reasoning_effort`
    thinking: Option<&'a str>,
    decided: Thinking<'a>,
    /// read
    effort: Option<Cow<'a, str>>,
    temperature: Option<&'a str>,
    top_p: Option<&'a str>,
    stop: Option<&'a str>,
    service_tier: Option<&'static str>,
    inference: Option<&'a str>,
    additional: Option<&'a str>,
    own: Vec<(&'a str, &'a str)>,
    /// the model's own, or unknown
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
            "thinking" => self.thinking = Some(value),
            "reasoning_effort" => self.effort = string(value),
            "temperature" => self.temperature = Some(value),
            "top_p" => self.top_p = Some(value),
            "stop" => self.stop = Some(value),
            "service_tier" => self.service_tier = service_tier(value),
            "inferenceConfig" => self.inference = Some(value),
            "additionalModelRequestFields" => self.additional = Some(value),
            "functions" | "function_call" | "audio" => return Err(refused(key)),
            _ if OWN.contains(&key) => self.own.push((key, value)),
            _ if DROPPED.contains(&key) || DONE.contains(&key) => {}
            _ => self.further.push((key, value)),
        }
        Ok(())
    }

    /// Decides how the model is to think, from the client's `thinking`, else its `reasoning_effort`.
    pub(super) fn decide_thinking(&mut self, model: Model<'_>, choice: &ToolChoice, messages: &[Message<'_>]) {
        let bound = choice.forces() || thoughts_are_missing(messages);
        let effort = self.effort.as_deref();
        self.decided = match (self.thinking, effort) {
            (Some(own), _) => Thinking::own(own, effort, model, bound),
            (None, Some(effort)) => Thinking::of(effort, model, self.max_tokens, bound),
            (None, None) => Thinking::Unsaid,
        };
    }

    /// The client's own word, or ours, makes the model think.
    pub(super) fn thinks(&self) -> bool {
        self.decided.is_on()
    }

    /// The field of Claude's that has it call one tool at a time, which Converse has no word for. It holds the choice as well, and
    /// the API takes that in one place only; so it is sent where the choice is the model's.
    pub(super) fn single_call(&self, model: Model<'_>, choice: &ToolChoice) -> Option<&'static str> {
        let sent = model.claude().is_some() && !self.parallel_tool_calls && !choice.forces();
        sent.then_some("{\"type\":\"auto\",\"disable_parallel_tool_use\":true}")
    }

    /// What of the client's fields is not sent to this model, once it is decided how it thinks. `single_call`: as many calls as the
    /// client wants, since there are no tools or since it is said.
    pub(super) fn dropped(&self, model: Model<'_>, single_call: bool) -> Vec<&'static str> {
        let (temperature, top_p) = self.sampling(model);
        let lost = |sequence: &str| sequence != "\"\"" && is_refused(sequence, model);
        let loses_a_stop = self.stop.is_some_and(|stop| stops(stop).into_iter().any(lost));
        let effort = self.effort.as_deref().is_some_and(|effort| effort != "none");
        let takes_effort = model.family == Family::OpenAi || !self.decided.leaves_effort();
        let fields = [
            ("parallel_tool_calls", !self.parallel_tool_calls && !single_call),
            ("reasoning_effort", effort && !takes_effort),
            ("thinking", self.thinking.is_some_and(asks_to_think) && !self.thinks()),
            ("temperature", self.temperature.is_some() && temperature.is_none()),
            ("top_p", self.top_p.is_some() && top_p.is_none()),
            ("stop", loses_a_stop),
        ];
        let lost = fields.into_iter().filter(|(_, lost)| *lost);
        lost.map(|(field, _)| field).collect()
    }

    /// `temperature` and `top_p` as far as the model takes them. While it thinks, Claude takes neither; the newest never do, and some
    /// take one of the two.
    fn sampling(&self, model: Model<'_>) -> (Option<&'a str>, Option<&'a str>) {
        let claude = model.claude();
        let sampling = claude.is_none_or(|claude| claude.sampling() && !self.decided.is_ours());
        let both = claude.is_none_or(witgate_anthropic::Claude::temperature_with_top_p) || self.temperature.is_none();
        (
            self.temperature.filter(|_| sampling),
            self.top_p.filter(|_| sampling && both),
        )
    }

    /// Writes what is left of the body.
    pub(super) fn push(&self, out: &mut String, model: Model<'_>, single_call: Option<&str>, betas: &str) {
        self.push_inference(out, model);
        self.push_additional(out, model, single_call, betas);
        if let Some(tier) = self.service_tier {
            push_field(out, "serviceTier", tier);
        }
        for (key, value) in &self.own {
            push_field(out, key, value);
        }
    }

    fn push_inference(&self, out: &mut String, model: Model<'_>) {
        let mut config = String::from("{");
        let max_tokens = self.decided.max_tokens().or(self.max_tokens);
        if let Some(max_tokens) = max_tokens {
            push_number(&mut config, "maxTokens", max_tokens);
        }
        let (temperature, top_p) = self.sampling(model);
        for (key, value) in [("temperature", temperature), ("topP", top_p)] {
            if let Some(value) = value {
                push_field(&mut config, key, value);
            }
        }
        if let Some(stop) = self.stop {
            push_stop(&mut config, stop, model);
        }
        merge(&mut config, self.inference);
        config.push('}');
        if config != "{}" {
            push_field(out, "inferenceConfig", &config);
        }
    }

    /// What the model takes and Converse has no field for.
    fn push_additional(&self, out: &mut String, model: Model<'_>, single_call: Option<&str>, betas: &str) {
        let mut fields = ["{", betas].concat();
        self.decided.push(&mut fields);
        if let (Some(effort), Family::OpenAi) = (&self.effort, model.family) {
            push_field(&mut fields, "reasoning_effort", &super::quoted(effort));
        }
        if let Some(choice) = single_call {
            push_field(&mut fields, "tool_choice", choice);
        }
        for (key, value) in &self.further {
            match (*key, model.family) {
                ("top_k", Family::Nova) => {
                    push_field(&mut fields, "inferenceConfig", &["{\"topK\":", value, "}"].concat());
                }
                _ => push_field(&mut fields, key, value),
            }
        }
        merge(&mut fields, self.additional);
        fields.push('}');
        if fields != "{}" {
            push_field(out, "additionalModelRequestFields", &fields);
        }
    }
}

/// Adds the entries of the client's own object. Of a key that comes twice the last counts, so the client's go before ours.
fn merge(out: &mut String, own: Option<&str>) {
    let own = own.and_then(Object::parse).unwrap_or_default();
    for (key, value) in &own.0 {
        push_field(out, key, value.get());
    }
}

/// What a client may ask of OpenAI only.
fn refused(key: &str) -> Failure {
    match key {
        "audio" => unsupported("Bedrock's models do not speak here.".to_owned(), key.to_owned()),
        _ => old_form(key),
    }
}

fn service_tier(value: &str) -> Option<&'static str> {
    match value {
        "\"priority\"" => Some("{\"type\":\"priority\"}"),
        "\"default\"" => Some("{\"type\":\"default\"}"),
        "\"flex\"" => Some("{\"type\":\"flex\"}"),
        _ => None,
    }
}

/// True if this model refuses a stop sequence: Claude takes none that is only white space.
fn is_refused(sequence: &str, model: Model<'_>) -> bool {
    model.claude().is_some() && string(sequence).is_some_and(|text| text.trim().is_empty())
}

/// One stop sequence or a list.
fn push_stop(out: &mut String, stop: &str, model: Model<'_>) {
    let mut sequences = String::new();
    for sequence in stops(stop) {
        if string(sequence).is_some_and(|text| !text.is_empty()) && !is_refused(sequence, model) {
            push_comma(&mut sequences);
            sequences.push_str(sequence);
        }
    }
    push_list(out, "stopSequences", &sequences);
}
