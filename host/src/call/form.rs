//! A multipart form (RFC 7578) read only as far as the gateway needs it: where the field `model` is. What comes after it is not looked
//! at, and nothing is changed but that one value.

use std::ops::Range;

use memchr::memmem;

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
            let Some(length) = memmem::find(head, b"\r\n\r\n") else {
                return too_long(head, Seen::Nothing);
            };
            let body = from + length + 4;
            // The blank line may be the one before the next part: an empty body has no other.
            let is_model = names_model(head.get(..length).unwrap_or_default());
            let end = memmem::find(read.get(body - 2..).unwrap_or_default(), &self.delimiter);
            if is_model {
                let Some(length) = end else {
                    return too_long(read.get(body..).unwrap_or_default(), Seen::Nothing);
                };
                let end = (body - 2 + length).max(body);
                return Ok(Seen::Model(body..end));
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

fn too_long(part: &[u8], seen: Seen) -> Result<Seen, &'static str> {
    if part.len() > LONGEST {
        Err("the head of a part, or its `model`, is too long")
    } else {
        Ok(seen)
    }
}

/// True for the head of a part that is the field `model`.
fn names_model(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    head.lines().any(|line| {
        let Some((name, value)) = line.split_once(':') else {
            return false;
        };
        name.trim().eq_ignore_ascii_case("content-disposition")
            && value
                .split(';')
                .any(|parameter| matches!(parameter.trim(), "name=\"model\"" | "name=model"))
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
        assert!(found(&format!("--x-y\r\n{}", "a: b\r\n".repeat(2000))).is_err());
    }
}
