//! A multipart form (RFC 7578) read only as far as the gateway needs it: where the field `model` is. What comes after it is not looked
//! at, and nothing is changed but that one value; where the operator has values for fields that are not there, [`Adding`] adds them.

mod adding;

use std::ops::Range;

use memchr::memmem;

pub use adding::Adding;

/// Longer names of models, and heads of parts, there are not.
const LONGEST: usize = 8 << 10;

/// Looks for the model in a form that is still coming.
#[derive(Debug)]
pub struct Form {
    /// What separates parts, with its two dashes and the line break before it.
    delimiter: Vec<u8>,
    /// All before this has been looked at. It stands before a delimiter.
    at: usize,
    /// No delimiter begins between `at` and here.
    searched: usize,
}

/// What is known so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// More has to come.
    Nothing,
    /// The value of `model` stands here.
    Model(Range<usize>),
    /// The form is over and has none.
    Over,
}

impl Form {
    /// A form with this `content-type`; `None` if it is none.
    pub fn of(content_type: &str) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let boundary = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("boundary")
                .then(|| value.trim().trim_matches('"'))
        })?;
        // RFC 2046, section 5.1.1.
        let sound = (1..=70).contains(&boundary.len()) && boundary.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        sound.then(|| Self {
            delimiter: ["\r\n--", boundary].concat().into_bytes(),
            at: 0,
            searched: 0,
        })
    }

    /// The part that says `model`, to stand before all others.
    pub fn model_part(&self, model: &str) -> Vec<u8> {
        let delimiter = self.delimiter.get(2..).unwrap_or_default();
        let head = b"\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n";
        [delimiter, head, model.as_bytes(), b"\r\n"].concat()
    }

    /// Where the name stands in that part.
    pub fn model_value(&self, model: &str) -> Range<usize> {
        let part = self.model_part(model);
        let start = part.len() - model.len() - 2;
        start..start + model.len()
    }

    /// Looks on. `read` is all that has come, from the beginning. The error says what is wrong with it.
    pub fn look(&mut self, read: &[u8]) -> Result<Seen, &'static str> {
        loop {
            let Some(from) = self.part(read) else {
                return Ok(Seen::Nothing);
            };
            let Some(rest) = read.get(from..from + 2) else {
                return Ok(Seen::Nothing);
            };
            if rest == b"--" {
                return Ok(Seen::Over);
            }
            if rest != b"\r\n" {
                return Err("its parts are not separated as its content-type says");
            }
            let head = read.get(from..).unwrap_or_default();
            let Some(length) = up_to(b"\r\n\r\n", head)? else {
                return Ok(Seen::Nothing);
            };
            let body = from + length + 4;
            if field(head.get(..length).unwrap_or_default()).is_some_and(|name| name == "model") {
                // The blank line may be the one before the next part: an empty body has no other.
                let value = read.get(body - 2..).unwrap_or_default();
                let Some(length) = up_to(&self.delimiter, value)? else {
                    return Ok(Seen::Nothing);
                };
                return Ok(Seen::Model(body..(body - 2 + length).max(body)));
            }
            self.at = body - 2;
            self.searched = self.at;
        }
    }

    /// Where the next part begins, behind its delimiter.
    fn part(&mut self, read: &[u8]) -> Option<usize> {
        // The first delimiter has no line break before it.
        let first = self.delimiter.get(2..).unwrap_or_default();
        if self.at == 0 && read.len() >= first.len() && read.starts_with(first) {
            return Some(first.len());
        }
        let rest = read.get(self.searched..)?;
        match memmem::find(rest, &self.delimiter) {
            Some(found) => {
                self.at = self.searched + found;
                self.searched = self.at;
                Some(self.at + self.delimiter.len())
            }
            None => {
                // It may have begun at the end.
                self.searched = read.len().saturating_sub(self.delimiter.len()).max(self.searched);
                None
            }
        }
    }
}

/// Where `end` begins in `rest`; `None` if more has to come. It is the same however much has come: what is too long is so also when all
/// of it is there.
fn up_to(end: &[u8], rest: &[u8]) -> Result<Option<usize>, &'static str> {
    let longest = LONGEST + end.len();
    match memmem::find(rest.get(..longest).unwrap_or(rest), end) {
        None if rest.len() >= longest => Err("the head of a part, or its `model`, is too long"),
        found => Ok(found),
    }
}

/// The name of the field that a part with this head is.
fn field(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let disposition = name.trim().eq_ignore_ascii_case("content-disposition");
        let mut parameters = value.split(';').filter(|_| disposition);
        let name = parameters.find_map(|parameter| parameter.trim().strip_prefix("name="))?;
        Some(
            name.strip_prefix('"')
                .and_then(|name| name.strip_suffix('"'))
                .unwrap_or(name)
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Form, Seen};

    const TYPE: &str = "multipart/form-data; charset=utf-8; boundary=\"x-y\"";

    fn whole(parts: &[(&str, &str)]) -> String {
        let parts = parts
            .iter()
            .map(|(head, body)| format!("--x-y\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n"));
        parts.chain(["--x-y--\r\n".to_owned()]).collect()
    }

    /// What is found, given the form byte by byte.
    fn found(text: &str) -> Result<Seen, &'static str> {
        let mut form = Form::of(TYPE).expect("a form");
        for end in 0..=text.len() {
            let seen = form.look(&text.as_bytes()[..end])?;
            if seen != Seen::Nothing {
                return Ok(seen);
            }
        }
        Ok(Seen::Nothing)
    }

    #[test]
    fn the_model_is_found_wherever_it_stands() {
        let file = ("name=\"file\"; filename=\"model\"", "RIFF\r\n--x-\r\n\r\n--x\0");
        let model = ("name=\"model\"", "whisper-1");
        for parts in [
            vec![model, file],
            vec![file, model],
            vec![("name=\"prompt\"", ""), model],
        ] {
            let text = whole(&parts);
            let at = text.find("whisper-1").expect("it is there");
            assert_eq!(found(&text), Ok(Seen::Model(at..at + 9)), "{text}");
        }
        let text = whole(&[("name=\"model\"", "")]);
        let Ok(Seen::Model(span)) = found(&text) else {
            panic!("{text}")
        };
        assert!(span.is_empty());
        assert_eq!(found(&whole(&[file])), Ok(Seen::Over));
        assert_eq!(found(&whole(&[model])[..40]), Ok(Seen::Nothing));
    }

    #[test]
    fn a_model_of_our_own_goes_before_the_others() {
        let form = Form::of(TYPE).expect("a form");
        let mut text = String::from_utf8(form.model_part("m")).expect("text");
        text.push_str(&whole(&[("name=\"file\"", "f")]));
        let at = text.find("\r\n\r\nm\r\n").expect("it is there") + 4;
        assert_eq!(found(&text), Ok(Seen::Model(at..at + 1)));
    }

    #[test]
    fn what_is_no_form_is_said() {
        for wrong in [
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
        ] {
            assert!(Form::of(wrong).is_none(), "{wrong}");
        }
        assert!(found("--x-yz\r\n").is_err());
        let long = format!("--x-y\r\n{}\r\n", "a: b\r\n".repeat(2000));
        assert!(found(&long).is_err());
        // Also when it comes all at once.
        let mut form = Form::of(TYPE).expect("a form");
        assert!(form.look(long.as_bytes()).is_err());
    }
}
