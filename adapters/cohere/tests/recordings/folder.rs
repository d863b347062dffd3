//! The recordings of one provider, played against its adapter: what each means was written down by a judge that knows nothing of the
//! adapters (tests/fixtures/regenerate.py). For the tests of several adapters.

#[path = "../../../bedrock/tests/recordings/messages.rs"]
mod messages;
#[path = "../../../anthropic/tests/recordings/outcome.rs"]
mod outcome;

use std::fs;
use std::path::{Path, PathBuf};

use outcome::Outcome;
use serde_json::{Map, Value, json};
use witgate_sdk::Adapter;
use witgate_sdk::testing::{Call, Played, Reply};

/// A recorded answer and what it means.
pub(crate) struct Case {
    /// what the client asks
    pub(crate) asked: Call,
    pub(crate) file: String,
    pub(crate) stream: bool,
    status: u16,
    body: Vec<u8>,
    /// each field with the values that will do
    fields: Map<String, Value>,
}

/// A folder of `tests/fixtures`.
pub(crate) fn folder(provider: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(provider)
}

/// All chats in it.
pub(crate) fn cases(provider: &str) -> Vec<Case> {
    let meanings = fs::read_to_string(folder(provider).join("meanings.jsonl")).expect("the meanings are there");
    let read = |line: &str| {
        let case: Value = serde_json::from_str(line).expect("a line is JSON");
        let file = case["file"].as_str().expect("a case has a file");
        let status = case["status"].as_u64().expect("a case has a status") as u16;
        Some(Case {
            asked: match case["model"].as_str() {
                Some(model) => Call::says("Hi").model(model),
                None => Call::says("Hi"),
            },
            body: recorded(&folder(provider).join(file)),
            stream: case["stream"] == true && status < 400,
            fields: case["meaning"]["fields"].as_object()?.clone(),
            file: format!("{provider}/{file}"),
            status,
        })
    };
    meanings.lines().filter_map(read).collect()
}

/// The files of a kind, such as `embeddings-`: what the provider answered.
pub(crate) fn answers(provider: &str, kind: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder(provider)).expect("the folder is there");
    let names = all.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let fits = |name: &String| name.starts_with(kind) && name.ends_with(".response.json");
    names.filter(fits).map(|name| folder(provider).join(name)).collect()
}

impl Case {
    fn reply(&self) -> Reply {
        match self.file.rsplit_once('.') {
            Some((_, "sse" | "jsonl")) => Reply::sse(self.body.clone()),
            Some((_, "ndjson")) => Reply::ndjson(self.body.clone()),
            Some((_, "bin")) => Reply::aws_events(self.body.clone()),
            _ => Reply::status(self.status).body(self.body.clone()),
        }
    }

    fn play<A: Adapter>(&self, reply: Reply) -> Played {
        self.call().play::<A>([reply])
    }

    fn call(&self) -> Call {
        let call = self.asked.clone();
        if self.stream { call.streaming() } else { call }
    }

    /// What a stream is made of, each whole: lines, or AWS's messages.
    fn frames(&self) -> Vec<&[u8]> {
        if self.is_binary() {
            messages::split(&self.body)
        } else {
            self.body.split_inclusive(|byte| *byte == b'\n').collect()
        }
    }

    fn is_binary(&self) -> bool {
        self.file.ends_with(".bin")
    }

    fn differences(&self, played: &Played) -> Vec<String> {
        outcome(played).differences(&self.fields)
    }
}

/// The bytes that the provider sent. Some recorders kept only the data of a stream's events.
fn recorded(file: &Path) -> Vec<u8> {
    let body = fs::read(file).expect("the recording is there");
    if file.extension().is_none_or(|ending| ending != "jsonl") {
        return body;
    }
    let text = String::from_utf8(body).expect("a recording of data lines is text");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let events: String = lines.map(|line| format!("data: {line}\n\n")).collect();
    events.into_bytes()
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

/// Every recording says to the client what it says.
pub(crate) fn keep_their_meaning<A: Adapter>(cases: &[Case]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, case.differences(&case.play::<A>(case.reply()))))
        .filter(|(_, differences)| !differences.is_empty())
        .map(|(case, differences)| format!("{}\n    {}", case.file, differences.join("\n    ")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A stream gives the same chunks wherever it is cut: at every byte if it is short.
pub(crate) fn may_be_cut_anywhere<A: Adapter>(cases: &[Case]) {
    for case in cases.iter().filter(|case| case.stream) {
        if case.body.len() < 4000 {
            let _ = case.call().play_cut_everywhere::<A>([case.reply()]);
            continue;
        }
        let whole = case.play::<A>(case.reply());
        for bytes in [1, 7, 1000] {
            let cut = case.play::<A>(case.reply().cut_every(bytes));
            assert_eq!(cut, whole, "{} in pieces of {bytes} bytes", case.file);
        }
    }
}

/// Fields that nobody has heard of change nothing, whole or streamed, in whatever object they are.
pub(crate) fn may_have_unknown_fields<A: Adapter>(cases: &[Case]) {
    for case in cases.iter().filter(|case| case.status < 400) {
        let strange: Vec<u8> = if case.is_binary() {
            let message = |message: &&[u8]| messages::with_payload(message, strange_line);
            case.frames().iter().flat_map(message).collect()
        } else if case.stream {
            let line = |line: &&[u8]| strange_line(utf8(line)).into_bytes();
            case.frames().iter().flat_map(line).collect()
        } else {
            strange_line(utf8(&case.body)).into_bytes()
        };
        let reply = case.reply().body(strange);
        let differences = case.differences(&case.play::<A>(reply));
        assert!(differences.is_empty(), "{}: {differences:?}", case.file);
    }
}

/// A line of a stream, or a whole answer, with one more field in each object.
fn strange_line(line: &str) -> String {
    let data = line.strip_prefix("data:").unwrap_or(line);
    let Ok(mut value) = serde_json::from_str::<Value>(data) else {
        return line.to_owned();
    };
    add_unknown(&mut value);
    let begin = if data.len() < line.len() { "data: " } else { "" };
    format!("{begin}{value}\n")
}

fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("a recording is UTF-8")
}

fn add_unknown(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // What a model or a user wrote is no object of the provider's.
            let own = |key: &str| ["arguments", "input", "tool_output", "document", "documents"].contains(&key);
            fields
                .iter_mut()
                .filter(|(key, _)| !own(key))
                .for_each(|(_, value)| add_unknown(value));
            fields.insert("novel".to_owned(), json!({"a": [1, null]}));
        }
        Value::Array(list) => list.iter_mut().for_each(add_unknown),
        _ => {}
    }
}

/// A stream that stops before its end is a failure, after the good chunks.
pub(crate) fn are_failures_if_cut_short<A: Adapter>(cases: &[Case]) {
    for case in cases
        .iter()
        .filter(|case| case.stream && !case.fields.contains_key("error_signalled"))
    {
        // Whole frames: what is left of one is another failure.
        let frames = case.frames();
        let half = frames[..frames.len() / 2].concat();
        let played = case.play::<A>(case.reply().body(half));
        assert_eq!(played.failure().kind, "upstream", "{}", case.file);
    }
}
