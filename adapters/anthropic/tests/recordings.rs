//! Recorded answers of Anthropic's (and of hosts that serve Claude in its format) say to the client what they say. What each means was
//! written down by a judge that knows nothing of this adapter: see tests/fixtures/anthropic/regenerate.py.

#[path = "drive/call.rs"]
mod drive;
#[path = "recordings/outcome.rs"]
mod outcome;

use std::fs;
use std::path::{Path, PathBuf};

use drive::Frames;
use outcome::Outcome;
use serde_json::{Map, Value, json};

/// A recorded answer and what it means.
struct Case {
    file: String,
    status: u16,
    stream: bool,
    body: String,
    /// each field with the values that will do
    fields: Map<String, Value>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/anthropic")
}

/// All cases but those of other endpoints, which have no meaning as an answer.
fn cases() -> Vec<Case> {
    let meanings = fs::read_to_string(folder().join("meanings.jsonl")).expect("the meanings are there");
    let read = |line: &str| {
        let case: Value = serde_json::from_str(line).expect("a line is JSON");
        let file = case["file"].as_str().expect("a case has a file").to_owned();
        let status = case["status"].as_u64().expect("a case has a status") as u16;
        Some(Case {
            body: fs::read_to_string(folder().join(&file)).expect("the recording is there"),
            stream: case["stream"] == true && status < 400,
            fields: case["meaning"]["fields"].as_object()?.clone(),
            file,
            status,
        })
    };
    meanings.lines().filter_map(read).collect()
}

fn streams() -> Vec<Case> {
    cases().into_iter().filter(|case| case.stream).collect()
}

/// The bytes on the wire. Some recorders kept only the data of each event.
fn wire(case: &Case) -> Vec<u8> {
    if !case.file.ends_with(".jsonl") {
        return case.body.clone().into_bytes();
    }
    let event = |line: &str| format!("data: {line}\n\n");
    case.body.lines().map(event).collect::<String>().into_bytes()
}

fn play(case: &Case) -> Outcome {
    if !case.stream {
        return match drive::answer(case.status, &case.body) {
            Ok(answer) => Outcome::of_answer(&answer),
            Err(failure) => Outcome::default().failed(failure.status, &failure.message),
        };
    }
    let (chunks, failure) = drive::chunks(&[Frames::of(&[&wire(case)])].concat());
    let outcome = Outcome::of_chunks(&chunks);
    match failure {
        Some(failure) => outcome.failed(failure.status, &failure.message),
        None => outcome,
    }
}

#[test]
fn every_recording_keeps_its_meaning() {
    let cases = cases();
    assert!(cases.len() > 130, "the recordings are there");
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, play(case).differences(&case.fields)))
        .filter(|(_, differences)| !differences.is_empty())
        .map(|(case, differences)| format!("{}\n    {}", case.file, differences.join("\n    ")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_same_chunks() {
    for case in streams() {
        let bytes = wire(&case);
        let (whole, _) = drive::chunks(&Frames::of(&[&bytes]));
        // Every byte of the shorter streams; of the longer ones every few, so that the test stays quick.
        let step = 1 + bytes.len() / 4096 * 16;
        for at in (0..bytes.len()).step_by(step) {
            let (before, after) = bytes.split_at(at);
            let (cut, _) = drive::chunks(&Frames::of(&[before, after]));
            assert_eq!(cut, whole, "{} cut at {at}", case.file);
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(
            drive::chunks(&Frames::of(&single)).0,
            whole,
            "{} byte by byte",
            case.file
        );
    }
}

#[test]
fn unknown_fields_and_events_never_break_a_recorded_stream() {
    for case in streams() {
        let bytes = wire(&case);
        let frames = Frames::of(&[&bytes]);
        let (whole, _) = drive::chunks(&frames);
        let strange = |(name, data): &(String, String)| {
            // A proxy in front of one of the hosts ends its streams with [DONE].
            let Ok(mut event) = serde_json::from_str::<Value>(data) else {
                return [(); 3].map(|()| (name.clone(), data.clone()));
            };
            event["new"] = json!({"a": [1, null]});
            for key in ["delta", "content_block", "message"] {
                if event[key].is_object() {
                    event[key]["new"] = json!(["x"]);
                }
            }
            [
                (name.clone(), event.to_string()),
                (
                    "new_event".to_owned(),
                    json!({"type": "new_event", "delta": {"type": 7}}).to_string(),
                ),
                ("other".to_owned(), "no JSON".to_owned()),
            ]
        };
        let with_strangers = frames
            .iter()
            .map(|batch| batch.iter().flat_map(strange).collect())
            .collect::<Vec<_>>();
        let (chunks, _) = drive::chunks(&with_strangers);
        assert_eq!(Outcome::of_chunks(&chunks), Outcome::of_chunks(&whole), "{}", case.file);
    }
}

#[test]
fn an_answer_that_is_brought_back_is_sent_as_the_blocks_it_came_in() {
    let mut brought_back = 0;
    for case in cases().into_iter().filter(|case| !case.stream && case.status == 200) {
        let recorded: Value = serde_json::from_str(&case.body).expect("a message is JSON");
        let Ok(answer) = drive::answer(case.status, &case.body) else {
            continue;
        };
        let answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
        let go = json!({"role": "user", "content": "Go on"});
        let request = json!({"messages": [go, answer["choices"][0]["message"], go]});
        let sent = drive::request("claude-sonnet-4-5", &request.to_string()).expect("the request can be sent");
        let sent: Value = serde_json::from_str(&sent).expect("a request is JSON");
        let blocks = plain(&recorded["content"]);
        if !blocks.is_empty() {
            assert_eq!(plain(&sent["messages"][1]["content"]), blocks, "{}", case.file);
            brought_back += 1;
        }
    }
    assert!(brought_back > 60, "{brought_back} answers were brought back");
}

/// Blocks without what says nothing: blank texts, no citations, a call made by the model itself.
fn plain(blocks: &Value) -> Vec<Value> {
    let mut blocks = blocks.as_array().cloned().unwrap_or_default();
    blocks
        .retain(|block| block["type"] != "text" || block["text"].as_str().is_some_and(|text| !text.trim().is_empty()));
    for block in &mut blocks {
        let fields = block.as_object_mut().expect("a block is an object");
        fields.retain(|key, value| {
            !(key == "citations" && value.is_null() || key == "caller" && value["type"] == "direct")
        });
    }
    blocks
}
