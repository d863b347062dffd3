//! The published vectors of AWS's own readers (`tests/fixtures/aws-eventstream`), cut in every way.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value as Json;

use super::{Header, Value, headers};
use crate::transport::frame::{Broken, Cutter, Frame, Framing, LIMIT};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/aws-eventstream")
}

fn vector(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("eventstream-vector-{name}.stream.bin"))).expect("a vector")
}

/// All frames of `bytes`, fed in pieces that end at `cuts`, and why there are no more.
fn frames(bytes: &[u8], cuts: &[usize], limit: usize) -> (Vec<Frame>, Option<Broken>) {
    let mut cutter = Cutter::new(Framing::AwsEvents, limit);
    let mut found = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([bytes.len()]) {
        cutter.feed(Bytes::copy_from_slice(&bytes[from..to]));
        loop {
            match cutter.cut() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(broken) => return (found, Some(broken)),
            }
        }
        from = to;
    }
    assert_eq!(cutter.rest(), None);
    (found, None)
}

/// A message with these headers (each: name, type and value as they are sent).
fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).expect("short").to_be_bytes();
    let mut bytes = [number(headers.len() + payload.len() + 16), number(headers.len())].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend([headers, payload].concat());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

/// A header's value as the vectors write it.
fn shown(value: &Value<'_>) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) | Value::Timestamp(value) => (*value).into(),
        Value::Bytes(value) => STANDARD.encode(value).into(),
        Value::Text(value) => STANDARD.encode(value).into(),
        Value::Uuid(value) => STANDARD.encode(value).into(),
    }
}

#[test]
fn every_published_message_reads_as_its_authors_say_however_it_is_cut() {
    let names = [
        "all-headers",
        "empty-message",
        "payload-no-headers",
        "payload-one-str-header",
    ];
    for name in names {
        let bytes = vector(&format!("positive-{name}"));
        let expected = fs::read(folder().join(format!("eventstream-vector-positive-{name}.expected.json")));
        let expected: Json = serde_json::from_slice(&expected.expect("what it means")).expect("JSON");
        let length = usize::try_from(expected["headers_length"].as_u64().expect("a length")).expect("short");
        let headers = headers(&bytes[12..12 + length]).expect("headers");
        let wanted = expected["headers"].as_array().expect("headers");
        assert_eq!(headers.len(), wanted.len(), "{name}");
        for (header, wanted) in headers.iter().zip(wanted) {
            assert_eq!(header.name, wanted["name"], "{name}");
            assert_eq!(shown(&header.value), wanted["value"], "{name}: {}", header.name);
        }
        let twice = [bytes.clone(), bytes.clone()].concat();
        for at in 0..twice.len() {
            let (found, broken) = frames(&twice, &[at], LIMIT);
            assert_eq!((found.len(), broken), (2, None), "{name}, cut at {at}");
            let payload = STANDARD
                .decode(expected["payload"].as_str().expect("a payload"))
                .expect("base64");
            assert!(found.iter().all(|frame| frame.data == payload), "{name}, cut at {at}");
            assert_eq!(found[0].headers.len(), wanted.len());
        }
        let all: Vec<usize> = (0..twice.len()).collect();
        assert_eq!(frames(&twice, &all, LIMIT).0.len(), 2, "{name}, byte by byte");
    }
    assert_eq!(frames(&vector("smithy-valid-empty-payload"), &[], LIMIT).0.len(), 1);
}

#[test]
fn what_a_header_holds_is_told_as_text() {
    let (found, _) = frames(&vector("positive-all-headers"), &[], LIMIT);
    let told: Vec<&str> = found[0].headers.iter().map(|(_, value)| value.as_str()).collect();
    let expected = [
        "40972",
        "application/json",
        "false",
        "true",
        "-49",
        "SSdtIGEgbGl0dGxlIHRlYXBvdCE=",
        "8675309",
        "42",
        "42424242",
        "01020304-0506-0708-090a-0b0c0d0e0f10",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_damaged_message_ends_the_stream_and_those_before_it_count() {
    let good = vector("positive-payload-no-headers");
    let lengths = "the checksum of a message's lengths is wrong";
    let checksum = "a message's checksum is wrong";
    for (name, why) in [
        ("negative-corrupted-header-len", lengths),
        ("negative-corrupted-length", lengths),
        ("negative-corrupted-headers", checksum),
        ("negative-corrupted-payload", checksum),
        ("smithy-invalid-message-checksum", checksum),
        ("smithy-invalid-header-name-length", checksum),
        (
            "smithy-invalid-headers-length",
            "a message's lengths do not fit each other",
        ),
    ] {
        let stream = [good.clone(), vector(name)].concat();
        for at in 0..stream.len() {
            let (found, broken) = frames(&stream, &[at], LIMIT);
            assert_eq!(
                (found.len(), broken),
                (1, Some(Broken::Damaged(why))),
                "{name}, cut at {at}"
            );
        }
    }
}

#[test]
fn any_flipped_bit_is_noticed() {
    let bytes = message(b"\x0b:event-type\x07\x00\x04stop", b"{}");
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (found, broken) = frames(&flipped, &[], LIMIT);
        assert!(found.is_empty() && broken.is_some(), "bit {bit}");
    }
}

#[test]
fn a_message_over_the_limit_is_refused_before_it_comes() {
    let bytes = message(b"", &[b'x'; 84]);
    assert_eq!(frames(&bytes, &[], 100).0.len(), 1);
    let refused = (Vec::new(), Some(Broken::TooLong { limit: 99 }));
    assert_eq!(frames(&bytes, &[], 99), refused);
    assert_eq!(frames(&bytes[..12], &[], 99), refused);
}

#[test]
fn lengths_that_do_not_fit_each_other_are_refused() {
    for (length, headers) in [(0_u32, 0_u32), (15, 0), (20, 5), (1 << 20, (128 << 10) + 1)] {
        let mut bytes = [length.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        let (_, broken) = frames(&bytes, &[], LIMIT);
        let why = "a message's lengths do not fit each other";
        assert_eq!(broken, Some(Broken::Damaged(why)), "{length}, {headers}");
    }
}

#[test]
fn an_event_has_the_name_of_its_type_its_exception_or_its_error() {
    for name in [":event-type", ":exception-type", ":error-code"] {
        let mut header = vec![u8::try_from(name.len()).expect("short")];
        header.extend(name.as_bytes());
        header.extend(b"\x07\x00\x03abc");
        let (found, _) = frames(&message(&header, b"{}"), &[], LIMIT);
        assert_eq!((&found[0].event[..], &found[0].data[..]), (&b"abc"[..], &b"{}"[..]));
    }
}

#[test]
fn headers_that_are_cut_short_or_of_no_known_type_are_not_read() {
    let name = &vector("smithy-invalid-header-name-length")[12..12 + 0x7a];
    let value = &vector("smithy-invalid-headers-length")[12..85];
    for bytes in [
        name,
        value,
        b"\x01",
        b"\x01a",
        b"\x01a\x0a",
        b"\x00\x00",
        b"\x01a\x04\x00\x00\x00",
        b"\x01a\x07\x00\x02x",
        b"\x01a\x07\x00\x01\xff",
        b"\x01\xff\x00",
        b"\x01a\x09123",
    ] {
        assert!(headers(bytes).is_err(), "{bytes:?}");
    }
    let one = Header {
        name: "a",
        value: Value::Integer(-1),
    };
    assert_eq!(headers(b"\x01a\x04\xff\xff\xff\xff"), Ok(vec![one]));
}
