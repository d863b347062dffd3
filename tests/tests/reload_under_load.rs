//! Adapters are swapped while requests run: nobody notices. The guest is `tests/guests/versioned`, which says in all it does which
//! version it is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{sync::watch, task::JoinSet};
use witgate_tests::{Asked, Played, Provider, Witgate};

/// As many streams, and as many plain requests, at the same time.
const CLIENTS: usize = 32;
const SWAPS: usize = 100;
/// Events of one stream of the provider's, and the time between two: long enough that most streams see a swap.
const EVENTS: usize = 15;
const PACE: Duration = Duration::from_millis(10);
/// A version is a number of four digits.
const BUILT: &[u8] = b"version-0000";

/// The guest with another number.
fn version(number: usize) -> Vec<u8> {
    let file = witgate_tests::root().join("tests/guests/target/wasm32-unknown-unknown/release/versioned.wasm");
    let mut bytes =
        std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}; `cargo xtask test` builds it", file.display()));
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(BUILT)).collect();
    assert!(!places.is_empty(), "the guest has its version in it");
    for at in places {
        bytes[at..at + BUILT.len()].copy_from_slice(name(number).as_bytes());
    }
    bytes
}

fn name(number: usize) -> String {
    format!("version-{number:04}")
}

fn play(asked: &Asked) -> Played {
    if !asked.path.ends_with("/stream") {
        return Played::json(200, &serde_json::json!({}));
    }
    let (sender, played) = Played::live("text/event-stream");
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(PACE);
        for _ in 0..EVENTS {
            ticks.tick().await;
            if sender.send(Ok("data: {}\n\n".into())).await.is_err() {
                return;
            }
        }
    });
    played
}

async fn gateway(provider: &Provider, first: &[u8]) -> Witgate {
    gateway_that_logs("warn", provider, first).await
}

async fn gateway_that_logs(level: &str, provider: &Provider, first: &[u8]) -> Witgate {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let adapters = folder.path().join("adapters");
    std::fs::create_dir(&adapters).expect("a folder can be made");
    std::fs::write(adapters.join("versioned.wasm"), first).expect("a file can be written");
    let config = format!(
        "[admin]\nkey = \"admin\"\n[[providers]]\nname = \"p\"\ntype = \"custom-adapter\"\nadapter = \"versioned\"\n\
         base_url = \"{}\"\nmodels = [\"m\"]\nmax_retries = 0",
        provider.url
    );
    Witgate::start_in(folder, &config, &[("RUST_LOG", level)]).await
}

/// Moves a version over the one that serves.
fn put(gateway: &Witgate, bytes: &[u8]) {
    let aside = gateway.adapters().join("versioned.wasm.part");
    let write = std::fs::write(&aside, bytes);
    write
        .and_then(|()| std::fs::rename(&aside, gateway.adapters().join("versioned.wasm")))
        .expect("a file can be written");
}

/// Asks until a version answers.
async fn until_it_answers(gateway: &Witgate, number: usize) {
    let wanted = format!("{0} {0}", name(number));
    let asking = async {
        while answered(&gateway.chat("m", false).await.json()) != wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking)
        .await
        .expect("the new version serves");
}

fn answered(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().unwrap_or_default()
}

/// An answer is whole and of one version: its begin and its end agree.
fn check_plain(answer: &Value) {
    let text = answered(answer);
    let (request, response) = text.split_once(' ').unwrap_or_else(|| panic!("no answer: {answer}"));
    assert!(
        request == response && request.starts_with("version-"),
        "of two versions: {text}"
    );
}

/// A stream is whole and of one version: every event came, each with the same one.
fn check_stream(text: &str) {
    let words: Vec<_> = text.split_whitespace().collect();
    let (version, end) = (words[0], format!(" after {EVENTS}"));
    assert!(text.ends_with(&end), "not whole: {text}");
    let versions = &words[..words.len() - 2];
    assert_eq!(versions.len(), EVENTS + 1, "not whole: {text}");
    assert!(versions.iter().all(|word| *word == version), "of two versions: {text}");
}

/// Clients that ask all the time until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    answers: watch::Sender<usize>,
    clients: JoinSet<()>,
}

