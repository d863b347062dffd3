//! Usage: what Anthropic counted, added up from a stream's events, in OpenAI's terms.
//!
//! Anthropic's `input_tokens` leave out what was read from and written to the cache; OpenAI's `prompt_tokens` hold all of it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{push_field, push_number};

/// `usage` of a message, of `message_start` or of `message_delta`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Counts<'a> {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
    #[serde(borrow)]
    iterations: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_creation: Option<&'a RawValue>,
    #[serde(borrow)]
    server_tool_use: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

/// One sampling pass of a request that took several. The counts beside the list are the sum of the model's own passes but for a
/// compaction; another model's passes (an advisor's) are in the list alone.
#[derive(Debug, Deserialize)]
struct Iteration {
    #[serde(default)]
    r#type: String,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

/// All that is known so far. The counts of a stream are cumulative: the last value wins.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    seen: bool,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_written: u64,
    thinking: Option<u64>,
    compaction_prompt: u64,
    compaction_output: u64,
    /// what is handed on as it is: key and JSON text
    further: Vec<(&'static str, String)>,
}

impl Usage {
    /// Takes in newer counts.
    pub(crate) fn update(&mut self, counts: &Counts<'_>) {
        self.seen |= counts.input_tokens.is_some() || counts.output_tokens.is_some();
        let newer = |old: &mut u64, new: Option<u64>| *old = new.unwrap_or(*old);
        newer(&mut self.input, counts.input_tokens);
        newer(&mut self.output, counts.output_tokens);
        newer(&mut self.cache_read, counts.cache_read_input_tokens);
        newer(&mut self.cache_written, counts.cache_creation_input_tokens);
        let thinking = counts.output_tokens_details.and_then(|details| details.thinking_tokens);
        self.thinking = thinking.or(self.thinking);
        if let Some(iterations) = counts.iterations {
            self.count_compactions(iterations);
        }
        self.keep("cache_creation", counts.cache_creation);
        self.keep("server_tool_use", counts.server_tool_use);
        self.keep("service_tier", counts.service_tier);
    }

    fn count_compactions(&mut self, list: &RawValue) {
        let iterations: Vec<Iteration> = serde_json::from_str(list.get()).unwrap_or_default();
        if iterations.len() > 1 {
            self.keep("iterations", Some(list));
        }
        let compactions = || iterations.iter().filter(|pass| pass.r#type == "compaction");
        let prompt = |pass: &Iteration| {
            let parts = [
                pass.input_tokens,
                pass.cache_read_input_tokens,
                pass.cache_creation_input_tokens,
            ];
            parts.into_iter().flatten().fold(0, u64::saturating_add)
        };
        self.compaction_prompt = compactions().map(prompt).fold(0, u64::saturating_add);
        self.compaction_output = compactions()
            .filter_map(|pass| pass.output_tokens)
            .fold(0, u64::saturating_add);
    }

    fn keep(&mut self, key: &'static str, value: Option<&RawValue>) {
        let Some(value) = value.map(RawValue::get) else {
            return;
        };
        match self.further.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => value.clone_into(old),
            None => self.further.push((key, value.to_owned())),
        }
    }

    /// OpenAI's `usage` object as JSON text; `None` if the provider counted nothing.
    pub(crate) fn to_json(&self) -> Option<String> {
        if !self.seen {
            return None;
        }
        let parts = [self.input, self.cache_read, self.cache_written, self.compaction_prompt];
        let prompt = parts.into_iter().fold(0, u64::saturating_add);
        let completion = self.output.saturating_add(self.compaction_output);
        let mut out = String::with_capacity(256);
        out.push('{');
        push_number(&mut out, "prompt_tokens", prompt);
        push_number(&mut out, "completion_tokens", completion);
        push_number(&mut out, "total_tokens", prompt.saturating_add(completion));
        let mut details = String::from("{");
        push_number(&mut details, "cached_tokens", self.cache_read);
        push_number(&mut details, "cache_creation_tokens", self.cache_written);
        details.push('}');
        push_field(&mut out, "prompt_tokens_details", &details);
        if let Some(thinking) = self.thinking {
            push_field(
                &mut out,
                "completion_tokens_details",
                &format!("{{\"reasoning_tokens\":{thinking}}}"),
            );
        }
        for (key, value) in &self.further {
            push_field(&mut out, key, value);
        }
        out.push('}');
        Some(out)
    }
}
