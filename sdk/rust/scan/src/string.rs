//! Strings and their escapes.

use crate::block::{self, BLOCK, SHORT};
use crate::{LONG, Malformed, Quoted, Scan};

impl<'t> Scan<'t> {
    /// How far the quotation mark is that ends the string in which `text` begins; `None` if there is none, or something wrong before it.
    #[must_use]
    pub fn string_length(text: &'t [u8]) -> Option<usize> {
        let mut scan = Self::of(text);
        scan.rest_of_string().ok().map(|string| string.inside.len())
    }

    /// Reads a string.
    ///
    /// # Errors
    /// If no string is next.
    #[inline]
    pub fn string(&mut self) -> Result<Quoted, Malformed> {
        self.expect(b'"')?;
        self.rest_of_string()
    }

    fn rest_of_string(&mut self) -> Result<Quoted, Malformed> {
        let (start, text) = (self.at, self.text);
        // In local variables, because in source code every tenth byte is an escape.
        let (mut at, mut block, mut specials) = (start, self.block, self.specials);
        let mut escaped = false;
        loop {
            let within = at.wrapping_sub(block);
            if within >= BLOCK {
                block = at;
                specials = block::specials(text.get(at..).unwrap_or_default());
                continue;
            }
            let left = specials >> within;
            if left == 0 {
                at = block + BLOCK;
                continue;
            }
            at += left.trailing_zeros() as usize;
            match text.get(at..at + 2) {
                Some([b'\\', escape]) if SHORT[usize::from(*escape)] => at += 2,
                Some([b'\\', b'u']) => {
                    self.at = at;
                    self.character()?;
                    at = self.at;
                }
                _ if text.get(at) == Some(&b'"') => break,
                _ => return Err(Malformed),
            }
            escaped = true;
        }
        let inside = start..at;
        if let Some(long) = &mut self.long
            && inside.len() >= LONG
            && !escaped
            && long.len() < long.capacity()
        {
            long.push(inside.clone());
        }
        (self.at, self.block, self.specials) = (at + 1, block, specials);
        Ok(Quoted { inside, escaped })
    }

    /// Reads an escape by number (RFC 8259, section 7), or two that make one character.
    fn character(&mut self) -> Result<(), Malformed> {
        let first = self.number()?;
        // Halves of a character are d800 to dfff: first halves up to dbff, second ones from dc00 on.
        if self.whole
            && let [b'd' | b'D', half @ (b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F'), ..] = first
        {
            let is_first = matches!(half, b'8'..=b'9' | b'a'..=b'b' | b'A'..=b'B');
            if !is_first || !matches!(self.number()?, [b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', ..]) {
                return Err(Malformed);
            }
        }
        Ok(())
    }

    /// Reads an escape by number; its digits.
    #[inline(never)]
    fn number(&mut self) -> Result<[u8; 4], Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.first_chunk::<6>() {
            Some([b'\\', b'u', digits @ ..]) if digits.iter().all(u8::is_ascii_hexdigit) => {
                self.at += 6;
                Ok(*digits)
            }
            _ => Err(Malformed),
        }
    }
}
