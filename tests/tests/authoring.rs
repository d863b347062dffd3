//! An adapter author's first hour: a project is made, built by the real compiler, served, and changed while it serves.

use std::{
    path::{Path, PathBuf},
    process::Output,
    sync::OnceLock,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use witgate_tests::{Asked, Played, Provider, Witgate, guest, program, root};

/// Runs `witgate adapter …` in a folder.
async fn adapter(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program::binary());
    command.arg("adapter").args(arguments).current_dir(folder);
    // One target folder for all projects: the SDK is built once.
    command.env("CARGO_TARGET_DIR", root().join("target/authoring"));
    command.env("WITGATE_WASM_CARGO", wasm_cargo());
    command.output().await.expect("the program starts")
}

/// As [`adapter`], for what must succeed; gives what it printed.
async fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = adapter(folder, arguments).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The cargo that builds adapters, as the project's own build finds it.
fn wasm_cargo() -> &'static Path {
    static CARGO: OnceLock<PathBuf> = OnceLock::new();
    CARGO.get_or_init(|| {
        let mut xtask = std::process::Command::new(env!("CARGO"));
        let output = xtask.args(["xtask", "toolchain"]).current_dir(root()).output();
        let output = output.expect("cargo starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a path").trim_end().into()
    })
}

fn edit(path: &Path, change: impl FnOnce(&str) -> String) {
    let text = std::fs::read_to_string(path).expect("the project has this file");
    std::fs::write(path, change(&text)).expect("a file can be written");
}

/// The provider that the template's adapter is made for, and the README's.
fn generates(asked: &Asked) -> Played {
    let body = asked.json();
    assert_eq!(asked.path, "/generate", "{body}");
    assert_eq!(asked.header("authorization"), "Bearer right");
    if body["stream"] == true {
        let events = [
            "data: {\"text\":\"Hel\"}\n\n",
            "data: {\"text\":\"lo\"}\n\n",
            "event: done\ndata: {}\n\n",
        ];
        return Played::events(events);
    }
    Played::json(
        200,
        &json!({ "text": format!("You said: {}", body["prompt"].as_str().unwrap_or_default()) }),
    )
}

/// The one block of the README that is an adapter.
fn adapter_of_the_readme() -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let block = readme
        .split("```rust\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    block.expect("a block of Rust").to_owned()
}

fn text(answer: &Value) -> &Value {
    &answer["choices"][0]["message"]["content"]
}

