//! Calls to a provider that a test plays: what it is asked, and what becomes of its replies.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt;
use hyper::HeaderMap;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::upstream;
use crate::{
    call::{Call, Operation},
    error::{Error, Kind, Result},
    passthrough::{models, send},
    record::Record,
    reply::{Body, Reply},
    telemetry::Telemetry,
    transport::Upstream,
};

/// A provider that gives its answers in turn, each on a connection of its own, and keeps what it was asked.
struct Provider {
    upstream: Arc<Upstream>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    async fn playing(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        tokio::spawn(async move {
            for answer in answers {
                let (mut client, _) = listener.accept().await.expect("a client");
                let request = request(&mut client).await;
                heard.lock().expect("no test failed").push(request);
                client.write_all(answer.as_bytes()).await.expect("it listens");
            }
        });
        Self {
            upstream: upstream(&base),
            asked,
        }
    }

    fn asked(&self, at: usize) -> (String, Value) {
        let asked = self.asked.lock().expect("no test failed");
        let (head, body) = asked[at].split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    async fn send(&self, call: &Call, model: &str, defaults: &[(&str, &str)]) -> (Result<Reply>, Arc<Record>) {
        let defaults: Vec<(String, String)> = defaults
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let record = Record::open(Arc::new(Telemetry::default()), "r".to_owned(), "chat.completions");
        let upstream = Arc::new(Upstream {
            defaults,
            ..(*self.upstream).clone()
        });
        (send(&upstream, call, model, &record).await, record)
    }
}

async fn request(client: &mut TcpStream) -> String {
    let mut all = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = client.read(&mut piece).await.expect("a request");
        all.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        assert!(read > 0, "the request ends early");
    }
}

fn answer(status: u16, content_type: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

fn call_with(operation: Operation, body: &Value, headers: HeaderMap) -> Call {
    Call::parse(operation, "r".to_owned(), headers, Bytes::from(body.to_string()), 64).expect("a good call")
}

fn chat(stream: bool) -> Call {
    let body = json!({"model": "p/m", "messages": [{"role": "user", "content": "hi"}], "stream": stream});
    call_with(Operation::Chat, &body, HeaderMap::new())
}

/// The bytes of an answer, and the error it ends with.
async fn text(reply: Reply) -> (String, Option<Error>) {
    let mut all = Vec::new();
    match reply.body {
        Body::Whole(bytes) => all.extend_from_slice(&bytes),
        Body::Events(mut events) | Body::Raw(mut events) => {
            while let Some(item) = events.next().await {
                match item {
                    Ok(bytes) => all.extend_from_slice(&bytes),
                    Err(error) => return (String::from_utf8(all).expect("text"), Some(error)),
                }
            }
        }
    }
    (String::from_utf8(all).expect("text"), None)
}

const ANSWER: &str = r#"{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const STREAM: &str = "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":null}]}\n\ndata: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

#[tokio::test]
async fn a_provider_gets_what_it_needs_and_no_more() {
    let provider = Provider::playing(vec![answer(200, "application/json", "", ANSWER)]).await;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer client"),
        ("cookie", "c=1"),
        ("openai-beta", "b=1"),
        ("x-api-key", "client"),
    ] {
        headers.insert(name, value.parse().expect("a value"));
    }
    let body = json!({"model": "p/m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0, "own": [1.0]});
    let call = call_with(Operation::Chat, &body, headers);
    let defaults = [("temperature", "1"), ("top_p", "0.5")];
    let (reply, record) = provider.send(&call, "m", &defaults).await;
    assert_eq!(text(reply.expect("an answer")).await.0, ANSWER);
    let (head, sent) = provider.asked(0);
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
    assert!(
        head.contains("authorization: Bearer sk-the-real-key") && head.contains("openai-beta: b=1"),
        "{head}"
    );
    assert!(!head.contains("client") && !head.contains("cookie"), "{head}");
    let expected = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0, "own": [1.0], "top_p": 0.5});
    assert_eq!(sent, expected);
    record.note(|entry| assert_eq!((entry.usage.input, entry.usage.output), (Some(3), Some(1))));
}

