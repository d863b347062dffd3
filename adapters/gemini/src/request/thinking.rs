//! `reasoning_effort` as Gemini's thinking: a level for the newest models, else a budget of tokens.

use crate::json::Object;
use crate::model::Model;

/// `thinkingConfig` for an effort, if there is anything to say.
pub(super) fn of_effort(effort: &str, model: Model) -> Option<String> {
    if !model.thinks() {
        return None;
    }
    let off = effort == "none";
    if model.thinks_by_level() {
        let level = match effort {
            "none" | "minimal" if model.always_thinks() => "low",
            "none" | "minimal" => "minimal",
            "low" => "low",
            "medium" if model.medium_level() => "medium",
            _ => "high",
        };
        return Some(config("thinkingLevel", &format!("\"{level}\""), !off));
    }
    let budget = match effort {
        // The least that these take.
        "none" if model.always_thinks() => 128,
        "none" => 0,
        "minimal" | "low" => 1024,
        "medium" => 8192,
        _ => 24_576,
    };
    Some(config("thinkingBudget", &budget.to_string(), !off))
}

/// `thinkingConfig` for Anthropic's `thinking`, which some clients send to any provider. One without a budget is led by the effort, if
/// by anything.
pub(super) fn of_thinking(thinking: &str, effort: Option<&str>, model: Model) -> Option<String> {
    let thinking = Object::parse(thinking)?;
    if thinking.text("type").as_deref() == Some("disabled") {
        return of_effort("none", model);
    }
    if !model.thinks() {
        return None;
    }
    match (thinking.get("budget_tokens"), effort) {
        (Some(tokens), _) => Some(config("thinkingBudget", &within(tokens, model), true)),
        (None, Some(effort)) => of_effort(effort, model),
        // As much as the model likes.
        (None, None) => Some(config("thinkingBudget", "-1", true)),
    }
}

/// The number of tokens that comes nearest to what the client asks for: the API refuses one that the model does not take.
fn within(tokens: &str, model: Model) -> String {
    match tokens.parse::<i64>() {
        Ok(0) if !model.always_thinks() => "0".to_owned(),
        Ok(tokens) if tokens >= 0 => {
            let range = model.thinking_tokens();
            tokens.clamp(*range.start(), *range.end()).to_string()
        }
        _ => tokens.to_owned(),
    }
}

fn config(key: &str, value: &str, shown: bool) -> String {
    let shown = if shown { ",\"includeThoughts\":true" } else { "" };
    ["{\"", key, "\":", value, shown, "}"].concat()
}
