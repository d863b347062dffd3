//! Forms with files: pictures to change, sound to write down. They go through to the provider as they come.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use witgate_tests::{Asked, Authority, Played, Provider, Witgate, program::Answer};

const PATIENCE: Duration = Duration::from_secs(30);
const FORM: &str = "multipart/form-data; boundary=cut-here";
const MIB: usize = 1 << 20;

fn config(url: &str, more: &str) -> String {
    format!("{more}\n[[providers]]\nid = \"mock\"\nbase_url = \"{url}/v1\"\napi_key = \"sk-up\"\nmax_retries = 0\n")
}

async fn gateway(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let gateway = Witgate::start(&config(&provider.url, ""), &[]).await;
    (provider, gateway)
}

fn part(head: &str, body: &str) -> String {
    format!("--cut-here\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
}

fn form(model: &str) -> String {
    let file = "name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav";
    [
        part("name=\"model\"", model),
        part(file, "RIFF\0\u{1}"),
        part("name=\"response_format\"", "srt"),
        "--cut-here--\r\n".to_owned(),
    ]
    .concat()
}

async fn post(gateway: &Witgate, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    post_as(gateway, path, body, &[("content-type", FORM)]).await
}

async fn post_as(gateway: &Witgate, path: &str, body: impl Into<reqwest::Body>, headers: &[(&str, &str)]) -> Answer {
    let mut request = gateway.client.post(format!("{}{path}", gateway.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = request.send().await.expect("an answer");
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    let text = reply.text().await.expect("a whole body");
    Answer { status, headers, text }
}

/// A connection to the gateway on which a form of `length` bytes has been announced.
async fn announce(gateway: &Witgate, length: usize, more: &str) -> TcpStream {
    let address = gateway.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
    let head = format!(
        "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM}\r\ncontent-length: {length}\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("the gateway reads");
    stream
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&all).contains(end) {
            if stream.read_buf(&mut all).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("in time");
    let text = String::from_utf8_lossy(&all).into_owned();
    assert!(text.contains(end), "no {end:?} in {text:?}");
    text
}

#[tokio::test]
async fn each_reaches_its_path_with_the_clients_own_bytes_and_the_providers_name_for_the_model() {
    let srt = "1\n00:00:00,000 --> 00:00:01,000\nHello\n";
    let (provider, mut gateway) = gateway(move |asked| match &*asked.path {
        "/v1/audio/transcriptions" => Played::bytes(200, "text/plain; charset=utf-8", vec![srt.into()]),
        "/v1/audio/translations" => Played::events(["data: {\"type\":\"transcript.text.delta\",\"delta\":\"H\"}\n\n"]),
        _ => Played::json(
            200,
            &json!({ "data": [], "usage": { "input_tokens": 7, "output_tokens": 9 } }),
        ),
    })
    .await;
    for path in [
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
        "/v1/images/edits",
        "/v1/images/variations",
    ] {
        let told = post(&gateway, path, form("mock/whisper-1")).await;
        assert_eq!(told.status, 200, "{path}: {}", told.text);
        let asked = provider.asked().pop().expect("a request");
        assert_eq!((asked.path.as_str(), asked.header("content-type")), (path, FORM));
        assert_eq!(String::from_utf8_lossy(&asked.body), form("whisper-1"), "{path}");
        assert_eq!(asked.header("content-length"), form("whisper-1").len().to_string());
        assert_eq!(asked.header("authorization"), "Bearer sk-up");
    }
    let told = post(&gateway, "/v1/audio/transcriptions", form("mock/whisper-1")).await;
    assert_eq!(told.text, srt);
    assert_eq!(told.headers["content-type"], "text/plain; charset=utf-8");
    let line = gateway.line_with("images.variations").await;
    assert!(
        line.contains("input_tokens=7") && line.contains("upstream_model=\"whisper-1\""),
        "{line}"
    );
}

#[tokio::test]
async fn a_transcription_that_is_streamed_is_counted_and_its_events_stay_as_they_are() {
    let events = [
        "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hel\"}\n\n",
        "data: {\"type\":\"transcript.text.delta\", \"delta\":\"lo\"}\n\n",
        "data: {\"type\":\"transcript.text.done\",\"text\":\"Hello\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,\
         \"input_token_details\":{\"text_tokens\":0,\"audio_tokens\":14},\"output_tokens\":31,\"total_tokens\":45}}",
    ];
    let whole = events.concat();
    // Wherever it is cut, with or without the blank line at the end.
    for (size, end) in [(1, "\n\n"), (11, ""), (1000, "\n\n")] {
        let said = format!("{whole}{end}");
        let pieces: Vec<Bytes> = said.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        let (_provider, mut gateway) = gateway(move |_| Played::bytes(200, "text/event-stream", pieces.clone())).await;
        let told = post(&gateway, "/v1/audio/transcriptions", form("mock/whisper-1")).await;
        assert_eq!(told.text, said);
        assert_eq!(told.headers["content-type"], "text/event-stream");
        let line = gateway.line_with("audio.transcriptions").await;
        assert!(
            line.contains("input_tokens=14") && line.contains("output_tokens=31"),
            "{line}"
        );
        let metrics = gateway.get("/metrics").await.text;
        let counted = |value: &str| {
            metrics
                .lines()
                .any(|line| line.contains("token") && line.ends_with(value))
        };
        assert!(counted(" 14") && counted(" 31"), "{metrics}");
    }
}

#[tokio::test]
async fn the_operators_values_are_added_for_the_fields_that_a_form_does_not_have() {
    let provider = Provider::start(|_| Played::json(200, &json!({ "text": "Hello" }))).await;
    let defaults = "[providers.default_params]\nlanguage = \"de\"\nresponse_format = \"json\"\n";
    let gateway = Witgate::start(&format!("{}{defaults}", config(&provider.url, "")), &[]).await;
    let text = form("mock/whisper-1");
    let pieces = text
        .as_bytes()
        .chunks(7)
        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()));
    let in_pieces = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces.collect::<Vec<_>>()));
    let language = part("name=\"language\"", "de").replace("Content-Disposition", "content-disposition");
    let sent = form("whisper-1").replace("--cut-here--", &format!("{language}--cut-here--"));
    for body in [text.clone().into(), in_pieces] {
        let told = post(&gateway, "/v1/audio/transcriptions", body).await;
        assert_eq!(told.status, 200, "{}", told.text);
        let asked = provider.asked().pop().expect("a request");
        assert_eq!(String::from_utf8_lossy(&asked.body), sent);
    }
}

