//! What is measured: a kind of answer, a way to the provider, a number of connections.

use crate::request::Size;
use serde::Serialize;
use std::fmt;

/// One row of measurements.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Scenario {
    /// whole or streamed
    pub(crate) kind: Kind,
    /// through the provider's own format, not passed on
    pub(crate) translated: bool,
    /// how many clients ask at a time
    pub(crate) connections: usize,
}

/// The kind of answer.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Kind {
    /// a kilobyte of JSON
    Chat,
    /// 100 pieces of text, as fast as they can be written
    Stream,
    /// 100 pieces of text, 10 ms apart
    Paced,
    /// a kilobyte of JSON for a request of 200 KB
    History,
    /// a kilobyte of JSON for a request of a megabyte
    Megabyte,
    /// a stream of 1,000 calls of tools
    Tools,
}

const KINDS: [(&str, Kind); 6] = [
    ("chat", Kind::Chat),
    ("stream", Kind::Stream),
    ("paced", Kind::Paced),
    ("history", Kind::History),
    ("megabyte", Kind::Megabyte),
    ("tools", Kind::Tools),
];

impl Kind {
    /// The time between two events, in microseconds.
    pub(crate) fn pace_us(self) -> u32 {
        if self == Kind::Paced { 10_000 } else { 0 }
    }

    /// Whether the answer is a stream of events.
    pub(crate) fn streams(self) -> bool {
        matches!(self, Kind::Stream | Kind::Paced | Kind::Tools)
    }

    /// How much is asked.
    pub(crate) fn size(self) -> Size {
        match self {
            Kind::History => Size::History,
            Kind::Megabyte => Size::Megabyte,
            Kind::Chat | Kind::Stream | Kind::Paced | Kind::Tools => Size::Small,
        }
    }
}

impl Scenario {
    /// `chat:64,translated-stream:16`
    pub(crate) fn list(text: &str) -> Result<Vec<Self>, String> {
        text.split(',')
            .map(|word| Self::parse(word).ok_or_else(|| format!("`{word}` is no scenario")))
            .collect()
    }

    fn parse(word: &str) -> Option<Self> {
        let (name, connections) = word.split_once(':')?;
        let kind = name.strip_prefix("translated-");
        let translated = kind.is_some();
        let kind = kind.unwrap_or(name);
        let (_, kind) = *KINDS.iter().find(|(name, _)| *name == kind)?;
        let connections = connections.parse().ok().filter(|number| (1..=1024).contains(number))?;
        Some(Self {
            kind,
            translated,
            connections,
        })
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.translated { "translated-" } else { "" };
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind);
        write!(out, "{way}{}:{}", kind.map_or("", |(name, _)| name), self.connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_written_as_it_is_read() {
        let list = "chat:1,translated-paced:32,megabyte:4";
        let read = Scenario::list(list).expect("they are scenarios");
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>().join(","), list);
        assert!(Scenario::list("chat:0").is_err() && Scenario::list("chats:1").is_err());
    }
}
