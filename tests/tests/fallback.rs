//! What the gateway does when a provider fails: try again where that may help, then ask the next one.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

fn completion(text: &str) -> Value {
    json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "small",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }]
    })
}

fn error(status: u16) -> Played {
    Played::json(
        status,
        &json!({ "error": { "message": "not now", "type": "server_error", "param": null, "code": null } }),
    )
}

fn entry(name: &str, provider: &Provider, more: &str) -> String {
    format!(
        "[[providers]]\nname = \"{name}\"\nbase_url = \"{}/v1\"\nmodels = [\"small\"]\n{more}\n",
        provider.url
    )
}

/// Answers `failure` the first `times` times.
fn flaky(times: usize, failure: impl Fn() -> Played + Send + Sync) -> impl Fn(&Asked) -> Played + Send + Sync {
    let asked = AtomicUsize::new(0);
    move |_| {
        if asked.fetch_add(1, Ordering::SeqCst) < times {
            failure()
        } else {
            Played::json(200, &completion("ok"))
        }
    }
}

#[tokio::test]
async fn a_passing_failure_is_tried_again() {
    let provider = Provider::start(flaky(2, || error(503))).await;
    let gateway = Witgate::start(&entry("a", &provider, "max_retries = 2"), &[]).await;
    assert_eq!(gateway.chat("small", false).await.status, 200);
    assert_eq!(provider.asked().len(), 3);
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_not_tried_again_nor_elsewhere() {
    let first = Provider::start(|_| error(400)).await;
    let second = Provider::start(|_| Played::json(200, &completion("ok"))).await;
    let config = entry("a", &first, "priority = 1\nmax_retries = 2") + &entry("b", &second, "priority = 2");
    let gateway = Witgate::start(&config, &[]).await;
    assert_eq!(gateway.chat("small", false).await.status, 400);
    assert_eq!((first.asked().len(), second.asked().len()), (1, 0));
}

#[tokio::test]
async fn the_next_provider_by_priority_takes_over() {
    let down = Provider::start(|_| error(500)).await;
    let up = Provider::start(|_| Played::json(200, &completion("from b"))).await;
    let config = entry("b", &up, "priority = 2") + &entry("a", &down, "priority = 1\nmax_retries = 0");
    let gateway = Witgate::start(&config, &[]).await;
    let answer = gateway.chat("small", false).await;
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "from b");
    assert_eq!((down.asked().len(), up.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_stream_that_fails_before_its_first_event_falls_back() {
    let down = Provider::start(|_| {
        Played::events(["data: {\"error\":{\"message\":\"busy\",\"type\":\"overloaded_error\"}}\n\n"])
    })
    .await;
    let up = Provider::start(|_| {
        Played::events([
            "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n",
            "data: [DONE]\n\n",
        ])
    })
    .await;
    let config = entry("a", &down, "priority = 1\nmax_retries = 0") + &entry("b", &up, "priority = 2");
    let gateway = Witgate::start(&config, &[]).await;
    assert_eq!(gateway.chat("small", true).await.streamed_text(), "hi");
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_no_end() {
    let up = Provider::start(|_| Played::json(200, &completion("ok"))).await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    let config = format!(
        "[[providers]]\nname = \"a\"\nbase_url = \"http://{address}/v1\"\nmodels = [\"small\"]\npriority = 1\nmax_retries = 0\n"
    ) + &entry("b", &up, "priority = 2");
    let gateway = Witgate::start(&config, &[]).await;
    assert_eq!(gateway.chat("small", false).await.status, 200);
}

#[tokio::test]
async fn a_disabled_provider_is_never_asked() {
    let provider = Provider::start(|_| Played::json(200, &completion("ok"))).await;
    let gateway = Witgate::start(&entry("a", &provider, "enabled = false"), &[]).await;
    assert_eq!(gateway.chat("small", false).await.status, 404);
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn the_time_to_try_again_reaches_the_client() {
    let provider = Provider::start(|_| error(429).header("retry-after", "600")).await;
    let gateway = Witgate::start(&entry("a", &provider, "max_retries = 3"), &[]).await;
    let answer = gateway.chat("small", false).await;
    assert_eq!(
        (answer.status, answer.headers["retry-after"].to_str().ok()),
        (429, Some("600"))
    );
    assert_eq!(provider.asked().len(), 1, "ten minutes are not waited for");
}

#[tokio::test]
async fn clients_that_try_again_by_themselves_are_told_whether_that_helps() {
    for (status, code, after, told) in [
        (429, "", "", Some("true")),
        (429, "", "5", Some("true")),
        (429, "", "600", Some("false")),
        (429, "insufficient_quota", "", Some("false")),
        (503, "", "", Some("true")),
        (500, "", "", None),
    ] {
        let provider = Provider::start(move |_| {
            let error = json!({ "message": "not now", "type": "server_error", "param": null, "code": code });
            Played::json(status, &json!({ "error": error })).header("retry-after", after)
        })
        .await;
        let gateway = Witgate::start(&entry("a", &provider, "max_retries = 0"), &[]).await;
        let answer = gateway.chat("small", false).await;
        let header = answer
            .headers
            .get("x-should-retry")
            .and_then(|value| value.to_str().ok());
        assert_eq!(
            (answer.status, header),
            (status, told),
            "{code} {after}: {}",
            answer.text
        );
    }
    let nowhere = Witgate::start(
        "[[providers]]\nid = \"a\"\ntype = \"unheard-of\"\nbase_url = \"http://127.0.0.1:9\"\nmodels = [\"small\"]",
        &[],
    );
    let answer = nowhere.await.chat("small", false).await;
    assert_eq!(
        answer.headers["x-should-retry"], "false",
        "the operator has to do something first: {}",
        answer.text
    );
}

/// A provider that takes a request and hangs up, and how often it was asked.
async fn hangs_up() -> (String, std::sync::Arc<AtomicUsize>) {
    use tokio::io::AsyncReadExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (
        format!(
            "[[providers]]\nname = \"a\"\nbase_url = \"http://{address}/v1\"\nmodels = [\"small\"]\npriority = 1\nmax_retries = 1\n"
        ),
        asked,
    )
}

#[tokio::test]
async fn a_request_that_may_have_been_worked_on_is_not_sent_there_again() {
    let (first, asked) = hangs_up().await;
    let gateway = Witgate::start(&first, &[]).await;
    assert_eq!(gateway.chat("small", false).await.code(), "provider_connection_failed");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let body = json!({ "model": "small", "messages": [{ "role": "user", "content": "x" }] }).to_string();
    gateway
        .post_text("/v1/chat/completions", body, &[("idempotency-key", "k")])
        .await;
    assert_eq!(
        asked.load(Ordering::SeqCst),
        3,
        "the client said that it may come twice"
    );
}

#[tokio::test]
async fn a_request_that_may_have_been_worked_on_goes_to_the_next_provider() {
    let (first, asked) = hangs_up().await;
    let up = Provider::start(|_| Played::json(200, &completion("ok"))).await;
    let gateway = Witgate::start(&(first + &entry("b", &up, "priority = 2")), &[]).await;
    assert_eq!(gateway.chat("small", false).await.status, 200);
    assert_eq!((asked.load(Ordering::SeqCst), up.asked().len()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_not_asked_for_there_again() {
    let cut = Provider::start(|_| {
        let (sender, played) = Played::live("application/json");
        sender.try_send(Ok("{\"id\":".into())).expect("there is room");
        sender
            .try_send(Err(witgate_tests::provider::Broken))
            .expect("there is room");
        played
    })
    .await;
    let up = Provider::start(|_| Played::json(200, &completion("ok"))).await;
    let config = entry("a", &cut, "priority = 1\nmax_retries = 2") + &entry("b", &up, "priority = 2");
    let gateway = Witgate::start(&config, &[]).await;
    assert_eq!(gateway.chat("small", false).await.status, 200);
    assert_eq!((cut.asked().len(), up.asked().len()), (1, 1));
}

#[tokio::test]
async fn what_one_adapter_does_not_support_another_provider_may() {
    let up = Provider::start(|_| {
        Played::json(200, &json!({ "object": "list", "model": "small", "data": [{ "object": "embedding", "index": 0, "embedding": [1.0] }] }))
    })
    .await;
    let config = "[[providers]]\nname = \"a\"\ntype = \"anthropic\"\nbase_url = \"http://127.0.0.1:9\"\nmodels = [\"small\"]\npriority = 1\n";
    let gateway = Witgate::start(&(config.to_owned() + &entry("b", &up, "priority = 2")), &["anthropic"]).await;
    let answer = gateway
        .post("/v1/embeddings", &json!({ "model": "small", "input": "x" }))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}