impl Load {
    fn start(gateway: &Arc<Witgate>) -> Self {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), watch::Sender::new(0));
        let mut clients = JoinSet::new();
        for client in 0..2 * CLIENTS {
            let (gateway, stop, answers) = (Arc::clone(gateway), Arc::clone(&stop), answers.clone());
            clients.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let streaming = client % 2 == 0;
                    let answer = gateway.chat("m", streaming).await;
                    assert_eq!(answer.status, 200, "{}", answer.text);
                    if streaming {
                        check_stream(&answer.streamed_text());
                        assert!(answer.text.ends_with("data: [DONE]\n\n"), "{}", answer.text);
                    } else {
                        check_plain(&answer.json());
                    }
                    answers.send_modify(|answers| *answers += 1);
                }
            });
        }
        Self { stop, answers, clients }
    }

    /// Waits until this many more requests were answered.
    async fn answers(&self, more: usize) {
        let target = *self.answers.borrow() + more;
        let mut answers = self.answers.subscribe();
        let enough = answers.wait_for(|answers| *answers >= target);
        tokio::time::timeout(Duration::from_secs(120), enough)
            .await
            .expect("requests are answered")
            .expect("clients run");
    }

    async fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.expect("no request failed");
        }
        *self.answers.borrow()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_swaps_under_load_fail_no_request_mix_no_answer_and_keep_no_memory() {
    let provider = Provider::start(play).await;
    let versions = [version(0), version(1)];
    let gateway = Arc::new(gateway(&provider, &versions[0]).await);
    let load = Load::start(&gateway);
    load.answers(500).await;
    let mut after_first = 0;
    for swap in 1..=SWAPS {
        put(&gateway, &versions[swap % 2]);
        until_it_answers(&gateway, swap % 2).await;
        if swap == 1 {
            load.answers(500).await;
            after_first = gateway.resident();
        }
    }
    load.answers(500).await;
    let after_last = gateway.resident();
    let answers = load.stop().await;
    eprintln!("{answers} answers; resident after the first swap {after_first}, after the last {after_last}");
    assert!(
        after_last * 10 <= after_first * 11,
        "memory grew from {after_first} to {after_last} bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_answers_within_a_second_of_being_complete() {
    let provider = Provider::start(play).await;
    let gateway = gateway(&provider, &version(0)).await;
    let mut quickest = Duration::MAX;
    // Never seen before, so compiled each time. Of three, since other work of the machine may come between.
    for number in 1..=3 {
        let bytes = version(number);
        let started = Instant::now();
        put(&gateway, &bytes);
        until_it_answers(&gateway, number).await;
        quickest = quickest.min(started.elapsed());
    }
    eprintln!("the first answer came after {quickest:?}");
    assert!(quickest < Duration::from_secs(1), "{quickest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_api_shows_adapters_to_who_has_the_key_only() {
    let provider = Provider::start(play).await;
    let mut gateway = gateway(&provider, &version(7)).await;
    let path = "/admin/adapters";
    let refused = gateway.get(path).await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "invalid_api_key"));
    let shown = async |gateway: &Witgate| {
        let request = gateway
            .client
            .get(format!("{}{path}", gateway.url))
            .bearer_auth("admin");
        let reply = request.send().await.expect("an answer").text().await.expect("a body");
        serde_json::from_str::<Value>(&reply).expect("JSON")["adapters"][0].clone()
    };
    let state = shown(&gateway).await;
    assert_eq!(
        (state["id"].as_str(), state["status"].as_str()),
        (Some("versioned"), Some("serving"))
    );
    assert_eq!(state["serving"]["version"], name(7));
    put(&gateway, b"\0asm\x0d\0\x01\0");
    gateway.line_with("adapter refused").await;
    let state = shown(&gateway).await;
    assert_eq!(
        (state["status"].as_str(), state["serving"]["version"].as_str()),
        (Some("refused"), Some("version-0007"))
    );
    assert!(
        state["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("witgate:adapter/meta")),
        "{state}"
    );
    until_it_answers(&gateway, 7).await;
}

#[tokio::test]
async fn without_an_admin_key_there_is_no_admin_api_and_it_says_how_to_get_one() {
    let gateway = Witgate::start("", &[]).await;
    let refused = gateway.get("/admin/adapters").await;
    assert_eq!(refused.status, 404);
    assert!(refused.text.contains("admin.key"), "{}", refused.text);
}

#[tokio::test]
async fn what_the_log_says_is_in_service_answers_the_next_request() {
    let provider = Provider::start(play).await;
    let mut gateway = gateway_that_logs("info", &provider, &version(0)).await;
    for number in 1..=10 {
        put(&gateway, &version(number));
        let line = format!("in service adapter=\"versioned@{}\"", name(number));
        gateway.line_with(&line).await;
        let answer = gateway.chat("m", false).await.json();
        assert_eq!(answered(&answer), format!("{0} {0}", name(number)));
    }
}
