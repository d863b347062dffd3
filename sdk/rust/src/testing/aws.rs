//! AWS's binary messages, read and written as plainly as can be: a byte at a time, and without a look at the checksums, which are the
//! host's business.

use super::frames::frame;
use crate::bindings::streaming::exports::witgate::adapter::streaming::Frame;

/// Adds a byte to a begun message; the message, if it is whole now.
pub(super) fn feed(message: &mut Vec<u8>, byte: u8) -> Option<Frame> {
    message.push(byte);
    let number = |at: usize| {
        let bytes = message.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes) as usize)
    };
    if message.len() < 16 || number(0) != Some(message.len()) {
        return None;
    }
    let headers_end = 12 + number(4)?;
    let headers = headers(message.get(12..headers_end).expect("a message's headers lie in it"));
    let name = |name: &str| matches!(name, ":event-type" | ":exception-type" | ":error-code");
    let event = headers.iter().find(|(key, _)| name(key));
    let event = event.map(|(_, value)| value.clone()).unwrap_or_default();
    let read = Frame {
        headers,
        ..frame(&event, &message[headers_end..message.len() - 4])
    };
    message.clear();
    Some(read)
}

fn headers(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    while let [length, rest @ ..] = bytes {
        let (name, rest) = rest.split_at(usize::from(*length));
        let (value, rest) = match rest {
            [0, rest @ ..] => ("true".to_owned(), rest),
            [1, rest @ ..] => ("false".to_owned(), rest),
            [7, high, low, rest @ ..] => {
                let (value, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
                (text(value), rest)
            }
            _ => panic!("the test harness reads only texts and booleans in AWS headers"),
        };
        headers.push((text(name), value));
        bytes = rest;
    }
    headers
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("AWS headers are UTF-8")
}

/// A message as AWS sends it: headers that are texts, and a payload.
///
/// ```
/// # use witgate_sdk::testing::{Reply, aws_message};
/// let stop = aws_message(&[(":event-type", "messageStop"), (":message-type", "event")], r#"{"stopReason":"end_turn"}"#);
/// let reply = Reply::aws_events(stop);
/// ```
#[must_use]
pub fn aws_message(headers: &[(&str, &str)], payload: impl AsRef<[u8]>) -> Vec<u8> {
    let mut written = Vec::new();
    for (name, value) in headers {
        written.push(u8::try_from(name.len()).expect("a header's name has at most 255 bytes"));
        written.extend(name.as_bytes());
        written.push(7);
        let length = u16::try_from(value.len()).expect("a header's value has at most 64 KiB");
        written.extend(length.to_be_bytes());
        written.extend(value.as_bytes());
    }
    let number = |number: usize| u32::try_from(number).expect("a message is short").to_be_bytes();
    let payload = payload.as_ref();
    let mut message = [number(written.len() + payload.len() + 16), number(written.len())].concat();
    message.extend(checksum(&message).to_be_bytes());
    message.extend(written);
    message.extend(payload);
    message.extend(checksum(&message).to_be_bytes());
    message
}

/// CRC-32 (IEEE 802.3), a bit at a time.
fn checksum(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| bit(crc));
    !bytes.iter().fold(!0, byte)
}
