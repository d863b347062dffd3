//! Log-probabilities: Gemini's two lists, of the tokens that were chosen and of those that might have been, in OpenAI's one.

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Result {
    top_candidates: Vec<Top>,
    chosen_candidates: Vec<Token>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Top {
    candidates: Vec<Token>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Token {
    token: String,
    log_probability: f64,
}

/// `logprobs` of a choice as JSON text, from `logprobsResult`.
pub(crate) fn logprobs(result: &str) -> Option<String> {
    let result: Result = serde_json::from_str(result).ok()?;
    let tops = result.top_candidates.iter().map(Some).chain(std::iter::repeat(None));
    let content: Vec<Value> = result
        .chosen_candidates
        .iter()
        .zip(tops)
        .map(|(chosen, top)| {
            let mut entry = chosen.entry();
            let top = top.into_iter().flat_map(|top| &top.candidates);
            entry["top_logprobs"] = top.map(Token::entry).collect();
            entry
        })
        .collect();
    (!content.is_empty()).then(|| json!({"content": content, "refusal": null}).to_string())
}

impl Token {
    fn entry(&self) -> Value {
        json!({"token": self.token, "logprob": self.log_probability, "bytes": self.token.as_bytes()})
    }
}
