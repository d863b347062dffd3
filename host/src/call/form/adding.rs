//! The operator's values for fields that a form does not have, put at its end. A form is not held: it is looked through as it goes by.

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use serde_json::Value;

use super::{Form, field, up_to};

/// A form on its way to the provider.
#[derive(Debug)]
pub struct Adding {
    delimiter: Vec<u8>,
    /// The fields that have not been seen: name and values.
    missing: Vec<(String, Vec<String>)>,
    /// What cannot go on yet: a delimiter, or the head of a part, may have begun in it.
    held: BytesMut,
    /// How much of `held` is not the form's.
    made_up: usize,
    /// The last delimiter has come, or the form is none: what comes now goes by.
    over: bool,
}

impl Adding {
    /// For a form that separates its parts as `form` says. `defaults`: names, and JSON texts.
    pub fn new(form: &Form, defaults: &[(String, String)]) -> Self {
        let missing = defaults.iter().map(|(name, value)| (name.clone(), texts(value)));
        Self {
            delimiter: form.delimiter.clone(),
            missing: missing.collect(),
            // The first delimiter has no line break before it.
            held: BytesMut::from(&b"\r\n"[..]),
            made_up: 2,
            over: false,
        }
    }

    /// The next bytes of the form: gives those that can go on.
    pub fn feed(&mut self, piece: &[u8]) -> Bytes {
        self.held.extend_from_slice(piece);
        let mut out = BytesMut::new();
        while !self.over && self.step(&mut out) {}
        if self.over {
            self.pass(self.held.len(), &mut out);
        }
        out.freeze()
    }

    /// What is left at the end.
    pub fn end(&mut self) -> Bytes {
        self.over = true;
        self.feed(&[])
    }

    /// Looks at what is held. False: more has to come.
    fn step(&mut self, out: &mut BytesMut) -> bool {
        let Some(at) = memmem::find(&self.held, &self.delimiter) else {
            // One may have begun at the end.
            self.pass(self.held.len().saturating_sub(self.delimiter.len()), out);
            return false;
        };
        self.pass(at, out);
        // Of what was made up nothing may be left before it but the line break that it is part of.
        let from = self.delimiter.len();
        match self.held.get(from..from + 2) {
            None => false,
            Some(b"--") => {
                self.add(out);
                self.over = true;
                true
            }
            Some(b"\r\n") => self.head(from, out),
            Some(_) => {
                self.over = true;
                true
            }
        }
    }

    /// Looks at the head of a part, which begins there.
    fn head(&mut self, from: usize, out: &mut BytesMut) -> bool {
        let head = self.held.get(from..).unwrap_or_default();
        match up_to(b"\r\n\r\n", head) {
            Ok(None) => false,
            Ok(Some(length)) => {
                if let Some(name) = field(head.get(..length).unwrap_or_default()) {
                    let name = name.trim_end_matches("[]");
                    self.missing.retain(|(missing, _)| missing != name);
                }
                // The second line break may be that of the next delimiter.
                self.pass(from + length + 2, out);
                true
            }
            Err(_) => {
                self.over = true;
                true
            }
        }
    }

    /// Writes the fields that never came.
    fn add(&mut self, out: &mut BytesMut) {
        for (name, values) in std::mem::take(&mut self.missing) {
            let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
            let list = if values.len() > 1 { "[]" } else { "" };
            for value in values {
                let head = format!("\r\ncontent-disposition: form-data; name=\"{name}{list}\"\r\n\r\n");
                for bytes in [&self.delimiter, head.as_bytes(), value.as_bytes()] {
                    out.extend_from_slice(bytes);
                }
            }
        }
    }

    fn pass(&mut self, length: usize, out: &mut BytesMut) {
        let passed = self.held.split_to(length.min(self.held.len()));
        let made_up = self.made_up.min(passed.len());
        self.made_up -= made_up;
        out.extend_from_slice(passed.get(made_up..).unwrap_or_default());
    }
}

/// What a form says in place of a JSON text: a string's own text, each item of a list, anything else as it stands.
fn texts(value: &str) -> Vec<String> {
    match serde_json::from_str(value) {
        Ok(Value::Null) => Vec::new(),
        Ok(Value::String(text)) => vec![text],
        Ok(Value::Array(items)) => items.iter().flat_map(|item| texts(&item.to_string())).collect(),
        _ => vec![value.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::{Adding, Form};

    const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"language\"\r\n\r\nRIFF\r\n--\r\n--c\r\n\
        --b\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\n\r\n";

    fn added(text: &str, defaults: &[(&str, &str)], piece: usize) -> String {
        let form = Form::of("multipart/form-data; boundary=b").expect("a form");
        let owned: Vec<_> = defaults
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut adding = Adding::new(&form, &owned);
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            out.extend_from_slice(&adding.feed(piece));
        }
        out.extend_from_slice(&adding.end());
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_is_missing_is_added_at_the_end_and_nothing_else_changes() {
        let whole = format!("{FORM}--b--\r\n");
        let part = |name: &str, value: &str| {
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let defaults = [
            ("language", "\"de\""),
            ("model", "\"other\""),
            ("stream", "true"),
            ("temperature", "0.20"),
            ("include", "[\"a\",\"b\"]"),
            ("user", "null"),
        ];
        let more = [
            part("language", "de"),
            part("temperature", "0.20"),
            part("include[]", "a"),
            part("include[]", "b"),
        ];
        for piece in [1, 2, 7, 1000] {
            assert_eq!(
                added(&whole, &defaults, piece),
                format!("{FORM}{}--b--\r\n", more.concat())
            );
            assert_eq!(added(&whole, &[], piece), whole);
        }
    }

    #[test]
    fn what_is_no_whole_form_stays_as_it_is() {
        for text in [
            "",
            "-",
            "--b",
            "no form",
            FORM,
            "--bc\r\n\r\n--b--",
            &format!("--b\r\n{}", "a: b\r\n".repeat(2000)),
        ] {
            for piece in [1, 5, 100_000] {
                assert_eq!(added(text, &[("language", "1")], piece), text);
            }
        }
    }
}