#[tokio::test]
async fn a_form_of_unknown_length_goes_in_chunks_and_over_http_2() {
    let authority = Authority::new();
    for protocols in [&["http/1.1"][..], &["h2"]] {
        let provider = Provider::start_tls(authority.server(protocols), |_| {
            Played::json(200, &json!({ "text": "Hello" }))
        })
        .await;
        let trust = format!("[providers.security]\nca_file = {:?}\n", authority.file("ca.pem"));
        let gateway = Witgate::start(&format!("{}{trust}", config(&provider.url, "")), &[]).await;
        let text = form("mock/whisper-1");
        let pieces = text
            .as_bytes()
            .chunks(7)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()));
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces.collect::<Vec<_>>()));
        let told = post(&gateway, "/v1/audio/transcriptions", body).await;
        assert_eq!(
            (told.status, told.text.as_str()),
            (200, "{\"text\":\"Hello\"}"),
            "{protocols:?}"
        );
        let asked = provider.asked().pop().expect("a request");
        assert_eq!(String::from_utf8_lossy(&asked.body), form("whisper-1"));
        let told = post(&gateway, "/v1/audio/transcriptions", form("mock/m")).await;
        assert_eq!(told.status, 200, "{protocols:?}");
    }
}

#[tokio::test]
async fn a_hundred_megabytes_pass_and_are_not_held() {
    let (provider, gateway) =
        gateway(|asked| Played::json(200, &json!({ "text": asked.body.len().to_string() }))).await;
    post(&gateway, "/v1/audio/transcriptions", form("mock/whisper-1")).await;
    let before = gateway.resident();
    let head = [
        part("name=\"model\"", "mock/whisper-1"),
        "--cut-here\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".to_owned(),
    ];
    let (head, tail) = (head.concat(), "\r\n--cut-here--\r\n");
    let piece = Bytes::from(vec![b'x'; MIB]);
    let pieces = std::iter::once(Bytes::from(head))
        .chain(std::iter::repeat_n(piece, 100))
        .chain([tail.into()])
        .map(Ok::<_, std::io::Error>);
    let pid = gateway.child.id().expect("it runs");
    let told = post(
        &gateway,
        "/v1/audio/transcriptions",
        reqwest::Body::wrap_stream(futures_util::stream::iter(pieces)),
    )
    .await;
    assert_eq!(told.status, 200, "{}", told.text);
    let length: usize = told.json()["text"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a number");
    assert!(length > 100 * MIB, "{length}");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a line");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    let grown = (peak * 1024).saturating_sub(before) / MIB as u64;
    assert!(grown < 24, "the gateway grew by {grown} MiB");
    drop(provider);
}

#[tokio::test]
async fn a_model_that_comes_after_the_file_is_found_and_one_that_comes_too_late_is_explained() {
    let provider = Provider::start(|_| Played::json(200, &json!({ "text": "Hello" }))).await;
    let gateway = Witgate::start(&config(&provider.url, "[limits]\nbody_bytes = 100_000"), &[]).await;
    let after = |size: usize| {
        [
            part("name=\"file\"; filename=\"model\"", &"x".repeat(size)),
            part("name=\"model\"", "mock/whisper-1"),
            "--cut-here--\r\n".to_owned(),
        ]
        .concat()
    };
    let told = post(&gateway, "/v1/audio/transcriptions", after(90_000)).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let told = post(&gateway, "/v1/audio/transcriptions", after(4 * MIB)).await;
    assert_eq!(
        (told.status, told.json()["error"]["param"].as_str()),
        (400, Some("model"))
    );
    assert!(
        told.text.contains("before the file") && told.text.contains("?model=NAME"),
        "{}",
        told.text
    );

    let file = [part("name=\"file\"", &"x".repeat(MIB)), "--cut-here--\r\n".to_owned()].concat();
    let path = "/v1/audio/transcriptions?model=mock%2Fwhisper-1";
    let told = post(&gateway, path, file.clone()).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let asked = provider.asked().pop().expect("a request");
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    assert!(
        body.starts_with("--cut-here\r\n") && body.contains("name=\"model\"\r\n\r\nwhisper-1\r\n--cut-here"),
        "{}",
        &body[..200]
    );
    assert!(body.ends_with(&file));
    let headers = [("content-type", FORM), ("x-witgate-model", "mock/whisper-1")];
    let told = post_as(&gateway, "/v1/audio/transcriptions", file.clone(), &headers).await;
    assert_eq!(told.status, 200, "{}", told.text);
}

#[tokio::test]
async fn what_is_no_form_or_has_no_model_is_refused_with_the_reason() {
    let (provider, gateway) = gateway(|_| Played::json(500, &json!({}))).await;
    let none = [part("name=\"file\"", "x"), "--cut-here--\r\n".to_owned()].concat();
    for (kind, body, reason) in [
        (FORM, none.as_str(), "model parameter"),
        (FORM, &form(""), "model parameter"),
        (FORM, "--cut-here\r\n", "ends in the middle"),
        (FORM, "--cut-hereX\r\n\r\n", "not separated"),
        ("application/json", "{\"model\":\"mock/m\"}", "multipart/form-data"),
        ("multipart/form-data", "x", "multipart/form-data"),
    ] {
        let told = post_as(
            &gateway,
            "/v1/audio/transcriptions",
            body.to_owned(),
            &[("content-type", kind)],
        )
        .await;
        assert_eq!(told.status, 400, "{body}");
        assert!(told.text.contains(reason), "{body}: {}", told.text);
    }
    assert!(provider.asked().is_empty());
    let small = Witgate::start(&config(&provider.url, "[limits]\nupload_bytes = 2048"), &[]).await;
    let long = [form("mock/m"), "x".repeat(4096)].concat();
    assert_eq!(post(&small, "/v1/audio/transcriptions", long.clone()).await.status, 413);
    let pieces: Vec<_> = long
        .as_bytes()
        .chunks(512)
        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
        .collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    assert_eq!(
        post(&small, "/v1/audio/transcriptions", body).await.status,
        413,
        "also if it does not say so"
    );
}

#[tokio::test]
async fn pictures_to_change_may_come_as_json() {
    let (provider, gateway) = gateway(|_| Played::json(200, &json!({ "data": [] }))).await;
    let body =
        json!({ "model": "mock/m", "prompt": "a hat", "images": [{ "image_url": "https://example.com/a.png" }] });
    assert_eq!(gateway.post("/v1/images/edits", &body).await.status, 200);
    assert_eq!(provider.asked().pop().expect("a request").json()["model"], "m");
}

/// A provider that says nothing by itself: the test has the connection.
async fn silent_provider() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    (listener, url)
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_takes_the_request_with_it() {
    let (listener, url) = silent_provider().await;
    let mut gateway = Witgate::start(&config(&url, ""), &[]).await;
    let mut client = announce(&gateway, MIB, "").await;
    client
        .write_all(&form("mock/m").as_bytes()[..150])
        .await
        .expect("the gateway reads");
    let (mut upstream, _) = listener.accept().await.expect("the gateway connects");
    read_until(&mut upstream, "name=\"model\"").await;
    drop(client);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, upstream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the provider learns that no more will come");
    let line = gateway.line_with("audio.transcriptions").await;
    assert!(line.contains("status=499"), "{line}");
}

#[tokio::test]
async fn a_provider_that_refuses_before_the_end_is_heard_before_the_end() {
    let (listener, url) = silent_provider().await;
    let gateway = Witgate::start(&config(&url, ""), &[]).await;
    let mut client = announce(&gateway, 64 * MIB, "").await;
    client
        .write_all(&form("mock/m").as_bytes()[..150])
        .await
        .expect("the gateway reads");
    let (mut upstream, _) = listener.accept().await.expect("the gateway connects");
    read_until(&mut upstream, "name=\"model\"").await;
    let body = "{\"error\":{\"message\":\"The file is too large.\",\"type\":\"invalid_request_error\"}}";
    let reply = format!(
        "HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    upstream.write_all(reply.as_bytes()).await.expect("the gateway reads");
    let told = read_until(&mut client, "The file is too large.").await;
    assert!(told.starts_with("HTTP/1.1 4"), "{told}");
}

#[tokio::test]
async fn who_asks_whether_to_send_on_is_told_so_and_who_may_not_is_told_that() {
    let provider = Provider::start(|_| Played::json(200, &json!({ "text": "Hello" }))).await;
    let gateway = Witgate::start(&config(&provider.url, "api_keys = [\"sk-ours\"]"), &[]).await;
    let body = form("mock/m");
    let mut client = announce(
        &gateway,
        body.len(),
        "authorization: Bearer sk-ours\r\nexpect: 100-continue\r\n",
    )
    .await;
    let told = read_until(&mut client, "\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 100 "), "{told}");
    client.write_all(body.as_bytes()).await.expect("the gateway reads");
    let told = read_until(&mut client, "Hello").await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    assert_eq!(provider.asked().pop().expect("a request").header("expect"), "");
    let mut stranger = announce(
        &gateway,
        body.len(),
        "authorization: Bearer sk-theirs\r\nexpect: 100-continue\r\n",
    )
    .await;
    let told = read_until(&mut stranger, "\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 401 "), "{told}");
}

#[tokio::test]
async fn a_client_that_falls_silent_in_the_middle_is_not_waited_for_without_end() {
    let (listener, url) = silent_provider().await;
    let gateway = Witgate::start(&config(&url, "[limits]\nread_timeout_ms = 300"), &[]).await;
    let mut client = announce(&gateway, MIB, "").await;
    client
        .write_all(&form("mock/m").as_bytes()[..150])
        .await
        .expect("the gateway reads");
    let (_upstream, _) = listener.accept().await.expect("the gateway connects");
    let told = read_until(&mut client, "request_timeout").await;
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
}
