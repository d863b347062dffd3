//! `transport::frame`: a provider's byte stream, cut into frames.

use bytes::Bytes;
use witgate::transport::frame::{Cutter, Frame, Framing, LIMIT};

use crate::{memory, random::Random};

/// What a stream gave: its frames, the begun one at its end, and whether one was too long.
#[derive(Debug, Default, PartialEq)]
struct Found {
    frames: Vec<Frame>,
    rest: Option<Frame>,
    too_long: bool,
}

/// Cuts the bytes in several ways; all must give the same. Server-sent events are compared with a second reading of the standard.
pub fn target(data: &[u8]) {
    let mut random = Random::of(data);
    for framing in [Framing::Sse, Framing::Ndjson] {
        for limit in [LIMIT, 64, random.below(data.len() + 2)] {
            let whole = frames(framing, limit, data, data.len());
            assert!(
                whole.frames.iter().all(|frame| frame.data.len() <= limit),
                "a frame over the limit"
            );
            let piece = random.below(40) + 1;
            for piece in [1, piece, random.below(data.len() + 1) + 1] {
                assert_eq!(
                    frames(framing, limit, data, piece),
                    whole,
                    "{framing:?} in pieces of {piece} bytes"
                );
            }
        }
        bounded(framing, data);
    }
    assert_eq!(frames(Framing::Sse, LIMIT, data, data.len()).frames, standard(data));
    let raw: Vec<u8> = frames(Framing::Raw, LIMIT, data, 7)
        .frames
        .into_iter()
        .flat_map(|frame| frame.data)
        .collect();
    assert_eq!(raw, data, "raw bytes come as they are");
}

/// The frames of `data`, read in pieces of at most `piece` bytes.
fn frames(framing: Framing, limit: usize, data: &[u8], piece: usize) -> Found {
    let mut cutter = Cutter::new(framing, limit);
    let mut found = Found::default();
    for read in data.chunks(piece.max(1)) {
        cutter.feed(Bytes::copy_from_slice(read));
        loop {
            match cutter.cut() {
                Ok(Some(frame)) => found.frames.push(frame),
                Ok(None) => break,
                Err(_) => {
                    found.too_long = true;
                    return found;
                }
            }
        }
    }
    found.rest = cutter.rest();
    found
}

/// A stream that never ends takes no more memory than its limit says, whatever it says over and over.
fn bounded(framing: Framing, data: &[u8]) {
    const LONG: usize = 128 << 10;
    const FRAME: usize = 1 << 10;
    let endless = data.repeat(LONG / data.len().max(1));
    memory::within(16 * FRAME, || {
        let mut cutter = Cutter::new(framing, FRAME);
        for read in endless.chunks(256) {
            cutter.feed(Bytes::copy_from_slice(read));
            while let Some(frame) = cutter.cut()? {
                drop(frame);
            }
        }
        Ok::<(), witgate::transport::frame::Broken>(())
    })
    .unwrap_or_default();
}

/// Server-sent events by the letter of WHATWG HTML, section "interpreting an event stream"; but an event may have only a name, and
/// `id` and `retry` are told with the event they came in.
fn standard(data: &[u8]) -> Vec<Frame> {
    let mut found = Vec::new();
    let mut begun = Frame::default();
    let mut text: Option<Vec<u8>> = None;
    for line in lines(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data)) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"" if line.is_empty() => {
                let mut frame = std::mem::take(&mut begun);
                let data = text.take();
                if data.is_some() || !frame.event.is_empty() {
                    frame.data = data.unwrap_or_default().into();
                    found.push(frame);
                }
            }
            b"data" => match &mut text {
                Some(text) => text.extend([b"\n", value].concat()),
                None => text = Some(value.to_vec()),
            },
            b"event" => begun.event = Bytes::copy_from_slice(value),
            b"id" if !value.contains(&0) => begun.id = Some(Bytes::copy_from_slice(value)),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                begun.retry = Some(Bytes::copy_from_slice(value));
            }
            _ => {}
        }
    }
    found
}

/// The lines that have an end: LF, CRLF or CR.
fn lines(mut data: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some(end) = data.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        let (line, rest) = data.split_at(end);
        found.push(line);
        let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..));
        data = rest.unwrap_or_default();
    }
    found
}
