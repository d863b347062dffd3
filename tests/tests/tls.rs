//! TLS on both sides, and proxies in between.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use witgate_tests::{Authority, Played, Provider, Proxy, Witgate};

const BOTH: [&str; 2] = ["h2", "http/1.1"];

fn completion() -> Value {
    json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "small",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hi" }, "finish_reason": "stop" }]
    })
}

async fn provider(authority: &Authority, protocols: &[&str]) -> Provider {
    Provider::start_tls(authority.server(protocols), |_| Played::json(200, &completion())).await
}

/// One provider, `mock`, whose key is `sk-upstream`.
fn entry(base_url: &str, security: &str) -> String {
    format!(
        "[[providers]]\nid = \"mock\"\nbase_url = \"{base_url}/v1\"\napi_key = \"sk-upstream\"\nmodels = [\"small\"]\nmax_retries = 0\n\
         [providers.security]\nallow_insecure = true\n{security}"
    )
}

fn trusting(authority: &Authority) -> String {
    format!("ca_file = {:?}", authority.file("ca.pem"))
}

fn certificate(authority: &Authority) -> String {
    let (cert, key) = (authority.file("cert.pem"), authority.file("key.pem"));
    format!("[server.tls]\ncert = {cert:?}\nkey = {key:?}\n")
}

async fn start(config: &str, environment: &[(&str, &str)]) -> Witgate {
    let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
    Witgate::start_in(folder, config, environment).await
}

fn address(url: &str) -> &str {
    url.split("://").nth(1).expect("a URL")
}

#[tokio::test]
async fn a_client_chooses_between_http_1_1_and_2_as_the_connection_is_made() {
    let authority = Authority::new();
    let gateway = start(&certificate(&authority), &[]).await;
    assert!(gateway.url.starts_with("https://"), "{}", gateway.url);
    for (offered, spoken) in [
        (&BOTH[..], hyper::Version::HTTP_2),
        (&["h2"], hyper::Version::HTTP_2),
        (&["http/1.1"], hyper::Version::HTTP_11),
        (&[], hyper::Version::HTTP_11),
    ] {
        let got = authority.get(address(&gateway.url), "/healthz", offered).await;
        assert_eq!(got, (spoken, 200), "{offered:?}");
    }
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go_with_tls_and_without() {
    let authority = Authority::new();
    for (tls, first) in [
        (String::new(), &b""[..]),
        // The beginning of what HTTP/2 begins with.
        (String::new(), &b"PRI"[..]),
        (certificate(&authority), &b""[..]),
    ] {
        let gateway = start(&format!("[limits]\nread_timeout_ms = 200\n{tls}"), &[]).await;
        let mut stream = TcpStream::connect(address(&gateway.url))
            .await
            .expect("the gateway listens");
        stream.write_all(first).await.expect("the gateway listens");
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "the connection is still open: {tls}{first:?}");
    }
}

#[tokio::test]
async fn a_provider_of_an_own_authority_is_refused_unless_its_ca_file_is_given() {
    let authority = Authority::new();
    let provider = provider(&authority, &BOTH).await;
    let strange = start(&entry(&provider.url, ""), &[]).await;
    let answer = strange.chat("small", false).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (502, "provider_connection_failed")
    );
    assert!(answer.text.to_lowercase().contains("certificate"), "{}", answer.text);
    assert!(provider.asked().is_empty(), "the key was not shown to a stranger");
    let trusting = start(&entry(&provider.url, &trusting(&authority)), &[]).await;
    assert_eq!(trusting.chat("small", false).await.status, 200);
    let other = Authority::new();
    let wrong = start(&entry(&provider.url, &self::trusting(&other)), &[]).await;
    assert_eq!(wrong.chat("small", false).await.status, 502);
    let careless = start(&entry(&provider.url, "certificate_validation = false"), &[]).await;
    assert_eq!(careless.chat("small", false).await.status, 200);
}

