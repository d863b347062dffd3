//! Whether calls share an instance of an adapter is the operator's word in the configuration. The guest is `tests/guests/hostile`, which
//! remembers what an adapter should not.

use serde_json::Value;
use tempfile::TempDir;
use witgate_tests::Witgate;

async fn start(adapters: &str) -> Witgate {
    let folder = TempDir::new().expect("a temporary folder can be made");
    std::fs::create_dir_all(folder.path().join("adapters")).expect("a folder can be made");
    let guest = "tests/guests/target/wasm32-unknown-unknown/release/hostile.wasm";
    std::fs::copy(
        witgate_tests::root().join(guest),
        folder.path().join("adapters/hostile.wasm"),
    )
    .unwrap_or_else(|error| panic!("{guest}: {error}; `cargo xtask test` builds the guests"));
    let provider = "[[providers]]\nid = \"p\"\ntype = \"custom-adapter\"\nadapter = \"hostile\"\nbase_url = \"http://127.0.0.1:9\"\n";
    Witgate::start_in(folder, &format!("{adapters}\n{provider}"), &[]).await
}

/// What the guest remembers, in one call after the other.
async fn remembered(gateway: &Witgate) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..4 {
        let answer = gateway.chat("p/count", false).await.json();
        let said = answer.pointer("/choices/0/message/content").and_then(Value::as_str);
        all.push(said.unwrap_or_else(|| panic!("{answer}")).to_owned());
    }
    all
}

#[tokio::test]
async fn each_call_has_an_instance_of_its_own_unless_the_operator_wants_it_otherwise() {
    let own = start("").await;
    assert_eq!(remembered(&own).await, ["call 1, 0 decoders"; 4]);
    let shared = start("[adapters]\ncalls_per_instance = 3").await;
    let expected = [1, 2, 3, 1].map(|call| format!("call {call}, 0 decoders"));
    assert_eq!(remembered(&shared).await, expected);
}
