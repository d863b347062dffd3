//! Pictures in requests: those that a client sends along, and those it names by address where the provider takes them only inside the
//! request.

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

/// A picture of 3 MB, as far as anybody looks: it is more than passes through a guest unnoticed.
fn png() -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n".as_slice(), &vec![7; 3 << 20]].concat()
}

fn said(_: &Asked) -> Played {
    let message = json!({ "role": "assistant", "content": "a cat" });
    Played::json(
        200,
        &json!({ "model": "llava", "message": message, "done": true, "done_reason": "stop" }),
    )
}

/// A host of pictures; `to` is where it sends those on who ask for `/elsewhere`.
async fn pictures(to: &str) -> Provider {
    let to = to.to_owned();
    Provider::start(move |asked| match &*asked.path {
        "/cat.png" => Played::bytes(200, "application/octet-stream", vec![png().into()]),
        "/moved" => Played::bytes(302, "text/plain", Vec::new()).header("location", "/cat.png"),
        "/elsewhere" => Played::bytes(307, "text/plain", Vec::new()).header("location", &to),
        "/round" => Played::bytes(302, "text/plain", Vec::new()).header("location", "/round"),
        "/page" => Played::bytes(200, "image/png", vec!["<html>".into()]),
        "/large" => Played::bytes(200, "image/png", vec![png().into(); 8]),
        _ => Played::bytes(404, "text/plain", Vec::new()),
    })
    .await
}

async fn gateway(ollama: &Provider, allowed: &str) -> Witgate {
    let config = format!(
        "[[providers]]\nid = \"local\"\ntype = \"ollama\"\nbase_url = \"{}\"\nmax_retries = 0\nsecurity = {{ allow_hosts = [\"{allowed}\"] }}\n",
        ollama.url
    );
    Witgate::start(&config, &["ollama"]).await
}

fn chat(urls: &[String]) -> Value {
    let images = urls
        .iter()
        .map(|url| json!({ "type": "image_url", "image_url": { "url": url } }));
    let parts: Vec<Value> = std::iter::once(json!({ "type": "text", "text": "What is it?" }))
        .chain(images)
        .collect();
    json!({ "model": "local/llava", "messages": [{ "role": "user", "content": parts }] })
}

fn authority(provider: &Provider) -> &str {
    provider.url.trim_start_matches("http://")
}

#[tokio::test]
async fn a_picture_is_fetched_once_without_credentials_and_arrives_whole() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let ollama = Provider::start(said).await;
    let host = pictures("").await;
    let gateway = gateway(&ollama, authority(&host)).await;
    let cat = format!("{}/cat.png", host.url);
    let answer = gateway
        .post(
            "/v1/chat/completions",
            &chat(&[cat.clone(), format!("{}/moved", host.url), cat]),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let sent = ollama.asked().pop().expect("a request").json();
    let expected = STANDARD.encode(png());
    assert_eq!(sent["messages"][0]["images"], json!([expected, expected, expected]));
    let mut paths: Vec<String> = host.asked().iter().map(|asked| asked.path.clone()).collect();
    paths.sort();
    assert_eq!(paths, ["/cat.png", "/cat.png", "/moved"]);
    assert!(
        host.asked()
            .iter()
            .all(|asked| asked.headers.get("authorization").is_none())
    );
}

#[tokio::test]
async fn a_picture_that_cannot_be_had_is_the_clients_error_and_names_the_field() {
    let ollama = Provider::start(said).await;
    let secret = Provider::start(|_| Played::bytes(200, "image/png", vec![png().into()])).await;
    let host = pictures(&format!("{}/x", secret.url)).await;
    let gateway = gateway(&ollama, authority(&host)).await;
    let here = |path: &str| format!("{}{path}", host.url);
    let port = authority(&secret).rsplit(':').next().unwrap_or_default();
    let table = [
        (here("/none"), "status 404"),
        (here("/page"), "no PNG, JPEG, GIF or WebP"),
        (here("/large"), "larger than 20 MB"),
        (here("/round"), "sends on more than 3 times"),
        (here("/elsewhere"), "operator's word"),
        (format!("{}/x", secret.url), "operator's word"),
        ("http://pictures.example/x.png".to_owned(), "over https only"),
        (format!("https://127.0.0.1:{port}/x"), "operator's word"),
        (format!("https://localhost:{port}/x"), "cannot be reached"),
        ("http://169.254.169.254/latest/meta-data".to_owned(), "never reached"),
        (
            format!("{}/api/tags", ollama.url),
            "not fetched from the provider itself",
        ),
        ("https://user:pass@/".to_owned(), "not valid"),
    ];
    for (url, why) in table {
        let answer = gateway
            .post("/v1/chat/completions", &chat(std::slice::from_ref(&url)))
            .await;
        let error = &answer.json()["error"];
        assert_eq!(answer.status, 400, "{url}: {}", answer.text);
        assert_eq!(error["code"], "invalid_image_url", "{url}");
        assert_eq!(error["param"], "messages[0].content[1].image_url.url", "{url}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(why), "{url}: {message}");
    }
    assert!(ollama.asked().is_empty() && secret.asked().is_empty());
}

/// Three copies of it would not fit into the memory of an instance.
#[tokio::test]
async fn a_large_picture_arrives_whole_wherever_an_adapter_puts_it() {
    let large = "iVBORw0KGgo".to_owned() + &"AbCd+/09".repeat(3 << 20);
    let url = format!("data:image/png;base64,{large}");
    let table = [
        ("anthropic", "/messages/0/content/1/source/data"),
        ("gemini", "/contents/0/parts/1/inlineData/data"),
        ("ollama", "/messages/0/images/0"),
    ];
    for (adapter, place) in table {
        let provider = Provider::start(|_| Played::bytes(400, "application/json", vec!["{}".into()])).await;
        let config = format!(
            "[[providers]]\nid = \"local\"\ntype = \"{adapter}\"\nbase_url = \"{}\"\napi_key = \"k\"\nmax_retries = 0\n",
            provider.url
        );
        let gateway = Witgate::start(&config, &[adapter]).await;
        let answer = gateway
            .post("/v1/chat/completions", &chat(std::slice::from_ref(&url)))
            .await;
        let sent = provider.asked().pop();
        let sent = sent.unwrap_or_else(|| panic!("{adapter}: {}", answer.text)).json();
        let arrived = sent.pointer(place).and_then(Value::as_str).unwrap_or_default();
        assert!(
            arrived == large,
            "{adapter}: {} of {} bytes",
            arrived.len(),
            large.len()
        );
    }
}
