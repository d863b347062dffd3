//! Recordings of some forty hosts with OpenAI's API (`tests/fixtures/openai-shaped.jsonl` lists them with what each means).

use std::{fs, path::PathBuf, sync::Arc};

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::{Map, Value};

use super::{meaning::Heard, upstream};
use crate::{
    call::Operation,
    chunk::{self, Chunks, Flaw, Stamp},
    error::Error,
    passthrough::{Lens, Outcome, refusal},
    reply::Usage,
    transport::Upstream,
};

#[derive(serde::Deserialize)]
struct Case {
    file: String,
    operation: String,
    stream: bool,
    status: u16,
    /// False where the recorder took the framing off: a chunk per line.
    #[serde(default = "yes")]
    framed: bool,
    /// `kind`, and for each field the values that are right. None: the recording does not say.
    means: Option<Map<String, Value>>,
}

fn yes() -> bool {
    true
}

impl Case {
    fn all() -> Vec<Self> {
        let list = fs::read_to_string(folder().join("openai-shaped.jsonl")).expect("the list");
        let cases: Vec<Self> = list
            .lines()
            .map(|line| serde_json::from_str(line).expect("a case"))
            .collect();
        assert!(cases.len() > 400, "the recordings are here");
        cases
    }

    fn streams() -> impl Iterator<Item = Self> {
        Self::all().into_iter().filter(|case| case.stream && case.status == 200)
    }

    /// What the provider sent.
    fn bytes(&self) -> Vec<u8> {
        let bytes = fs::read(folder().join(&self.file)).expect("a recording");
        if self.framed {
            return bytes;
        }
        let text = String::from_utf8(bytes).expect("text");
        let lines = text
            .lines()
            .filter(|line| !line.trim().is_empty() && line.trim() != "[DONE]");
        let framed: String = lines.map(|line| format!("data: {line}\n\n")).collect();
        (framed + "data: [DONE]\n\n").into_bytes()
    }

    fn is_error(&self) -> bool {
        self.means.as_ref().is_some_and(|means| means["kind"] == "error")
    }

