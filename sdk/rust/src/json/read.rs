//! A reader of JSON for serde that passes over what stays text many bytes at a time: of a long conversation that is nearly all.
//!
//! It reads what serde_json reads, and lends [`RawValue`](serde_json::value::RawValue)s as that does. [`Scan`] passes over a text and checks
//! it; numbers, escapes and whatever else is not in the way of long texts are left to serde_json, and so is saying what is wrong.

use std::borrow::Cow;
use std::fmt::Display;

use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use witgate_scan::{Malformed, Scan};

/// By this name serde_json knows that a raw value is wanted, and that one is given.
const RAW: &str = "$serde_json::private::RawValue";

/// Reads a value that borrows from `text`; `None` if that is none. What is wrong serde_json can say.
// Compiled with the type that is read.
#[inline]
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    let scan = Scan::new(text);
    let mut reader = Reader { text, scan };
    let value = T::deserialize(&mut reader).ok()?;
    reader.scan.end().ok().map(|()| value)
}

/// Is this one JSON value?
pub(crate) fn is_value(text: &str) -> bool {
    let mut scan = Scan::new(text);
    scan.skip().and_then(|_| scan.end()).is_ok()
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

impl From<Malformed> for Wrong {
    fn from(_: Malformed) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, Wrong>;

/// A place in a text.
pub(crate) struct Reader<'a> {
    text: &'a str,
    scan: Scan<'a>,
}

impl<'a> Reader<'a> {
    /// Passes over a value and gives its text.
    fn skip(&mut self) -> Result<&'a str> {
        self.text.get(self.scan.skip()?).ok_or(Wrong)
    }

    /// Reads the string that is next.
    fn string(&mut self) -> Result<Cow<'a, str>> {
        let start = self.scan.place();
        let string = self.scan.string()?;
        if string.escaped {
            let whole = self.text.get(start..self.scan.here()).ok_or(Wrong)?;
            return serde_json::from_str(whole).map(Cow::Owned).map_err(|_| Wrong);
        }
        self.text.get(string.inside).map(Cow::Borrowed).ok_or(Wrong)
    }

    /// Gives the string that is next.
    fn visit_string<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
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
    fn inside<T>(&mut self, [open, close]: [u8; 2], read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.scan.open(open)?;
        let value = read(self)?;
        self.scan.close(close)?;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.scan.peek() {
            b'"' => self.visit_string(visitor),
            b'{' => self.deserialize_map(visitor),
            b'[' => self.deserialize_seq(visitor),
            _ => self.leave(|rest| rest.deserialize_any(visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.scan.peek() == b'n' {
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
        match self.scan.peek() {
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
        if self.reader.scan.peek() == close {
            return Ok(false);
        }
        if std::mem::replace(&mut self.begun, true) {
            self.reader.scan.expect(b',')?;
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
        self.reader.scan.expect(b':')?;
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
