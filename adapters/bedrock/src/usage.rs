//! Usage: what Bedrock counted, in OpenAI's terms. `inputTokens` leave out what was read from and written to the cache, but for models
//! that count it in: then the total tells.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{push_field, push_number};

/// `usage` of an answer, or of a stream's `metadata`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts<'a> {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    /// their names in Nova's own form; some answers have both
    cache_read_input_token_count: Option<u64>,
    cache_write_input_token_count: Option<u64>,
    #[serde(borrow)]
    cache_details: Option<&'a RawValue>,
    #[serde(borrow)]
    server_tool_usage: Option<&'a RawValue>,
}

impl<'a> Counts<'a> {
    /// OpenAI's `usage` object as JSON text; `None` if nothing was counted.
    pub(crate) fn to_json(&self) -> Option<String> {
        if self.input_tokens.is_none() && self.output_tokens.is_none() {
            return None;
        }
        let (read, written) = (
            self.cache_read_input_tokens
                .or(self.cache_read_input_token_count)
                .unwrap_or(0),
            self.cache_write_input_tokens
                .or(self.cache_write_input_token_count)
                .unwrap_or(0),
        );
        let (input, output) = (self.input_tokens.unwrap_or(0), self.output_tokens.unwrap_or(0));
        let counted_in = self.total_tokens == Some(input.saturating_add(output));
        let beside = if counted_in { 0 } else { read.saturating_add(written) };
        let prompt = input.saturating_add(beside);
        let mut out = String::with_capacity(192);
        out.push('{');
        push_number(&mut out, "prompt_tokens", prompt);
        push_number(&mut out, "completion_tokens", output);
        push_number(&mut out, "total_tokens", prompt.saturating_add(output));
        let mut details = String::from("{");
        push_number(&mut details, "cached_tokens", read);
        push_number(&mut details, "cache_creation_tokens", written);
        details.push('}');
        push_field(&mut out, "prompt_tokens_details", &details);
        let further: [(&str, Option<&'a RawValue>); 2] = [
            ("cache_details", self.cache_details),
            ("server_tool_usage", self.server_tool_usage),
        ];
        for (key, value) in further {
            if let Some(value) = value.map(RawValue::get).filter(|text| !matches!(*text, "{}" | "[]")) {
                push_field(&mut out, key, value);
            }
        }
        out.push('}');
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;
    use serde_json::{Value, json};

    fn prompt(counts: &Value) -> Value {
        let text = counts.to_string();
        let counts: Counts<'_> = serde_json::from_str(&text).expect("counts");
        let usage: Value = serde_json::from_str(&counts.to_json().expect("counted")).expect("usage is JSON");
        usage["prompt_tokens"].clone()
    }

    #[test]
    fn what_the_cache_saved_is_part_of_the_prompt_once() {
        let cached = json!({"inputTokens": 10, "outputTokens": 5, "totalTokens": 45, "cacheReadInputTokens": 20,
            "cacheWriteInputTokens": 10});
        assert_eq!(prompt(&cached), 40);
        let counted_in = json!({"inputTokens": 30, "outputTokens": 5, "totalTokens": 35, "cacheReadInputTokens": 20});
        assert_eq!(prompt(&counted_in), 30);
        assert_eq!(prompt(&json!({"inputTokens": 7, "outputTokens": 0})), 7);
    }
}
