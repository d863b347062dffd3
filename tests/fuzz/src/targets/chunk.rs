//! `chunk`: answers on their way to the client, whole and in pieces.

use bytes::{Bytes, BytesMut};
use witgate::{
    call::Operation,
    chunk::{Assembler, Chunks, DONE, Flaw, Stamp, complete, synthesise},
};

use super::{events, is_json, members, without_made_ids};
use crate::memory;

/// Stands in every stamped chunk.
const IDENTITY: [&str; 5] = ["id", "object", "created", "model", "choices"];

/// A value that is no chunk may be large; as a tree it takes what its smallest members take, an object of one a whole node.
const TREE: usize = 256;

/// Takes the bytes as a stream of chunks, as lines of chunks and as a whole answer.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        whole(data);
        return;
    };
    memory::within(TREE * data.len() + (1 << 20), || {
        stream(&[text.to_owned()]);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() > 1 {
            stream(&lines);
        }
        let events = events(data);
        if !events.is_empty() {
            stream(&events);
        }
        whole(data);
    });
}

fn stamp(include_usage: bool) -> Stamp {
    Stamp {
        id: "chatcmpl-\"1\"".to_owned(),
        created: 1,
        model: "a \\ model".to_owned(),
        include_usage,
        base64: false,
    }
}

/// The bytes of a stream, and its chunks as the client would get them if each were read by itself: a chunk that is like the last one
/// is read in short, but not with a blank more or less before it.
fn alike(chunks: &[String], operation: Operation) {
    let given = |blanks: bool| {
        let mut stream = Chunks::new(stamp(true), operation);
        let mut out = BytesMut::new();
        for (at, chunk) in chunks.iter().enumerate() {
            let blank = if blanks && at % 2 == 1 { " " } else { "" };
            let _refused = stream.add(&format!("{blank}{chunk}"), &mut out);
        }
        let events: Vec<String> = events(&out)
            .iter()
            .map(|event| without_made_ids(event.trim_start()))
            .collect();
        (events, stream.usage(), stream.finished())
    };
    assert_eq!(given(false), given(true), "a chunk read in short is a chunk read");
}

/// Chunks one after the other, through [`Chunks`] and [`Assembler`].
fn stream(chunks: &[String]) {
    for operation in [Operation::Chat, Operation::Completions] {
        alike(chunks, operation);
        for include_usage in [false, true] {
            let mut stream = Chunks::new(stamp(include_usage), operation);
            let mut assembler = Assembler::new(stamp(include_usage), operation);
            for chunk in chunks {
                let mut out = BytesMut::new();
                match stream.add(chunk, &mut out) {
                    Ok(()) => passed_on(chunk, &out),
                    Err(flaw) => refused(chunk, &flaw),
                }
                // It may refuse more: a tree holds no half of a surrogate pair, and no number beyond a double.
                let _refused = assembler.add(chunk);
            }
            ended(stream);
            if let Ok(answer) = assembler.finish() {
                json(&answer.body);
            }
        }
    }
}

/// What a client gets for a chunk is nothing or one event, and its data says whose chunk it is.
fn passed_on(chunk: &str, out: &BytesMut) {
    // Line ends are blanks in an event's data, also where they were none.
    assert!(
        is_json(&chunk.replace(['\n', '\r'], " ")),
        "a chunk that is no JSON was passed on"
    );
    if out.is_empty() {
        return;
    }
    let events = events(out);
    let [event] = events.as_slice() else {
        panic!("a chunk became {} events", events.len());
    };
    has_identity(event);
}

/// The data of an event is a JSON object that says whose chunk it is.
pub(super) fn has_identity(event: &str) {
    assert!(
        is_json(event) && event.trim_start().starts_with('{'),
        "no JSON object: {event}"
    );
    // A key may have an escape that stands for half a character: that is JSON, and nobody's text.
    let Some(fields) = members(event) else { return };
    for key in IDENTITY {
        assert!(fields.contains_key(key), "a chunk without {key}: {event}");
    }
}

/// What is valid JSON is not called invalid, unless it is nested too deep.
fn refused(chunk: &str, flaw: &Flaw) {
    if matches!(flaw, Flaw::Malformed(what) if what.contains("valid JSON")) {
        let brackets = chunk.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
        assert!(!is_json(chunk) || brackets >= 120, "valid JSON was refused: {flaw:?}");
    }
}

fn ended(mut stream: Chunks) {
    let _counted = stream.usage();
    let mut out = BytesMut::new();
    stream.end(&mut out);
    all_chunks(&out);
}

/// The end of a stream, or all of it: events of valid JSON and the end mark.
fn all_chunks(out: &[u8]) {
    let chunks = out.strip_suffix(DONE).expect("a stream ends with its end mark");
    events(chunks).iter().for_each(|event| has_identity(event));
}

/// A whole answer, through [`complete`] and [`synthesise`], and the chunks of the second put together again.
fn whole(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    for operation in [Operation::Chat, Operation::Completions, Operation::Embeddings] {
        let Ok(answer) = complete(stamp(true), operation, bytes.clone()) else {
            continue;
        };
        json(&answer.body);
        if operation == Operation::Embeddings {
            continue;
        }
        // A tree holds no number beyond a double, and is not nested as deep as a text may be: then it is refused.
        let Ok(streamed) = synthesise(stamp(true), operation, bytes.clone()) else {
            continue;
        };
        all_chunks(&streamed.body);
        assert_eq!(streamed.usage, answer.usage, "a streamed answer costs the same");
        let mut assembler = Assembler::new(stamp(true), operation);
        for chunk in events(streamed.body.strip_suffix(DONE).unwrap_or_default()) {
            assembler
                .add(&chunk)
                .expect("what was made out of an answer can be put together");
        }
        if let Ok(answer) = assembler.finish() {
            json(&answer.body);
        }
    }
}

fn json(body: &[u8]) {
    let text = std::str::from_utf8(body).expect("an answer is text");
    assert!(is_json(text), "an answer that is no JSON: {text}");
}
