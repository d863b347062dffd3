//! Usage: what Gemini counted, in OpenAI's terms.
//!
//! `candidatesTokenCount` leaves out thoughts (but for some servers that count them in: then the total tells), and
//! `promptTokenCount` leaves out what the provider's own tools put in.

use serde::Deserialize;

use crate::json::{push_field, push_number};

/// `usageMetadata`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    total_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<Vec<Modality>>,
    #[serde(default)]
    candidates_tokens_details: Option<Vec<Modality>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Modality {
    /// a word, or a number for clients that asked for those
    modality: serde_json::Value,
    token_count: u64,
}

/// The number of the modality "AUDIO".
const AUDIO: u64 = 4;

/// All that is known so far. The counts of a stream are cumulative: the last value wins.
#[derive(Debug, Default)]
pub(crate) struct Usage(Counts);

impl Usage {
    /// Takes in newer counts.
    pub(crate) fn update(&mut self, newer: Counts) {
        let known = &mut self.0;
        let pairs = [
            (&mut known.prompt_token_count, newer.prompt_token_count),
            (&mut known.candidates_token_count, newer.candidates_token_count),
            (&mut known.thoughts_token_count, newer.thoughts_token_count),
            (&mut known.total_token_count, newer.total_token_count),
            (
                &mut known.tool_use_prompt_token_count,
                newer.tool_use_prompt_token_count,
            ),
            (&mut known.cached_content_token_count, newer.cached_content_token_count),
        ];
        for (old, new) in pairs {
            *old = new.or(*old);
        }
        let details = [
            (&mut known.prompt_tokens_details, newer.prompt_tokens_details),
            (&mut known.candidates_tokens_details, newer.candidates_tokens_details),
        ];
        for (old, new) in details {
            if new.is_some() {
                *old = new;
            }
        }
    }

    /// OpenAI's `usage` object as JSON text; `None` if the provider counted nothing.
    pub(crate) fn to_json(&self) -> Option<String> {
        let counts = &self.0;
        let any = [
            counts.prompt_token_count,
            counts.candidates_token_count,
            counts.total_token_count,
        ];
        any.iter().any(Option::is_some).then(|| self.write())
    }

    fn write(&self) -> String {
        let counts = &self.0;
        let prompt = counts.prompt_token_count.unwrap_or(0);
        let prompt = prompt.saturating_add(counts.tool_use_prompt_token_count.unwrap_or(0));
        let completion = self.completion(prompt);
        let mut out = String::with_capacity(256);
        out.push('{');
        push_number(&mut out, "prompt_tokens", prompt);
        push_number(&mut out, "completion_tokens", completion);
        push_number(&mut out, "total_tokens", prompt.saturating_add(completion));
        let cached = ("cached_tokens", Some(counts.cached_content_token_count.unwrap_or(0)));
        let audio = ("audio_tokens", audio(counts.prompt_tokens_details.as_ref()));
        push_details(&mut out, "prompt_tokens_details", [cached, audio]);
        let reasoning = ("reasoning_tokens", counts.thoughts_token_count);
        let audio = ("audio_tokens", self::audio(counts.candidates_tokens_details.as_ref()));
        push_details(&mut out, "completion_tokens_details", [reasoning, audio]);
        out.push('}');
        out
    }

    fn completion(&self, prompt: u64) -> u64 {
        let answer = self.0.candidates_token_count.unwrap_or(0);
        let thoughts = self.0.thoughts_token_count.unwrap_or(0);
        let counted_in = self.0.total_token_count == Some(prompt.saturating_add(answer));
        if counted_in {
            answer
        } else {
            answer.saturating_add(thoughts)
        }
    }
}

fn push_details(out: &mut String, key: &str, counts: [(&str, Option<u64>); 2]) {
    let mut details = String::from("{");
    for (name, count) in counts {
        if let Some(count) = count {
            push_number(&mut details, name, count);
        }
    }
    details.push('}');
    if details != "{}" {
        push_field(out, key, &details);
    }
}

fn audio(details: Option<&Vec<Modality>>) -> Option<u64> {
    let audio = details?
        .iter()
        .find(|detail| detail.modality == "AUDIO" || detail.modality == AUDIO)?;
    Some(audio.token_count)
}

#[cfg(test)]
mod tests {
    use super::{Counts, Usage};
    use serde_json::{Value, json};

    fn usage(counts: &[Value]) -> Value {
        let mut usage = Usage::default();
        for counts in counts {
            let counts: Counts = serde_json::from_value(counts.clone()).expect("counts");
            usage.update(counts);
        }
        usage
            .to_json()
            .map_or(Value::Null, |text| serde_json::from_str(&text).expect("usage is JSON"))
    }

    #[test]
    fn thoughts_are_part_of_the_completion_and_the_tools_prompts_of_the_prompt() {
        let counts = json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "toolUsePromptTokenCount": 3,
            "cachedContentTokenCount": 4, "totalTokenCount": 25});
        assert_eq!(
            usage(&[counts]),
            json!({"prompt_tokens": 13, "completion_tokens": 12, "total_tokens": 25, "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 7}})
        );
    }

    #[test]
    fn thoughts_that_were_counted_in_are_not_counted_twice() {
        let counts =
            json!({"promptTokenCount": 10, "candidatesTokenCount": 12, "thoughtsTokenCount": 7, "totalTokenCount": 22});
        assert_eq!(usage(&[counts])["completion_tokens"], 12);
    }

    #[test]
    fn the_last_count_of_each_kind_holds() {
        let newer =
            json!({"candidatesTokenCount": 9, "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}, {}]});
        let used = usage(&[json!({"promptTokenCount": 10, "candidatesTokenCount": 1}), newer]);
        assert_eq!(
            (&used["prompt_tokens"], &used["completion_tokens"]),
            (&json!(10), &json!(9))
        );
        assert_eq!(used["completion_tokens_details"]["audio_tokens"], 2);
        assert_eq!(usage(&[json!({"trafficType": "ON_DEMAND"})]), Value::Null);
    }
}
