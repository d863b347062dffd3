//! The account of a request: how much of the time was the gateway's, and how it ended.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::json;
use witgate_tests::{Played, Provider, Witgate};

const HELLO: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

fn entry(provider: &Provider) -> String {
    format!(
        "[[providers]]\nname = \"mock\"\nbase_url = \"{}/v1\"\nmodels = [\"small\"]\n",
        provider.url
    )
}

/// An answer whose pieces come with a pause before each.
fn slowly(content_type: &str, pieces: Vec<String>) -> Played {
    let (sender, played) = Played::live(content_type);
    tokio::spawn(async move {
        for piece in pieces {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if sender.send(Ok(piece.into())).await.is_err() {
                return;
            }
        }
    });
    played
}

fn answer() -> String {
    json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "small",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hi" }, "finish_reason": "stop" }]
    })
    .to_string()
}

/// The sum of a metric over its labels, once there is one.
async fn sum(gateway: &Witgate, metric: &str) -> f64 {
    loop {
        let metrics = gateway.get("/metrics").await.text;
        let lines = metrics
            .lines()
            .filter(|line| line.starts_with(&format!("witgate_{metric}_seconds_sum{{")));
        let values: Vec<f64> = lines.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
        if !values.is_empty() {
            return values.iter().sum();
        }
    }
}

async fn only_the_provider_was_slow(gateway: &Witgate) {
    let (latency, overhead) = (sum(gateway, "latency").await, sum(gateway, "overhead").await);
    assert!(latency > 0.15 && overhead < 0.05, "{overhead} s of {latency} s");
}

#[tokio::test]
async fn waiting_for_a_slow_body_is_no_overhead() {
    let provider = Provider::start(|_| {
        let text = answer();
        let (one, two) = text.split_at(40);
        slowly(
            "application/json",
            vec![one.to_owned(), two.to_owned(), "\n".to_owned()],
        )
    })
    .await;
    let gateway = Witgate::start(&entry(&provider), &[]).await;
    assert_eq!(gateway.chat("small", false).await.status, 200);
    only_the_provider_was_slow(&gateway).await;
}

#[tokio::test]
async fn waiting_for_a_slow_stream_is_no_overhead() {
    let provider = Provider::start(|_| {
        let events = [HELLO, STOP, "[DONE]"].map(|data| format!("data: {data}\n\n"));
        slowly("text/event-stream", events.to_vec())
    })
    .await;
    let gateway = Witgate::start(&entry(&provider), &[]).await;
    assert_eq!(gateway.chat("small", true).await.streamed_text(), "Hello");
    only_the_provider_was_slow(&gateway).await;
}

#[tokio::test]
async fn the_pause_before_another_try_is_no_overhead() {
    let failed = AtomicBool::new(false);
    let provider = Provider::start(move |_| {
        if failed.swap(true, Ordering::SeqCst) {
            Played::bytes(200, "application/json", vec![answer().into()])
        } else {
            Played::json(503, &json!({ "error": { "message": "not now" } }))
        }
    })
    .await;
    let gateway = Witgate::start(&entry(&provider), &[]).await;
    assert_eq!(gateway.chat("small", false).await.status, 200);
    only_the_provider_was_slow(&gateway).await;
}

async fn stream(gateway: &Witgate) -> reqwest::Response {
    let body = json!({ "model": "small", "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    let request = gateway
        .client
        .post(format!("{}/v1/chat/completions", gateway.url))
        .body(body.to_string());
    request.send().await.expect("a stream")
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_noted() {
    let provider = Provider::start(|_| Played::events([format!("data: {HELLO}\n\n")]).hanging()).await;
    let mut gateway = Witgate::start(&entry(&provider), &[]).await;
    let mut reply = stream(&gateway).await;
    reply.chunk().await.expect("a chunk");
    drop(reply);
    let line = gateway.line_with("client_gone").await;
    assert!(line.contains("200"), "{line}");
}

#[tokio::test]
async fn a_client_that_leaves_after_the_end_mark_has_heard_it_all() {
    let events = [HELLO, STOP, "[DONE]"].map(|data| format!("data: {data}\n\n"));
    let provider = Provider::start(move |_| Played::events(events.clone()).hanging()).await;
    let mut gateway = Witgate::start(&entry(&provider), &[]).await;
    let mut reply = stream(&gateway).await;
    let mut text = String::new();
    while !text.contains("[DONE]") {
        let chunk = reply.chunk().await.expect("a chunk").expect("a chunk");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    drop(reply);
    let line = gateway.line_with("first_byte_ms").await;
    assert!(!line.contains("client_gone"), "{line}");
}
