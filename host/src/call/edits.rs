//! What is to change in a text: all other bytes stay as they are.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;
use bytestring::ByteString;

use crate::transport::pieces::Pieces;

/// A text shorter than this, in bytes, is copied sooner than it is cut into pieces.
const COPIED: usize = 32 << 10;

/// Texts that take the place of stretches of another. The stretches do not overlap.
#[derive(Debug, Default)]
pub(crate) struct Edits<'e>(Vec<(Range<usize>, Cow<'e, str>)>);

impl<'e> Edits<'e> {
    pub(crate) fn new(mut edits: Vec<(Range<usize>, Cow<'e, str>)>) -> Self {
        edits.sort_by_key(|(stretch, _)| stretch.start);
        Self(edits)
    }

    /// The text as it is then.
    pub(crate) fn apply(&self, text: &str) -> String {
        let (added, gone) = self.0.iter().fold((0, 0), |(added, gone), (stretch, new)| {
            (added + new.len(), gone + stretch.len())
        });
        let mut out = String::with_capacity((text.len() + added).saturating_sub(gone));
        let mut done = 0;
        for (stretch, new) in &self.0 {
            out.push_str(text.get(done..stretch.start).unwrap_or_default());
            out.push_str(new);
            done = stretch.end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }

    /// The same, with what stays of a long text left where it is.
    pub(crate) fn pieces(&self, text: &ByteString) -> Pieces {
        if self.0.is_empty() {
            return text.as_bytes().clone().into();
        }
        if text.len() < COPIED {
            return self.apply(text).into();
        }
        let mut out = Pieces::default();
        let mut done = 0;
        for (stretch, new) in &self.0 {
            out.push(text.as_bytes().slice(done..stretch.start));
            out.push(Bytes::copy_from_slice(new.as_bytes()));
            done = stretch.end;
        }
        out.push(text.as_bytes().slice(done..));
        out
    }

    /// Where what stands in `span`, a stretch that stays or one with whole edits in it, stands then.
    pub(crate) fn moved(&self, span: &Range<usize>) -> Range<usize> {
        let place = |at: usize| {
            let before = self.0.iter().take_while(|(stretch, _)| stretch.end <= at);
            before.fold(at, |at, (stretch, new)| at + new.len() - stretch.len())
        };
        place(span.start)..place(span.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_stretches_stays_whether_it_is_copied_or_cut() {
        let long = "é".repeat(COPIED);
        for (text, edits, expected) in [
            ("abcdef", vec![(4..5, "XYZ"), (0..2, "")], "cdXYZf".to_owned()),
            ("abc", vec![(3..3, "d")], "abcd".to_owned()),
            ("abc", vec![], "abc".to_owned()),
            (
                &long,
                vec![(0..2, "x"), (4..6, "")],
                format!("x{}", &long[2..long.len() - 2]),
            ),
            (&long, vec![(long.len()..long.len(), "x")], format!("{long}x")),
        ] {
            let edits = Edits::new(edits.into_iter().map(|(stretch, new)| (stretch, new.into())).collect());
            assert!(edits.apply(text) == expected);
            assert!(edits.pieces(&text.into()).whole() == expected);
        }
    }

    #[test]
    fn a_span_is_where_its_text_went() {
        let text = "ab[cd]ef[gh]";
        let edits = Edits::new(vec![(3..5, "12345".into()), (9..11, "".into())]);
        let edited = edits.apply(text);
        for (span, stands) in [
            (0..2, "ab"),
            (2..6, "[12345]"),
            (6..8, "ef"),
            (8..12, "[]"),
            (0..12, edited.as_str()),
        ] {
            assert_eq!(edited.get(edits.moved(&span)), Some(stands));
        }
    }
}
