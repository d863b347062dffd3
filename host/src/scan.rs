//! A strict reader of JSON that builds nothing: it walks over a text once, hands out the members and items that are asked for, and
//! passes over the rest, all of it checked. What it finds are spans, so that a text can be changed by splicing.

mod block;

use std::ops::Range;

use block::{BLOCK, SHORT};

/// The text is not what JSON (or the place) allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// How deep values may be nested.
const DEPTH: u32 = 128;
/// A string of as many bytes is long; of so many long ones the places are kept.
const LONG: usize = 4 << 10;
const MOST_LONG: usize = 1 << 10;

/// A place in a JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    /// How many levels deeper it may go.
    depth: u32,
    /// An escape for half a character is malformed.
    whole: bool,
    /// Where long strings without escapes stood.
    long: Vec<Range<usize>>,
    /// Where the block begins that was looked at last,
    block: usize,
    /// and which of its bytes are special in a string: one bit for each.
    specials: u64,
}

/// A key of an object and where it stands, its quotation marks included.
pub(crate) struct Key<'t> {
    /// As written, escapes and all.
    pub(crate) name: &'t [u8],
    /// Where the first quotation mark stands.
    pub(crate) start: usize,
}

impl<'t> Scan<'t> {
    /// The start of `text`.
    pub(crate) fn new(text: &'t str) -> Self {
        Self::of(text.as_bytes())
    }

