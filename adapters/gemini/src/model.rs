//! What a model takes, read from its name: the API does not tell until a request has failed.

use std::ops::RangeInclusive;

/// A Gemini model, as far as its name says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    generation: Option<(u8, u8)>,
    pro: bool,
    lite: bool,
    gemini: bool,
}

impl Model {
    /// Reads a model id: "gemini-2.5-flash", "gemini-3-pro-preview", "models/gemini-flash-latest", …
    pub(crate) fn named(id: &str) -> Self {
        let name = id.find("gemini").map(|at| &id[at..]);
        let words = || name.unwrap_or_default().split(['-', '@']);
        let generation = words().find_map(|word| {
            let (major, minor) = word.split_once('.').unwrap_or((word, "0"));
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        Self {
            generation: generation.filter(|(major, _)| *major < 100),
            pro: words().any(|word| word == "pro"),
            lite: words().any(|word| word == "lite"),
            gemini: name.is_some(),
        }
    }

    /// True if it is of this generation or a later one. A name without a number ("gemini-flash-latest") is that of a late one.
    fn since(self, generation: (u8, u8)) -> bool {
        self.gemini && self.generation.is_none_or(|own| own >= generation)
    }

    /// Can think before it answers.
    pub(crate) fn thinks(self) -> bool {
        self.since((2, 5))
    }

    /// Is told how much to think by a level. Others are told a number of tokens, and so is one whose generation is not known: all
    /// take that.
    pub(crate) fn thinks_by_level(self) -> bool {
        self.generation.is_some() && self.since((3, 0))
    }

    /// Cannot be told not to think.
    pub(crate) fn always_thinks(self) -> bool {
        self.pro
    }

    /// How many tokens it may be told to think, if it is to think at all.
    pub(crate) fn thinking_tokens(self) -> RangeInclusive<i64> {
        match (self.pro, self.lite) {
            (true, _) => 128..=32_768,
            (_, true) => 512..=24_576,
            _ => 1..=24_576,
        }
    }

    /// Knows the level "medium".
    pub(crate) fn medium_level(self) -> bool {
        !self.pro || self.since((3, 1))
    }

    /// Refuses a call that comes back without the signature of the thought before it.
    pub(crate) fn demands_signatures(self) -> bool {
        self.thinks_by_level()
    }

    /// Takes functions and a response format in one request.
    pub(crate) fn functions_with_format(self) -> bool {
        self.since((3, 0))
    }

    /// Takes images inside a function's result.
    pub(crate) fn images_in_results(self) -> bool {
        self.since((3, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::Model;

    #[test]
    fn the_generation_is_read_from_every_way_to_name_a_model() {
        let cases = [
            ("gemini-1.5-flash-8b", Some((1, 5))),
            ("models/gemini-2.5-pro", Some((2, 5))),
            ("gemini-2.0-flash-001", Some((2, 0))),
            ("gemini-3-pro-preview", Some((3, 0))),
            ("google/gemini-3.1-flash-lite", Some((3, 1))),
            ("publishers/google/models/gemini-2.5-flash@001", Some((2, 5))),
            ("gemini-flash-latest", None),
            ("gemma-3-27b-it", None),
        ];
        for (id, generation) in cases {
            assert_eq!(Model::named(id).generation, generation, "{id}");
        }
        assert!(Model::named("gemini-flash-latest").thinks() && !Model::named("gemma-3-27b-it").thinks());
    }
}
