//! The commands that do not serve: what they print, and how they end.

use std::{net::TcpListener, process::Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use witgate_tests::{Asked, Played, Provider, fixture, guest, program, root};

/// Runs the program in a folder of its own, where `witgate.toml` is `config`.
async fn witgate(config: &str, arguments: &[&str]) -> Output {
    let folder = TempDir::new().expect("a temporary folder can be made");
    std::fs::create_dir_all(folder.path().join("adapters")).expect("a folder can be made");
    std::fs::write(folder.path().join("witgate.toml"), config).expect("a file can be written");
    tokio::process::Command::new(program::binary())
        .args(arguments)
        .env("WITGATE_CONFIG", "witgate.toml")
        .current_dir(folder.path())
        .output()
        .await
        .expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", out(output), err(output)))
}

fn seed(name: &str) -> String {
    std::fs::read_to_string(fixture("seeds").join(name)).expect("a fixture")
}

/// A provider that does everything right, and whose key is `right`.
fn well_behaved(asked: &Asked) -> Played {
    let refusal = |status, message| Played::json(status, &json!({ "error": { "message": message } }));
    if asked.header("authorization") != "Bearer right" {
        return refusal(401, "wrong key");
    }
    if asked.path.ends_with("/models") {
        return Played::json(200, &json!({ "data": [{ "id": "small", "object": "model" }] }));
    }
    let body = asked.json();
    if body["model"] != "small" {
        return refusal(404, "no such model");
    }
    if body["stream"] == true {
        let delta = json!([{ "index": 0, "delta": { "content": "test" }, "finish_reason": "stop" }]);
        let chunk = json!({ "id": "1", "object": "chat.completion.chunk", "choices": delta });
        return Played::events([format!("data: {chunk}\n\n"), "data: [DONE]\n\n".to_owned()]);
    }
    let message = json!({ "role": "assistant", "content": "test" });
    let choices = json!([{ "index": 0, "message": message, "finish_reason": "stop" }]);
    Played::json(
        200,
        &json!({ "id": "1", "choices": choices, "usage": { "total_tokens": 9 } }),
    )
}

async fn provider(key: &str) -> (Provider, String) {
    let provider = Provider::start(well_behaved).await;
    let url = &provider.url;
    let config = format!("[[providers]]\nid = \"mine\"\nbase_url = \"{url}/v1\"\napi_key = \"{key}\"");
    (provider, config)
}

/// The name and status of each test of a report.
fn verdicts(output: &Output) -> Vec<(String, String)> {
    let report = json_of(output);
    let tests = report["tests"].as_array().expect("a list of tests");
    let text = |test: &Value, key: &str| test[key].as_str().unwrap_or_default().to_owned();
    tests
        .iter()
        .map(|test| (text(test, "name"), text(test, "status")))
        .collect()
}

#[tokio::test]
async fn the_five_tests_pass_for_a_provider_that_does_everything_right() {
    let (provider, config) = provider("right").await;
    let output = witgate(&config, &["provider", "test", "mine", "--json"]).await;
    let passed = |name: &str| (name.to_owned(), "passed".to_owned());
    let all = [
        "Authentication",
        "Model Listing",
        "Basic Chat",
        "Streaming",
        "Error Handling",
    ];
    assert_eq!(verdicts(&output), all.map(passed), "{}", out(&output));
    assert_eq!(output.status.code(), Some(0));
    assert!(provider.asked().len() >= 5);
}

#[tokio::test]
async fn a_wrong_key_fails_the_tests_it_spoils_and_the_command() {
    let (_provider, config) = provider("a-wrong-key").await;
    let output = witgate(&config, &["provider", "test", "mine", "--only", "auth,chat", "--json"]).await;
    let failed = |name: &str| (name.to_owned(), "failed".to_owned());
    assert_eq!(verdicts(&output), ["Authentication", "Basic Chat"].map(failed));
    assert_eq!(output.status.code(), Some(1));
    assert!(!out(&output).contains("a-wrong-key"), "the key is not shown");
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_answered_with_those_that_are() {
    let (_provider, config) = provider("right").await;
    let output = witgate(&config, &["provider", "test", "yours"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("there is no provider `yours`: there are mine"),
        "{}",
        err(&output)
    );
}

#[tokio::test]
async fn models_are_listed_as_clients_write_them() {
    let (_provider, config) = provider("right").await;
    let output = witgate(&config, &["provider", "models", "--json"]).await;
    assert_eq!(json_of(&output)["data"][0]["id"], "mine/small");
}

#[tokio::test]
async fn check_says_what_acts_later_and_which_provider_has_no_adapter() {
    let text = std::fs::read_to_string(root().join("examples/every-key.toml")).expect("an example");
    // The certificate it names is not on this machine, and that would be a mistake.
    let lines = text.lines().filter(|line| {
        !line.contains("[server.tls]")
            && !line.contains("\"/etc/witgate/cert.pem\"")
            && !line.contains("\"/etc/witgate/key.pem\"")
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let output = witgate(&text, &["check", "--json"]).await;
    let report = json_of(&output);
    let all = |list: &str, key: &str| -> Vec<Value> {
        let notes = report[list].as_array().expect("a list");
        notes.iter().map(|note| note[key].clone()).collect()
    };
    assert!(all("later", "key").contains(&json!("providers[0].budget")), "{report}");
    assert!(all("unusable", "provider").contains(&json!("odd-api")), "{report}");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn a_wrong_configuration_ends_check_and_serve_with_64() {
    let config = "[server]\nlisten = \"127.0.0.1:0\"\nlissten = 1";
    for command in ["check", "serve"] {
        let output = witgate(config, &[command]).await;
        assert_eq!(output.status.code(), Some(64), "{command}: {}", err(&output));
        let line = "witgate.toml:3: `server.lissten` is not a key here; did you mean `listen`?";
        assert!(err(&output).contains(line), "{command}: {}", err(&output));
    }
}

#[tokio::test]
async fn a_mistake_is_told_to_programs_in_json() {
    let output = witgate("[server]\nlissten = 1", &["check", "--json"]).await;
    let told = json_of(&output);
    assert_eq!((output.status.code(), &told["ok"]), (Some(64), &json!(false)));
    let error = json!({ "file": "witgate.toml", "line": 2, "key": "server.lissten",
                        "message": "is not a key here", "remedy": "did you mean `listen`?" });
    assert_eq!(told["errors"], json!([error]));
    let output = witgate("", &["adapter", "build", "nowhere", "--json"]).await;
    assert!(
        json_of(&output)["errors"][0]["message"]
            .as_str()
            .expect("a text")
            .contains("nowhere")
    );
}

#[tokio::test]
async fn a_yaml_file_is_told_what_is_accepted() {
    let output = witgate("", &["check", "--config", "witgate.yaml"]).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(
        err(&output).contains("`.toml`") && err(&output).contains("`.json`"),
        "{}",
        err(&output)
    );
}

#[tokio::test]
async fn the_list_of_adapters_is_that_of_the_configuration() {
    let output = witgate("[adapters]\ndir = \"elsewhere\"", &["adapter", "list"]).await;
    assert!(err(&output).contains("`elsewhere`"), "{}", err(&output));
}

#[tokio::test]
async fn check_binds_no_port() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let output = witgate(&format!("[server]\nlisten = \"{address}\""), &["check"]).await;
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
}

#[tokio::test]
async fn route_says_where_a_name_leads() {
    let config = seed("gptme-all.toml");
    let output = witgate(&config, &["route", "VLLM-local/meta-llama/Llama-3.1-8B", "--json"]).await;
    let found = &json_of(&output)["candidates"][0];
    assert_eq!(found["provider"], "vllm-local");
    assert_eq!(found["model"], "meta-llama/Llama-3.1-8B");
    assert_eq!(found["matched_by"], "provider_prefix");
    let nowhere = witgate(&config, &["route", "nowhere"]).await;
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(out(&nowhere).contains("404"));
}

#[tokio::test]
async fn the_list_shows_the_source_of_a_key_and_never_the_key() {
    let more = "[[providers]]\nid = \"x\"\nbase_url = \"http://localhost:1/v1\"\napi_key = \"sk-very-secret\"";
    let config = format!("{}\n{more}", seed("gptme-all.toml"));
    for arguments in [&["provider", "list"][..], &["provider", "list", "--json"]] {
        let text = out(&witgate(&config, arguments).await);
        assert!(
            text.contains("$AZURE_API_KEY") && text.contains("$VLLM_LOCAL_API_KEY (default"),
            "{text}"
        );
        assert!(!text.contains("sk-very-secret"), "{text}");
    }
}

/// A folder with an adapter's crate, and a program that plays the cargo that builds it into `module`.
#[cfg(unix)]
fn crate_and_cargo(module: &[u8]) -> (TempDir, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().expect("a temporary folder can be made");
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, bytes: &[u8]| std::fs::write(path(name), bytes).expect("a file can be written");
    std::fs::create_dir(path("mine")).expect("a folder can be made");
    write("mine/Cargo.toml", b"[package]\nname = \"mine\"\n");
    write("built.wasm", module);
    let built = json!({
        "reason": "compiler-artifact", "target": { "kind": ["cdylib"] }, "filenames": [path("built.wasm")],
    });
    let script = format!("#!/bin/sh\npwd >&2\necho \"$@\" >&2\ncat <<'END'\n{built}\nEND\n");
    write("cargo", script.as_bytes());
    std::fs::set_permissions(path("cargo"), std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let cargo = path("cargo");
    (folder, cargo)
}

#[cfg(unix)]
async fn build(folder: &TempDir, environment: &[(&str, &std::path::Path)]) -> Output {
    tokio::process::Command::new(program::binary())
        .args(["adapter", "build", "mine"])
        .current_dir(folder.path())
        .envs(environment.iter().copied())
        .output()
        .await
        .expect("the program starts")
}

#[cfg(unix)]
#[tokio::test]
async fn build_makes_a_component_with_the_cargo_that_is_named_and_puts_it_beside_the_folder() {
    let module = guest::answering(&guest::manifest("mine", "1"), &guest::chat("hello"));
    let (folder, cargo) = crate_and_cargo(&module);
    let output = build(&folder, &[("WITGATE_WASM_CARGO", &cargo)]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(
        err(&output).contains("/mine\nbuild --release --target wasm32-unknown-unknown"),
        "{}",
        err(&output)
    );
    let made = std::fs::read(folder.path().join("mine.wasm")).expect("an adapter");
    assert!(made.starts_with(b"\0asm\x0d\0\x01\0"), "a component and no core module");
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .expect("the folder is there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["built.wasm", "cargo", "mine", "mine.wasm"],
        "nothing else is left"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn build_leaves_the_old_adapter_where_what_was_built_is_none() {
    let (folder, cargo) = crate_and_cargo(b"\0asm\x01\0\0\0");
    std::fs::write(folder.path().join("mine.wasm"), b"old").expect("a file can be written");
    let output = build(&folder, &[("WITGATE_WASM_CARGO", &cargo)]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("without component-type metadata"),
        "{}",
        err(&output)
    );
    assert_eq!(
        std::fs::read(folder.path().join("mine.wasm")).ok().as_deref(),
        Some(&b"old"[..])
    );
}

#[cfg(unix)]
#[tokio::test]
async fn build_says_every_way_to_get_the_wasm_target_where_it_is_missing() {
    let (folder, compiler) = crate_and_cargo(b"");
    // A compiler whose library folder for wasm is not there.
    let output = build(
        &folder,
        &[("RUSTC", &compiler), ("WITGATE_WASM_CARGO", std::path::Path::new(""))],
    )
    .await;
    assert_eq!(output.status.code(), Some(1));
    for words in [
        "rustup target add wasm32-unknown-unknown",
        "rustc-web",
        "WITGATE_WASM_CARGO=",
    ] {
        assert!(err(&output).contains(words), "{words} is not in {}", err(&output));
    }
}
