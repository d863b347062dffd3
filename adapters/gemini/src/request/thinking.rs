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

/// `thinkingConfig` for Anthropic's `thinking`, which some clients send to any provider.
pub(super) fn of_thinking(thinking: &str, model: Model) -> Option<String> {
    let thinking = Object::parse(thinking)?;
    if thinking.text("type").as_deref() == Some("disabled") {
        return of_effort("none", model);
    }
    if !model.thinks() {
        return None;
    }
    // -1: as much as the model likes.
    Some(config(
        "thinkingBudget",
        thinking.get("budget_tokens").unwrap_or("-1"),
        true,
    ))
}

fn config(key: &str, value: &str, shown: bool) -> String {
    let shown = if shown { ",\"includeThoughts\":true" } else { "" };
    ["{\"", key, "\":", value, shown, "}"].concat()
}
