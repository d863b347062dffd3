//! `reasoning_effort`, for the models that think: Claude, led by an effort where the model decides itself and else by a budget of tokens,
//! and Amazon's Nova.

use witgate_anthropic::LEAST_BUDGET;

use crate::json::push_field;
use crate::model::Model;

/// What stays for the answer where the client names no limit.
const FOR_THE_ANSWER: u64 = 4096;

/// How the model is to think.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Thinking {
    /// as the model does by itself
    #[default]
    Unsaid,
    /// Claude: as much as it likes, led by this effort
    Adaptive(&'static str),
    /// Claude: up to so many tokens, and all of the answer up to the other number, if the client named none
    Budget(u64, Option<u64>),
    /// Nova
    Effort(&'static str),
}

impl Thinking {
    /// What `effort` means for this model. `bound`: it must call a tool, or go on from calls whose thoughts the client did not bring
    /// back; so it cannot think first.
    pub(super) fn of(effort: &str, model: Model<'_>, max_tokens: Option<u64>, bound: bool) -> Self {
        if effort == "none" || bound {
            return Self::Unsaid;
        }
        if model.is_thinking_nova() {
            return Self::Effort(match effort {
                "minimal" | "low" => "low",
                "medium" => "medium",
                _ => "high",
            });
        }
        let Some(claude) = model.claude().filter(|claude| claude.thinks()) else {
            return Self::Unsaid;
        };
        if claude.adaptive_thinking() {
            return Self::Adaptive(claude.effort(effort));
        }
        let wanted = claude.thinking_budget(effort);
        let Some(limit) = max_tokens else {
            return Self::Budget(wanted, Some(wanted + FOR_THE_ANSWER));
        };
        // The budget is a part of what is allowed: a quarter stays for the answer.
        let budget = wanted.min(limit - limit / 4);
        if budget < LEAST_BUDGET {
            return Self::Unsaid;
        }
        Self::Budget(budget, None)
    }

    /// Thinking was asked for.
    pub(super) fn is_on(&self) -> bool {
        *self != Self::Unsaid
    }

    /// The limit of the answer that comes with a budget.
    pub(super) fn max_tokens(&self) -> Option<u64> {
        match self {
            Self::Budget(_, limit) => *limit,
            _ => None,
        }
    }

    /// Adds the model's own fields.
    pub(super) fn push(&self, fields: &mut String) {
        match self {
            Self::Unsaid => {}
            Self::Adaptive(effort) => {
                // Newer models leave the text of their thoughts out unless it is asked for.
                push_field(fields, "thinking", r#"{"type":"adaptive","display":"summarized"}"#);
                push_field(fields, "output_config", &format!("{{\"effort\":\"{effort}\"}}"));
            }
            Self::Budget(tokens, _) => {
                let thinking = format!("{{\"type\":\"enabled\",\"budget_tokens\":{tokens}}}");
                push_field(fields, "thinking", &thinking);
            }
            Self::Effort(effort) => {
                let config = format!("{{\"type\":\"enabled\",\"maxReasoningEffort\":\"{effort}\"}}");
                push_field(fields, "reasoningConfig", &config);
            }
        }
    }
}
