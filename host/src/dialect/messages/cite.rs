//! What an answer cites, as citations of this API.

use std::ops::Range;

use crate::dialect::{json::quoted, object::unescaped, sources::Source, state};

/// Of a text that is longer than this, in bytes, no parts are shown: no model says as much.
const LONGEST: usize = 1 << 20;

/// More characters than this are not shown of a part: it only says what is meant. (Anthropic's have 150 at most.)
const MOST_SHOWN: usize = 1000;

/// A place is noted for every so many characters.
const STEP: usize = 1024;

/// The text of an answer so far. Sources name parts of it by characters.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What has come since somebody asked for a part: pieces of a JSON string.
    pieces: String,
    text: String,
    characters: usize,
    /// Where every [`STEP`]th character begins.
    places: Vec<usize>,
    /// It is too long, or cannot be read.
    lost: bool,
}

impl Told {
    /// Takes in a text: a JSON string without its quotation marks.
    pub(super) fn add(&mut self, pieces: &str) {
        self.lost |= self.text.len() + self.pieces.len() + pieces.len() > LONGEST;
        if self.lost {
            (self.text, self.pieces) = Default::default();
        } else {
            self.pieces.push_str(pieces);
        }
    }

    /// A part of the text, if all of it has come.
    fn part(&mut self, part: &Range<u64>) -> Option<&str> {
        self.read();
        let (start, end) = (usize::try_from(part.start).ok()?, usize::try_from(part.end).ok()?);
        if self.lost || end > self.characters {
            return None;
        }
        let shown = end.min(start.saturating_add(MOST_SHOWN));
        self.text.get(self.place(start)..self.place(shown))
    }

    /// Only who is asked for a part has to read the text.
    fn read(&mut self) {
        let pieces = std::mem::take(&mut self.pieces);
        let read = match pieces.contains('\\') {
            true => unescaped(&pieces),
            false => Some(pieces),
        };
        let Some(text) = read else {
            self.lost = true;
            return;
        };
        for (at, _) in text.char_indices() {
            if self.characters.is_multiple_of(STEP) {
                self.places.push(self.text.len() + at);
            }
            self.characters += 1;
        }
        self.text.push_str(&text);
    }

    /// Where a character begins.
    fn place(&self, character: usize) -> usize {
        let near = self.places.get(character / STEP).copied().unwrap_or(self.text.len());
        let rest = self.text.get(near..).unwrap_or_default();
        let further = rest.char_indices().nth(character % STEP);
        further.map_or(self.text.len(), |(at, _)| near + at)
    }
}

/// A citation. Whoever made it is told by `encrypted_index`, which all have: Anthropic refuses one that is not its own.
pub(super) fn citation(source: &Source, told: &mut Told, provider: &str) -> String {
    let (url, title) = (&source.url, source.title.as_deref().unwrap_or("null"));
    let text = source
        .part
        .as_ref()
        .and_then(|part| told.part(part))
        .unwrap_or_default();
    let (text, mark) = (quoted(text), quoted(&state::seal(provider, "null")));
    format!(
        "{{\"type\":\"web_search_result_location\",\"url\":{url},\"title\":{title},\"encrypted_index\":{mark},\"cited_text\":{text}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST_SHOWN, Range, Told};

    #[test]
    fn parts_are_named_by_characters_wherever_the_text_was_cut() {
        let mut told = Told::default();
        for pieces in [r"S\u00fc\u00df", "é", r"\ud83d", r"\ude00\n", "end"] {
            told.add(pieces);
        }
        for (part, expected) in [
            (0..3, Some("Süß")),
            (2..5, Some("ßé😀")),
            (6..9, Some("end")),
            (0..0, Some("")),
            (9..9, Some("")),
            (6..10, None),
            (Range { start: 5, end: 2 }, None),
            (u64::MAX - 1..u64::MAX, None),
        ] {
            assert_eq!(told.part(&part), expected, "{part:?}");
        }
        told.add("!");
        assert_eq!(told.part(&(6..10)), Some("end!"), "more has come");
    }

    #[test]
    fn a_long_text_is_not_read_from_its_start_each_time_and_a_long_part_is_cut() {
        let mut told = Told::default();
        for number in 0..10_000 {
            told.add(&format!("ü{number:04}"));
        }
        for number in [0, 1, 203, 204, 205, 9_999] {
            let start = number * 5;
            assert_eq!(told.part(&(start..start + 5)), Some(&*format!("ü{number:04}")));
        }
        assert_eq!(
            told.part(&(0..50_000)).map(|part| part.chars().count()),
            Some(MOST_SHOWN)
        );
    }

    #[test]
    fn what_cannot_be_read_or_is_too_long_has_no_parts() {
        let mut told = Told::default();
        told.add(r"a\ud83d");
        assert_eq!(told.part(&(0..1)), None);
        let mut told = Told::default();
        for _ in 0..3 {
            told.add(&"x".repeat(LONGEST / 2));
        }
        assert_eq!(told.part(&(0..1)), None);
        assert_eq!((told.text.len(), told.pieces.len()), (0, 0), "nor is it kept");
    }
}