/// Asks until the build that says this is in service, which it is a moment after its file is complete.
async fn until_it_says(gateway: &Witgate, model: &str, words: &str) {
    let mut last = String::new();
    let asking = async {
        loop {
            let answer = gateway.chat(model, false).await;
            if text(&answer.json()) == words {
                return;
            }
            last = answer.text;
        }
    };
    let said = tokio::time::timeout(Duration::from_secs(60), asking).await.is_ok();
    assert!(said, "{model} does not say `{words}` but {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_served_adapter_that_is_changed_while_it_serves() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let here = folder.path().to_owned();
    let made = succeeds(&here, &["new", "acme-chat"]).await;
    assert!(
        made.contains("witgate adapter build acme-chat -o adapters/acme-chat.wasm"),
        "{made}"
    );
    succeeds(&here, &["build", "acme-chat", "-o", "adapters/acme-chat.wasm"]).await;

    let provider = Provider::start(generates).await;
    let entry = |id: &str, rest: &str| {
        format!(
            "[[providers]]\nid = \"{id}\"\n{rest}\nbase_url = \"{}\"\napi_key = \"right\"\n",
            provider.url
        )
    };
    let config =
        entry("mine", "type = \"acme-chat\"") + &entry("polly", "type = \"custom-adapter\"\nadapter = \"parrot\"");
    let gateway = Witgate::start_in(folder, &config, &[]).await;
    let answer = gateway.chat("mine/m", false).await;
    assert_eq!(text(&answer.json()), "You said: Say hello.", "{}", answer.text);
    assert_eq!(gateway.chat("mine/m", true).await.streamed_text(), "Hello");

    let lib = here.join("acme-chat/src/lib.rs");
    edit(&lib, |code| {
        code.replace(
            "ChatResponse::text(answer.text",
            "ChatResponse::text(answer.text + \" Indeed.\"",
        )
    });
    edit(&here.join("acme-chat/Cargo.toml"), |toml| {
        toml.replace("version = \"0.1.0\"", "version = \"0.2.0\"")
    });
    succeeds(&here, &["build", "acme-chat", "-o", "adapters/acme-chat.wasm"]).await;
    until_it_says(&gateway, "mine/m", "You said: Say hello. Indeed.").await;

    // The README's adapter needs nothing but what `new` made, and is served by the name that `describe` gives it.
    std::fs::write(&lib, adapter_of_the_readme()).expect("a file can be written");
    succeeds(&here, &["build", "acme-chat", "-o", "adapters/parrot.wasm"]).await;
    until_it_says(&gateway, "polly/polly-1", "You said: Say hello.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_serves_the_provider_of_the_configuration_with_every_key() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let example = root().join("examples/custom-ai").display().to_string();
    succeeds(folder.path(), &["build", &example, "-o", "adapters/custom_ai.wasm"]).await;
    let text = std::fs::read_to_string(root().join("examples/every-key.toml")).expect("an example");
    // The certificate it names is not on this machine, and that would be a mistake.
    let lines = text.lines().filter(|line| {
        !line.contains("[server.tls]") && !line.contains("witgate/cert.pem") && !line.contains("witgate/key.pem")
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    std::fs::write(folder.path().join("witgate.toml"), text).expect("a file can be written");
    let mut check = Command::new(program::binary());
    let output = check
        .args(["check", "--config", "witgate.toml", "--json"])
        .current_dir(folder.path())
        .output()
        .await;
    let report: Value = serde_json::from_slice(&output.expect("the program starts").stdout).expect("JSON");
    let unusable: Vec<_> = report["unusable"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|note| &note["provider"])
        .collect();
    assert!(!unusable.contains(&&json!("odd-api")), "{report:#}");
}

#[tokio::test]
async fn the_test_of_a_provider_whose_adapter_lists_no_models_says_to_name_some() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    std::fs::create_dir(folder.path().join("adapters")).expect("a folder can be made");
    let silent = guest::answering(&guest::manifest("silent", "1"), &guest::chat("test"));
    std::fs::write(folder.path().join("adapters/silent.wasm"), silent).expect("a file can be written");
    let config = "[[providers]]\nid = \"mine\"\ntype = \"silent\"\nbase_url = \"http://127.0.0.1:9\"";
    std::fs::write(folder.path().join("witgate.toml"), config).expect("a file can be written");
    let mut test = Command::new(program::binary());
    test.args([
        "provider",
        "test",
        "mine",
        "--only",
        "models",
        "--config",
        "witgate.toml",
    ]);
    let output = test
        .current_dir(folder.path())
        .output()
        .await
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("`silent` cannot list models: name some in the provider's `models`"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn a_project_in_the_folder_of_the_first_party_adapters_joins_their_workspace() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let adapters = folder.path().join("adapters");
    std::fs::create_dir(&adapters).expect("a folder can be made");
    std::fs::copy(root().join("adapters/Cargo.toml"), adapters.join("Cargo.toml")).expect("a workspace");
    let made = succeeds(folder.path(), &["new", "acme", "--dir", "adapters/acme", "--json"]).await;
    let made: Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!(made["adapter"], "acme");
    for file in made["files"].as_array().expect("a list") {
        assert!(
            adapters.join("acme").join(file.as_str().expect("a name")).is_file(),
            "{file}"
        );
    }
    let manifest = std::fs::read_to_string(adapters.join("acme/Cargo.toml")).expect("a manifest");
    assert!(
        !manifest.contains("[workspace]") && !manifest.contains("[profile"),
        "{manifest}"
    );
    assert!(manifest.contains("[lints]\nworkspace = true"), "{manifest}");
}

#[tokio::test]
async fn a_folder_that_holds_something_is_left_alone() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    std::fs::create_dir(folder.path().join("acme")).expect("a folder can be made");
    std::fs::write(folder.path().join("acme/mine.txt"), "mine").expect("a file can be written");
    let output = adapter(folder.path(), &["new", "acme"]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("acme is there already"),
        "{said}"
    );
    let entries = std::fs::read_dir(folder.path().join("acme")).expect("the folder is there");
    assert_eq!(entries.count(), 1, "nothing was written");
}