    /// The start of `text`, an object or a list that is nested no deeper than `depth`, and in which there is no escape for half a
    /// character: readers take those for different things or for none.
    pub(crate) fn strict(text: &'t str, depth: usize) -> Self {
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
            long: Vec::new(),
            // None: every place is far from here.
            block: usize::MAX / 2,
            specials: 0,
        }
    }

    /// Where strings stood that have no escapes and 4 KiB or more, without their quotation marks.
    pub(crate) fn long(self) -> Vec<Range<usize>> {
        self.long
    }

    /// Where the next token starts.
    pub(crate) fn place(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The first byte of the next token; 0 at the end of the text.
    pub(crate) fn peek(&mut self) -> u8 {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return *byte,
                None => return 0,
            }
        }
    }

    /// Where the last token ended.
    pub(crate) fn here(&self) -> usize {
        self.at
    }

    /// Checks that nothing but blanks is left.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        self.peek();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// Reads an object: `each` is called at each value and must read it.
    pub(crate) fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, Key<'t>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.expect(b'{')?;
        self.depth = self.depth.checked_sub(1).ok_or(Malformed)?;
        if !self.take(b'}') {
            loop {
                let start = self.place();
                let name = self.string()?;
                self.expect(b':')?;
                each(self, Key { name, start })?;
                if self.take(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        self.depth += 1;
        Ok(())
    }

    /// Reads an array: `each` is called at each item and must read it.
    pub(crate) fn items(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.expect(b'[')?;
        self.depth = self.depth.checked_sub(1).ok_or(Malformed)?;
        if !self.take(b']') {
            loop {
                each(self)?;
                if self.take(b']') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        self.depth += 1;
        Ok(())
    }

    /// Passes over a value and says where it stands.
    pub(crate) fn skip(&mut self) -> Result<Range<usize>, Malformed> {
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
            if self.close(&mut open, &mut depth)? {
                return Ok(start..self.at);
            }
        }
    }

    /// After a value: passes over closing brackets and a comma. True if the outermost value ended.
    fn close(&mut self, open: &mut u128, depth: &mut u32) -> Result<bool, Malformed> {
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

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(Malformed) }
    }

    /// How far the quotation mark is that ends the string in which `text` begins.
    pub(crate) fn string_length(text: &'t [u8]) -> Option<usize> {
        let mut scan = Self::of(text);
        scan.rest_of_string().ok().map(<[u8]>::len)
    }

    /// Reads a string; what stands between its quotation marks.
    fn string(&mut self) -> Result<&'t [u8], Malformed> {
        self.expect(b'"')?;
        self.rest_of_string()
    }

    fn rest_of_string(&mut self) -> Result<&'t [u8], Malformed> {
        let (start, text) = (self.at, self.text);
        let mut run = start;
        // In local variables, because in source code every tenth byte is an escape.
        let (mut at, mut block, mut specials) = (start, self.block, self.specials);
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
            run = at;
        }
        let found = text.get(start..at).unwrap_or_default();
        if found.len() >= LONG && run == start && self.long.len() < MOST_LONG {
            self.long.push(start..at);
        }
        (self.at, self.block, self.specials) = (at + 1, block, specials);
        Ok(found)
    }

    /// Reads an escape by number, or two that make one character.
    fn character(&mut self) -> Result<(), Malformed> {
        let first = self.unit()?;
        if self.whole && matches!(first, 0xd800..=0xdfff) {
            let second = if first < 0xdc00 { self.unit()? } else { 0 };
            if !matches!(second, 0xdc00..=0xdfff) {
                return Err(Malformed);
            }
        }
        Ok(())
    }

    /// Reads an escape by number: a character, or half of one (RFC 8259, section 7).
    fn unit(&mut self) -> Result<u32, Malformed> {
        let digits = self.text.get(self.at..).and_then(|rest| rest.strip_prefix(b"\\u"));
        let digits = digits.and_then(|rest| rest.first_chunk::<4>()).ok_or(Malformed)?;
        let digit = |value, digit: &u8| Some(value * 16 + char::from(*digit).to_digit(16)?);
        let unit = digits.iter().try_fold(0, digit).ok_or(Malformed)?;
        self.at += 6;
        Ok(unit)
    }

    /// Passes over `true`, `false`, `null` or a number.
    fn scalar(&mut self) -> Result<(), Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for word in [b"null".as_slice(), b"true", b"false"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        self.at += usize::from(rest.first() == Some(&b'-'));
        let zero = self.text.get(self.at) == Some(&b'0');
        match self.digits() {
            0 => return Err(Malformed),
            1 => {}
            _ if zero => return Err(Malformed),
            _ => {}
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(Malformed);
            }
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.text.get(self.at), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err(Malformed);
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::Scan;

    fn valid(text: &str) -> bool {
        let mut scan = Scan::new(text);
        scan.skip().and_then(|_| scan.end()).is_ok()
    }

    #[test]
    fn it_takes_and_refuses_what_serde_json_does() {
        let texts = [
            "{}",
            "[]",
            "[[]]",
            "{\"a\":[1,2.5,-0,0.1e+5,true,false,null,\"x\"]}",
            " [ 1 , { \"k\" : [ ] } ] ",
            "\"\\u00e9\\n\\\"\"",
            "\"tab\there\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "01",
            "-01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "nul",
            "tru",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "[1,]",
            "[1 2]",
            "{1:2}",
            "[",
            "]",
            "{\"a\":[}",
            "[}",
            "\"",
            "\"unfinished",
            "{} {}",
            "1 2",
            "",
            " ",
            "[1,,2]",
            "{,}",
            "\"eight888 and more text with é and \\\\ in it\"",
            "NaN",
            "[[[[]]]",
            "{\"a\":{\"b\":{}}}",
            "{\"a\":{\"b\":{}}",
            "-0.0",
            "00",
            "10",
            "1E5",
            "truefalse",
        ];
        for text in texts {
            let reference = serde_json::from_str::<IgnoredAny>(text).is_ok();
            assert_eq!(valid(text), reference, "{text:?}");
        }
    }

    #[test]
    fn a_byte_changed_anywhere_is_judged_as_serde_json_judges_it() {
        let text = r#"{"id":"a\u00ff","n":[-1.5e3,0,true,null],"o":{"k":"long enough for eight"},"e":""}"#;
        for at in 0..text.len() {
            for byte in [
                b' ', b'"', b'\\', b'{', b'}', b'[', b']', b',', b':', b'0', b'9', b'x', b'\n', b'-', b'.',
            ] {
                let mut changed = text.as_bytes().to_vec();
                changed[at] = byte;
                let changed = String::from_utf8(changed).expect("ASCII");
                let reference = serde_json::from_str::<IgnoredAny>(&changed).is_ok();
                assert_eq!(valid(&changed), reference, "{changed}");
            }
        }
    }

    #[test]
    fn half_a_character_is_malformed_where_that_is_asked_for() {
        let strict = |text| {
            let mut scan = Scan::strict(text, 8);
            scan.skip().and_then(|_| scan.end()).is_ok()
        };
        for whole in [r#"["\ud83d\ude80"]"#, r#"["\\ud800"]"#, r#"["\u00e9 \" \n"]"#] {
            assert!(strict(whole), "{whole}");
        }
        for half in [
            r#"["\ud83d"]"#,
            r#"["\ud83d\ud83d"]"#,
            r#"["\ude80"]"#,
            r#"["\uD83Dx"]"#,
            r#"["\ud83d\n"]"#,
        ] {
            assert!(!strict(half) && valid(half), "{half}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(valid(&nested(128)));
        assert!(!valid(&nested(129)));
    }
}
