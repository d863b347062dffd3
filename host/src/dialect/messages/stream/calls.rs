//! Calls of tools as their fragments come. A chat may mix those of several calls; a message has one call after the other. So a call is
//! written as it comes while all calls before it are whole, and waits otherwise.

use super::{Fragment, said};

/// More calls than this no model makes; further ones are not taken in.
const MOST: usize = 4096;

/// The calls of an answer, in order.
#[derive(Debug, Default)]
pub(super) struct Calls {
    begun: Vec<Call>,
    /// How many of them are written to the end.
    written: usize,
    /// Nothing more comes.
    over: bool,
}

#[derive(Debug)]
struct Call {
    head: Head,
    /// Arguments that have come and are not written.
    waiting: String,
    shape: Shape,
}

/// What begins a call's block.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// The call's number in the chat.
    pub(super) number: u64,
    /// A JSON string.
    pub(super) id: String,
    /// A JSON string.
    pub(super) name: String,
    /// Its `extra_content`, JSON text.
    pub(super) extra: Option<String>,
}

/// How far the JSON of a call's arguments has come.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    depth: u32,
    string: bool,
    escaped: bool,
    whole: bool,
}

impl Shape {
    fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.string => self.escaped = true,
                b'"' => self.string = !self.string,
                _ if self.string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.whole |= self.depth == 0;
                }
                _ => {}
            }
        }
    }
}

impl Calls {
    /// Takes in a fragment.
    pub(super) fn add(&mut self, fragment: &Fragment<'_>) {
        let number = fragment.index.unwrap_or_default();
        let found = self.begun.iter().position(|call| call.head.number == number);
        let at = match found {
            Some(at) => at,
            None if self.begun.len() < MOST => {
                self.begun.push(Call {
                    head: Head {
                        number,
                        ..Head::default()
                    },
                    waiting: String::new(),
                    shape: Shape::default(),
                });
                self.begun.len() - 1
            }
            None => return,
        };
        let Some(call) = self.begun.get_mut(at) else { return };
        let function = fragment.function.as_ref();
        for (place, value) in [
            (&mut call.head.id, said(fragment.id)),
            (&mut call.head.name, function.and_then(|function| said(function.name))),
        ] {
            if let (true, Some(value)) = (place.is_empty(), value) {
                value.clone_into(place);
            }
        }
        if let Some(extra) = fragment.extra_content {
            call.head.extra = Some(extra.get().to_owned());
        }
        if let Some(text) = function.and_then(|function| function.arguments.as_deref()) {
            call.shape.read(text);
            call.waiting.push_str(text);
        }
    }

    /// True if the call of this number has begun.
    pub(super) fn has(&self, number: u64) -> bool {
        self.begun.iter().any(|call| call.head.number == number)
    }

    /// True if there are any.
    pub(super) fn any(&self) -> bool {
        !self.begun.is_empty()
    }

    /// True if the arguments of one of them have begun and are not whole.
    pub(super) fn is_amid(&self) -> bool {
        !self.over && self.begun.iter().any(|call| call.shape.depth > 0)
    }

    /// Nothing more comes, whole or not.
    pub(super) fn end(&mut self) {
        self.over = true;
    }

    /// True if not all of them are written to the end.
    pub(super) fn waiting(&self) -> bool {
        self.written < self.begun.len()
    }

    /// The call to write next, once it has a name; all that have none are passed over if nothing more comes.
    pub(super) fn current(&mut self, all: bool) -> Option<Head> {
        while let Some(call) = self.begun.get(self.written) {
            if !call.head.name.is_empty() && !call.head.id.is_empty() {
                return Some(call.head.clone());
            }
            if !all {
                return None;
            }
            self.written += 1;
        }
        None
    }

    /// What waits of the arguments of the call that is written, and whether it is over: it is whole and another has begun, or
    /// nothing more comes.
    pub(super) fn take(&mut self, number: u64, all: bool) -> (String, bool) {
        let last = self.written + 1 >= self.begun.len();
        let Some(call) = self
            .begun
            .get_mut(self.written)
            .filter(|call| call.head.number == number)
        else {
            return (String::new(), true);
        };
        let over = all || (call.shape.whole && !last);
        let text = std::mem::take(&mut call.waiting);
        self.written += usize::from(over);
        (text, over)
    }
}
