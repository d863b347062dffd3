//! What real clients sent, in all three APIs, sent through the real program to every kind of provider: nothing that was said is lost on
//! the way. What a provider cannot be asked is refused; `tests/REQUESTS.md` says how many of the recordings, and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use serde_json::{Value, json};
use witgate_tests::{
    Played, Provider, Witgate, fixture, root,
    rows::{self, ROWS, Row},
};

/// A recorded request.
struct Recorded {
    name: String,
    path: &'static str,
    body: Value,
}

/// What became of one.
enum Fate {
    Kept,
    Refused(String),
    Lost(Vec<String>),
}

/// A reason is to be read: it is cut here.
const SHOWN: usize = 140;

#[tokio::test]
async fn nothing_that_was_said_is_lost_on_the_way_to_any_provider() {
    let requests: Vec<Recorded> = [
        chats(),
        folder("anthropic", "/v1/messages"),
        folder("responses", "/v1/responses"),
    ]
    .into_iter()
    .flatten()
    // Pictures at addresses are fetched: tests/tests/media.rs.
    .filter(|recorded| !recorded.body.to_string().contains("url\":\"http"))
    .collect();
    assert!(requests.len() > 150, "the recordings are here: {}", requests.len());
    // It refuses whatever it is asked.
    let provider = Provider::start(|_| Played::json(400, &json!({ "error": { "message": "no" } }))).await;
    let gateway = rows::gateway(&provider, "").await;
    let mut lost = Vec::new();
    let mut refused: BTreeMap<(&str, String), BTreeMap<&str, usize>> = BTreeMap::new();
    let mut page = "# Recorded requests\nWhat real clients sent, through the gateway to each kind of provider: how many arrive with all that was \
                    said. The others are refused, because the provider cannot be asked that. Made by `tests/tests/recorded_requests.rs` \
                    (`WITGATE_GOLDEN=write`), which compares.\n\n| provider | API | requests | arrive whole |\n|---|---|--:|--:|\n"
        .to_owned();
    for row in ROWS {
        for path in ["/v1/chat/completions", "/v1/messages", "/v1/responses"] {
            let (mut all, mut kept) = (0, 0);
            for recorded in requests.iter().filter(|recorded| recorded.path == path) {
                all += 1;
                match fate(&provider, &gateway, row, recorded).await {
                    Fate::Kept => kept += 1,
                    Fate::Refused(why) => *refused.entry((path, why)).or_default().entry(row.name).or_default() += 1,
                    Fate::Lost(what) => lost.push(format!("{} {path} {}: {what:?}", row.name, recorded.name)),
                }
            }
            writeln!(page, "| {} | {path} | {all} | {kept} |", row.name).expect("a string takes what is written");
        }
    }
    page.push_str("\n## Refused\n| API | reason | providers |\n|---|---|---|\n");
    for ((path, why), who) in refused {
        let who: Vec<String> = who.iter().map(|(name, many)| format!("{name} {many}")).collect();
        writeln!(page, "| {path} | {why} | {} |", who.join(", ")).expect("a string takes what is written");
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    let file = root().join("tests/REQUESTS.md");
    if std::env::var("WITGATE_GOLDEN").is_ok_and(|how| how == "write") {
        fs::write(&file, &page).expect("a file can be written");
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == page,
        "not as in tests/REQUESTS.md: {page}"
    );
}

/// Chats that were sent to OpenAI.
fn chats() -> Vec<Recorded> {
    let list =
        fs::read_to_string(fixture("anthropic/chat-requests.jsonl")).expect("the requests are in the repository");
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let name = line["stem"].as_str().unwrap_or_default().to_owned();
        Recorded {
            name,
            path: "/v1/chat/completions",
            body: line["request"].clone(),
        }
    };
    list.lines().map(read).collect()
}

