//! Pictures, speech, moderations, rankings: a provider of OpenAI's API is asked for them as the client wrote it, and its answer goes
//! by.

use serde_json::json;
use witgate_tests::{Played, Witgate, provider::Broken};

#[tokio::test]
async fn each_reaches_its_path_with_the_clients_own_words() {
    let answer = "{\"data\":[{\"b64_json\": \"AA==\"}], \"usage\":{\"input_tokens\":7,\"output_tokens\":9}}";
    let (provider, mut gateway) =
        Witgate::before(move |_| Played::bytes(200, "application/json", vec![answer.into()])).await;
    for (path, body) in [
        (
            "/v1/images/generations",
            "{\"prompt\":\"a cat\", \"response_format\":\"b64_json\",\"model\":\"MODEL\"}",
        ),
        (
            "/v1/moderations",
            "{\"input\":[{\"type\":\"text\",\"text\":\"x\"}],\"model\":\"MODEL\"}",
        ),
        (
            "/v1/rerank",
            "{\"query\":\"q\",\"documents\":[\"a\", {\"text\":\"b\"}],\"top_n\":1,\"model\":\"MODEL\"}",
        ),
    ] {
        let told = gateway.post_text(path, body.replace("MODEL", "mock/m"), &[]).await;
        assert_eq!((told.status, told.text.as_str()), (200, answer), "{path}");
        let asked = provider.asked().pop().expect("a request");
        assert_eq!(asked.path, path);
        assert_eq!(String::from_utf8_lossy(&asked.body), body.replace("MODEL", "m"));
    }
    let line = gateway.line_with("rerank").await;
    assert!(
        line.contains("input_tokens=7") && line.contains("output_tokens=9"),
        "{line}"
    );
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (provider, gateway) = Witgate::before(|_| Played::json(500, &json!({}))).await;
    for (path, body, param) in [
        ("/v1/images/generations", json!({ "model": "mock/m" }), "prompt"),
        ("/v1/audio/speech", json!({ "model": "mock/m", "voice": "v" }), "input"),
        ("/v1/moderations", json!({ "model": "mock/m" }), "input"),
        ("/v1/rerank", json!({ "model": "mock/m", "query": "q" }), "documents"),
        ("/v1/rerank", json!({ "query": "q", "documents": [] }), "model"),
    ] {
        let told = gateway.post(path, &body).await;
        assert_eq!(
            (told.status, told.json()["error"]["param"].as_str()),
            (400, Some(param)),
            "{path}"
        );
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn speech_goes_by_as_it_comes_and_one_that_breaks_off_is_no_whole_one() {
    let (sound, played) = Played::live("audio/mpeg");
    let live = std::sync::Mutex::new(Some(played));
    let (provider, gateway) = Witgate::before(move |asked| {
        let whole = || Played::bytes(200, "audio/mpeg", vec!["ID3\u{3}".into(), "sound".into()]);
        let long = asked.json()["input"] == "long";
        long.then(|| live.lock().expect("no panic").take())
            .flatten()
            .unwrap_or_else(whole)
    })
    .await;
    let body = |input: &str| json!({ "model": "mock/m", "input": input });
    let told = gateway.post("/v1/audio/speech", &body("short")).await;
    assert_eq!((told.status, told.text.as_str()), (200, "ID3\u{3}sound"));
    assert_eq!(
        told.headers.get("content-type").and_then(|kind| kind.to_str().ok()),
        Some("audio/mpeg")
    );
    assert_eq!(provider.asked().pop().expect("a request").header("accept"), "*/*");

    sound.send(Ok("half".into())).await.expect("a listener");
    let request = reqwest::Client::new().post(format!("{}/v1/audio/speech", gateway.url));
    let mut reply = request.body(body("long").to_string()).send().await.expect("a head");
    assert_eq!(reply.chunk().await.expect("a piece").as_deref(), Some(&b"half"[..]));
    sound.send(Err(Broken)).await.expect("a listener");
    assert!(
        reply.chunk().await.is_err(),
        "the client has to learn that this is not all"
    );
}
