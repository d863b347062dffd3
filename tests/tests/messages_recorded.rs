//! Recordings of providers behind the Messages API: those of Anthropic's own go through byte for byte, and what Google's models want
//! back of their thoughts comes back to them from a client that knows nothing of it.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use serde_json::{Value, json};
use witgate::call::object::Object;
use witgate_tests::{Asked, Played, Provider, Witgate, fixture, program::Answer};

const HEADERS: [(&str, &str); 1] = [("anthropic-version", "2023-06-01")];

/// A recorded answer.
struct Recording {
    name: String,
    body: Vec<u8>,
    stream: bool,
}

/// The answers with status 200 in a folder of recordings.
fn recordings(host: &str) -> Vec<Recording> {
    let files = fs::read_dir(fixture(host)).expect("the recordings are in the repository");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let file = path.file_name()?.to_str()?.to_owned();
        let (name, stream) = match (file.strip_suffix(".response.json"), file.strip_suffix(".stream.sse")) {
            (Some(name), _) => (name, false),
            (_, Some(name)) => (name, true),
            _ => return None,
        };
        if name.starts_with("error-") || name.starts_with("models") {
            return None;
        }
        let (name, body) = (name.to_owned(), fs::read(&path).expect("a recording can be read"));
        Some(Recording { name, body, stream })
    };
    paths.into_iter().filter_map(read).collect()
}

/// The request that was recorded with an answer, if it is one that asks for it.
fn request(host: &str, recording: &Recording) -> Option<String> {
    let text = fs::read_to_string(fixture(&format!("{host}/{}.request.json", recording.name))).ok()?;
    let asked: Value = serde_json::from_str(&text).ok()?;
    let whole = asked["model"].is_string() && asked["max_tokens"].is_u64() && asked["messages"].is_array();
    (whole && (asked["stream"] == true) == recording.stream).then_some(text)
}

/// A provider that answers with whatever lies on the table, in pieces of `cut` bytes.
async fn provider(cut: usize) -> (Arc<Mutex<(Bytes, bool)>>, Provider) {
    let table = Arc::new(Mutex::new((Bytes::new(), false)));
    let lies = table.clone();
    let provider = Provider::start(move |_: &Asked| {
        let (body, stream) = lies.lock().expect("no test panics with it").clone();
        let kind = if stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        let pieces = (0..body.len())
            .step_by(cut)
            .map(|at| body.slice(at..(at + cut).min(body.len())));
        Played::bytes(200, kind, pieces.collect())
    });
    (table, provider.await)
}

async fn gateway(provider: &Provider, kind: &str) -> Witgate {
    let config = format!(
        "[[providers]]\nid = \"up\"\ntype = \"{kind}\"\nbase_url = \"{}\"\napi_key = \"k\"\nmax_retries = 0",
        provider.url
    );
    Witgate::start(&config, &[kind]).await
}

async fn post(gateway: &Witgate, body: &str) -> Answer {
    gateway.post_text("/v1/messages", body.to_owned(), &HEADERS).await
}

#[tokio::test]
async fn anthropics_own_recordings_pass_byte_for_byte_in_both_directions() {
    let all = recordings("anthropic");
    assert!(all.len() > 120, "the recordings are here");
    for cut in [1 << 20, 7] {
        let (table, provider) = provider(cut).await;
        let gateway = gateway(&provider, "anthropic").await;
        let mut requests = 0;
        for recording in &all {
            *table.lock().expect("no test panics with it") = (recording.body.clone().into(), recording.stream);
            let recorded = request("anthropic", recording);
            requests += usize::from(recorded.is_some());
            let sent = recorded.unwrap_or_else(|| {
                let hello = json!([{ "role": "user", "content": "hi" }]);
                json!({ "model": "c", "max_tokens": 9, "stream": recording.stream, "messages": hello }).to_string()
            });
            let model = serde_json::from_str::<Value>(&sent).expect("JSON")["model"].clone();
            let named = json!(format!("up/{}", model.as_str().expect("a name"))).to_string();
            let asks = Object::parse(&sent)
                .expect("an object")
                .with(&sent, &[("model", &named)]);
            let answer = post(&gateway, &asks).await;
            unchanged(recording, &answer);
            let asked = provider.asked().pop().expect("a request");
            assert_eq!(String::from_utf8_lossy(&asked.body), sent, "{}", recording.name);
        }
        assert!(requests > 60, "{requests} requests were recorded with their answers");
    }
}

