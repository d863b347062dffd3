//! Where an event's item stands in the answer, for servers that leave the places out: of each kind they tell of one item after another.

/// What an item is, as far as the events about it differ.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Message,
    Thoughts,
    Call,
    Other,
}

/// Counts the items of a stream whose events do not say which they are about.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// items so far
    items: u64,
    /// of each kind, the place of the item that is not whole
    open: [Option<u64>; 4],
}

impl Kind {
    /// Of an item's type.
    pub(crate) fn of(item: &str) -> Self {
        match item {
            "message" => Self::Message,
            "reasoning" => Self::Thoughts,
            "function_call" | "custom_tool_call" => Self::Call,
            _ => Self::Other,
        }
    }
}

impl Places {
    /// The place of an item that begins.
    pub(crate) fn begin(&mut self, kind: Kind) -> u64 {
        let place = self.items;
        self.items += 1;
        self.open[kind as usize] = Some(place);
        place
    }

    /// The place of an item that there is more of.
    pub(crate) fn go_on(&mut self, kind: Kind) -> u64 {
        self.open[kind as usize].unwrap_or_else(|| self.begin(kind))
    }

    /// The place of an item that is whole now.
    pub(crate) fn end(&mut self, kind: Kind) -> u64 {
        let place = self.go_on(kind);
        self.open[kind as usize] = None;
        place
    }
}
