//! The recordings in `tests/fixtures`, each with what it means: the three lists of meanings read into one kind of [`Case`].

use std::fs;

use serde_json::{Map, Value, json};
use witgate_tests::fixture;

/// How a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Chat Completions, passed through.
    Shaped,
    /// Its own way, through the adapter of this type.
    Adapted(&'static str),
    /// Claude, at this other host, through the adapter of the host.
    Claude(&'static str),
    /// Predictions, through the adapter.
    Replicate,
}

/// One recorded answer.
#[derive(Debug)]
pub(crate) struct Case {
    /// The folder it lies in.
    pub(crate) host: String,
    /// The file, from `tests/fixtures` on.
    pub(crate) file: String,
    pub(crate) wire: Wire,
    /// The model that answered, where an adapter must know whose it is.
    pub(crate) model: Option<String>,
    /// "chat.completions" or "embeddings"; for Replicate the request that got this reply: "create", "poll" or "stream".
    pub(crate) operation: String,
    pub(crate) stream: bool,
    pub(crate) status: u16,
    pub(crate) content_type: String,
    /// What the provider sent.
    pub(crate) body: Vec<u8>,
    /// "answer", "error", or for a prediction that is not over "pending".
    pub(crate) kind: String,
    /// For each field the values that are right.
    pub(crate) means: Map<String, Value>,
}

/// A recording that is not replayed, and why.
pub(crate) struct LeftOut {
    pub(crate) file: String,
    pub(crate) why: String,
}

type Read = Result<Case, LeftOut>;

/// Every recording there is.
pub(crate) fn all() -> (Vec<Case>, Vec<LeftOut>) {
    let mut cases = Vec::new();
    let mut left_out = Vec::new();
    for read in shaped().into_iter().chain(adapted()).chain(claude()).chain(replicate()) {
        match read {
            Ok(case) => cases.push(case),
            Err(reason) => left_out.push(reason),
        }
    }
    (cases, left_out)
}

fn lines(list: &str) -> Vec<Value> {
    let text = fs::read_to_string(fixture(list)).expect("the list of meanings is in the repository");
    let line = |line: &str| serde_json::from_str(line).expect("a line is JSON");
    text.lines().map(line).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn bytes(file: &str) -> Vec<u8> {
    fs::read(fixture(file)).expect("the recording is in the repository")
}

/// A stream whose recorder kept only the data of each event.
fn framed(body: &[u8], end: &str) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).expect("a recording of data lines is text");
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "[DONE]");
    let events: String = lines.map(|line| format!("data: {line}\n\n")).collect();
    (events + end).into_bytes()
}

/// A stream that was asked for as a list, as the events it is by this gateway's way of asking.
fn events(body: &[u8]) -> Vec<u8> {
    let list: Value = serde_json::from_slice(body).expect("a recorded list is JSON");
    let event = |event: &Value| format!("data: {event}\r\n\r\n");
    let events = list.as_array().map(|list| list.iter().map(event).collect::<String>());
    events.unwrap_or_else(|| event(&list)).into_bytes()
}

fn content_type(stream: bool, status: u16) -> String {
    let streamed = stream && status < 400;
    if streamed {
        "text/event-stream"
    } else {
        "application/json"
    }
    .to_owned()
}

/// An error that nobody wrote a meaning for still means its status.
fn bare_error(status: u16) -> Option<(String, Map<String, Value>)> {
    let means = json!({ "error_status_exact": [status] });
    (status >= 400).then(|| ("error".to_owned(), means.as_object().cloned().unwrap_or_default()))
}

fn shaped() -> Vec<Read> {
    let read = |line: Value| {
        let file = text(&line["file"]);
        let status = line["status"].as_u64().map_or(200, |status| status as u16);
        let stream = line["stream"] == true;
        let operation = text(&line["operation"]);
        let meaning = line["means"].as_object().cloned();
        let meaning = meaning.map(|means| (text(&line["means"]["kind"]), means));
        let embeddings = (operation == "embeddings").then(|| ("answer".to_owned(), Map::new()));
        let Some((kind, mut means)) = meaning.or_else(|| bare_error(status)).or(embeddings) else {
            let why = "the recording does not say what it means".to_owned();
            return Err(LeftOut { file, why });
        };
        means.remove("kind");
        let recorded = bytes(&file);
        let host = file.split('/').next().unwrap_or_default().to_owned();
        Ok(Case {
            // Its answers are OpenAI's, its requests are not.
            wire: if host == "mistral" {
                Wire::Adapted("mistral")
            } else {
                Wire::Shaped
            },
            model: None,
            host,
            operation,
            stream,
            status,
            content_type: line["content_type"]
                .as_str()
                .map_or_else(|| content_type(stream, status), str::to_owned),
            body: if line["framed"] == false {
                framed(&recorded, "data: [DONE]\n\n")
            } else {
                recorded
            },
            kind,
            means,
            file,
        })
    };
    lines("openai-shaped.jsonl").into_iter().map(read).collect()
}