#[tokio::test]
async fn usage_is_asked_for_and_hidden_from_who_did_not() {
    let usage = STREAM.replace("data: [DONE]", "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}\n\ndata: [DONE]");
    let provider = Provider::playing(vec![answer(200, "text/event-stream", "", &usage)]).await;
    let (reply, record) = provider.send(&chat(true), "p/m", &[]).await;
    assert_eq!(text(reply.expect("a stream")).await.0, STREAM);
    assert_eq!(provider.asked(0).1["stream_options"], json!({"include_usage": true}));
    record.note(|entry| assert_eq!(entry.usage.input, Some(3)));
}

#[tokio::test]
async fn a_provider_that_does_not_know_stream_options_is_asked_without() {
    let refusal = r#"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#;
    let answers = vec![
        answer(422, "application/json", "", refusal),
        answer(200, "text/event-stream", "", STREAM),
    ];
    let provider = Provider::playing(answers).await;
    let (reply, _) = provider.send(&chat(true), "p/m", &[]).await;
    assert_eq!(text(reply.expect("a stream")).await.0, STREAM);
    assert_eq!(provider.asked(1).1.get("stream_options"), None);
}

#[tokio::test]
async fn a_client_gets_what_it_asked_for_whatever_the_provider_prefers() {
    let provider = Provider::playing(vec![
        answer(200, "application/json", "", ANSWER),
        answer(200, "text/event-stream", "", STREAM),
    ])
    .await;
    let (streamed, record) = provider.send(&chat(true), "p/m", &[]).await;
    let (events, error) = text(streamed.expect("a stream")).await;
    assert!(
        events.contains("\"content\":\"Hi\"") && events.ends_with("data: [DONE]\n\n") && error.is_none(),
        "{events}"
    );
    record.note(|entry| assert_eq!(entry.usage.output, Some(1)));
    let (whole, _) = provider.send(&chat(false), "p/m", &[]).await;
    let whole: Value = serde_json::from_str(&text(whole.expect("an answer")).await.0).expect("JSON");
    assert_eq!(
        (&whole["object"], &whole["choices"][0]["message"]["content"]),
        (&json!("chat.completion"), &json!("Hi"))
    );
}

#[tokio::test]
async fn an_error_keeps_its_status_its_words_and_its_body() {
    let own = r#"{"error":{"message":"No such model.","type":"invalid_request_error","param":"model","code":"model_not_found","extra":1}}"#;
    let busy = r#"{"object":"error","message":"Too many requests","type":"RateLimit","param":null,"code":429}"#;
    let page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>";
    let answers = vec![
        answer(404, "application/json", "", own),
        answer(429, "application/json", "retry-after: 7\r\n", busy),
        answer(502, "text/html", "", page),
        answer(
            401,
            "application/json",
            "",
            r#"{"error":"the key sk-the-real-key is wrong"}"#,
        ),
        answer(405, "text/plain", "", "Method Not Allowed"),
        answer(
            200,
            "application/json",
            "",
            r#"{"error":{"message":"quota","code":"insufficient_quota"}}"#,
        ),
    ];
    let provider = Provider::playing(answers).await;
    let mut failures = Vec::new();
    for _ in 0..6 {
        match provider.send(&chat(false), "p/m", &[]).await.0 {
            Err(Error::Refused(failure)) => failures.push(failure),
            other => panic!("{:?}", other.map(|reply| reply.status)),
        }
    }
    assert_eq!(
        (failures[0].status, failures[0].code.as_deref()),
        (Some(404), Some("model_not_found"))
    );
    assert_eq!(failures[0].own.as_deref(), Some(own.as_bytes()));
    assert_eq!(
        (failures[1].kind, failures[1].message.as_str(), &failures[1].own),
        (Kind::RateLimit, "Too many requests", &None)
    );
    assert_eq!(failures[1].retry_after.map(|after| after.as_secs()), Some(7));
    assert_eq!(
        failures[2].message,
        "The provider answered with status 502: 502 Bad Gateway"
    );
    assert_eq!(failures[3].message, "the key *** is wrong");
    assert!(!format!("{:?}", failures[3]).contains("sk-the-real-key"));
    assert_eq!(
        (failures[4].status, failures[4].message.as_str()),
        (Some(405), "Method Not Allowed")
    );
    assert_eq!((failures[5].kind, failures[5].status), (Kind::Quota, None));
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_told_and_one_that_only_lacks_its_end_mark_is_not() {
    let open = STREAM.replace("data: [DONE]\n\n", "");
    let cut = open.split_inclusive("\n\n").next().expect("an event").to_owned();
    let error = format!("{cut}data: {{\"error\":{{\"message\":\"overloaded\",\"code\":503}}}}\n\n");
    let answers = [&open, &cut, &error]
        .map(|body| answer(200, "text/event-stream", "", body))
        .to_vec();
    let provider = Provider::playing(answers).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (reply, _) = provider.send(&chat(true), "p/m", &[]).await;
        seen.push(text(reply.expect("a stream")).await);
    }
    assert_eq!(seen[0].0, STREAM);
    assert!(seen[0].1.is_none());
    assert!(seen[1].0 == cut && matches!(seen[1].1, Some(Error::Truncated { .. })));
    assert!(seen[2].0 == cut && matches!(&seen[2].1, Some(Error::Refused(failure)) if failure.message == "overloaded"));
}

