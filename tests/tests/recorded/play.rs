//! The provider of a replay: it finds the case in what it is asked, and answers with the recording, whole or in pieces.

use bytes::Bytes;
use serde_json::{Value, json};
use witgate_tests::{Asked, Played};

use super::case::{Case, Wire};

/// The text of predictions whose recording ends before they do.
pub(crate) const OVER: &str = "over";

/// One replay of a case: which, and where its body is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replay {
    pub(crate) case: usize,
    /// 0: not at all
    pub(crate) seed: u64,
}

impl Replay {
    /// The name it travels under, as a model's or a prediction's.
    pub(crate) fn name(self) -> String {
        format!("case-{}-{}", self.case, self.seed)
    }

    /// The replay that a request is about.
    fn of(asked: &Asked) -> Option<Self> {
        let model = asked.json()["model"].as_str().unwrap_or_default().to_owned();
        let named = format!("{}/{model}", asked.path);
        let mut numbers = named.split_once("case-")?.1.split(|c: char| !c.is_ascii_digit());
        Some(Self {
            case: numbers.next()?.parse().ok()?,
            seed: numbers.next()?.parse().ok()?,
        })
    }
}

/// What the provider answers.
pub(crate) fn answer(cases: &[Case], asked: &Asked) -> Played {
    let found = Replay::of(asked).and_then(|replay| Some((replay, cases.get(replay.case)?)));
    let Some((replay, case)) = found else {
        return Played::json(500, &json!({ "error": { "message": "no such case" } }));
    };
    if case.wire == Wire::Replicate {
        return prediction(case, replay, asked);
    }
    Played::bytes(case.status, &case.content_type, pieces(&case.body, replay))
}

/// One request of a prediction's way: the recording stands in its place on it, the steps beside it are played.
fn prediction(case: &Case, replay: Replay, asked: &Asked) -> Played {
    let recorded = |body: &[u8]| Played::bytes(case.status, &case.content_type, pieces(body, replay));
    let pending = case.kind == "pending";
    let urls = urls(case, replay, asked);
    if asked.path.contains("/streams/") {
        return recorded(&case.body);
    }
    if asked.method == "POST" && (case.operation == "create" || pending) {
        return match serde_json::from_slice::<Value>(&case.body) {
            Ok(mut body) if body["urls"].is_object() => {
                body["urls"] = urls;
                recorded(body.to_string().as_bytes())
            }
            _ => recorded(&case.body),
        };
    }
    if asked.method == "POST" {
        return Played::json(201, &json!({ "id": replay.name(), "status": "starting", "urls": urls }));
    }
    if case.operation == "poll" && !pending {
        return recorded(&case.body);
    }
    let mut over = json!({ "id": replay.name(), "urls": urls, "output": OVER });
    if case.operation == "create" && !pending {
        over = serde_json::from_slice(&case.body).unwrap_or_default();
    }
    over["status"] = json!("succeeded");
    Played::json(200, &over)
}

/// Where a prediction is asked for, on the server that plays it.
fn urls(case: &Case, replay: Replay, asked: &Asked) -> Value {
    let (host, name) = (asked.header("host"), replay.name());
    let mut urls = json!({ "get": format!("http://{host}/v1/predictions/{name}") });
    if case.operation == "stream" {
        urls["stream"] = json!(format!("http://{host}/v1/streams/{name}"));
    }
    urls
}

/// The body, cut at up to forty places that depend on the replay alone: also inside a character, or a line break of two bytes.
fn pieces(body: &[u8], replay: Replay) -> Vec<Bytes> {
    let mut state = (replay.case as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ replay.seed;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let many = if replay.seed == 0 { 0 } else { 2 + random() % 39 };
    let mut cuts: Vec<usize> = (0..many).map(|_| random() as usize % body.len().max(1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    let spans = cuts.windows(2).map(|ends| &body[ends[0]..ends[1]]);
    spans
        .filter(|span| !span.is_empty())
        .map(Bytes::copy_from_slice)
        .collect()
}
