//! What a response used, in the terms of Chat Completions.

use serde::Deserialize;

use crate::json::{push_field, push_number};

/// `usage` of a response.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    input_tokens_details: Option<Input>,
    output_tokens_details: Option<Output>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Input {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Output {
    reasoning_tokens: Option<u64>,
}

/// `tool_usage` of a response: what the provider's own tools did.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct ToolUsage {
    web_search: Option<Searches>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Searches {
    num_requests: Option<u64>,
}

/// OpenAI's `usage` as JSON text; `None` if the provider counted nothing. Where its sum says that reasoning is left out of the output,
/// it is put there.
pub(crate) fn to_json(counts: Counts, tools: Option<ToolUsage>) -> Option<String> {
    counts.input_tokens.or(counts.output_tokens)?;
    let prompt = counts.input_tokens.unwrap_or(0);
    let input = counts.input_tokens_details.unwrap_or_default();
    let reasoning = counts
        .output_tokens_details
        .and_then(|details| details.reasoning_tokens);
    let output = counts.output_tokens.unwrap_or(0);
    let beside = output.saturating_add(reasoning.unwrap_or(0));
    let left_out =
        reasoning.is_some_and(|tokens| tokens > 0) && counts.total_tokens == Some(prompt.saturating_add(beside));
    let completion = if left_out { beside } else { output };

    let mut out = String::from("{");
    push_number(&mut out, "prompt_tokens", prompt);
    push_number(&mut out, "completion_tokens", completion);
    push_number(&mut out, "total_tokens", prompt.saturating_add(completion));
    let mut details = String::from("{");
    push_number(&mut details, "cached_tokens", input.cached_tokens.unwrap_or(0));
    if let Some(written) = input.cache_write_tokens {
        push_number(&mut details, "cache_creation_tokens", written);
    }
    details.push('}');
    push_field(&mut out, "prompt_tokens_details", &details);
    if let Some(reasoning) = reasoning {
        let details = format!("{{\"reasoning_tokens\":{reasoning}}}");
        push_field(&mut out, "completion_tokens_details", &details);
    }
    let searches = tools.and_then(|tools| tools.web_search?.num_requests);
    if let Some(searches) = searches.filter(|number| *number > 0) {
        let searches = format!("{{\"web_search_requests\":{searches}}}");
        push_field(&mut out, "server_tool_use", &searches);
    }
    out.push('}');
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn usage(counts: &Value) -> Value {
        let counts = serde_json::from_value(counts.clone()).expect("counts");
        let text = super::to_json(counts, None);
        text.map_or(Value::Null, |text| serde_json::from_str(&text).expect("usage is JSON"))
    }

    #[test]
    fn cached_and_reasoning_tokens_are_parts_of_the_sums() {
        let counts = json!({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
            "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 5}, "total_tokens": 17});
        assert_eq!(
            usage(&counts),
            json!({"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 5}})
        );
    }

    #[test]
    fn reasoning_that_was_left_out_of_the_output_is_put_there() {
        let counts = json!({"input_tokens": 10, "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 5},
            "total_tokens": 17});
        assert_eq!(usage(&counts)["completion_tokens"], 7);
        assert_eq!(usage(&json!({})), Value::Null);
    }
}
