//! A strict reader of JSON that builds nothing: it walks over a text once, hands out the members and items that are asked for, and
//! passes over the rest, all of it checked. What it finds are spans, so that a text can be changed by splicing.
//!
//! The gateway looks at requests and answers with it, and the Rust SDK's reader for serde stands on it: a conversation is mostly long
//! strings that nobody looks into, so nearly all of the time that JSON takes is the time to pass over them. That is done 64 bytes at a
//! time, with the vector instructions of x86-64, AArch64 and WebAssembly.
//!
//! It is a crate of its own because the gateway and a guest must not differ in what they take for JSON, and neither may depend on the
//! other: adapters are not built with the gateway, nor the gateway with what makes a guest. It lies in the SDK's folder because an adapter
//! needs that folder and no other. It is no part of what the SDK promises to authors of adapters.
//!
//! ```
//! use witgate_scan::Scan;
//! let text = r#"{"model": "m", "messages": [1, 2]}"#;
//! let (mut scan, mut found) = (Scan::new(text), None);
//! scan.members(|scan, key| {
//!     let value = scan.skip()?;
//!     if key.name == b"messages" {
//!         found = text.get(value);
//!     }
//!     Ok(())
//! })
//! .and_then(|()| scan.end())
//! .expect("JSON");
//! assert_eq!(found, Some("[1, 2]"));
//! ```

mod block;
mod scalar;
mod string;

use std::ops::Range;

/// The text is not what JSON (or the place) allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A string of as many bytes is long.
pub const LONG: usize = 4 << 10;

/// How deep values may be nested.
const DEPTH: u32 = 128;

/// A place in a JSON text.
#[derive(Debug)]
pub struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    /// How many levels deeper it may go.
    depth: u32,
    /// An escape for half a character is malformed.
    whole: bool,
    /// Where long strings without escapes are noted.
    long: Option<&'t mut Vec<Range<usize>>>,
    /// Where the block begins that was looked at last,
    block: usize,
    /// and which of its bytes are special in a string: one bit for each.
    specials: u64,
}

/// A key of an object and where it stands, its quotation marks included.
#[derive(Debug)]
pub struct Key<'t> {
    /// As written, escapes and all.
    pub name: &'t [u8],
    /// Where the first quotation mark stands.
    pub start: usize,
}

/// Where a string stands.
#[derive(Debug)]
pub struct Quoted {
    /// What is between the quotation marks.
    pub inside: Range<usize>,
    /// Are there escapes in it?
    pub escaped: bool,
}

impl<'t> Scan<'t> {
    /// The start of `text`, in which values may be nested 128 deep.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self::of(text.as_bytes())
    }

    /// The start of `text`, an object or a list that is nested no deeper than `depth`, and in which there is no escape for half a
    /// character: readers take those for different things or for none.
    #[must_use]
    pub fn strict(text: &'t str, depth: usize) -> Self {
        Self {
            depth: u32::try_from(depth).map_or(DEPTH, |depth| depth.min(DEPTH)),
            whole: true,
            ..Self::of(text.as_bytes())
        }
    }

    fn of(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            depth: DEPTH,
            whole: false,
            long: None,
            // None: every place is far from here.
            block: usize::MAX / 2,
            specials: 0,
        }
    }

    /// Notes in `long` where strings stand that have no escapes and [`LONG`] bytes or more, without their quotation marks: as many as it
    /// has room for.
    // It does not grow, because a guest, which asks for none, would carry the code for that.
    #[must_use]
    pub fn noting(self, long: &'t mut Vec<Range<usize>>) -> Self {
        Self {
            long: Some(long),
            ..self
        }
    }

    /// Where the next token starts.
    #[inline]
    pub fn place(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The first byte of the next token; 0 at the end of the text.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return *byte,
                None => return 0,
            }
        }
    }

    /// Where the last token ended.
    #[inline]
    #[must_use]
    pub fn here(&self) -> usize {
        self.at
    }

    /// Checks that nothing but blanks is left.
    ///
    /// # Errors
    /// If there is more.
    pub fn end(&mut self) -> Result<(), Malformed> {
        self.peek();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// Reads an object: `each` is called at each value and must read it.
    ///
    /// # Errors
    /// If no object is next, and those of `each`.
    pub fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, Key<'t>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.open(b'{')?;
        if self.peek() != b'}' {
            loop {
                let start = self.place();
                let name = self.string()?.inside;
                let name = self.text.get(name).unwrap_or_default();
                self.expect(b':')?;
                each(self, Key { name, start })?;
                if !self.take(b',') {
                    break;
                }
            }
        }
        self.close(b'}')
    }

    /// Reads an array: `each` is called at each item and must read it.
    ///
    /// # Errors
    /// If no array is next, and those of `each`.
    pub fn items(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.open(b'[')?;
        if self.peek() != b']' {
            loop {
                each(self)?;
                if !self.take(b',') {
                    break;
                }
            }
        }
        self.close(b']')
    }

    /// Reads the opening `bracket` of an object or a list, and goes a level deeper.
    ///
    /// # Errors
    /// If something else is next, or it is too deep.
    #[inline]
    pub fn open(&mut self, bracket: u8) -> Result<(), Malformed> {
        self.expect(bracket)?;
        self.depth = self.depth.checked_sub(1).ok_or(Malformed)?;
        Ok(())
    }

    /// Reads the closing `bracket` of what was opened.
    ///
    /// # Errors
    /// If something else is next.
    #[inline]
    pub fn close(&mut self, bracket: u8) -> Result<(), Malformed> {
        self.depth += 1;
        self.expect(bracket)
    }

    /// Passes over a value and says where it stands.
    ///
    /// # Errors
    /// If no value is next.
    pub fn skip(&mut self) -> Result<Range<usize>, Malformed> {
        let start = self.place();
        // One bit per open bracket: 1 for an object.
        let (mut open, mut depth) = (0_u128, 0_u32);
        loop {
            match self.peek() {
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    if depth == self.depth {
                        return Err(Malformed);
                    }
                    depth += 1;
                    let object = bracket == b'{';
                    open = open << 1 | u128::from(object);
                    if !self.take(if object { b'}' } else { b']' }) {
                        if object {
                            self.key()?;
                        }
                        continue;
                    }
                    open >>= 1;
                    depth -= 1;
                }
                b'"' => {
                    self.string()?;
                }
                _ => self.scalar()?,
            }
            if self.is_over(&mut open, &mut depth)? {
                return Ok(start..self.at);
            }
        }
    }

    /// After a value: passes over closing brackets and a comma. True if the outermost value ended.
    fn is_over(&mut self, open: &mut u128, depth: &mut u32) -> Result<bool, Malformed> {
        while *depth > 0 {
            let object = *open & 1 == 1;
            if self.take(b',') {
                if object {
                    self.key()?;
                }
                return Ok(false);
            }
            self.expect(if object { b'}' } else { b']' })?;
            *open >>= 1;
            *depth -= 1;
        }
        Ok(true)
    }

    fn key(&mut self) -> Result<(), Malformed> {
        self.string()?;
        self.expect(b':')
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    /// Reads a token of one byte.
    ///
    /// # Errors
    /// If something else is next.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests;
