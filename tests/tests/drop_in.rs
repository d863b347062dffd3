//! What is no adapter, dropped among adapters: it is called what it is, wherever the operator looks, and nobody else notices.

use std::{fs, path::Path, time::Duration, time::SystemTime};

use serde_json::Value;
use tempfile::TempDir;
use witgate_tests::{Witgate, guest, program};

/// Each kind of file with words of what is said of it.
fn kinds() -> [(&'static str, Vec<u8>, &'static str); 7] {
    let good = guest::answering(&guest::manifest("half", "1"), &guest::chat("x"));
    let stranger = r#"(component (instance $i) (export "acme:magic/wand@1.0.0" (instance $i)))"#;
    [
        (
            "elf",
            b"\x7fELF\x02\x01\x01\0\0\0".to_vec(),
            "a program or library for Linux (ELF)",
        ),
        ("text", b"#!/bin/sh\necho hello\n".to_vec(), "a text file"),
        ("wat", b"(module)".to_vec(), "WebAssembly in text form: encode it"),
        ("empty", Vec::new(), "the file is empty"),
        ("truncated", good[..good.len() / 2].to_vec(), "truncated"),
        (
            "stranger",
            wat::parse_str(stranger).expect("it is a component"),
            "does not export `witgate:adapter/meta@0.1.0`; it exports acme:magic/wand@1.0.0",
        ),
        (
            "bare",
            wat::parse_str("(module)").expect("it is a module"),
            "core WebAssembly module without component-type metadata",
        ),
    ]
}

/// Moves a file into a folder, old enough that nobody waits for its rest.
fn drop_in(folder: &Path, name: &str, bytes: &[u8]) {
    let aside = folder.join(format!("{name}.part"));
    fs::write(&aside, bytes).expect("a file can be written");
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let file = fs::File::options()
        .write(true)
        .open(&aside)
        .expect("it was just written");
    file.set_modified(long_ago).expect("it is ours");
    drop(file);
    fs::rename(&aside, folder.join(format!("{name}.wasm"))).expect("the folder is ours");
}

/// The state of a file in what `GET /admin/adapters` and `witgate adapter list --json` show.
fn state<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let file = format!("{name}.wasm");
    let states = shown["adapters"].as_array().expect("a list of states");
    let of_file = |state: &&Value| state["file"].as_str().is_some_and(|path| path.ends_with(&file));
    states
        .iter()
        .find(of_file)
        .unwrap_or_else(|| panic!("{file} is not in {shown}"))
}

fn assert_refused(shown: &Value, name: &str, words: &str) {
    let state = state(shown, name);
    assert_eq!(state["status"], "refused", "{state}");
    assert!(
        state["reason"].as_str().is_some_and(|reason| reason.contains(words)),
        "{words}: {state}"
    );
    assert!(state["serving"].is_null(), "{state}");
}

#[tokio::test]
async fn every_kind_of_file_is_refused_by_its_name_while_the_gateway_serves() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    fs::create_dir(folder.path().join("adapters")).expect("a folder can be made");
    let good = guest::answering(&guest::manifest("good", "1"), &guest::chat("still here"));
    fs::write(folder.path().join("adapters/good.wasm"), good).expect("a file can be written");
    let config =
        "[admin]\nkey = \"admin\"\n[[providers]]\nid = \"p\"\ntype = \"good\"\nbase_url = \"http://127.0.0.1:9\"";
    let mut gateway = Witgate::start_in(folder, config, &[]).await;
    for (name, bytes, words) in kinds() {
        drop_in(&gateway.adapters(), name, &bytes);
        let line = gateway.line_with(&format!("{name}.wasm")).await;
        assert!(
            line.contains("adapter refused") && line.contains(words),
            "{words}: {line}"
        );
    }
    let request = gateway
        .client
        .get(format!("{}/admin/adapters", gateway.url))
        .bearer_auth("admin");
    let shown = request.send().await.expect("an answer").text().await.expect("a body");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    for (name, _, words) in kinds() {
        assert_refused(&shown, name, words);
    }
    assert_eq!(state(&shown, "good")["serving"]["version"], "1");
    let answer = gateway.chat("p/any", false).await;
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "still here");
}

#[tokio::test]
async fn the_list_of_adapters_tells_the_same() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    for (name, bytes, _) in kinds() {
        drop_in(folder.path(), name, &bytes);
    }
    let list = |arguments: &'static [&'static str]| {
        let mut command = tokio::process::Command::new(program::binary());
        command.args(["adapter", "list", "--adapters", "."]).args(arguments);
        command.current_dir(folder.path()).output()
    };
    let shown = list(&["--json"]).await.expect("the program starts");
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    let table = list(&[]).await.expect("the program starts");
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    for (name, _, words) in kinds() {
        assert_refused(&shown, name, words);
        let row = table.lines().find(|line| line.contains(&format!("{name}.wasm")));
        assert!(
            row.is_some_and(|row| row.contains("refused")),
            "{name} is not in {table}"
        );
    }
}