#[tokio::test]
async fn http_2_is_spoken_to_a_provider_that_offers_it_and_http_1_1_to_others() {
    let authority = Authority::new();
    for (offered, spoken) in [
        (&BOTH[..], hyper::Version::HTTP_2),
        (&["http/1.1"], hyper::Version::HTTP_11),
        (&[], hyper::Version::HTTP_11),
    ] {
        let provider = provider(&authority, offered).await;
        let gateway = start(&entry(&provider.url, &trusting(&authority)), &[]).await;
        for _ in 0..2 {
            assert_eq!(gateway.chat("small", false).await.status, 200);
        }
        // A long one goes out in pieces.
        let long =
            json!({ "model": "mock/small", "messages": [{ "role": "user", "content": "x y ".repeat(100_000) }] });
        assert_eq!(gateway.post("/v1/chat/completions", &long).await.status, 200);
        let asked = provider.asked().pop().expect("a request");
        assert!(asked.json()["messages"] == long["messages"] && asked.json()["model"] == "small");
        let versions: Vec<_> = provider.asked().iter().map(|asked| asked.version).collect();
        assert_eq!(versions, [spoken; 3], "{offered:?}");
        assert_eq!(provider.asked()[0].header("authorization"), "Bearer sk-upstream");
    }
}

#[tokio::test]
async fn a_proxy_for_plain_http_gets_the_whole_url_and_its_own_credentials() {
    let provider = Provider::start(|_| Played::json(200, &completion())).await;
    let proxy = Proxy::start(address(&provider.url)).await;
    // A name that nobody here could resolve: the proxy does.
    let environment = ("HTTP_PROXY", &*format!("http://me:hush@{}", proxy.address));
    let mut gateway = start(&entry("http://models.invalid", ""), &[environment]).await;
    let answer = gateway.chat("small", false).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let head = proxy.asked().pop().expect("the proxy was asked");
    assert!(
        head.starts_with("POST http://models.invalid/v1/chat/completions HTTP/1.1"),
        "{head}"
    );
    // me:hush
    assert!(
        head.to_lowercase().contains("proxy-authorization: basic bwu6ahvzaa=="),
        "{head}"
    );
    assert_eq!(provider.asked()[0].header("authorization"), "Bearer sk-upstream");
    assert!(!gateway.output().contains("hush"), "the proxy's password is in the log");
}

#[tokio::test]
async fn a_proxy_for_https_makes_a_tunnel_and_sees_nothing_of_the_request() {
    let authority = Authority::new();
    let provider = provider(&authority, &BOTH).await;
    let proxy = Proxy::start(address(&provider.url)).await;
    let environment = ("HTTPS_PROXY", &*format!("http://me:hush@{}", proxy.address));
    let gateway = start(&entry("https://models.test", &trusting(&authority)), &[environment]).await;
    let answer = gateway.chat("small", false).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let head = proxy.asked().pop().expect("the proxy was asked");
    assert!(head.starts_with("CONNECT models.test:443 HTTP/1.1"), "{head}");
    assert!(
        head.to_lowercase().contains("proxy-authorization: basic bwu6ahvzaa=="),
        "{head}"
    );
    assert!(!head.contains("sk-upstream"), "{head}");
    assert_eq!(provider.asked()[0].version, hyper::Version::HTTP_2);
}

#[tokio::test]
async fn what_no_proxy_names_is_reached_without_one() {
    let provider = Provider::start(|_| Played::json(200, &completion())).await;
    let proxy = Proxy::start(address(&provider.url)).await;
    let environment = [
        ("HTTP_PROXY", &*format!("http://{}", proxy.address)),
        ("NO_PROXY", "elsewhere.test, 127.0.0.0/8"),
    ];
    let gateway = start(&entry(&provider.url, ""), &environment).await;
    assert_eq!(gateway.chat("small", false).await.status, 200);
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}

#[tokio::test]
async fn a_kind_of_proxy_that_is_not_spoken_to_is_named() {
    let gateway = start(
        &entry("http://models.invalid", ""),
        &[("ALL_PROXY", "socks5://127.0.0.1:9")],
    )
    .await;
    let answer = gateway.chat("small", false).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (502, "provider_connection_failed")
    );
    assert!(answer.text.contains("socks5"), "{}", answer.text);
}