    fn message(&self) -> Option<&str> {
        self.means.as_ref()?.get("error_message")?.get(0)?.as_str()
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn stamp(include_usage: bool) -> Stamp {
    Stamp {
        id: "chatcmpl-1".to_owned(),
        created: 1,
        model: "m".to_owned(),
        include_usage,
        base64: false,
    }
}

/// What the client gets of a stream, and how it ends.
struct Seen {
    bytes: Vec<u8>,
    error: Option<Error>,
    usage: Option<Usage>,
}

fn seen(provider: &Arc<Upstream>, bytes: &[u8], cuts: &[usize], include_usage: bool) -> Seen {
    let mut lens = Lens::new(provider.clone(), Chunks::new(stamp(include_usage), Operation::Chat));
    let mut all = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([bytes.len()]) {
        let (out, outcome) = lens.read(Bytes::copy_from_slice(&bytes[from..to]));
        from = to;
        all.extend_from_slice(&out.unwrap_or_default());
        match outcome {
            Outcome::More => {}
            Outcome::Broken(error) => {
                return Seen {
                    bytes: all,
                    error: Some(error),
                    usage: lens.usage(),
                };
            }
            Outcome::Ended | Outcome::Closed => {
                return Seen {
                    bytes: all,
                    error: None,
                    usage: lens.usage(),
                };
            }
        }
    }
    let (out, outcome) = lens.end(None);
    all.extend_from_slice(&out.unwrap_or_default());
    let error = match outcome {
        Outcome::Broken(error) => Some(error),
        _ => None,
    };
    Seen {
        bytes: all,
        error,
        usage: lens.usage(),
    }
}

/// Without heartbeats: which of them go out depends on the reads.
fn events(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8").replace(":\n\n", "")
}

/// True if an event has a usage object where OpenAI puts it.
fn shows_usage(events: &str) -> bool {
    let chunks = events.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    chunks
        .filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .any(|chunk| chunk["usage"].is_object())
}

#[test]
fn every_recorded_stream_says_to_the_client_what_the_provider_said() {
    let provider = upstream("http://127.0.0.1:9");
    let mut wrong = Vec::new();
    for case in Case::streams() {
        let seen = seen(&provider, &case.bytes(), &[], true);
        let heard = Heard::stream(&seen.bytes);
        let mut differences = match (&case.means, case.is_error()) {
            (_, true) if seen.error.is_none() => vec!["the error is hidden".to_owned()],
            (Some(means), false) => heard.differences(means),
            _ => heard.odd.clone(),
        };
        // A recording that stops in the middle is an error to the client, and only that.
        let cut_short = matches!(seen.error, Some(Error::Truncated { .. }));
        if !case.is_error() && !cut_short && (seen.error.is_some() || !heard.done) {
            differences.push(format!("{:?}, end mark: {}", seen.error, heard.done));
        }
        if let (Some(message), Some(error)) = (case.message(), &seen.error)
            && !error.to_string().contains(message)
        {
            differences.push(format!("{error} instead of {message}"));
        }
        if !differences.is_empty() {
            wrong.push(format!("{}: {}", case.file, differences.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_recorded_answer_and_error_says_to_the_client_what_the_provider_said() {
    let provider = upstream("http://127.0.0.1:9");
    let mut wrong = Vec::new();
    for case in Case::all()
        .into_iter()
        .filter(|case| !case.stream || case.status != 200)
    {
        let body = Bytes::from(case.bytes());
        let operation = if case.operation == "embeddings" {
            Operation::Embeddings
        } else {
            Operation::Chat
        };
        let answer = if case.status == 200 {
            chunk::complete(stamp(false), operation, body)
                .map_err(|flaw| refusal::of_flaw(&provider, flaw, &HeaderMap::new()))
        } else {
            Err(Error::Refused(Box::new(refusal::read(
                Some(case.status),
                &HeaderMap::new(),
                &body,
            ))))
        };
        let differences = match (&case.means, answer) {
            (Some(means), Ok(answer)) if !case.is_error() => Heard::whole(&answer.body).differences(means),
            (None, _) => Vec::new(),
            (Some(_), Err(error)) if case.is_error() => {
                let right = error.status() == case.status || case.status == 200;
                let kept = case.message().is_none_or(|message| error.to_string().contains(message));
                if right && kept {
                    Vec::new()
                } else {
                    vec![format!("{} {error}", error.status())]
                }
            }
            (Some(_), answer) => vec![format!("{:?}", answer.map(|answer| answer.usage))],
        };
        if !differences.is_empty() {
            wrong.push(format!("{}: {}", case.file, differences.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_stream_is_the_same_to_the_client_wherever_it_is_cut() {
    let provider = upstream("http://127.0.0.1:9");
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for case in Case::streams() {
        let bytes = case.bytes();
        let whole = seen(&provider, &bytes, &[], true);
        let check = |cuts: &[usize]| {
            let cut = seen(&provider, &bytes, cuts, true);
            // The ids of calls that came without are made up.
            if !events(&whole.bytes).contains("\"call_") {
                assert_eq!(
                    events(&cut.bytes),
                    events(&whole.bytes),
                    "{} cut at {cuts:?}",
                    case.file
                );
            }
            assert_eq!(cut.usage, whole.usage, "{}", case.file);
            assert_eq!(
                cut.error.map(|e| e.to_string()),
                whole.error.as_ref().map(ToString::to_string),
                "{}",
                case.file
            );
        };
        check(&(1..bytes.len()).collect::<Vec<_>>());
        for _ in 0..20 {
            let mut cuts = Vec::new();
            for _ in 0..5 {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                cuts.push((random >> 33) as usize % bytes.len());
            }
            cuts.sort_unstable();
            check(&cuts);
        }
    }
}

#[test]
fn a_stream_that_is_right_reaches_the_client_byte_for_byte_and_uncopied() {
    let provider = upstream("http://127.0.0.1:9");
    let mut untouched = 0;
    for case in Case::streams().filter(|case| case.framed) {
        let bytes = Bytes::from(case.bytes());
        let mut lens = Lens::new(provider.clone(), Chunks::new(stamp(false), Operation::Chat));
        let (out, _) = lens.read(bytes.clone());
        if let Some(out) = out.filter(|out| *out == bytes) {
            assert_eq!(out.as_ptr(), bytes.as_ptr(), "{} was copied", case.file);
            untouched += 1;
        }
    }
    assert!(untouched >= 5, "only {untouched} streams went through as they came");
}

#[test]
fn heartbeats_and_extra_lines_between_the_events_change_nothing() {
    let provider = upstream("http://127.0.0.1:9");
    for case in Case::streams().filter(|case| case.framed && !case.is_error()) {
        let plain = String::from_utf8(case.bytes()).expect("text").replace("\r\n", "\n");
        let expected = events(&seen(&provider, plain.as_bytes(), &[], true).bytes);
        if expected.contains("\"call_") {
            continue;
        }
        for between in ["\n\n: PROCESSING\n\n", "\n\n\n\n", "\r\n\r\n", "\n\nid: 7\nretry: 5\n"] {
            let noisy = plain.replace("\n\n", between);
            let noisy = seen(&provider, noisy.as_bytes(), &[], true);
            assert_eq!(events(&noisy.bytes), expected, "{} with {between:?}", case.file);
        }
    }
}

#[test]
fn usage_is_counted_whether_the_client_asked_or_not() {
    let provider = upstream("http://127.0.0.1:9");
    let mut counted = 0;
    for case in Case::streams().filter(|case| !case.is_error()) {
        let bytes = case.bytes();
        let (asked, not) = (seen(&provider, &bytes, &[], true), seen(&provider, &bytes, &[], false));
        assert_eq!(asked.usage, not.usage, "{}", case.file);
        assert!(!shows_usage(&events(&not.bytes)), "{} shows usage unasked", case.file);
        counted += usize::from(not.usage.is_some());
        let tokens = |field: &str| case.means.as_ref()?.get(field)?.get(0)?.as_u64();
        if let Some(prompt) = tokens("prompt_tokens") {
            assert_eq!(not.usage.and_then(|usage| usage.input), Some(prompt), "{}", case.file);
        }
    }
    assert!(counted > 100);
}

#[test]
fn a_body_is_one_of_the_flaws_or_an_answer_but_never_a_panic() {
    for case in Case::all()
        .into_iter()
        .filter(|case| !case.stream && case.status == 200)
    {
        let bytes = case.bytes().trim_ascii_end().to_vec();
        let operation = if case.operation == "embeddings" {
            Operation::Embeddings
        } else {
            Operation::Chat
        };
        for end in (0..bytes.len()).step_by(bytes.len() / 50 + 1) {
            let cut = chunk::complete(stamp(false), operation, Bytes::copy_from_slice(&bytes[..end]));
            assert!(matches!(cut, Err(Flaw::Malformed(_))), "{} cut at {end}", case.file);
        }
    }
}
