//! One request, every provider: each chat in `tests/golden` is asked for through the real program of every first-party adapter, and what
//! the provider is then asked must be what `tests/golden/<row>/` holds. `tests/golden/README.md` says how the files are written anew.

use std::{fs, path::PathBuf};

use serde_json::{Map, Value, json};
use witgate_tests::{
    Asked, Played, Provider, Witgate, root,
    rows::{self, KEY, ROWS, Row},
};

/// Headers that say nothing about the adapter.
const TRANSPORT: &[&str] = &["host", "content-length", "connection", "user-agent", "accept-encoding"];

#[tokio::test]
async fn every_adapter_asks_its_provider_as_reviewed() {
    let writes = std::env::var("WITGATE_GOLDEN").is_ok_and(|how| how == "write");
    let inputs = inputs();
    assert!(inputs.len() > 8, "the chats are here");
    // It refuses whatever it is asked.
    let provider = Provider::start(|_| Played::json(400, &json!({ "error": { "message": "no" } }))).await;
    let gateway = rows::gateway(&provider, "").await;
    let mut wrong = Vec::new();
    for row in ROWS {
        for (name, body) in &inputs {
            let rendered = rendered(&provider, &gateway, row, body).await;
            let file = folder().join(row.name).join(format!("{name}.json"));
            if writes {
                fs::create_dir_all(folder().join(row.name)).expect("a folder can be made");
                let text = serde_json::to_string_pretty(&rendered).expect("a value is JSON");
                fs::write(&file, text + "\n").expect("a file can be written");
            } else if read(&file) != rendered {
                wrong.push(format!("{}/{name}: {rendered:#}", row.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "not as in tests/golden (see its README):\n{}",
        wrong.join("\n")
    );
}

fn folder() -> PathBuf {
    root().join("tests/golden")
}

/// `null` for a file that is not there.
fn read(file: &PathBuf) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|_| "null".to_owned());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The chats, by name.
fn inputs() -> Vec<(String, Value)> {
    let files = fs::read_dir(folder()).expect("the chats are in the repository");
    let mut inputs: Vec<(String, Value)> = files
        .map(|file| file.expect("a folder can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            (
                path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                read(&path),
            )
        })
        .collect();
    inputs.sort_by(|one, other| one.0.cmp(&other.0));
    inputs
}

/// What becomes of a chat at the provider of a row.
async fn rendered(provider: &Provider, gateway: &Witgate, row: &Row, body: &Value) -> Value {
    let mut body = body.clone();
    body["model"] = json!(format!("{}/{}", row.name, row.model));
    let before = provider.count();
    let answer = gateway
        .post_text("/v1/chat/completions", body.to_string(), &[("x-request-id", "golden")])
        .await;
    let asked: Vec<Value> = provider.asked_since(before).iter().map(request).collect();
    if asked.is_empty() {
        return json!({ "refused": { "status": answer.status, "message": answer.json()["error"]["message"] } });
    }
    json!({ "requests": asked })
}

fn request(asked: &Asked) -> Value {
    let headers: Map<String, Value> = asked
        .headers
        .keys()
        .map(reqwest::header::HeaderName::as_str)
        .filter(|name| !TRANSPORT.contains(name))
        .map(|name| (name.to_owned(), json!(asked.header(name).replace(KEY, "KEY"))))
        .collect();
    json!({ "method": asked.method, "path": asked.path.replace(KEY, "KEY"), "headers": headers, "body": asked.json() })
}
