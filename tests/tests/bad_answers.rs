//! What a provider may get wrong, and what the client is told. Never half an answer as a whole one, never the provider's page.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt, stream};
use serde_json::json;
use witgate_tests::{
    Asked, Played, Provider, Witgate,
    provider::Broken,
    rows::{self, ROWS},
};

async fn gateway(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let config = format!(
        "[[providers]]\nid = \"mock\"\nbase_url = \"{}/v1\"\nmodels = [\"small\"]\nmax_retries = 0",
        provider.url
    );
    let gateway = Witgate::start(&config, &[]).await;
    (provider, gateway)
}

const WHOLE: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"small","choices":[{"index":0,"message":{"role":"assistant","content":"packed"},"finish_reason":"stop"}]}"#;

#[tokio::test]
async fn an_answer_that_is_none_is_a_502_that_says_so_and_shows_nothing_of_it() {
    let page = "<!DOCTYPE html><title>Welcome to secret-host</title>";
    for (kind, body) in [
        ("text/html", page),
        ("application/json", page),
        ("application/json", ""),
        ("application/json", "null"),
        ("application/json", "[]"),
        ("application/json", "{\"choices\":"),
        ("application/json", "{}"),
        ("text/event-stream", ""),
    ] {
        let (_provider, gateway) = gateway(move |_| Played::bytes(200, kind, vec![body.into()])).await;
        for streaming in [false, true] {
            let told = gateway.chat("small", streaming).await;
            assert_eq!(
                told.status, 502,
                "{kind} {body:?} streaming: {streaming}: {}",
                told.text
            );
            let error = &told.json()["error"];
            assert_eq!(error["side"], "upstream", "{kind} {body:?}");
            assert!(!told.text.contains("secret-host"), "{}", told.text);
        }
    }
}

/// What is no answer of anybody's, under a type of content that may be wrong too.
const NONE_AT_ALL: [(&str, &str); 8] = [
    ("text/html", "<!DOCTYPE html><title>Welcome to secret-host</title>"),
    (
        "application/json",
        "<!DOCTYPE html><title>Welcome to secret-host</title>",
    ),
    (
        "text/event-stream",
        "<!DOCTYPE html><title>Welcome to secret-host</title>",
    ),
    ("application/json", ""),
    ("application/json", "null"),
    ("application/json", "[7]"),
    ("application/json", "{\"secret-host\":"),
    ("application/octet-stream", "\u{0}\u{1}secret-host"),
];

