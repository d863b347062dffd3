//! AWS event streams (`application/vnd.amazon.eventstream`), found in a buffer that grows. A message is a prelude (its length, its
//! headers' length, a checksum of both), typed headers, a payload, and a checksum of all before it, every number big-endian. A message
//! whose checksums do not fit, or whose headers do not fill their place, ends the stream: after it nobody knows where the next begins.
//!
//! The reading is our own, over `crc32fast`: `aws-smithy-eventstream` copies every header and payload, and brings the types of a whole
//! SDK for what is little more than one screen.

use std::{fmt, ops::Range};

use super::Broken;

/// Both lengths and their checksum.
const PRELUDE: usize = 12;
/// The prelude and the checksum at the end.
const SMALLEST: usize = PRELUDE + 4;
/// The longest headers that AWS allows.
const HEADERS: usize = 128 << 10;

/// A message, as spans over the buffer it was found in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Its headers.
    pub(super) headers: Range<usize>,
    /// What it carries.
    pub(super) payload: Range<usize>,
}

/// Finds messages. Places are counted from where the begun one starts, so that they hold when what is before it goes.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Where the begun message stands in the buffer.
    base: usize,
    /// What its prelude says, once that is there.
    begun: Option<Prelude>,
}

#[derive(Clone, Copy, Debug)]
struct Prelude {
    /// Of the whole message.
    length: usize,
    headers: usize,
}

/// One header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// ":event-type", ":message-type", …
    pub name: &'a str,
    /// Its value.
    pub value: Value<'a>,
}

/// What a header can hold. As text: numbers in digits, bytes in base64, a UUID in its usual form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Types 0 and 1.
    Bool(bool),
    /// Types 2 to 5.
    Integer(i64),
    /// Type 6.
    Bytes(&'a [u8]),
    /// Type 7.
    Text(&'a str),
    /// Type 8: milliseconds since 1970-01-01 UTC.
    Timestamp(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

impl Scanner {
    /// Lets go of what is before the begun message; returns how long that is.
    pub(super) fn restart(&mut self) -> usize {
        std::mem::take(&mut self.base)
    }

    /// The next whole message.
    pub(super) fn next(&mut self, buffer: &[u8], limit: usize) -> Result<Option<Message>, Broken> {
        let unread = buffer.get(self.base..).unwrap_or_default();
        let prelude = match self.begun {
            Some(prelude) => prelude,
            None => match unread.first_chunk() {
                Some(bytes) => *self.begun.insert(Prelude::read(bytes, limit)?),
                None => return Ok(None),
            },
        };
        let Some((message, checksum)) = unread.get(..prelude.length).and_then(<[u8]>::split_last_chunk::<4>) else {
            return Ok(None);
        };
        if crc32fast::hash(message) != u32::from_be_bytes(*checksum) {
            return Err(Broken::Damaged("a message's checksum is wrong"));
        }
        let headers = self.base + PRELUDE..self.base + PRELUDE + prelude.headers;
        let payload = headers.end..self.base + message.len();
        self.base += prelude.length;
        self.begun = None;
        Ok(Some(Message { headers, payload }))
    }
}

impl Prelude {
    /// Nothing is waited for, nor kept, on the word of lengths that are not checked.
    fn read(bytes: &[u8; PRELUDE], limit: usize) -> Result<Self, Broken> {
        let [l0, l1, l2, l3, h0, h1, h2, h3, checksum @ ..] = *bytes;
        if crc32fast::hash(&[l0, l1, l2, l3, h0, h1, h2, h3]) != u32::from_be_bytes(checksum) {
            return Err(Broken::Damaged("the checksum of a message's lengths is wrong"));
        }
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        let headers = u32::from_be_bytes([h0, h1, h2, h3]) as usize;
        if length > limit {
            return Err(Broken::TooLong { limit });
        }
        if headers > HEADERS || length < SMALLEST || length - SMALLEST < headers {
            return Err(Broken::Damaged("a message's lengths do not fit each other"));
        }
        Ok(Self { length, headers })
    }
}

/// Reads a message's headers, in their order.
pub(super) fn headers(mut bytes: &[u8]) -> Result<Vec<Header<'_>>, Broken> {
    let mut headers = Vec::new();
    while !bytes.is_empty() {
        let header = header(&mut bytes).ok_or(Broken::Damaged("a message's headers cannot be read"))?;
        headers.push(header);
    }
    Ok(headers)
}

fn header<'a>(bytes: &mut &'a [u8]) -> Option<Header<'a>> {
    let length = integer::<1>(bytes)?.cast_unsigned() & 0xff;
    let name = take(bytes, usize::try_from(length).ok()?)?;
    let value = match integer::<1>(bytes)? {
        0 => Value::Bool(true),
        1 => Value::Bool(false),
        2 => Value::Integer(integer::<1>(bytes)?),
        3 => Value::Integer(integer::<2>(bytes)?),
        4 => Value::Integer(integer::<4>(bytes)?),
        5 => Value::Integer(integer::<8>(bytes)?),
        6 => Value::Bytes(sized(bytes)?),
        7 => Value::Text(str::from_utf8(sized(bytes)?).ok()?),
        8 => Value::Timestamp(integer::<8>(bytes)?),
        9 => Value::Uuid(*array(bytes)?),
        _ => return None,
    };
    let name = str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    Some(Header { name, value })
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn array<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(taken)
}

/// A signed number of `N` bytes, at most 8.
fn integer<const N: usize>(bytes: &mut &[u8]) -> Option<i64> {
    let bytes = array::<N>(bytes)?;
    let sign = if bytes.first()? & 0x80 == 0 { 0 } else { -1 };
    Some(bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte)))
}

/// Bytes after their length.
fn sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(*array(bytes)?);
    take(bytes, length.into())
}

impl Value<'_> {
    /// As text.
    pub(super) fn text(&self) -> String {
        match self {
            // What nearly all are.
            Self::Text(value) => (*value).to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use base64::{display::Base64Display, engine::general_purpose::STANDARD};
        match self {
            Self::Bool(value) => value.fmt(out),
            Self::Integer(value) | Self::Timestamp(value) => value.fmt(out),
            Self::Bytes(value) => Base64Display::new(value, &STANDARD).fmt(out),
            Self::Text(value) => out.write_str(value),
            Self::Uuid(value) => {
                for (at, byte) in value.iter().enumerate() {
                    let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
                    write!(out, "{dash}{byte:02x}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