/// Those whose meanings lie beside them.
fn adapted() -> Vec<Read> {
    let hosts = [
        ("anthropic", "anthropic"),
        ("azure", "azure-openai"),
        ("bedrock", "bedrock"),
        ("bedrock-invoke", "bedrock-invoke"),
        ("cohere", "cohere"),
        ("gemini", "gemini"),
        ("huggingface", "huggingface"),
        ("ollama", "ollama"),
        ("responses", "openai-responses"),
        ("tgi", "huggingface"),
        ("vertex", "gemini"),
    ];
    hosts
        .into_iter()
        .flat_map(|(host, adapter)| meant(host, adapter))
        .collect()
}

fn meant(host: &str, adapter: &'static str) -> Vec<Read> {
    let read = |line: Value| {
        let file = format!("{host}/{}", text(&line["file"]));
        let status = line["status"].as_u64().map_or(200, |status| status as u16);
        let stream = line["stream"] == true;
        let fields = line["meaning"]["fields"].as_object().cloned();
        let meaning = fields.map(|fields| (text(&line["meaning"]["kind"]), fields));
        let Some((kind, means)) = meaning.or_else(|| bare_error(status)) else {
            let why = format!("no chat: {}", text(&line["kind"]));
            return Err(LeftOut { file, why });
        };
        let recorded = bytes(&file);
        Ok(Case {
            host: host.to_owned(),
            wire: Wire::Adapted(adapter),
            model: line["model"].as_str().map(str::to_owned),
            operation: "chat.completions".to_owned(),
            stream,
            status,
            content_type: match file.rsplit_once('.') {
                Some((_, "ndjson")) => "application/x-ndjson".to_owned(),
                Some((_, "bin")) => "application/vnd.amazon.eventstream".to_owned(),
                _ => content_type(stream, status),
            },
            body: if file.ends_with(".jsonl") {
                framed(&recorded, "")
            } else if stream && status < 400 && file.ends_with(".json") {
                events(&recorded)
            } else {
                recorded
            },
            kind,
            means,
            file,
        })
    };
    let list = format!("{host}/meanings.jsonl");
    lines(&list).into_iter().map(read).collect()
}

/// Those of Claude's that another host recorded: played at that host, too.
fn claude() -> Vec<Read> {
    let manifest =
        fs::read_to_string(fixture("anthropic/MANIFEST.tsv")).expect("the list of sources is in the repository");
    let source = |case: &Case| {
        let name = case.file.strip_prefix("anthropic/")?;
        let line = manifest.lines().find(|line| line.split('\t').next() == Some(name))?;
        ["azure", "vertex"]
            .into_iter()
            .find(|host| line.split('\t').nth(1) == Some(host))
    };
    let hosted = |read: Read| {
        let case = read.ok()?;
        let host = source(&case)?;
        let (host, wire) = (format!("claude on {host}"), Wire::Claude(host));
        Some(Ok(Case { host, wire, ..case }))
    };
    meant("anthropic", "anthropic").into_iter().filter_map(hosted).collect()
}

fn replicate() -> Vec<Read> {
    let list = fs::read(fixture("replicate/EXPECTED.json")).expect("the list of meanings is in the repository");
    let list: Map<String, Value> = serde_json::from_slice(&list).expect("the list is JSON");
    list.iter().map(|(stem, line)| prediction(stem, line)).collect()
}

fn prediction(stem: &str, line: &Value) -> Read {
    let (operation, kind) = (text(&line["use"]), text(&line["means"]));
    let stream = operation == "stream";
    let ending = if stream { "stream.sse" } else { "response.json" };
    let file = format!("replicate/{stem}.{ending}");
    let why = match operation.as_str() {
        "create" | "poll" | "stream" => None,
        "none" => Some(text(&line["why"])),
        other => Some(format!(
            "no answer of a chat ({other}); the adapter's own tests play it"
        )),
    };
    if let Some(why) = why {
        return Err(LeftOut { file, why });
    }
    let status = line["status"].as_u64().map_or(200, |status| status as u16);
    let right = |name: &str| line.get(name).map(|value| json!([value]));
    let fields = ["text", "finish_reason", "prompt_tokens", "completion_tokens"];
    let mut means: Map<String, Value> = fields
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), right(name)?)))
        .collect();
    match kind.as_str() {
        "error" if status < 400 => drop(means.insert("error_signalled".to_owned(), json!([true]))),
        "error" => drop(means.insert("error_status_exact".to_owned(), json!([status]))),
        "pending" => drop(means.insert("text".to_owned(), json!([super::play::OVER]))),
        _ => {}
    }
    if let Some(message) = line["message"].as_str() {
        means.insert("error_message".to_owned(), json!([message.trim()]));
    }
    Ok(Case {
        host: "replicate".to_owned(),
        wire: Wire::Replicate,
        model: None,
        operation,
        stream,
        status,
        content_type: content_type(stream, status),
        body: bytes(&file),
        kind,
        means,
        file,
    })
}
