//! What a provider may get wrong, and what the client is told. Never half an answer as a whole one, never the provider's page.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use witgate_tests::{Asked, Played, Provider, Witgate, provider::Broken};

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