/// The requests beside the answers in a folder of recordings.
fn folder(name: &str, path: &'static str) -> Vec<Recorded> {
    let files = fs::read_dir(fixture(name)).expect("the folder is in the repository");
    let mut names: Vec<String> = files
        .map(|file| {
            file.expect("a folder can be read")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|file| file.ends_with(".request.json") && !file.starts_with("error") && !file.contains("-error-"))
        .collect();
    names.sort();
    let read = |file: String| {
        let text = fs::read_to_string(fixture(name).join(&file)).expect("the recording is in the repository");
        let body: Value = serde_json::from_str(&text).ok()?;
        // Some recorders kept a part of the request only.
        let whole = body["model"].is_string() && (body["messages"].is_array() || !body["input"].is_null());
        whole.then_some(Recorded { name: file, path, body })
    };
    names.into_iter().filter_map(read).collect()
}

async fn fate(provider: &Provider, gateway: &Witgate, row: &Row, recorded: &Recorded) -> Fate {
    let mut body = recorded.body.clone();
    body["model"] = json!(format!("{}/{}", row.name, row.model));
    let before = provider.count();
    let answer = gateway.post(recorded.path, &body).await;
    let asked = provider.asked_since(before);
    if asked.is_empty() {
        assert_eq!(answer.status, 400, "{} to {}: {}", recorded.name, row.name, answer.text);
        return Fate::Refused(reason(answer.json()["error"]["message"].as_str().unwrap_or_default()));
    }
    let mut arrived = BTreeSet::new();
    for asked in &asked {
        leaves(&asked.json(), &mut arrived);
    }
    let everything = arrived.into_iter().collect::<Vec<_>>().join("\n");
    let mut said = BTreeSet::new();
    // Of the tools those that the choice leaves out may stay behind.
    let tools = if recorded.body["tool_choice"].is_object() {
        ""
    } else {
        "tools"
    };
    for part in ["system", "instructions", "messages", "input", tools] {
        words(&recorded.body[part], part, &mut said);
    }
    let lost: Vec<String> = said
        .into_iter()
        .filter(|words| !everything.contains(words.trim()))
        .collect();
    if lost.is_empty() { Fate::Kept } else { Fate::Lost(lost) }
}

/// A refusal, cut to be read, without the numbers of items.
fn reason(message: &str) -> String {
    let parts = message
        .split_inclusive('[')
        .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    let message: String = parts.collect::<String>().chars().take(SHOWN).collect();
    message.replace('|', "\\|").replace('\n', " ")
}

/// Every text in a value, also in JSON that is a text of its.
fn leaves(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                leaves(&inner, found);
            }
            found.insert(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|value| leaves(value, found)),
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            found.insert(key.clone());
            leaves(value, found);
        }),
        _ => {}
    }
}

/// What is said in a part of a request: texts, calls with their arguments, results, the names of tools, the bytes of pictures.
fn words(value: &Value, key: &str, said: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| words(value, key, said)),
        // Thoughts are for those who had them; tools of a provider's own are for it.
        Value::Object(object)
            if matches!(
                object.get("type").and_then(Value::as_str),
                Some("thinking" | "redacted_thinking" | "reasoning")
            ) => {}
        Value::Object(object)
            if key == "arguments" || key == "input" && !object.contains_key("type") && !object.contains_key("role") =>
        {
            object.values().for_each(|value| words(value, "arguments", said));
        }
        // Few providers have a name for who speaks.
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| *key != "name" || !object.contains_key("role"))
            .for_each(|(key, value)| words(value, key, said)),
        Value::String(text) => match key {
            "system" | "instructions" | "text" | "content" | "input" | "output" | "arguments" | "name" => {
                match serde_json::from_str(text) {
                    Ok(inner @ (Value::Object(_) | Value::Array(_))) => words(&inner, "arguments", said),
                    _ => drop(said.insert(text.clone())),
                }
            }
            "url" | "image_url" | "file_data" if text.starts_with("data:") => {
                said.insert(text.rsplit(',').next().unwrap_or_default().to_owned());
            }
            _ => {}
        },
        _ => {}
    }
}
