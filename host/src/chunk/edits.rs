//! Changes to a text, collected while it is read and made in one go. The buffers are kept from text to text.

use std::{fmt, ops::Range};

use bytes::{BufMut, BytesMut};

/// What is to change in a text.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// Which part of the text, and which part of `text` takes its place.
    changes: Vec<(Range<usize>, Range<usize>)>,
    text: String,
}

impl Edits {
    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.changes.clear();
        self.text.clear();
    }

    /// True if nothing is to change.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Where the last change ends.
    pub(super) fn end(&self) -> usize {
        self.changes.iter().map(|(span, _)| span.end).max().unwrap_or_default()
    }

    /// Puts something in the place of `span`. Spans must not overlap; of several insertions in one place the first comes first.
    pub(super) fn replace(&mut self, span: Range<usize>, with: fmt::Arguments<'_>) {
        let start = self.text.len();
        fmt::Write::write_fmt(&mut self.text, with).expect("a string takes all text");
        self.changes.push((span, start..self.text.len()));
    }

    /// Cuts out a member: `key` is where its key starts, `end` where its value ends. A comma beside it goes with it.
    pub(super) fn cut(&mut self, text: &str, key: usize, end: usize) {
        let after = text.get(end..).unwrap_or_default();
        let blank = after.len() - after.trim_ascii_start().len();
        let before = text.get(..key).unwrap_or_default().trim_ascii_end();
        let span = if after.as_bytes().get(blank) == Some(&b',') {
            key..end + blank + 1
        } else if before.ends_with(',') {
            before.len() - 1..end
        } else {
            key..end
        };
        self.changes.push((span, 0..0));
    }

    /// Writes the changed `text`.
    pub(super) fn apply(&mut self, text: &str, out: &mut BytesMut) {
        self.changes.sort_by_key(|(span, _)| span.start);
        out.reserve(text.len() + self.text.len());
        let mut at = 0;
        for (span, with) in &self.changes {
            out.put_slice(text.as_bytes().get(at..span.start).unwrap_or_default());
            out.put_slice(self.text.as_bytes().get(with.clone()).unwrap_or_default());
            at = span.end;
        }
        out.put_slice(text.as_bytes().get(at..).unwrap_or_default());
    }
}
