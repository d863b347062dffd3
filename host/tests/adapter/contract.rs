//! Every feature of the contract, executed.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use witgate::{
    adapter::{self, Upload},
    call::{Call, Operation},
    reply::Body,
};

use super::{
    provider::Seen,
    world::{World, content, entry, events, record, said, whole},
};

/// The secret `client_secret` of the tests' settings.
const SECRET: &str = "c s&\"1";

async fn token(world: &World) -> Seen {
    world.provider.expect("/token", 200, "access-1").await
}

/// One call that authenticates and sends one request; what the provider saw of both.
async fn once(model: &str, path: &str) -> (Seen, Seen) {
    let world = World::new("contract").await;
    let (reply, seen) = tokio::join!(world.call(model), async {
        (token(&world).await, world.provider.expect(path, 200, "ok").await)
    });
    assert_eq!(content(&whole(reply.unwrap())), "ok");
    seen
}

fn json(seen: &Seen) -> Value {
    serde_json::from_str(&seen.text).unwrap()
}

#[tokio::test]
async fn a_token_is_fetched_with_a_secret_in_a_form_and_used_by_all_calls() {
    let world = World::new("contract").await;
    let calls = async { tokio::join!(world.call("form"), world.call("form"), world.call("form")) };
    let (replies, form) = tokio::join!(calls, async {
        let form = token(&world).await;
        for _ in 0..3 {
            let seen = world.provider.expect("/form", 200, "ok").await;
            assert_eq!(seen.headers["authorization"], "Bearer access-1");
            assert_eq!(seen.text, "grant=x&secret=c%20s%26%221");
        }
        form
    });
    assert!(replies.0.is_ok() && replies.1.is_ok() && replies.2.is_ok());
    assert_eq!(form.text, "grant_type=x&secret=c%20s%26%221");
    assert!(!form.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_provider_that_refuses_a_token_is_asked_once_by_a_crowd() {
    let world = World::new("contract").await;
    let calls = async { tokio::join!(world.call("form"), world.call("form"), world.call("form")) };
    let (replies, _) = tokio::join!(calls, world.provider.expect("/token", 400, "no"));
    for reply in [replies.0, replies.1, replies.2] {
        assert_eq!(reply.err().unwrap().to_string(), "no");
    }
}

#[tokio::test]
async fn after_a_401_the_token_is_fetched_again_once_and_the_request_repeated() {
    let world = World::new("contract").await;
    let (reply, ()) = tokio::join!(world.call("form"), async {
        token(&world).await;
        world.provider.expect("/form", 401, "old").await;
        world.provider.expect("/token", 200, "access-2").await;
        let seen = world.provider.expect("/form", 200, "ok").await;
        assert_eq!(seen.headers["authorization"], "Bearer access-2");
    });
    reply.unwrap();
    let (refused, ()) = tokio::join!(world.call("form"), async {
        world.provider.expect("/form", 401, "no").await;
        token(&world).await;
        world.provider.expect("/form", 401, "no").await;
    });
    assert_eq!(refused.err().unwrap().status(), 401);
}

#[tokio::test]
async fn a_guest_sees_its_context_and_no_more() {
    let (_, seen) = once("context", "/chat").await;
    let told = json(&seen);
    let pairs: Vec<(String, String)> = serde_json::from_value(told["ext"].clone()).unwrap();
    let named = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(told["config"], "eu");
    assert_eq!(named("attempt"), Some("1"));
    assert_eq!(named("header.x-tenant"), Some("acme"));
    assert_eq!(named("auth.project"), Some("p1"));
    assert!(named("deadline-unix-ms").is_some());
}

#[tokio::test]
async fn a_secret_is_put_into_url_header_and_json_escaped_to_fit() {
    let (_, seen) = once("secrets", "/c%20s%26%221?q=c%20s%26%221").await;
    assert_eq!(seen.headers["x-key"], format!("Key {SECRET}"));
    let told = json(&seen);
    assert_eq!(told["key"], SECRET);
    assert_eq!(told["foreign"], "wgs_00000000000000000000000000000000");
}

#[tokio::test]
async fn a_guest_signs_with_a_secret_it_never_sees_and_only_as_permitted() {
    let (_, seen) = once("sign", "/sign").await;
    let told = json(&seen);
    // HMAC-SHA256 of "data" under "Jefe".
    assert_eq!(told["signature"].as_str().unwrap().len(), 64);
    assert!(told["errors"][0].as_str().unwrap().contains("permissions.crypto"));
    assert!(told["errors"][1].as_str().unwrap().contains("no such secret"));
    assert!(!seen.text.contains("Jefe"));
}

#[tokio::test]
async fn credentials_can_be_left_out_and_a_body_compressed() {
    let (_, open) = once("no-credentials", "/open").await;
    assert!(!open.headers.contains_key("authorization"));
    let (_, small) = once("gzip", "/gzip").await;
    assert_eq!(small.headers["content-encoding"], "gzip");
    assert!(small.headers["content-length"].parse::<usize>().unwrap() < 100);
}

async fn with_file(model: &str, path: &str) -> Seen {
    let world = World::new("contract").await;
    let body = Bytes::from(json!({"model": model, "messages": [{"role": "user", "content": "x"}]}).to_string());
    let call = Call::parse(Operation::Chat, "r".to_owned(), HeaderMap::new(), body, 64).unwrap();
    let file = Upload {
        field: "file".to_owned(),
        filename: Some("speech.wav".to_owned()),
        content_type: Some("audio/wav".to_owned()),
        bytes: Bytes::from_static(b"RIFF\xff"),
    };
    let record = record();
    let calling = adapter::call_with_files(&world.runtime, &world.site, &call, model, 1, vec![file], &record);
    let (reply, seen) = tokio::join!(calling, async {
        token(&world).await;
        world.provider.expect(path, 200, "ok").await
    });
    reply.unwrap();
    seen
}

#[tokio::test]
async fn a_clients_file_goes_into_a_form_with_fields_and_a_secret() {
    let seen = with_file("multipart", "/form").await;
    assert!(seen.headers["content-type"].starts_with("multipart/form-data; boundary="));
    for expected in [
        "name=\"model\"\r\n\r\nwhisper\r\n",
        "name=\"key\"\r\n\r\nc s&\"1\r\n",
        "name=\"raw\"\r\ncontent-type: application/octet-stream\r\n\r\n",
        "name=\"file\"; filename=\"speech.wav\"\r\ncontent-type: audio/wav\r\n\r\nRIFF",
    ] {
        assert!(seen.text.contains(expected), "{expected}\n{}", seen.text);
    }
}

#[tokio::test]
async fn a_clients_file_is_a_body_or_base64_without_passing_through_the_guest() {
    let raw = with_file("upload", "/raw").await;
    assert_eq!(
        (
            raw.headers["content-type"].as_str(),
            raw.headers["content-length"].as_str()
        ),
        ("audio/wav", "5")
    );
    let base64 = with_file("base64", "/json").await;
    assert_eq!(json(&base64)["data"], "UklGRv8=");
}

/// With a spelling and a field that no reader and writer of JSON would give back as they are.
const RELAYED: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"small", "choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop","their":1.50e0}]}"#;

