//! `transport::frame::aws`: AWS event streams, as they come and with checksums put right: nothing else gets past those.

use bytes::Bytes;
use witgate::transport::frame::{Broken, Cutter, Frame, Framing, LIMIT};

use crate::{memory, random::Random};

/// What a stream gave: its frames, and why there are no more.
type Found = (Vec<Frame>, Option<Broken>);

/// Cuts the bytes in several ways; all must give the same.
pub fn target(data: &[u8]) {
    let mut random = Random::of(data);
    let sealed = sealed(data);
    for stream in [data, &sealed, &[&sealed, data].concat()] {
        for limit in [LIMIT, 64, random.below(stream.len() + 2)] {
            let whole = frames(stream, stream.len(), limit);
            assert!(
                whole.0.iter().all(|frame| frame.data.len() + 16 <= limit),
                "a frame over the limit"
            );
            for piece in [1, random.below(40) + 1] {
                assert_eq!(frames(stream, piece, limit), whole, "in pieces of {piece} bytes");
            }
        }
    }
    understood(data, &sealed);
    bounded(&sealed);
}

/// A message whose headers and payload are `data`: its first byte says where the payload begins.
fn sealed(data: &[u8]) -> Vec<u8> {
    let (at, content) = data
        .split_first()
        .map_or((0, data), |(at, rest)| (usize::from(*at), rest));
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = [number(content.len() + 16), number(at.min(content.len()))].concat();
    bytes.extend(crc(&bytes).to_be_bytes());
    bytes.extend(content);
    bytes.extend(crc(&bytes).to_be_bytes());
    bytes
}

/// A message whose checksums are right is read: its payload to the byte, its headers one for one; or its headers are no headers.
fn understood(data: &[u8], sealed: &[u8]) {
    let (at, content) = data
        .split_first()
        .map_or((0, data), |(at, rest)| (usize::from(*at), rest));
    let (headers, payload) = content.split_at(at.min(content.len()));
    match frames(sealed, sealed.len(), LIMIT) {
        (found, None) => {
            let [frame] = &found[..] else {
                panic!("{} frames of one message", found.len())
            };
            assert_eq!(frame.data, payload);
            assert_eq!(Some(frame.headers.len()), count(headers), "headers");
        }
        (_, Some(broken)) => {
            assert!(matches!(broken, Broken::Damaged(_)));
            assert_eq!(count(headers), None, "headers that could be read: {broken:?}");
        }
    }
}

/// How many headers there are; `None` if these are none. A second reading of the format.
fn count(mut bytes: &[u8]) -> Option<usize> {
    let mut found = 0;
    while let [length, rest @ ..] = bytes {
        let name = rest.get(..usize::from(*length))?;
        std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
        let [kind, rest @ ..] = rest.get(name.len()..)? else {
            return None;
        };
        let sized = |rest: &[u8]| Some(2 + usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])));
        let length = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            6 => sized(rest)?,
            7 => {
                let length = sized(rest)?;
                std::str::from_utf8(rest.get(2..length)?).ok()?;
                length
            }
            9 => 16,
            _ => return None,
        };
        bytes = rest.get(length..)?;
        found += 1;
    }
    Some(found)
}

fn frames(data: &[u8], piece: usize, limit: usize) -> Found {
    let mut cutter = Cutter::new(Framing::AwsEvents, limit);
    let mut found = Vec::new();
    for read in data.chunks(piece.max(1)) {
        cutter.feed(Bytes::copy_from_slice(read));
        loop {
            match cutter.cut() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(broken) => return (found, Some(broken)),
            }
        }
    }
    (found, None)
}

/// A stream that never ends takes no more memory than its limit says. (A header in text may be longer than it was: 1 KiB of the
/// shortest ones is some 300 of them.)
fn bounded(message: &[u8]) {
    const FRAME: usize = 1 << 10;
    memory::within(64 * FRAME, || {
        let mut cutter = Cutter::new(Framing::AwsEvents, FRAME);
        for _ in 0..(128 << 10) / message.len().max(1) {
            for read in message.chunks(256) {
                cutter.feed(Bytes::copy_from_slice(read));
                while let Some(frame) = cutter.cut()? {
                    drop(frame);
                }
            }
        }
        Ok::<(), Broken>(())
    })
    .unwrap_or_default();
}

/// CRC-32 (IEEE 802.3), a bit at a time.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(!0, byte)
}
