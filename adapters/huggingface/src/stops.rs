//! TGI ends an answer with the text that it was to end at; OpenAI's clients do not expect that text. In a stream, what may be the
//! beginning of it is held back until it is known.

/// A stream's text as far as it may be shown.
#[derive(Debug, Default)]
pub(crate) struct Stops {
    stops: Vec<String>,
    held: String,
}

impl Stops {
    /// Keeps these texts away.
    pub(crate) fn new(stops: Vec<String>) -> Self {
        Self {
            stops,
            held: String::new(),
        }
    }

    /// Takes in more text; gives what is certain to be shown.
    pub(crate) fn push(&mut self, text: &str) -> String {
        if self.stops.is_empty() {
            return text.to_owned();
        }
        self.held.push_str(text);
        let keep = self
            .stops
            .iter()
            .map(|stop| beginning(&self.held, stop))
            .max()
            .unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        std::mem::replace(&mut self.held, rest)
    }

    /// The rest, when no more will come. `met`: the answer ended at one of the texts.
    pub(crate) fn end(&mut self, met: bool) -> String {
        let mut rest = std::mem::take(&mut self.held);
        if met {
            cut(&mut rest, &self.stops);
        }
        rest
    }
}

/// How many bytes at the end of `text` may be the beginning of `stop`, or all of it.
fn beginning(text: &str, stop: &str) -> usize {
    let longest = stop.len().min(text.len());
    let fits = |bytes: &usize| text.as_bytes().ends_with(&stop.as_bytes()[..*bytes]);
    (1..=longest)
        .rev()
        .filter(|bytes| stop.is_char_boundary(*bytes))
        .find(fits)
        .unwrap_or(0)
}

/// Takes the longest of the stops off the end of `text`.
pub(crate) fn cut(text: &mut String, stops: &[String]) {
    let at_end = stops.iter().filter(|stop| text.ends_with(stop.as_str()));
    if let Some(longest) = at_end.map(String::len).max() {
        text.truncate(text.len() - longest);
    }
}

#[cfg(test)]
mod tests {
    use super::Stops;

    /// What is shown of a text that comes in these pieces.
    fn shown(stops: &[&str], pieces: &[&str], met: bool) -> String {
        let mut held = Stops::new(stops.iter().map(|stop| (*stop).to_owned()).collect());
        let mut shown: String = pieces.iter().map(|piece| held.push(piece)).collect();
        shown += &held.end(met);
        shown
    }

    #[test]
    fn the_text_at_which_an_answer_ended_is_not_shown_however_it_is_cut() {
        let text = "one ##two ###\n";
        for at in 0..text.len() {
            let (before, after) = text.split_at(at);
            assert_eq!(shown(&["###", "###\n"], &[before, after], true), "one ##two ", "{at}");
            assert_eq!(shown(&["###", "###\n"], &[before, after], false), text, "{at}");
        }
        assert_eq!(shown(&["é!"], &["bl", "é", "!"], true), "bl");
        assert_eq!(shown(&[], &["a", "b"], true), "ab");
    }

    #[test]
    fn nothing_is_held_back_that_cannot_be_a_stop() {
        let mut stops = Stops::new(vec!["\n\n".to_owned()]);
        assert_eq!(stops.push("Hello"), "Hello");
        assert_eq!(stops.push(" you\n"), " you");
        assert_eq!(stops.push("there"), "\nthere");
    }
}
