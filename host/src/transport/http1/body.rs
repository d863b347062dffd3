//! Where a reply's body ends.

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};

use super::Broken;

/// How long the line with a chunk's size, or a trailer, may be.
const LONGEST_LINE: usize = 8 << 10;

/// How much of a body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes.
    Sized(u64),
    /// Chunks, of which this comes next.
    Chunked(Next),
    /// Whatever comes before the connection is closed.
    UntilClose,
    /// Nothing.
    Over,
}

/// What comes next in a body of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The line with a chunk's size.
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The line break after a chunk.
    Break,
    /// The trailers, or the empty line that ends it all.
    Trailer,
}

impl Framing {
    /// As RFC 9112, section 6.3 has it.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> Result<Self, Broken> {
        if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
            return Ok(Self::Over);
        }
        if let Some(coding) = headers.get_all(TRANSFER_ENCODING).iter().next_back() {
            if headers.contains_key(CONTENT_LENGTH) {
                return Err(Broken::Malformed("it has a length and a transfer encoding"));
            }
            let last = coding
                .to_str()
                .unwrap_or_default()
                .rsplit(',')
                .next()
                .unwrap_or_default();
            return Ok(if last.trim().eq_ignore_ascii_case("chunked") {
                Self::Chunked(Next::Size)
            } else {
                Self::UntilClose
            });
        }
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        let Some(first) = lengths.next() else {
            return Ok(Self::UntilClose);
        };
        if lengths.any(|other| other != first) {
            return Err(Broken::Malformed("it has two lengths"));
        }
        match length(first.as_bytes()) {
            Some(0) => Ok(Self::Over),
            Some(length) => Ok(Self::Sized(length)),
            None => Err(Broken::Malformed("its length is no number")),
        }
    }

    /// Takes what has come of the body out of `buffer`, all of it in one piece.
    pub(super) fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, Broken> {
        match self {
            Self::Over => Ok(None),
            _ if buffer.is_empty() => Ok(None),
            Self::UntilClose => Ok(Some(buffer.split().freeze())),
            Self::Sized(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= taken as u64;
                if *left == 0 {
                    *self = Self::Over;
                }
                Ok(Some(buffer.split_to(taken).freeze()))
            }
            Self::Chunked(next) => {
                let (next, piece) = chunks(*next, buffer)?;
                *self = next.map_or(Self::Over, Self::Chunked);
                Ok(piece)
            }
        }
    }
}

/// A number of digits only: no sign, no white space.
fn length(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// Takes the chunks that have come out of `buffer` and moves what is in them together. Gives what comes next, none at the end.
fn chunks(mut next: Next, buffer: &mut BytesMut) -> Result<(Option<Next>, Option<Bytes>), Broken> {
    let (mut read, mut written, mut over) = (0, 0, false);
    while !over {
        let rest = buffer.get(read..).unwrap_or_default();
        let step = match next {
            Next::Data(left) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                buffer.copy_within(read..read + taken, written);
                written += taken;
                let left = left - taken as u64;
                let after = if left == 0 { Next::Break } else { Next::Data(left) };
                Some((taken, after)).filter(|_| taken > 0)
            }
            Next::Size => size(rest)?,
            Next::Break => match rest {
                [b'\r', b'\n', ..] => Some((2, Next::Size)),
                [] | [b'\r'] => None,
                _ => return Err(Broken::Malformed("a chunk is longer than it says")),
            },
            Next::Trailer => {
                let line = trailer(rest)?;
                over = line.is_some_and(|line| line <= 2);
                line.map(|line| (line, Next::Trailer))
            }
        };
        let Some((used, after)) = step else { break };
        read += used;
        next = after;
    }
    let rest = buffer.split_off(read);
    buffer.truncate(written);
    let piece = std::mem::replace(buffer, rest).freeze();
    Ok(((!over).then_some(next), Some(piece).filter(|piece| !piece.is_empty())))
}

/// The line with a chunk's size, and what follows it.
fn size(rest: &[u8]) -> Result<Option<(usize, Next)>, Broken> {
    match httparse::parse_chunk_size(rest) {
        Ok(httparse::Status::Complete((used, 0))) => Ok(Some((used, Next::Trailer))),
        Ok(httparse::Status::Complete((used, size))) => Ok(Some((used, Next::Data(size)))),
        Ok(httparse::Status::Partial) if rest.len() <= LONGEST_LINE => Ok(None),
        Ok(httparse::Status::Partial) | Err(_) => Err(Broken::Malformed("a chunk's size cannot be read")),
    }
}

/// The length of a trailer's line, its end included.
fn trailer(rest: &[u8]) -> Result<Option<usize>, Broken> {
    match memchr::memchr(b'\n', rest) {
        Some(end) => Ok(Some(end + 1)),
        None if rest.len() <= LONGEST_LINE => Ok(None),
        None => Err(Broken::Malformed("a trailer is too long")),
    }
}
