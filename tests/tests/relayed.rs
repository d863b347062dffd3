//! Recordings that the gateway passes on (`tests/fixtures/relayed`): the Responses API, text completions, rerankings, lists of models,
//! token counts, and errors of all these. Each is replayed behind the real program; a client hears what the provider said, as data.

use std::{fs, sync::Arc};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate, fixture, program::Answer};

/// One recorded answer.
struct Case {
    file: String,
    /// What a client asks for.
    path: String,
    stream: bool,
    status: u16,
    body: Vec<u8>,
}

/// What the gateway may say in its own way, wherever it stands: it fills these in where a provider leaves them out.
const OWN: &[&str] = &["id", "object", "created", "model"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_passed_on_is_heard_as_it_was_said() {
    let cases = Arc::new(cases());
    assert!(cases.len() > 60, "the recordings are here");
    let played = cases.clone();
    let provider = Provider::start(move |asked| play(&played, asked)).await;
    let url = &provider.url;
    let entry = |id: &str, kind: &str, base: &str, more: &str| {
        format!(
            "[[providers]]\nid = \"{id}\"\ntype = \"{kind}\"\nbase_url = \"{url}{base}\"\napi_key = \"k\"\nmax_retries = 0\n{more}"
        )
    };
    let config = entry("shaped", "openai-compatible", "/v1", "apis = [\"openai-responses\"]\n")
        + &entry("anthropic", "anthropic", "", "");
    let gateway = Witgate::start(&config, &["anthropic"]).await;
    let judged = (0..cases.len())
        .filter(|at| cases[*at].path != "/v1/models")
        .map(|at| judge(&gateway, &cases, at));
    let wrong: Vec<String> = stream::iter(judged)
        .buffer_unordered(8)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_list_of_models_is_the_providers_own() {
    for case in cases().into_iter().filter(|case| case.path == "/v1/models") {
        let (file, status, body) = (case.file.clone(), case.status, case.body.clone());
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let provider =
            Provider::start(move |_| Played::bytes(status, "application/json", vec![body.clone().into()])).await;
        let config = format!(
            "[[providers]]\nid = \"p\"\nbase_url = \"{}/v1\"\napi_key = \"k\"\nmax_retries = 0\n",
            provider.url
        );
        let gateway = Witgate::start(&config, &[]).await;
        let answer = gateway.get("/v1/models").await;
        let ids = |list: &Value| -> Vec<String> {
            let models = list
                .as_array()
                .or_else(|| list["data"].as_array())
                .cloned()
                .unwrap_or_default();
            let id = |model: &Value| model["id"].as_str().unwrap_or_default().to_owned();
            models.iter().map(id).collect()
        };
        let mut right = if status == 200 { ids(&said) } else { Vec::new() };
        let mut heard: Vec<String> = ids(&answer.json())
            .iter()
            .map(|id| id.trim_start_matches("p/").to_owned())
            .collect();
        right.sort();
        heard.sort();
        // A provider whose list cannot be read does not take the others' away.
        assert_eq!((answer.status, heard), (200, right), "{file}");
    }
}

fn cases() -> Vec<Case> {
    let list = fs::read_to_string(fixture("relayed/cases.jsonl")).expect("the list is in the repository");
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let file = text("file");
        let recorded = fs::read(fixture("relayed").join(&file)).expect("the recording is in the repository");
        Case {
            path: text("path"),
            stream: line["stream"] == true,
            status: line["status"].as_u64().map_or(200, |status| status as u16),
            body: if file.ends_with(".chunks.jsonl") {
                framed(&recorded)
            } else {
                recorded
            },
            file,
        }
    };
    list.lines().map(read).collect()
}

/// A stream whose recorder kept only the data of each event.
fn framed(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).expect("a recording of data lines is text");
    let event = |line: &str| {
        let data: Value = serde_json::from_str(line).unwrap_or_default();
        let name = data["type"]
            .as_str()
            .map(|name| format!("event: {name}\n"))
            .unwrap_or_default();
        format!("{name}data: {line}\n\n")
    };
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(event)
        .collect::<String>()
        .into_bytes()
}

/// The case that a request is about travels in the model's name.
fn play(cases: &[Case], asked: &Asked) -> Played {
    let model = asked.json()["model"].as_str().unwrap_or_default().to_owned();
    let Some(case) = model
        .strip_prefix("case-")
        .and_then(|at| cases.get(at.parse::<usize>().ok()?))
    else {
        return Played::json(500, &json!({ "error": { "message": "no such case" } }));
    };
    let kind = if case.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let pieces = case.body.chunks(700).map(bytes::Bytes::copy_from_slice).collect();
    Played::bytes(case.status, kind, pieces)
}

