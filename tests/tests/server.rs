//! The listening side: protocols, limits on slow clients, probes, metrics, and stopping without losing anybody.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use witgate_tests::{Played, Provider, Witgate};

async fn gateway(more: &str) -> (Provider, Witgate) {
    let answer = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "small",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hi" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10 }
    });
    let provider = Provider::start(move |_| Played::json(200, &answer)).await;
    let config = format!(
        "{more}\n[[providers]]\nname = \"mock\"\nbase_url = \"{}/v1\"\nmodels = [\"small\"]",
        provider.url
    );
    let gateway = Witgate::start(&config, &[]).await;
    (provider, gateway)
}

async fn raw(gateway: &Witgate) -> TcpStream {
    let address = gateway.url.trim_start_matches("http://").to_owned();
    TcpStream::connect(address).await.expect("the gateway listens")
}

#[tokio::test]
async fn http_2_is_spoken_to_those_who_start_with_it() {
    let (_provider, gateway) = gateway("").await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .expect("a client");
    let answer = client
        .get(format!("{}/healthz", gateway.url))
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (reqwest::Version::HTTP_2, 200)
    );
}

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let (_provider, gateway) = gateway("").await;
    let mut stream = raw(&gateway).await;
    for _ in 0..3 {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .expect("a request");
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).await.expect("an answer");
        assert!(
            answer[..read].starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer[..read])
        );
    }
}

#[tokio::test]
async fn a_client_that_never_ends_its_headers_is_let_go() {
    let (_provider, gateway) = gateway("[limits]\nread_timeout_ms = 200\n").await;
    let mut stream = raw(&gateway).await;
    stream
        .write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n")
        .await
        .expect("half a request");
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn a_client_that_never_ends_its_body_gets_a_408() {
    let (_provider, gateway) = gateway("[limits]\nread_timeout_ms = 200\n").await;
    let mut stream = raw(&gateway).await;
    let head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head).await.expect("half a request");
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut answer))
        .await
        .expect("in time");
    assert!(answer[..read.expect("an answer")].starts_with(b"HTTP/1.1 408"));
}

#[tokio::test]
async fn headers_over_the_limit_are_refused() {
    let (_provider, gateway) = gateway("[limits]\nheader_bytes = 8192\n").await;
    let mut stream = raw(&gateway).await;
    let head = format!(
        "GET /healthz HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    // The gateway may hang up before all of it is sent.
    let _sent = stream.write_all(head.as_bytes()).await;
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.expect("an answer");
    assert!(
        answer[..read].starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer[..read])
    );
}

