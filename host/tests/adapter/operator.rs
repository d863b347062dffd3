//! What the operator configures acts behind an adapter as it does without one.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use witgate::{
    adapter,
    call::{Call, Operation},
    transport::{Auth, Upstream},
};

use super::world::{KEY, World, entry, events, record, site_of, whole};

/// A call of a guest that passes the body on and declares bearer; `change` is the operator's configuration.
async fn seen(change: impl FnOnce(&mut Upstream)) -> super::provider::Seen {
    let mut world = World::new("hostile").await;
    let mut upstream = (*world.site.upstream).clone();
    change(&mut upstream);
    world.site = site_of(upstream, &Arc::clone(&world.site.adapter));
    let (reply, seen) = tokio::join!(world.call("send-body"), world.provider.expect("/", 200, "ok"));
    reply.unwrap();
    seen
}

#[tokio::test]
async fn default_parameters_fill_what_the_client_left_out() {
    let seen = seen(|upstream| {
        let default = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        upstream.defaults = vec![default("temperature", "0.5"), default("model", "\"other\"")];
    })
    .await;
    let body: Value = serde_json::from_str(&seen.text).unwrap();
    assert_eq!(
        (&body["temperature"], &body["model"]),
        (&0.5.into(), &"send-body".into())
    );
}

#[tokio::test]
async fn more_answers_than_the_adapter_gives_at_once_are_several_calls_and_one_answer() {
    let world = World::new("hostile").await;
    for streaming in [false, true] {
        let body =
            json!({ "model": "fine", "messages": [{ "role": "user", "content": "x" }], "n": 5, "stream": streaming });
        let bytes = body.to_string().into();
        let call = Call::parse(Operation::Chat, "r".to_owned(), HeaderMap::new(), bytes, 64).unwrap();
        let record = record();
        let reply = adapter::call(&world.runtime, &world.site, &call, "fine", 1, &record)
            .await
            .unwrap();
        assert_eq!(entry(&record).adapter_calls, 3);
        if streaming {
            let (text, error) = events(reply).await;
            assert!(error.is_none() && text.ends_with("[DONE]\n\n"), "{text}");
            assert!(text.contains(r#""index":2"#), "{text}");
        } else {
            let choices = whole(reply)["choices"].as_array().unwrap().len();
            assert_eq!(choices, 3, "each call gave one");
        }
    }
}

#[tokio::test]
async fn the_key_travels_as_the_operator_says_and_else_as_the_adapter_says() {
    let declared = seen(|_| {}).await;
    assert_eq!(declared.headers["authorization"], format!("Bearer {KEY}"));
    let header = seen(|upstream| {
        upstream.auth = Some(Auth::Header {
            name: HeaderName::from_static("x-api-key"),
            prefix: String::new(),
        });
    })
    .await;
    assert_eq!(header.headers["x-api-key"], KEY);
    assert!(!header.headers.contains_key("authorization"));
    let none = seen(|upstream| upstream.auth = Some(Auth::None)).await;
    assert!(!none.headers.values().any(|value| value.contains(KEY)));
}