/// A recording that breaks off is followed by the event that says so, and by nothing else.
fn unchanged(recording: &Recording, answer: &Answer) {
    let body = String::from_utf8_lossy(&recording.body);
    if !recording.stream && !body.contains("\"message\"") {
        return assert_eq!(answer.status, 502, "{}: not a message", recording.name);
    }
    if recording.stream && body.trim_start().starts_with("event: error") {
        return assert!(answer.status >= 500, "{}: an error from its beginning", recording.name);
    }
    assert_eq!(answer.status, 200, "{}: {}", recording.name, answer.text);
    let rest = answer.text.strip_prefix(&*body);
    let rest = rest.unwrap_or_else(|| panic!("{} was changed:\n{}", recording.name, answer.text));
    let complete = !recording.stream || body.contains("message_stop") || body.contains("event: error");
    let told = rest.starts_with("event: error") && rest.matches("event:").count() == 1;
    assert!(
        if complete { rest.is_empty() } else { told },
        "{}: {rest}",
        recording.name
    );
}

/// The message that a client puts together.
fn heard(recording: &Recording, answer: &Answer) -> Vec<Value> {
    if !recording.stream {
        return answer.json()["content"].as_array().cloned().unwrap_or_default();
    }
    let mut blocks: Vec<Value> = Vec::new();
    for event in answer.events() {
        match (event["type"].as_str(), event["delta"]["type"].as_str()) {
            (Some("content_block_start"), _) => blocks.push(event["content_block"].clone()),
            (Some("content_block_delta"), Some(kind)) => {
                let (from, to) = match kind {
                    "text_delta" => ("text", "text"),
                    "thinking_delta" => ("thinking", "thinking"),
                    "signature_delta" => ("signature", "signature"),
                    _ => ("partial_json", "partial"),
                };
                let block = blocks.last_mut().expect("an open block");
                let piece = event["delta"][from].as_str().expect("a piece");
                block[to] = (block[to].as_str().unwrap_or_default().to_owned() + piece).into();
            }
            _ => {}
        }
    }
    for block in &mut blocks {
        if let Some(input) = block.as_object_mut().and_then(|fields| fields.remove("partial")) {
            block["input"] = serde_json::from_str(input.as_str().expect("text")).expect("whole arguments");
        }
    }
    blocks
}

#[tokio::test]
async fn what_a_model_wants_back_of_its_thoughts_comes_back_from_a_client_that_cannot_read_it() {
    let mut loops = 0;
    let (table, provider) = provider(1 << 20).await;
    let gateway = gateway(&provider, "gemini").await;
    for recording in recordings("gemini") {
        let text = String::from_utf8_lossy(&recording.body).into_owned();
        let mut signatures: Vec<String> = text
            .split("\"thoughtSignature\"")
            .skip(1)
            .filter_map(|rest| Some(rest.split('"').nth(1)?.to_owned()))
            .collect();
        signatures.dedup();
        if signatures.is_empty() || text.matches("\"index\": 1").count() > 0 {
            continue;
        }
        *table.lock().expect("no test panics with it") = (recording.body.clone().into(), recording.stream);
        let question = json!({ "role": "user", "content": "hi" });
        let mut body = json!({ "model": "up/gemini-3-pro-preview", "max_tokens": 9, "stream": recording.stream, "messages": [question] });
        let answer = post(&gateway, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}: {}", recording.name, answer.text);
        let content = heard(&recording, &answer);
        let calls = content.iter().filter(|block| block["type"] == "tool_use");
        let result = |call: &Value| json!({ "type": "tool_result", "tool_use_id": call["id"], "content": "done" });
        let mut next: Vec<Value> = calls.map(result).collect();
        next.push(json!({ "type": "text", "text": "go on" }));
        let said = json!({ "role": "assistant", "content": content });
        body["messages"] = json!([question, said, { "role": "user", "content": next }]);
        let answer = post(&gateway, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}: {}", recording.name, answer.text);
        let asked = provider.asked().pop().expect("a request");
        let asked = String::from_utf8_lossy(&asked.body).into_owned();
        for signature in signatures {
            assert!(
                asked.contains(&signature),
                "{}: {signature} is lost in {asked}",
                recording.name
            );
        }
        loops += 1;
    }
    assert!(loops > 10, "{loops} recordings have signatures");
}
