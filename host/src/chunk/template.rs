//! The chunks of a stream are alike but for a few strings. A chunk that differs from the last one only inside those needs no second
//! reading: what was found then holds now.

use std::ops::Range;

use super::Verdict;
use crate::scan::Scan;

/// The last chunk, and where the strings stand that may differ.
#[derive(Debug, Default)]
pub(super) struct Template {
    text: String,
    /// In order; without their quotation marks.
    holes: Vec<Range<usize>>,
    verdict: Option<Verdict>,
}

impl Template {
    /// Keeps a chunk that is to be treated so, as will be all that are like it.
    pub(super) fn learn(&mut self, text: &str, holes: &[Range<usize>], verdict: Verdict) {
        self.text.clear();
        self.text.push_str(text);
        self.holes.clear();
        self.holes.extend_from_slice(holes);
        self.verdict = Some(verdict);
    }

    /// Forgets it.
    pub(super) fn forget(&mut self) {
        self.verdict = None;
    }

    /// What is to be done with a chunk that is like the last one.
    pub(super) fn verdict(&self, chunk: &str) -> Option<Verdict> {
        let verdict = self.verdict?;
        let mut rest = chunk.as_bytes();
        let mut from = 0;
        for hole in &self.holes {
            rest = rest.strip_prefix(self.text.as_bytes().get(from..hole.start)?)?;
            rest = rest.get(Scan::string_length(rest)?..)?;
            from = hole.end;
        }
        (rest == self.text.as_bytes().get(from..)?).then_some(verdict)
    }
}
