//! What a model takes, read from its name: the API does not tell until a request has failed.

use crate::json::Object;

/// The API takes no smaller budget for thinking.
pub const LEAST_BUDGET: u64 = 1024;

/// What a Claude model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    generation: Option<(u8, u8)>,
    opus: bool,
}

impl Model {
    /// Reads a model id: "claude-opus-4-1-20250805", "claude-3-5-haiku-latest", "anthropic.claude-sonnet-4-6@20260101", …
    #[must_use]
    pub fn named(id: &str) -> Self {
        let name = id.find("claude").map_or("", |at| &id[at..]);
        // A date is longer than two digits, so it is no part of the generation.
        let mut numbers = name
            .split(['-', '.', '@', ':'])
            .skip(1)
            .map(|word| word.parse::<u8>().ok().filter(|_| word.len() <= 2))
            .skip_while(Option::is_none)
            .map_while(|number| number);
        let major = numbers.next();
        Self {
            generation: major.map(|major| (major, numbers.next().unwrap_or(0))),
            opus: name.contains("opus"),
        }
    }

    fn since(self, generation: (u8, u8)) -> bool {
        self.generation.is_some_and(|own| own >= generation)
    }

    /// `max_tokens` for a client that names none. The API demands one. Up to 4.1 a prompt and `max_tokens` that do not fit the
    /// context window together are an error, so the default stays well below what those models could write.
    #[must_use]
    pub fn default_max_tokens(self) -> u64 {
        match self.generation {
            Some(generation) if generation >= (4, 5) => 32_000,
            Some(generation) if generation >= (3, 7) => 16_000,
            Some(generation) if generation < (3, 5) => 4_096,
            Some(_) | None => 8_192,
        }
    }

    /// Takes `output_config.format` and strict tools.
    #[must_use]
    pub fn structured_output(self) -> bool {
        self.since((4, 5)) || (self.opus && self.since((4, 1)))
    }

    /// Can think before it answers.
    #[must_use]
    pub fn thinks(self) -> bool {
        self.since((3, 7))
    }

    /// Decides itself how long to think, led by `output_config.effort`.
    #[must_use]
    pub fn adaptive_thinking(self) -> bool {
        self.since((4, 6))
    }

    /// The word for this `reasoning_effort` of a client's, for a model that decides itself how long to think.
    #[must_use]
    pub fn effort(self, effort: &str) -> &'static str {
        match effort {
            "minimal" | "low" => "low",
            "medium" => "medium",
            "xhigh" if self.since((4, 7)) => "xhigh",
            "max" => "max",
            _ => "high",
        }
    }

    /// The word for this effort beside the client's own `thinking`: as long as the model decides itself how long to think, or the
    /// client says that it can.
    #[must_use]
    pub fn effort_beside(self, thinking: &str, effort: &str) -> Option<&'static str> {
        let thinking = Object::parse(thinking).unwrap_or_default();
        let adaptive = self.adaptive_thinking() || thinking.text("type").as_deref() == Some("adaptive");
        (adaptive && effort != "none").then(|| self.effort(effort))
    }

    /// The tokens for this `reasoning_effort` of a client's, for a model that is given a budget.
    #[must_use]
    pub fn thinking_budget(self, effort: &str) -> u64 {
        match effort {
            "minimal" => LEAST_BUDGET,
            "low" => 2_048,
            "medium" => 8_192,
            _ => 16_384,
        }
    }

    /// Takes `temperature`, `top_p` and `top_k`.
    #[must_use]
    pub fn sampling(self) -> bool {
        !self.since((4, 7))
    }

    /// Takes `temperature` and `top_p` in one request.
    #[must_use]
    pub fn temperature_with_top_p(self) -> bool {
        !self.since((4, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Model;

    #[test]
    fn the_generation_is_read_from_every_way_to_name_a_model() {
        let cases = [
            ("claude-3-5-sonnet-20241022", Some((3, 5))),
            ("claude-3-haiku-20240307", Some((3, 0))),
            ("claude-sonnet-4-20250514", Some((4, 0))),
            ("claude-opus-4-1", Some((4, 1))),
            ("claude-opus-4.5", Some((4, 5))),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", Some((4, 5))),
            ("claude-sonnet-4-6@20260101", Some((4, 6))),
            ("claude-fable-5", Some((5, 0))),
            ("claude-instant", None),
            ("some-model-7", None),
        ];
        for (id, generation) in cases {
            assert_eq!(Model::named(id).generation, generation, "{id}");
        }
    }
}
