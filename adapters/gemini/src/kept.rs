//! What an answer says, kept so that the client's next request can bring it back: signatures of thoughts on calls and texts, and
//! `extra_content` for what a plain message cannot tell.
//!
//! A Chat Completions message has one text and one list of calls. A Gemini message is a list of parts, and any of them may carry the
//! signature of the thoughts before it, which must come back unchanged and on its part. Text, then calls, can be rebuilt: a call
//! carries its signature in `extra_content.google.thought_signature`, as in Google's own translation, and so does the message for its
//! text. Any other list of parts is handed out whole, as `extra_content.google.parts`. Summaries of thoughts need not come back.

use crate::json::{push_comma, push_field};

/// More than this is not kept: the answer is complete without it, only the next request loses the provider's own parts.
const KEPT_BYTES: usize = 8 << 20;

/// The parts of one answer. Texts are pieces of JSON strings: still escaped, without their quotes.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// the parts as JSON text, with commas between them
    parts: String,
    /// there is text that no signature belongs to
    unsigned: bool,
    signed: Option<Signed>,
    calls: bool,
    special: bool,
    lost: bool,
}

/// A text with a signature.
#[derive(Debug)]
struct Signed {
    text: String,
    /// a JSON string
    signature: String,
}

impl Kept {
    /// Keeps a text; `signature` is a JSON string.
    pub(crate) fn add_text(&mut self, raw: &str, text: &str, signature: Option<&str>) {
        if text.is_empty() && signature.is_none() {
            return;
        }
        self.special |= self.calls || self.signed.is_some();
        match signature {
            Some(signature) => {
                self.signed = Some(Signed {
                    text: text.to_owned(),
                    signature: signature.to_owned(),
                });
            }
            None => self.unsigned = true,
        }
        self.keep(raw);
    }

    /// Keeps a call.
    pub(crate) fn add_call(&mut self, raw: &str) {
        self.calls = true;
        self.keep(raw);
    }

    /// Keeps any other part: the message cannot be rebuilt without it.
    pub(crate) fn add_other(&mut self, raw: &str) {
        self.special = true;
        self.keep(raw);
    }

    /// The parts as a JSON list.
    pub(crate) fn parts(&self) -> String {
        ["[", &self.parts, "]"].concat()
    }

    /// The value of `extra_content`, if the plain message does not tell everything.
    pub(crate) fn extra_content(&self) -> Option<String> {
        if self.special {
            return (!self.lost).then(|| ["{\"google\":{\"parts\":", &self.parts(), "}}"].concat());
        }
        let signed = self.signed.as_ref()?;
        let mut google = String::from("{");
        push_field(&mut google, "thought_signature", &signed.signature);
        if self.unsigned {
            push_field(&mut google, "signed_text", &["\"", &signed.text, "\""].concat());
        }
        google.push('}');
        Some(["{\"google\":", &google, "}"].concat())
    }

    fn keep(&mut self, raw: &str) {
        if self.parts.len() + raw.len() > KEPT_BYTES {
            self.lost = true;
            self.parts.clear();
        }
        if !self.lost {
            push_comma(&mut self.parts);
            self.parts.push_str(raw);
        }
    }
}
