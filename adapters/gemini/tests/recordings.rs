//! Recorded answers of the Gemini API and of Vertex AI say to the client what they say. What each means was written down by a judge
//! that knows nothing of this adapter: see tests/fixtures/gemini/regenerate.py.

#[path = "../../anthropic/tests/recordings/outcome.rs"]
mod outcome;

use std::fs;
use std::path::{Path, PathBuf};

use outcome::Outcome;
use serde_json::{Map, Value, json};
use witgate_gemini::Gemini;
use witgate_sdk::testing::{Call, Played, Reply};

/// A recorded answer and what it means.
struct Case {
    file: String,
    status: u16,
    stream: bool,
    body: Vec<u8>,
    /// each field with the values that will do
    fields: Map<String, Value>,
}

fn folder(provider: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(provider)
}

/// All chats.
fn cases() -> Vec<Case> {
    ["gemini", "vertex"].into_iter().flat_map(cases_of).collect()
}

fn cases_of(provider: &str) -> Vec<Case> {
    let meanings = fs::read_to_string(folder(provider).join("meanings.jsonl")).expect("the meanings are there");
    let read = |line: &str| {
        let case: Value = serde_json::from_str(line).expect("a line is JSON");
        let file = case["file"].as_str().expect("a case has a file");
        let status = case["status"].as_u64().expect("a case has a status") as u16;
        Some(Case {
            body: fs::read(folder(provider).join(file)).expect("the recording is there"),
            stream: case["stream"] == true && status < 400,
            fields: case["meaning"]["fields"].as_object()?.clone(),
            file: format!("{provider}/{file}"),
            status,
        })
    };
    meanings.lines().filter_map(read).collect()
}

/// The reply on the wire. Some recorders kept only the data of each event; some clients asked for a list instead of events.
fn reply(case: &Case) -> Reply {
    if !case.stream {
        return Reply::status(case.status).body(case.body.clone());
    }
    let text = String::from_utf8(case.body.clone()).expect("a stream is UTF-8");
    let events: Vec<String> = match case.file.rsplit_once('.') {
        Some((_, "jsonl")) => text.lines().map(str::to_owned).collect(),
        Some((_, "json")) => {
            let list: Value = serde_json::from_str(&text).expect("a list of events");
            let list = list.as_array().cloned().unwrap_or_else(|| vec![list]);
            list.iter().map(Value::to_string).collect()
        }
        _ => return Reply::sse(text),
    };
    let event = |data: &String| format!("data: {data}\r\n\r\n");
    Reply::sse(events.iter().map(event).collect::<String>())
}

fn call(case: &Case) -> Call {
    let call = Call::says("Hi").model("gemini-2.5-flash");
    if case.stream { call.streaming() } else { call }
}

fn outcome(played: &Played) -> Outcome {
    let chunks: Vec<String> = played.chunks().iter().map(Value::to_string).collect();
    let outcome = if played.is_failure() || !chunks.is_empty() {
        Outcome::of_chunks(&chunks)
    } else {
        Outcome::of_answer(&played.answer().to_string())
    };
    if played.is_failure() {
        let failure = played.failure();
        outcome.failed(failure.status, &failure.message)
    } else {
        outcome
    }
}

