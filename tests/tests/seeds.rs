//! Provider entries as the five source documents print or describe them, through `witgate check`: all of them can be used.

use serde_json::{Value, json};
use tempfile::TempDir;
use witgate_tests::{fixture, program, root};

/// Entries that their documents describe by their fields: Polpo's and Cencori's.
fn described() -> Vec<Value> {
    vec![
        json!({ "id": "polpo-proxy", "baseUrl": "https://proxy.example.com", "api": "anthropic-messages",
                "models": [{ "id": "claude", "cost": { "input": 0, "output": 0 }, "contextWindow": 200_000 }] }),
        json!({ "id": "polpo-ollama", "baseUrl": "http://localhost:11434/v1", "api": "openai-completions" }),
        json!({ "name": "Cencori Claude", "base_url": "https://models.example.com/v1", "format": "Anthropic Compatible",
                "models": ["legal-claude"] }),
        json!({ "name": "Cencori LLaMA", "base_url": "http://localhost:8000/v1", "format": "OpenAI Compatible" }),
    ]
}

/// The provider entries of Polydev's blocks.
fn printed() -> Vec<Value> {
    let files = std::fs::read_dir(fixture("seeds")).expect("the fixtures");
    let blocks = files.map(|file| file.expect("a file").path());
    blocks
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| std::fs::read_to_string(path).expect("a text"))
        .map(|text| serde_json::from_str(&text).expect("JSON"))
        .collect()
}

/// What `witgate check` says of a configuration file in `folder`, with the shipped adapters.
fn check(folder: &TempDir, file: &str, config: &str) -> Value {
    std::fs::write(folder.path().join(file), config).expect("a file can be written");
    let output = std::process::Command::new(program::binary())
        .args(["check", "--json", "--config", file, "--adapters"])
        .arg(root().join("adapters"))
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn every_entry_can_be_used() {
    let folder = TempDir::new().expect("a folder");
    let providers: Vec<Value> = printed().into_iter().chain(described()).collect();
    assert!(providers.len() > 12, "{} entries", providers.len());
    // The key file that Vertex AI's entry names.
    std::fs::create_dir_all(folder.path().join("path/to")).expect("a folder can be made");
    std::fs::write(folder.path().join("path/to/service-account.json"), "{}").expect("a file can be written");
    let said = check(&folder, "json.json", &json!({ "providers": providers }).to_string());
    assert_eq!(said["unusable"], json!([]));
    let toml = std::fs::read_to_string(fixture("seeds").join("gptme-all.toml")).expect("a fixture");
    assert_eq!(check(&folder, "toml.toml", &toml)["unusable"], json!([]));
}