#[tokio::test]
async fn rate_limits_and_the_providers_request_id_are_shown_and_nothing_else() {
    let headers = "x-ratelimit-remaining-requests: 9\r\nx-request-id: up-1\r\nset-cookie: a=b\r\nopenai-processing-ms: 5\r\nserver: x\r\n";
    let provider = Provider::playing(vec![answer(200, "application/json", headers, ANSWER)]).await;
    let (reply, _) = provider.send(&chat(false), "p/m", &[]).await;
    let headers = reply.expect("an answer").headers;
    let mut names: Vec<&str> = headers.keys().map(hyper::header::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "openai-processing-ms",
            "x-ratelimit-remaining-requests",
            "x-upstream-request-id"
        ]
    );
}

#[tokio::test]
async fn embeddings_of_several_inputs_come_as_a_list_of_lists() {
    let provider = Provider::playing(vec![answer(
        200,
        "application/json",
        "",
        r#"{"data":[0.5,1,2,3],"usage":{"prompt_tokens":2}}"#,
    )])
    .await;
    let call = call_with(
        Operation::Embeddings,
        &json!({"model": "e", "input": ["a", "b"]}),
        HeaderMap::new(),
    );
    let (reply, record) = provider.send(&call, "e", &[]).await;
    let got: Value = serde_json::from_str(&text(reply.expect("an answer")).await.0).expect("JSON");
    assert_eq!(got["data"][1]["embedding"], json!([2, 3]));
    assert!(provider.asked(0).0.starts_with("POST /v1/embeddings"));
    record.note(|entry| assert_eq!(entry.usage.input, Some(2)));
}

#[tokio::test]
async fn models_are_listed_in_both_shapes() {
    let record = Record::open(Arc::new(Telemetry::default()), "r".to_owned(), "models");
    let list = r#"[{"id":"a"},{"id":"b"}]"#;
    let answers = vec![
        answer(
            200,
            "application/json",
            "",
            &format!("{{\"object\":\"list\",\"data\":{list}}}"),
        ),
        answer(200, "application/json", "", list),
        answer(404, "text/plain", "", "no"),
    ];
    let provider = Provider::playing(answers).await;
    for _ in 0..2 {
        let found = models(&provider.upstream, &record).await.expect("a list");
        assert_eq!(json!(found), json!([{"id": "a"}, {"id": "b"}]));
    }
    assert!(matches!(
        models(&provider.upstream, &record).await,
        Err(Error::Refused(_))
    ));
}