#[test]
fn every_recording_keeps_its_meaning() {
    let cases = cases();
    assert!(cases.len() > 120, "the recordings are there");
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| {
            (
                case,
                outcome(&call(case).play::<Gemini>([reply(case)])).differences(&case.fields),
            )
        })
        .filter(|(_, differences)| !differences.is_empty())
        .map(|(case, differences)| format!("{}\n    {}", case.file, differences.join("\n    ")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_same_chunks() {
    for case in cases().iter().filter(|case| case.stream) {
        if case.body.len() < 1500 {
            let _ = call(case).play_cut_everywhere::<Gemini>([reply(case)]);
            continue;
        }
        let whole = call(case).play::<Gemini>([reply(case)]);
        for bytes in [7, 1000] {
            let cut = call(case).play::<Gemini>([reply(case).cut_every(bytes)]);
            assert_eq!(cut, whole, "{} in pieces of {bytes} bytes", case.file);
        }
    }
}

#[test]
fn unknown_fields_and_parts_never_break_a_recorded_stream() {
    for case in cases().iter().filter(|case| case.stream) {
        let text = String::from_utf8(case.body.clone()).expect("a stream is UTF-8");
        let mut strange = String::new();
        for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let mut event: Value = serde_json::from_str(data).expect("an event is JSON");
            event["new"] = json!({"a": [1, null]});
            for candidate in event["candidates"].as_array_mut().into_iter().flatten() {
                candidate["new"] = json!(["x"]);
                if let Some(parts) = candidate["content"]["parts"].as_array_mut() {
                    parts.push(json!({"hologram": {"text": "x"}}));
                }
            }
            strange += &format!("data: {event}\n\n");
        }
        if strange.is_empty() {
            continue;
        }
        let played = call(case).play::<Gemini>([Reply::sse(strange)]);
        let differences = outcome(&played).differences(&case.fields);
        assert!(differences.is_empty(), "{}: {differences:?}", case.file);
    }
}

#[test]
fn an_answer_that_is_brought_back_is_sent_as_the_parts_it_came_in() {
    let mut brought_back = 0;
    for case in cases().iter().filter(|case| !case.stream && case.status == 200) {
        let recorded: Value = serde_json::from_slice(&case.body).expect("an answer is JSON");
        let played = call(case).play::<Gemini>([reply(case)]);
        let go = json!({"role": "user", "content": "Go on"});
        let request = json!({"messages": [go, played.answer()["choices"][0]["message"], go]});
        let sent = Call::chat(request.to_string()).request::<Gemini>().json();
        let parts = plain(&recorded["candidates"][0]["content"]["parts"]);
        if !parts.is_empty() {
            assert_eq!(plain(&sent["contents"][1]["parts"]), parts, "{}", case.file);
            brought_back += 1;
        }
    }
    assert!(brought_back > 45, "{brought_back} answers were brought back");
}

/// Parts that say something: no summaries of thoughts, no empty texts; texts that follow each other are one, where none is signed.
fn plain(parts: &Value) -> Vec<Value> {
    let mut plain: Vec<Value> = Vec::new();
    for part in parts.as_array().into_iter().flatten() {
        let signed = part.get("thoughtSignature").is_some();
        if part["thought"] == true || part == &json!({}) || part["text"] == "" && !signed {
            continue;
        }
        let text = part["text"].as_str().filter(|_| !signed);
        match plain.last_mut().filter(|last| last.get("thoughtSignature").is_none()) {
            Some(last) if last["text"].is_string() && text.is_some() => {
                let both = [last["text"].as_str(), text].map(Option::unwrap_or_default).concat();
                last["text"] = both.into();
            }
            _ => plain.push(part.clone()),
        }
    }
    plain
}

#[test]
fn recorded_embeddings_and_models_are_read() {
    let read = |provider: &str, part: &str| {
        let all = fs::read_dir(folder(provider)).expect("the folder is there");
        let names = all.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let fits = |name: &String| name.starts_with(part) && name.ends_with(".response.json");
        names
            .filter(fits)
            .map(|name| folder(provider).join(name))
            .collect::<Vec<_>>()
    };
    // The recording stops after the first page.
    let pages = |file: &PathBuf| [Reply::recorded(file), Reply::json(r#"{"models":[]}"#)];
    let embeddings = [read("gemini", "embeddings-"), read("vertex", "embeddings-")].concat();
    assert_eq!(embeddings.len(), 6, "the recordings are there");
    for file in &embeddings {
        let call = Call::new("embeddings", json!({"model": "m", "input": "x"}).to_string());
        let answer = call.play::<Gemini>([Reply::recorded(file)]).answer();
        let first = &answer["data"][0]["embedding"];
        assert!(
            first.as_array().is_some_and(|vector| vector.len() > 4),
            "{}",
            file.display()
        );
    }
    for file in read("gemini", "models-") {
        let list = Call::new("models", "{}").get_models::<Gemini>(pages(&file)).answer();
        let models = list["data"].as_array().expect("a list");
        assert!(
            !models.is_empty()
                && models
                    .iter()
                    .all(|model| !model["id"].as_str().unwrap_or("/").contains('/'))
        );
    }
}
