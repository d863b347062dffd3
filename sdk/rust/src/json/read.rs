//! A reader of JSON for serde that passes over what stays text many bytes at a time: of a long conversation that is nearly all.
//!
//! It reads what serde_json reads, and lends [`RawValue`](serde_json::value::RawValue)s as that does; numbers, escapes and whatever else
//! is not in the way of long texts are left to serde_json, and so is saying what is wrong with a text.
//!
//! How a text is passed over is how the gateway's own `scan` does it: what is mended in one is to be mended in the other.

use std::fmt::Display;

use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::block::{self, BLOCK, SHORT};

/// How deep values may be nested: what serde_json allows.
const DEPTH: u32 = 128;
/// By this name serde_json knows that a raw value is wanted, and that one is given.
const RAW: &str = "$serde_json::private::RawValue";

/// Reads a value that borrows from `text`; `None` if that is none. What is wrong serde_json can say.
// Compiled with the type that is read.
#[inline]
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader).ok()?;
    reader.end().ok().map(|()| value)
}

/// Is this one JSON value?
pub(crate) fn is_value(text: &str) -> bool {
    let mut reader = Reader::new(text);
    reader.skip().and_then(|_| reader.end()).is_ok()
}

/// The text is not as JSON, or the type, wants it. What is wrong serde_json can say.
#[derive(Debug)]
pub(crate) struct Wrong;

impl Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrong JSON")
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, Wrong>;

/// A place in a text.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// How many levels deeper it may go.
    depth: u32,
    /// Where the block begins that was looked at last,
    block: usize,
    /// and which of its bytes are special in a string: one bit for each.
    specials: u64,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: DEPTH,
            // None: every place is far from here.
            block: usize::MAX / 2,
            specials: 0,
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The first byte of the next token; 0 at the end.
    fn peek(&mut self) -> u8 {
        loop {
            match self.byte(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return byte,
                None => return 0,
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(Wrong) }
    }

    fn end(&mut self) -> Result<()> {
        self.peek();
        if self.at == self.text.len() { Ok(()) } else { Err(Wrong) }
    }

    /// Reads a string; all of it with its quotation marks, and whether there are escapes in it.
    fn string(&mut self) -> Result<(&'a str, bool)> {
        let start = self.at;
        self.expect(b'"')?;
        let text = self.text.as_bytes();
        // In local variables, because in source code every tenth byte is an escape.
        let (mut at, mut block, mut specials) = (self.at, self.block, self.specials);
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
                    let digits = text.get(at + 2..at + 6).ok_or(Wrong)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err(Wrong);
                    }
                    at += 6;
                }
                _ if text.get(at) == Some(&b'"') => break,
                _ => return Err(Wrong),
            }
            escaped = true;
        }
        (self.at, self.block, self.specials) = (at + 1, block, specials);
        Ok((self.text.get(start..self.at).unwrap_or_default(), escaped))
    }

    /// Passes over `true`, `false`, `null` or a number.
    fn scalar(&mut self) -> Result<&'a str> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |byte: u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
        let text = rest.get(..rest.bytes().position(ends).unwrap_or(rest.len()));
        let text = text.ok_or(Wrong)?;
        let is_one = matches!(text, "true" | "false" | "null") || serde_json::from_str::<IgnoredAny>(text).is_ok();
        if text.starts_with(['"', '{', '[']) || !is_one {
            return Err(Wrong);
        }
        self.at += text.len();
        Ok(text)
    }

    /// Passes over a value and gives its text.
    fn skip(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        // One bit per open bracket: 1 for an object.
        let (mut open, mut depth) = (0_u128, 0_u32);
        loop {
            match self.peek() {
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    if depth == self.depth {
                        return Err(Wrong);
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
                _ => {
                    self.scalar()?;
                }
            }
            if self.close(&mut open, &mut depth)? {
                return Ok(self.text.get(start..self.at).unwrap_or_default());
            }
        }
    }

    /// After a value: passes over closing brackets and a comma. True if the outermost value ended.
    fn close(&mut self, open: &mut u128, depth: &mut u32) -> Result<bool> {
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

    fn key(&mut self) -> Result<()> {
        self.peek();
        self.string()?;
        self.expect(b':')
    }

    /// Gives the string that is next.
    fn visit_string<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value> {
        self.peek();
        match self.string()? {
            (text, false) => visitor.visit_borrowed_str(&text[1..text.len() - 1]),
            (text, true) => visitor.visit_string(serde_json::from_str(text).map_err(|_| Wrong)?),
        }
    }

    /// Leaves the value that is next to serde_json.
    fn leave<T>(
        &mut self,
        read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'a>>) -> serde_json::Result<T>,
    ) -> Result<T> {
        let text = self.skip()?;
        read(&mut serde_json::Deserializer::from_str(text)).map_err(|_| Wrong)
    }

    /// Reads what is inside of brackets.
    fn inside<T>(&mut self, brackets: [u8; 2], read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect(brackets[0])?;
        self.depth = self.depth.checked_sub(1).ok_or(Wrong)?;
        let value = read(self)?;
        self.depth += 1;
        self.expect(brackets[1])?;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            b'"' => self.visit_string(visitor),
            b'{' => self.deserialize_map(visitor),
            b'[' => self.deserialize_seq(visitor),
            _ => self.leave(|rest| rest.deserialize_any(visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek() == b'n' {
            return self.leave(|rest| rest.deserialize_option(visitor));
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name == RAW {
            return visitor.visit_map(Lent(Some(self.skip()?)));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.inside([b'[', b']'], |reader| visitor.visit_seq(Items { reader, begun: false }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.inside([b'{', b'}'], |reader| visitor.visit_map(Items { reader, begun: false }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.peek() {
            b'{' => self.deserialize_map(visitor),
            _ => self.leave(|rest| rest.deserialize_struct(name, fields, visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.leave(|rest| rest.deserialize_enum(name, variants, visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.leave(|rest| rest.deserialize_bytes(visitor))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.leave(|rest| rest.deserialize_byte_buf(visitor))
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.leave(|rest| rest.deserialize_i128(visitor))
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.leave(|rest| rest.deserialize_u128(visitor))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.leave(|rest| rest.deserialize_f32(visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f64 char str string unit unit_struct tuple tuple_struct identifier
    }
}

/// What is inside of brackets, one after the other.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    begun: bool,
}

impl Items<'_, '_> {
    /// Passes over a comma. False before the closing bracket.
    fn more(&mut self, close: u8) -> Result<bool> {
        if self.reader.peek() == close {
            return Ok(false);
        }
        if std::mem::replace(&mut self.begun, true) {
            self.reader.expect(b',')?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.more(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.more(b'}')? {
            return Ok(None);
        }
        seed.deserialize(Name(self.reader)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        self.reader.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// A key, which is always a string. One that is to be something else is left to serde_json.
struct Name<'r, 'de>(&'r mut Reader<'de>);

impl<'de> Deserializer<'de> for Name<'_, 'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.visit_string(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name == RAW {
            return Err(Wrong);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct enum identifier ignored_any
    }
}

/// A raw value on its way to who wants one.
struct Lent<'de>(Option<&'de str>);

impl<'de> MapAccess<'de> for Lent<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        match self.0 {
            Some(_) => seed.deserialize(BorrowedStrDeserializer::new(RAW)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(BorrowedStrDeserializer::new(self.0.take().ok_or(Wrong)?))
    }
}

#[cfg(test)]
mod tests;
