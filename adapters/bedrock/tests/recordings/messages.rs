//! AWS's binary messages, as far as the tests take recordings of them apart.

use witgate_sdk::testing::aws_message;

/// The messages of a stream, each with its lengths and checksums.
pub(crate) fn split(stream: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    let mut rest = stream;
    while let Some(length) = number(rest, 0) {
        let (message, after) = rest.split_at(length);
        messages.push(message);
        rest = after;
    }
    assert!(rest.is_empty(), "a recorded stream is whole");
    messages
}

/// The message with another payload, made of its own. Its headers are texts.
pub(crate) fn with_payload(message: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let end = 12 + number(message, 4).expect("a message tells the length of its headers");
    let mut headers = Vec::new();
    let mut rest = &message[12..end];
    while let [length, more @ ..] = rest {
        let (name, more) = more.split_at(usize::from(*length));
        let [7, high, low, more @ ..] = more else {
            panic!("the header {} is no text", String::from_utf8_lossy(name));
        };
        let (value, more) = more.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        headers.push((text(name), text(value)));
        rest = more;
    }
    aws_message(&headers, change(text(&message[end..message.len() - 4])))
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes) as usize)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("headers and payloads are UTF-8")
}