fn request(case: &Case, model: &str) -> Value {
    let said = json!([{ "role": "user", "content": "Say hello." }]);
    match case.path.as_str() {
        "/v1/responses" => json!({ "model": model, "input": "Say hello.", "stream": case.stream }),
        "/v1/completions" => {
            json!({ "model": model, "prompt": "Say hello.", "stream": case.stream, "stream_options": { "include_usage": true } })
        }
        "/v1/embeddings" => json!({ "model": model, "input": ["Say hello."] }),
        "/v1/rerank" => json!({ "model": model, "query": "hello", "documents": ["a", "b"] }),
        "/v1/images/generations" => json!({ "model": model, "prompt": "A cat." }),
        "/v1/messages/count_tokens" => json!({ "model": model, "messages": said }),
        _ => {
            json!({ "model": model, "messages": said, "stream": case.stream, "stream_options": { "include_usage": true } })
        }
    }
}

/// What is wrong with the answer to a case.
async fn judge(gateway: &Witgate, cases: &[Case], at: usize) -> Option<String> {
    let case = &cases[at];
    let provider = if case.path.starts_with("/v1/messages") {
        "anthropic"
    } else {
        "shaped"
    };
    let answer = gateway
        .post(&case.path, &request(case, &format!("{provider}/case-{at}")))
        .await;
    let mut wrong = Vec::new();
    if case.status >= 400 {
        wrong_error(case, &answer, &mut wrong);
    } else if case.stream {
        let (mut said, mut heard) = (events(&String::from_utf8_lossy(&case.body)), events(&answer.text));
        if case.path == "/v1/completions" {
            let counted = [take_usage(&mut said), take_usage(&mut heard)];
            if counted == [true, false] {
                wrong.push("usage is missing".to_owned());
            }
        }
        if said.len() != heard.len() {
            wrong.push(format!("{} events and not {}", heard.len(), said.len()));
        }
        for (number, (said, heard)) in said.iter().zip(&heard).enumerate() {
            missing(said, heard, &format!("event {number}"), &mut wrong);
        }
    } else {
        let said: Value = serde_json::from_slice(&case.body).unwrap_or_default();
        let heard = serde_json::from_str(&answer.text).unwrap_or_default();
        missing(&said, &heard, "", &mut wrong);
    }
    let told = answer.text.chars().take(300).collect::<String>();
    wrong.truncate(4);
    (!wrong.is_empty()).then(|| {
        format!(
            "{} {}: {} ({} {told})",
            case.path,
            case.file,
            wrong.join("; "),
            answer.status
        )
    })
}

/// Takes out what a completion's stream says of usage, which the gateway tells once and last; whether there was any.
fn take_usage(events: &mut Vec<Value>) -> bool {
    let counted = events.iter().any(|event| event["usage"].is_object());
    events.retain(|event| event["usage"].is_null() || event["choices"] != json!([]));
    for event in events {
        event["usage"] = Value::Null;
    }
    counted
}

/// The class of an error, and what the provider said of it, arrive.
fn wrong_error(case: &Case, answer: &Answer, wrong: &mut Vec<String>) {
    if answer.status != case.status {
        wrong.push(format!("status {} and not {}", answer.status, case.status));
    }
    let said: Value = serde_json::from_slice(&case.body).unwrap_or_default();
    let message = [
        &said["error"]["message"],
        &said["error"],
        &said["message"],
        &said["detail"],
    ]
    .into_iter()
    .find_map(Value::as_str);
    let heard: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let told = heard["error"]["message"].as_str().unwrap_or_default();
    if message.is_some_and(|message| !told.contains(message.trim())) {
        wrong.push(format!("{told:?} and not {message:?}"));
    }
}

/// The data of a stream's events, the end mark and blank ones left out.
fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
}

/// Each value of `said` that is not in `heard` at its place.
fn missing(said: &Value, heard: &Value, place: &str, wrong: &mut Vec<String>) {
    match (said, heard) {
        (Value::Object(said), Value::Object(heard)) => {
            for (key, value) in said.iter().filter(|(key, _)| !OWN.contains(&key.as_str())) {
                missing(
                    value,
                    heard.get(key).unwrap_or(&Value::Null),
                    &format!("{place}.{key}"),
                    wrong,
                );
            }
        }
        (Value::Array(said), Value::Array(heard)) if said.len() == heard.len() => {
            for (number, (said, heard)) in said.iter().zip(heard).enumerate() {
                missing(said, heard, &format!("{place}[{number}]"), wrong);
            }
        }
        // An empty word in a place where OpenAI has none or a word is none.
        _ if said == heard || (said == "" && heard.is_null()) => {}
        _ => wrong.push(format!("{place} is {heard} and not {said}")),
    }
}