#[tokio::test]
async fn a_relayed_body_reaches_the_client_untouched() {
    let world = World::new("contract").await;
    let (reply, ()) = tokio::join!(world.call("relay"), async {
        token(&world).await;
        let mut exchange = world.provider.next().await;
        let headers = [("content-type", "application/json"), ("x-their-id", "42")];
        exchange.answer(200, &headers, RELAYED.as_bytes()).await;
    });
    let reply = reply.unwrap();
    assert_eq!(reply.headers["x-our-id"], "42");
    let Body::Whole(bytes) = reply.body else {
        panic!("not whole")
    };
    assert_eq!(String::from_utf8_lossy(&bytes), RELAYED);
    let (refused, ()) = tokio::join!(world.call("relay"), async {
        world.provider.expect("/file", 404, "gone").await;
    });
    assert_eq!(refused.err().unwrap().status(), 404);
}

#[tokio::test]
async fn chunks_that_are_ready_together_leave_together_and_the_stream_ends_with_usage_and_done() {
    let world = World::new("contract").await;
    let record = record();
    let (read, ()) = tokio::join!(
        async { events(world.call_as("sse", true, &record).await.unwrap()).await },
        async {
            token(&world).await;
            let mut exchange = world.provider.next().await;
            exchange.stream().await;
            exchange.write(b"data: a\n\ndata: b\n\nda").await;
            exchange.write(b"ta: c\n\ndata: end\n\n").await;
            exchange.closed().await;
        }
    );
    let (text, error) = read;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(said(&text), "abc");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(
        text.contains("\"completion_tokens\":5") && text.contains("\"model\":\"sse\""),
        "{text}"
    );
    assert_eq!(entry(&record).usage.output, Some(5));
}

#[tokio::test]
async fn chunks_become_a_whole_answer_for_a_client_that_wants_one() {
    let world = World::new("contract").await;
    let (reply, ()) = tokio::join!(world.call("sse"), async {
        token(&world).await;
        let mut exchange = world.provider.next().await;
        exchange.stream().await;
        exchange.write(b"data: a\n\ndata: b\n\ndata: end\n\n").await;
    });
    let answer = whole(reply.unwrap());
    assert_eq!(content(&answer), "ab");
    assert_eq!(answer["usage"]["completion_tokens"], 5);
    assert_eq!(answer["object"], "chat.completion");
}

