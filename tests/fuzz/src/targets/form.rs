//! `call::form`: multipart forms, of which the model is looked for while they come. An input is a content type, a line break, and a form.

use std::ops::Range;

use witgate::call::{Adding, Form, Seen};

use crate::{memory, random::Random};

/// What a head and a value may take while they are looked at.
const MEMORY: usize = 256 << 10;

/// Gives the form in several ways; all must find the same, and what is found must be a value that can be replaced.
pub fn target(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (kind, body) = data.split_at(line);
    let kind = String::from_utf8_lossy(kind);
    let Some(form) = Form::of(kind.trim_end()) else { return };
    let read = body.get(1..).unwrap_or_default();
    let found = look(&kind, read, read.len());
    let mut random = Random::of(data);
    let small = if read.len() < 4096 { 1 } else { 61 };
    for piece in [small, random.below(90) + small] {
        assert_eq!(look(&kind, read, piece), found, "in pieces of {piece} bytes");
    }
    if let Ok(Seen::Model(span)) = &found {
        replaceable(&kind, read, span);
    }
    named_beside(&kind, &form);
    let same = added(&form, read, read.len(), &[]);
    assert!(same == read, "a form to which nothing is added changes");
    let defaults = [
        ("model".to_owned(), "\"m\"".to_owned()),
        ("user".to_owned(), "[1,\"a\"]".to_owned()),
    ];
    let whole = added(&form, read, read.len(), &defaults);
    assert!(
        added(&form, read, small + 1, &defaults) == whole,
        "cut, other fields are added"
    );
}

/// The form as it goes on, with what is added to it, when it comes in pieces.
fn added(form: &Form, read: &[u8], piece: usize, defaults: &[(String, String)]) -> Vec<u8> {
    let mut adding = Adding::new(form, defaults);
    let mut out: Vec<u8> = Vec::new();
    for piece in read.chunks(piece.max(1)) {
        out.extend_from_slice(&adding.feed(piece));
    }
    out.extend_from_slice(&adding.end());
    out
}

/// What is found in a form that comes in pieces.
fn look(kind: &str, read: &[u8], piece: usize) -> Result<Seen, &'static str> {
    let mut form = Form::of(kind.trim_end()).expect("it was one before");
    memory::within(MEMORY, || {
        let ends = (0..read.len()).step_by(piece.max(1)).chain([read.len()]);
        for end in ends {
            match form.look(read.get(..end).unwrap_or_default())? {
                Seen::Nothing => {}
                seen => return Ok(seen),
            }
        }
        Ok(Seen::Nothing)
    })
}

/// Another name can stand where the model does. (Where none stands, the call is refused.)
fn replaceable(kind: &str, read: &[u8], span: &Range<usize>) {
    let (before, value, after) = (read.get(..span.start), read.get(span.clone()), read.get(span.end..));
    let (Some(before), Some(value), Some(after)) = (before, value, after) else {
        panic!("{span:?} of {} bytes", read.len())
    };
    assert!(before.ends_with(b"\r\n\r\n"), "a value begins after a blank line");
    if value.is_empty() {
        return;
    }
    assert!(after.starts_with(b"\r\n--"), "a value ends before the next part");
    let other = [before, b"m", after].concat();
    let at = span.start..span.start + 1;
    assert_eq!(look(kind, &other, other.len()), Ok(Seen::Model(at)));
}

/// A model that is named beside the form goes before its parts.
fn named_beside(kind: &str, form: &Form) {
    let part = form.model_part("m");
    let delimiter = part.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let whole = [&part, delimiter, b"--\r\n"].concat();
    assert_eq!(look(kind, &whole, 1), Ok(Seen::Model(form.model_value("m"))));
}