#[tokio::test]
async fn metrics_tell_requests_tokens_and_time() {
    let (_provider, gateway) = gateway("").await;
    assert_eq!(gateway.chat("small", false).await.status, 200);
    let metrics = gateway.get("/metrics").await.text;
    for line in [
        r#"witgate_requests_total{operation="chat.completions",provider="mock",status="200",side=""} 1"#,
        r#"witgate_tokens_total{provider="mock",kind="output"} 7"#,
        r#"witgate_latency_seconds_count{operation="chat.completions",provider="mock"} 1"#,
        r#"witgate_overhead_seconds_count{operation="chat.completions",provider="mock"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn the_log_has_a_line_for_a_request_and_never_a_key() {
    let (_provider, mut gateway) = gateway("").await;
    gateway
        .post_text(
            "/v1/chat/completions",
            r#"{"model":"small","messages":[{"role":"user","content":"hush"}]}"#,
            &[("authorization", "Bearer sk-client-secret")],
        )
        .await;
    let line = gateway.line_with("chat.completions").await;
    for word in ["small", "mock", "200", "output_tokens"] {
        assert!(line.contains(word), "{word} is not in {line}");
    }
    let output = gateway.output();
    assert!(
        !output.contains("sk-client-secret") && !output.contains("hush"),
        "{output}"
    );
}

/// A stream under way when SIGTERM comes is finished, new connections are refused, and the process ends by itself with 0.
#[cfg(unix)]
#[tokio::test]
async fn stopping_lets_a_stream_finish() {
    let (events, played) = Played::live("text/event-stream");
    let played = std::sync::Mutex::new(Some(played));
    let provider = Provider::start(move |_| {
        played
            .lock()
            .expect("no panic")
            .take()
            .unwrap_or_else(|| Played::json(500, &json!({})))
    })
    .await;
    let config = format!(
        "[[providers]]\nname = \"mock\"\nbase_url = \"{}/v1\"\nmodels = [\"small\"]",
        provider.url
    );
    let mut gateway = Witgate::start(&config, &[]).await;
    let piece = |text: &str, finish: &str| {
        let data = format!(
            r#"{{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{finish}}}]}}"#
        );
        Ok(Bytes::from(format!("data: {data}\n\n")))
    };
    events.send(piece("Hel", "null")).await.expect("the provider lives");
    let body = json!({ "model": "small", "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    let request = gateway
        .client
        .post(format!("{}/v1/chat/completions", gateway.url))
        .body(body.to_string());
    let mut answer = request.send().await.expect("a stream");
    let first = answer.chunk().await.expect("a chunk").expect("a chunk");

    signal(&gateway, "-TERM");
    gateway.line_with("stopping").await;
    events.send(piece("lo", "\"stop\"")).await.expect("the provider lives");
    events
        .send(Ok("data: [DONE]\n\n".into()))
        .await
        .expect("the provider lives");
    drop(events);
    let mut text = String::from_utf8_lossy(&first).into_owned();
    while let Some(chunk) = answer.chunk().await.expect("the stream is not cut") {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(
        text.contains("Hel") && text.contains("lo") && text.contains("[DONE]"),
        "{text}"
    );
    let ended = tokio::time::timeout(Duration::from_secs(20), gateway.child.wait())
        .await
        .expect("it ends in time");
    assert_eq!(ended.expect("a status").code(), Some(0));
}

#[cfg(unix)]
fn signal(gateway: &Witgate, which: &str) {
    let pid = gateway.child.id().expect("it runs").to_string();
    let killed = std::process::Command::new("kill").args([which, &pid]).status();
    assert!(killed.expect("kill runs").success());
}

/// The first signal waits for a stream that never ends, the second does not.
#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    for (second, code) in [("-INT", 130), ("-TERM", 143)] {
        let provider = Provider::start(|_| Played::events(["data: {\"choices\":[]}\n\n"]).hanging()).await;
        let config = format!(
            "[[providers]]\nname = \"mock\"\nbase_url = \"{}/v1\"\nmodels = [\"small\"]",
            provider.url
        );
        let mut gateway = Witgate::start(&config, &[]).await;
        let body = json!({ "model": "small", "stream": true, "messages": [{ "role": "user", "content": "x" }] });
        let request = gateway
            .client
            .post(format!("{}/v1/chat/completions", gateway.url))
            .body(body.to_string());
        let _held = tokio::spawn(request.send());
        provider.asked_for(|_| true).await;
        signal(&gateway, "-TERM");
        gateway.line_with("stopping").await;
        signal(&gateway, second);
        let ended = tokio::time::timeout(Duration::from_secs(10), gateway.child.wait()).await;
        assert_eq!(ended.expect("at once").expect("a status").code(), Some(code));
    }
}

/// More clients than file descriptors: the log stays short, and when clients leave the others are served.
#[cfg(unix)]
#[tokio::test]
async fn out_of_file_descriptors_the_gateway_waits_and_then_serves_again() {
    let mut gateway = Witgate::start_short_of_files("", 60).await;
    let mut held = Vec::new();
    for _ in 0..80 {
        held.push(raw(&gateway).await);
    }
    gateway.line_with("cannot accept").await;
    let since = std::time::Instant::now();
    while since.elapsed() < Duration::from_millis(1500) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let told = gateway.output().matches("cannot accept").count();
    assert!((1..=4).contains(&told), "{told} lines in a second and a half");
    drop(held);
    assert_eq!(gateway.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_a_mistake_in_the_configuration() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("witgate.toml");
    std::fs::write(&file, "[server.tls]\ncert = \"none.pem\"\nkey = \"none.key\"\n").expect("a file");
    for command in ["check", "serve"] {
        let mut program = std::process::Command::new(witgate_tests::program::binary());
        program.arg(command).arg("--config").arg(&file).current_dir(&folder);
        let output = program.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{command}: {said}");
        assert!(said.contains("`server.tls.cert`") && said.contains(":1:"), "{said}");
        assert!(
            !String::from_utf8_lossy(&output.stdout).contains("listening"),
            "{command}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_in_chunks_as_it_says_is_a_bad_request() {
    let (_provider, gateway) = gateway("").await;
    let mut stream = raw(&gateway).await;
    let head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nnot a length\r\n";
    stream.write_all(head).await.expect("a request");
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.expect("an answer");
    assert!(
        answer[..read].starts_with(b"HTTP/1.1 400"),
        "{}",
        String::from_utf8_lossy(&answer[..read])
    );
}
