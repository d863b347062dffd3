//! What goes back to the client: [`Reply`], and the [`Usage`] that was counted on the way.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use hyper::HeaderMap;

use crate::error::Result;

/// Events ready for the wire: each item is one write and holds one or more whole server-sent events of the client's API, the end
/// mark included. An error is the last item; `api` words it for the client.
pub type Events = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// An answer on its way to the client.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers for the client: what the provider may show, no connection headers, no content-length.
    pub headers: HeaderMap,
    /// The answer.
    pub body: Body,
}

/// The answer, whole or in pieces.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// As it comes.
    Events(Events),
    /// Bytes as they come that are no events of ours: sound, or a provider's own stream. What they are is in the headers.
    Raw(Events),
}

/// What one answer used, in OpenAI's convention: `input` includes all that was read from or written to a cache, `output` includes
/// reasoning. `None` is unknown, never zero. All of it is what the provider says; nothing is guessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Prompt tokens, all of them.
    pub input: Option<u64>,
    /// Prompt tokens read from a cache.
    pub cached: Option<u64>,
    /// Prompt tokens written to a cache.
    pub cache_written: Option<u64>,
    /// Of those, the ones kept for an hour and not for minutes.
    pub cache_written_hour: Option<u64>,
    /// Prompt tokens that are sound.
    pub audio_input: Option<u64>,
    /// Prompt tokens that are pictures.
    pub image_input: Option<u64>,
    /// Completion tokens, all of them.
    pub output: Option<u64>,
    /// Completion tokens spent on reasoning.
    pub reasoning: Option<u64>,
    /// Completion tokens that are sound.
    pub audio_output: Option<u64>,
    /// Completion tokens that are pictures.
    pub image_output: Option<u64>,
    /// Searches and fetches that the provider made and charges for.
    pub requests: Option<u64>,
    /// Seconds of sound, where those are charged.
    pub seconds: Option<u64>,
}

impl Usage {
    /// What is charged, in lines of which each has its own price and none holds another: those of the prompt are together `input`,
    /// those of the completion `output`. What is unknown has no line.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let minus = |sum: Option<u64>, parts: &[Option<u64>]| {
            let parts = parts
                .iter()
                .flatten()
                .fold(0, |sum: u64, part| sum.saturating_add(*part));
            Some(sum?.saturating_sub(parts))
        };
        let lines = [
            (
                "input",
                minus(
                    self.input,
                    &[self.cached, self.cache_written, self.audio_input, self.image_input],
                ),
            ),
            ("cached", self.cached),
            ("cache_written", minus(self.cache_written, &[self.cache_written_hour])),
            ("cache_written_hour", self.cache_written_hour),
            ("audio_input", self.audio_input),
            ("image_input", self.image_input),
            (
                "output",
                minus(self.output, &[self.reasoning, self.audio_output, self.image_output]),
            ),
            ("reasoning", self.reasoning),
            ("audio_output", self.audio_output),
            ("image_output", self.image_output),
            ("requests", self.requests),
            ("seconds", self.seconds),
        ];
        lines
            .into_iter()
            .filter_map(|(line, count)| Some((line, count.filter(|count| *count > 0)?)))
    }

    /// Where the counts come from: the provider, or nowhere.
    pub fn source(&self) -> &'static str {
        if *self == Self::default() {
            "unknown"
        } else {
            "provider"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Usage;

    #[test]
    fn the_lines_of_a_prompt_and_of_a_completion_sum_up_to_them() {
        let usage = Usage {
            input: Some(100),
            cached: Some(40),
            cache_written: Some(30),
            cache_written_hour: Some(10),
            image_input: Some(5),
            output: Some(20),
            reasoning: Some(15),
            requests: Some(2),
            ..Usage::default()
        };
        let lines: Vec<_> = usage.lines().collect();
        assert_eq!(
            lines,
            [
                ("input", 25),
                ("cached", 40),
                ("cache_written", 20),
                ("cache_written_hour", 10),
                ("image_input", 5),
                ("output", 5),
                ("reasoning", 15),
                ("requests", 2)
            ]
        );
        assert_eq!(Usage::default().lines().count(), 0);
    }
}
