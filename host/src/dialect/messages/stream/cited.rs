//! What an answer cites, until a text is open to tell it in.

use std::collections::VecDeque;

use super::{
    delta::{Chunk, Delta},
    said,
};
use crate::dialect::{
    json::inside,
    messages::cite::{Told, citation},
    object::list,
    sources::{Source, Sources},
};

/// The sources of an answer, and its text, of which they name parts.
#[derive(Debug, Default)]
pub(super) struct Cited {
    sources: Sources,
    told: Told,
    waiting: VecDeque<Source>,
}

impl Cited {
    /// Takes in what a delta says, and cites.
    pub(super) fn take(&mut self, delta: &Delta<'_>) {
        if let Some(text) = said(delta.content) {
            self.told.add(inside(text));
        }
        let annotations = delta.annotations.and_then(|annotations| list(annotations.get()));
        for annotation in annotations.iter().flatten() {
            self.waiting.extend(self.sources.cite(annotation.get()));
        }
    }

    /// Takes in what a chunk has found beside its choices: that is told when the text ends.
    pub(super) fn find(&mut self, chunk: &Chunk<'_>) {
        self.sources.find(chunk.citations, chunk.search_results);
    }

    /// The text ends: what was found is to be told.
    pub(super) fn end(&mut self) {
        self.waiting.extend(self.sources.rest());
    }

    /// True if there is something to tell.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next citation to tell.
    pub(super) fn next(&mut self, provider: &str) -> Option<String> {
        let source = self.waiting.pop_front()?;
        Some(citation(&source, &mut self.told, provider))
    }
}
