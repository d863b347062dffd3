//! The published vectors of other event stream readers (`tests/fixtures/sse`), cut in every way.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Broken, Cutter, Frame, Framing, LIMIT};

/// All frames of `bytes`, fed in pieces that end at `cuts`, and what was begun at the end.
fn frames(framing: Framing, bytes: &[u8], cuts: &[usize]) -> (Vec<Frame>, Option<Frame>) {
    let mut cutter = Cutter::new(framing, LIMIT);
    let mut found = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([bytes.len()]) {
        cutter.feed(Bytes::copy_from_slice(&bytes[from..to]));
        while let Some(frame) = cutter.cut().expect("within the limit") {
            found.push(frame);
        }
        from = to;
    }
    (found, cutter.rest())
}

fn vectors() -> Vec<(String, Vec<u8>, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/sse");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("the vectors") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".stream.sse") {
            let expected = fs::read(path.with_file_name(format!("{stem}.expected.json"))).expect("what it means");
            let expected = serde_json::from_slice(&expected).expect("JSON");
            all.push((stem.to_owned(), fs::read(&path).expect("a stream"), expected));
        }
    }
    assert!(all.len() >= 20, "the vectors are here");
    all
}

/// A frame as the vectors write it.
fn shown(frame: &Frame) -> Value {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).expect("text");
    let mut out = json!({"data": text(&frame.data)});
    if !frame.event.is_empty() {
        out["event"] = text(&frame.event).into();
    }
    if let Some(id) = &frame.id {
        out["id"] = text(id).into();
    }
    out
}

#[test]
fn every_published_vector_reads_as_its_authors_say_however_it_is_cut() {
    for (name, bytes, expected) in vectors() {
        let expected = expected["events"].as_array().expect("events");
        let check = |cuts: &[usize]| {
            let (found, _) = frames(Framing::Sse, &bytes, cuts);
            let found: Vec<Value> = found.iter().map(shown).collect();
            assert_eq!(&found, expected, "{name}, cut at {cuts:?}");
        };
        check(&[]);
        check(&(0..bytes.len()).collect::<Vec<_>>());
        for at in 0..bytes.len() {
            check(&[at]);
        }
    }
}

#[test]
fn a_frame_of_one_read_is_not_copied() {
    let read = Bytes::from_static(b"event: a\ndata: one\n\ndata: two\n\n");
    let mut cutter = Cutter::new(Framing::Sse, LIMIT);
    cutter.feed(read.clone());
    let within = |part: &Bytes| read.as_ptr_range().contains(&part.as_ptr());
    let first = cutter.cut().expect("short").expect("whole");
    let second = cutter.cut().expect("short").expect("whole");
    assert!(within(&first.data) && within(&first.event) && within(&second.data));
}

#[test]
fn an_event_without_its_blank_line_is_kept_apart() {
    for bytes in [
        "data: one\n\ndata: two",
        "data: one\n\ndata: two\n",
        "data: one\r\rdata: two\r",
    ] {
        let (found, rest) = frames(Framing::Sse, bytes.as_bytes(), &[]);
        assert_eq!(found.len(), 1, "{bytes:?}");
        assert_eq!(rest.expect("begun").data, "two", "{bytes:?}");
    }
    assert_eq!(frames(Framing::Sse, b"data: one\n\n: bye\n", &[]).1, None);
}

#[test]
fn lines_of_json_come_one_by_one_and_the_last_needs_no_end() {
    let bytes = b"{\"a\":1}\r\n\n  {\"b\":\"\xc3\xa9\"}\n{\"c\":3}";
    for at in 0..bytes.len() {
        let (found, rest) = frames(Framing::Ndjson, bytes, &[at]);
        let data: Vec<&[u8]> = found.iter().map(|frame| &frame.data[..]).collect();
        assert_eq!(data, [b"{\"a\":1}".as_slice(), b"{\"b\":\"\xc3\xa9\"}"], "cut at {at}");
        assert_eq!(rest.expect("begun").data, "{\"c\":3}");
    }
}

#[test]
fn raw_reads_stay_as_they_came() {
    let (found, rest) = frames(Framing::Raw, b"abcdef", &[2, 3]);
    let data: Vec<&[u8]> = found.iter().map(|frame| &frame.data[..]).collect();
    assert_eq!(data, [b"ab".as_slice(), b"c", b"def"]);
    assert_eq!(rest, None);
}

#[test]
fn a_frame_without_end_is_refused_at_the_limit() {
    for (framing, start) in [(Framing::Sse, "data: "), (Framing::Ndjson, "{")] {
        let mut cutter = Cutter::new(framing, 100);
        cutter.feed(Bytes::from(start));
        let mut outcome = Ok(None);
        for _ in 0..101 {
            outcome = cutter.cut();
            cutter.feed(Bytes::from_static(b"x"));
        }
        assert_eq!(outcome.and(cutter.cut()), Err(Broken::TooLong { limit: 100 }));
    }
}

#[test]
fn an_event_at_the_limit_is_judged_alike_in_one_read_and_in_many() {
    let event = b"data: four\n\n";
    for limit in 8..14 {
        let in_pieces = |size: usize| {
            let mut cutter = Cutter::new(Framing::Sse, limit);
            let mut found = Ok(None);
            for piece in event.chunks(size) {
                cutter.feed(Bytes::copy_from_slice(piece));
                found = found.and(cutter.cut());
            }
            found
        };
        assert_eq!(in_pieces(event.len()), in_pieces(1), "limit {limit}");
    }
}

#[test]
fn heartbeats_without_blank_lines_do_not_fill_the_limit() {
    let mut cutter = Cutter::new(Framing::Sse, 100);
    for _ in 0..1000 {
        cutter.feed(Bytes::from_static(b": still here\n"));
        assert_eq!(cutter.cut(), Ok(None));
    }
    cutter.feed(Bytes::from_static(b"data: x\n\n"));
    assert_eq!(cutter.cut().expect("short").expect("whole").data, "x");
}