#[tokio::test]
async fn a_whole_answer_becomes_a_stream_for_a_client_that_wants_one() {
    let world = World::new("contract").await;
    let (read, _) = tokio::join!(
        async { events(world.stream("anything").await.unwrap()).await },
        token(&world)
    );
    assert_eq!(said(&read.0), "without a request");
    assert!(read.0.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_stream_that_breaks_is_an_error_and_never_done() {
    let world = World::new("contract").await;
    let (read, ()) = tokio::join!(async { events(world.stream("sse").await.unwrap()).await }, async {
        token(&world).await;
        let mut exchange = world.provider.next().await;
        exchange.stream().await;
        exchange.event("a").await;
    });
    assert!(read.1.is_some() && !read.0.contains("[DONE]"), "{}", read.0);
    let (failed, ()) = tokio::join!(world.stream("sse"), async {
        let mut exchange = world.provider.next().await;
        exchange.stream().await;
        exchange.event("fail").await;
    });
    assert_eq!(failed.err().unwrap().to_string(), "the provider gave up");
}

#[tokio::test]
async fn a_job_is_polled_then_read_as_a_stream_and_its_usage_fetched_at_the_end() {
    let world = World::new("contract").await;
    let (read, ()) = tokio::join!(
        async { events(world.stream("job-stream").await.unwrap()).await },
        async {
            token(&world).await;
            world.provider.expect("/jobs", 201, "created").await;
            world.provider.expect("/jobs/1", 200, "ready").await;
            let mut exchange = world.provider.next().await;
            assert_eq!(exchange.path, "/jobs/1/stream");
            exchange.stream().await;
            exchange.event("text").await;
            exchange.event("end").await;
            world.provider.expect("/ended", 200, "usage").await;
        }
    );
    assert!(read.1.is_none());
    assert_eq!(said(&read.0), "text");
    assert!(read.0.contains("\"completion_tokens\":7"), "{}", read.0);
}

#[tokio::test]
async fn a_provider_that_is_polled_streams_what_it_has_so_far() {
    let world = World::new("contract").await;
    let (read, ()) = tokio::join!(async { events(world.stream("job-emit").await.unwrap()).await }, async {
        token(&world).await;
        world.provider.expect("/jobs", 201, "created").await;
        for part in ["one ", "two ", "three", "done"] {
            world.provider.expect("/jobs/1", 200, part).await;
        }
    });
    assert_eq!(said(&read.0), "one two three");
    assert!(read.0.ends_with("[DONE]\n\n"));
}

#[tokio::test]
async fn only_what_may_be_sent_twice_is_repeated() {
    let world = World::new("contract").await;
    let (reply, ()) = tokio::join!(world.call("retry"), async {
        token(&world).await;
        world.provider.expect("/chat", 503, "later").await;
        // Broken without an answer.
        drop(world.provider.next().await);
        world.provider.expect("/chat", 200, "busy").await;
        world.provider.expect("/chat", 200, "ok").await;
    });
    assert_eq!(content(&whole(reply.unwrap())), "ok");
    let (reply, ()) = tokio::join!(world.call("no-retry"), async {
        world.provider.expect("/chat", 503, "later").await;
    });
    assert_eq!(reply.err().unwrap().status(), 503);
}

#[tokio::test]
async fn a_key_that_a_provider_quotes_in_its_refusal_reaches_nobody() {
    let world = World::new("contract").await;
    let (reply, ()) = tokio::join!(world.call("no-retry"), async {
        token(&world).await;
        let quoting = format!("wrong key {}", super::world::KEY);
        world.provider.expect("/chat", 403, &quoting).await;
    });
    assert_eq!(reply.err().unwrap().to_string(), "wrong key [secret]");
}

#[tokio::test]
async fn models_are_listed_over_several_pages() {
    let world = World::new("contract").await;
    let (listed, ()) = tokio::join!(
        async { adapter::models(&world.runtime, &world.site, &record()).await },
        async {
            token(&world).await;
            world.provider.expect("/models?page=1", 200, "a").await;
            world.provider.expect("/models?page=2", 200, "b").await;
        }
    );
    assert_eq!(listed.unwrap().unwrap(), [json!({"id": "a"}), json!({"id": "b"})]);
    let plain = Arc::new(world.runtime.load(super::world::guest("plain")).await.unwrap());
    let plain = super::world::site(&plain, &world.provider.base);
    assert!(
        adapter::models(&world.runtime, &plain, &record())
            .await
            .unwrap()
            .is_none()
    );
}
