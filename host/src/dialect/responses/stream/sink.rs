//! Where the events of a stream go: numbered and framed.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

use bytes::BytesMut;

/// The events of one stream.
#[derive(Debug)]
pub(super) struct Sink {
    next: u64,
    /// What is ready for the client.
    pub(super) ready: BytesMut,
    /// Nobody listens: only the whole answer is wanted.
    silent: bool,
}

impl Sink {
    /// `silent`: no event is written.
    pub(super) fn new(silent: bool) -> Self {
        Self {
            next: 0,
            ready: BytesMut::new(),
            silent,
        }
    }

    /// Writes an event. `fields` are its further fields, without braces.
    pub(super) fn event(&mut self, kind: &str, fields: fmt::Arguments<'_>) {
        use fmt::Write as _;
        if self.silent {
            return;
        }
        let number = self.next;
        self.next += 1;
        let written = write!(
            self.ready,
            "event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number},{fields}}}\n\n"
        );
        written.expect("a buffer that grows takes all");
    }
}

/// The items of an answer: where each stands, and those that are finished.
#[derive(Debug)]
pub(super) struct Items {
    /// What the items' ids have in common.
    base: String,
    finished: Vec<String>,
}

impl Items {
    /// None yet.
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self {
            base: format!("{:016x}{:016x}", random.hash_one(0_u8), random.hash_one(1_u8)),
            finished: Vec::new(),
        }
    }

    /// A place for a new item, whose id begins with `prefix`.
    pub(super) fn open(&mut self, prefix: &str) -> Place {
        let index = self.finished.len();
        self.finished.push(String::new());
        Place {
            index,
            id: format!("{prefix}_{}{index:04x}", self.base),
        }
    }

    /// Writes that an item has begun. `item` is its JSON.
    pub(super) fn added(place: &Place, item: &str, sink: &mut Sink) {
        let index = place.index;
        sink.event(
            "response.output_item.added",
            format_args!("\"output_index\":{index},\"item\":{item}"),
        );
    }

    /// Writes that an item is finished, and keeps it.
    pub(super) fn done(&mut self, place: &Place, item: String, sink: &mut Sink) {
        let index = place.index;
        sink.event(
            "response.output_item.done",
            format_args!("\"output_index\":{index},\"item\":{item}"),
        );
        if let Some(slot) = self.finished.get_mut(index) {
            *slot = item;
        }
    }

    /// All of them, with commas between them.
    pub(super) fn joined(&self) -> String {
        let mut out = String::new();
        for item in self.finished.iter().filter(|item| !item.is_empty()) {
            if !out.is_empty() {
                out.push(',');
            }
            out.push_str(item);
        }
        out
    }
}

/// Where an item stands.
#[derive(Debug)]
pub(super) struct Place {
    /// Its number in the output.
    pub(super) index: usize,
    /// Its id: needs no escapes.
    pub(super) id: String,
}

impl Place {
    /// The fields by which an event names it.
    pub(super) fn fields(&self) -> String {
        format!("\"item_id\":\"{}\",\"output_index\":{}", self.id, self.index)
    }
}
