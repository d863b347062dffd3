//! A text that begins inside of a thought, since the prompt ended with the mark that opens one: what is thought, and what is said.

/// Ends the thought.
pub(super) const END: &str = "</think>";

/// Where a text has come to, piece by piece.
#[derive(Debug, Default)]
pub(super) struct Thought {
    place: Place,
    /// what may be the mark's beginning, or blanks before it
    held: String,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Inside,
    /// after the mark, before the first word of the answer
    Between,
    Outside,
}

impl Thought {
    /// What a piece adds to the thought, and to the answer.
    pub(super) fn push(&mut self, piece: &str) -> (String, String) {
        match self.place {
            Place::Inside => self.held.push_str(piece),
            Place::Between => return (String::new(), self.answer(piece)),
            Place::Outside => return (String::new(), piece.to_owned()),
        }
        let held = std::mem::take(&mut self.held);
        if let Some((thought, rest)) = held.split_once(END) {
            self.place = Place::Between;
            return (thought.trim_end().to_owned(), self.answer(rest));
        }
        let begun = |length: &usize| END.get(..*length).is_some_and(|mark| held.ends_with(mark));
        let mark = (1..END.len()).rev().find(begun).unwrap_or(0);
        let (thought, _) = held.split_at(held.len() - mark);
        let (thought, rest) = held.split_at(thought.trim_end().len());
        rest.clone_into(&mut self.held);
        (thought.to_owned(), String::new())
    }

    /// What is left of the thought once the text has ended.
    pub(super) fn rest(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Blanks between the mark and the answer belong to neither.
    fn answer(&mut self, text: &str) -> String {
        let text = text.trim_start();
        if !text.is_empty() {
            self.place = Place::Outside;
        }
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Thought;

    /// What is thought and said of these pieces.
    fn read(pieces: &[&str]) -> (String, String) {
        let mut thought = Thought::default();
        let mut read = (String::new(), String::new());
        for piece in pieces {
            let (thought, said) = thought.push(piece);
            read.0.push_str(&thought);
            read.1.push_str(&said);
        }
        read.0.push_str(&thought.rest());
        read
    }

    #[test]
    fn a_text_is_split_at_the_mark_wherever_it_is_cut() {
        let whole = "Is 1 < 2? </thin is no mark.\n</think>\n\nYes: </think>";
        let expected = ("Is 1 < 2? </thin is no mark.".to_owned(), "Yes: </think>".to_owned());
        assert_eq!(read(&[whole]), expected);
        for cut in 0..whole.len() {
            let (first, second) = whole.split_at(cut);
            assert_eq!(read(&[first, second]), expected, "{first:?}");
        }
        let letters: Vec<&str> = whole.split("").collect();
        assert_eq!(read(&letters), expected);
    }

    #[test]
    fn a_text_that_ends_inside_is_all_thought() {
        assert_eq!(read(&["Hm", " \n</th"]), ("Hm \n</th".to_owned(), String::new()));
    }
}
