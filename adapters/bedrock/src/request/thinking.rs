//! How a model is to think, for those that do: Claude, led by an effort where the model decides itself and else by a budget of
//! tokens, and Amazon's Nova. Said by the client's `thinking`, which is Anthropic's word, else by `reasoning_effort`.

use std::borrow::Cow;

use witgate_anthropic::LEAST_BUDGET;

use crate::json::{Object, push_field};
use crate::model::Model;

/// What stays for the answer where the client names no limit.
const FOR_THE_ANSWER: u64 = 4096;

/// How the model is to think.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Thinking<'a> {
    /// as the model does by itself
    #[default]
    Unsaid,
    /// Claude: in the client's own words, led by this effort
    Own(&'a str, Option<&'static str>),
    /// Claude: as much as it likes, led by this effort
    Adaptive(&'static str),
    /// Claude: up to so many tokens, and all of the answer up to the other number, if the client named none
    Budget(u64, Option<u64>),
    /// Nova
    Effort(&'static str),
}

impl<'a> Thinking<'a> {
    /// What the client's own `thinking` means for this model; `effort` is what it says beside. `bound`: as for [`Self::of`].
    pub(super) fn own(thinking: &'a str, effort: Option<&str>, model: Model<'_>, bound: bool) -> Self {
        let effort = effort.filter(|effort| *effort != "none");
        if model.is_thinking_nova() && asks_to_think(thinking) {
            let effort = effort.unwrap_or_else(|| effort_of(thinking));
            return Self::of(effort, model, None, bound);
        }
        match model.claude() {
            Some(claude) => Self::Own(
                thinking,
                effort.and_then(|effort| claude.effort_beside(thinking, effort)),
            ),
            None if model.is_unknown() => Self::Own(thinking, None),
            None => Self::Unsaid,
        }
    }

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

    /// We ask for it, and not the client in its own words.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self, Self::Unsaid | Self::Own(..))
    }

    /// It does not say how much to think.
    pub(super) fn leaves_effort(&self) -> bool {
        matches!(self, Self::Unsaid | Self::Own(_, None))
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
            Self::Own(thinking, effort) => {
                push_field(fields, "thinking", thinking);
                if let Some(effort) = effort {
                    push_effort(fields, effort);
                }
            }
            Self::Adaptive(effort) => {
                // Newer models leave the text of their thoughts out unless it is asked for.
                push_field(fields, "thinking", r#"{"type":"adaptive","display":"summarized"}"#);
                push_effort(fields, effort);
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

/// True if Anthropic's `thinking` is to be done.
pub(super) fn asks_to_think(thinking: &str) -> bool {
    let kind = Object::parse(thinking).and_then(|thinking| thinking.text("type").map(Cow::into_owned));
    kind.is_some_and(|kind| kind != "disabled")
}

/// The `reasoning_effort` for Anthropic's `thinking`, by its budget.
fn effort_of(thinking: &str) -> &'static str {
    let thinking = Object::parse(thinking).unwrap_or_default();
    match thinking
        .get("budget_tokens")
        .and_then(|tokens| tokens.parse::<u64>().ok())
    {
        Some(..4_096) => "low",
        Some(4_096..16_384) => "medium",
        Some(_) | None => "high",
    }
}

fn push_effort(fields: &mut String, effort: &str) {
    push_field(fields, "output_config", &format!("{{\"effort\":\"{effort}\"}}"));
}