/// Asks every kind of provider in every API, whole and streamed: the answer has one of `statuses`, the provider's fault, and shows nothing of what
/// it sent.
async fn is_refused_everywhere(gateway: &Witgate, statuses: &[u16], about: &str) {
    let said = &json!([{ "role": "user", "content": "Hello" }]);
    let requests = ROWS
        .iter()
        .flat_map(|row| [(row, false), (row, true)])
        .flat_map(|(row, stream)| {
            let model = format!("{}/{}", row.name, row.model);
            let chat = json!({ "model": model, "messages": said, "max_tokens": 9, "stream": stream });
            let response = json!({ "model": model, "input": said, "stream": stream });
            [
                ("/v1/chat/completions", chat.clone()),
                ("/v1/messages", chat),
                ("/v1/responses", response),
            ]
        });
    let asked = requests.map(async |(path, body)| {
        let told = gateway.post(path, &body).await;
        let place = format!("{about}: {path} {body}: {} {}", told.status, told.text);
        assert!(statuses.contains(&told.status), "{place}");
        let words = told.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(!words.is_empty() && !told.text.contains("secret-host"), "{place}");
    });
    stream::iter(asked).buffer_unordered(32).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn what_is_no_answer_is_a_502_whoever_sent_it_and_whoever_asked() {
    let number = Arc::new(AtomicUsize::new(0));
    let now = number.clone();
    let provider = Provider::start(move |_| {
        let (kind, body) = NONE_AT_ALL[now.load(Ordering::SeqCst)];
        Played::bytes(200, kind, vec![body.into()])
    })
    .await;
    let gateway = rows::gateway(&provider, "").await;
    for (at, (kind, body)) in NONE_AT_ALL.iter().enumerate() {
        number.store(at, Ordering::SeqCst);
        is_refused_everywhere(&gateway, &[502], &format!("{kind} {body:?}")).await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_502_whoever_sent_it_and_whoever_asked() {
    let provider = Provider::start(|_| {
        let (body, played) = Played::live("application/json");
        body.try_send(Ok(WHOLE[..60].into())).expect("room");
        body.try_send(Err(Broken)).expect("room");
        played
    })
    .await;
    let gateway = rows::gateway(&provider, "").await;
    is_refused_everywhere(&gateway, &[502], "broken off").await;
}

#[tokio::test]
async fn an_answer_that_never_ends_is_a_504_whoever_sent_it_and_whoever_asked() {
    let provider = Provider::start(|_| Played::bytes(200, "application/json", vec!["{".into()]).hanging()).await;
    let gateway = rows::gateway(&provider, "idle_timeout = \"1s\"").await;
    // That it is no stream, where one was asked for, may be known before.
    is_refused_everywhere(&gateway, &[504, 502], "never ends").await;
}

#[tokio::test]
async fn a_stream_that_never_ends_is_broken_off_with_an_error_and_no_end_mark() {
    let first =
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";
    let provider = Provider::start(move |_| Played::events([first]).hanging()).await;
    let config = format!(
        "[[providers]]\nid = \"mock\"\nbase_url = \"{}/v1\"\nmodels = [\"small\"]\nmax_retries = 0\nidle_timeout = \"1s\"",
        provider.url
    );
    let gateway = Witgate::start(&config, &[]).await;
    let told = gateway.chat("small", true).await;
    assert_eq!((told.status, told.streamed_text().as_str()), (200, "hi"));
    assert!(!told.text.contains("[DONE]"), "{}", told.text);
    let last = told.events().pop().expect("events");
    assert!(last["error"]["message"].is_string(), "{}", told.text);
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    for body in [
        r#"{"error":{"message":"no quota","code":429}}"#,
        r#"{"error":"model is loading"}"#,
    ] {
        let (_provider, gateway) = gateway(move |_| Played::bytes(200, "application/json", vec![body.into()])).await;
        let told = gateway.chat("small", false).await;
        assert!(told.status >= 400, "{}", told.text);
        assert!(told.json()["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_a_502() {
    let (_provider, gateway) = gateway(|_| {
        let (body, played) = Played::live("application/json");
        body.try_send(Ok(WHOLE[..60].into())).expect("room");
        body.try_send(Err(Broken)).expect("room");
        played
    })
    .await;
    let told = gateway.chat("small", false).await;
    assert_eq!(
        (told.status, &told.json()["error"]["side"]),
        (502, &json!("upstream")),
        "{}",
        told.text
    );
}

#[tokio::test]
async fn packed_answers_are_unpacked() {
    let packed = [
        (
            "gzip",
            "H4sIAAAAAAACAxWNQQ7CMAwE/7LnCME1X0EImcRQQxJHtQ+Vqv4d92RZO7uzQyoyNiTo68vF4ykL+aVon41ddERUVibnAG8JXSu3oKxTa2e2qBQ25PsOGZU35GtQbEYfRt6xaosLMhNzGn52dDiP0zWp/GL4SHjLEFueYbJwxr7rxPE4/nZlcNWiAAAA",
        ),
        (
            "br",
            "G6EAYBwHdnPOhxkMvHZ2YoiDIx9QGQdJCb3S8FqHpauvTg5Ym0fh29eWflnzHAI3WalOYRerXzgU08BDxxMJSpfoiCSGUA5WTHgbKgpN0CosgiIO8F1/npz6QgWoWyF2",
        ),
    ];
    for (encoding, text) in packed {
        let (_provider, gateway) = gateway(move |_| {
            let body = BASE64_STANDARD.decode(text).expect("base64");
            Played::bytes(200, "application/json", vec![body.into()]).header("content-encoding", encoding)
        })
        .await;
        let told = gateway.chat("small", false).await;
        assert_eq!((told.status, told.text.as_str()), (200, WHOLE), "{encoding}");
        assert!(!told.headers.contains_key("content-encoding"));
    }
}

#[tokio::test]
async fn packed_answers_that_are_not_what_they_say_are_a_502() {
    let (_provider, gateway) =
        gateway(|_| Played::bytes(200, "application/json", vec![WHOLE.into()]).header("content-encoding", "gzip"))
            .await;
    assert_eq!(gateway.chat("small", false).await.status, 502);
}

#[tokio::test]
async fn a_wrong_content_type_hides_no_answer() {
    let stream = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"small\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    for (kind, body, streaming) in [
        ("text/plain", WHOLE, false),
        ("application/octet-stream", WHOLE, false),
        ("text/plain", stream, true),
        ("application/json", stream, true),
        // Asked for a whole answer it streams, and the other way round.
        ("text/event-stream", stream, false),
        ("application/json", WHOLE, true),
    ] {
        let (_provider, gateway) = gateway(move |_| Played::bytes(200, kind, vec![body.into()])).await;
        let told = gateway.chat("small", streaming).await;
        assert_eq!(told.status, 200, "{kind} streaming: {streaming}: {}", told.text);
        let text = if streaming {
            told.streamed_text()
        } else {
            told.json()["choices"][0]["message"]["content"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        assert!(
            ["hi", "packed"].contains(&text.as_str()),
            "{kind} streaming: {streaming}: {}",
            told.text
        );
    }
}
