//! The adapter against scripted and recorded replies of Replicate, as the gateway would play it.

#[path = "adapter/calls.rs"]
mod calls;
#[path = "adapter/recordings.rs"]
mod recordings;
#[path = "adapter/requests.rs"]
mod requests;
#[path = "adapter/streams.rs"]
mod streams;

use witgate_replicate::Replicate;
use witgate_sdk::testing::{Call, Played, Reply, Value, self_tests};

/// The smallest chat request.
const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

/// A call at Replicate's own address.
fn call(operation: &str, model: &str, body: &str) -> Call {
    Call::new(operation, body)
        .model(model)
        .base_url("https://api.replicate.com/v1")
}

/// A small chat with a model.
fn hello() -> Call {
    call("chat.completions", "a/b", HELLO)
}

/// A chat answered by these bodies, in order.
fn answered<const N: usize>(call: &Call, bodies: [&str; N]) -> Played {
    call.play::<Replicate>(bodies.map(Reply::json))
}

/// A request of a call as `METHOD URL`.
fn request(played: &Played, number: usize) -> String {
    played
        .requests()
        .get(number)
        .map_or_else(|| "none".to_owned(), |sent| format!("{} {}", sent.method, sent.url))
}

/// The text that was streamed, also before a failure.
fn streamed(played: &Played) -> String {
    played
        .chunks()
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect()
}

/// Why an answer ended, however it was given.
fn finish_reason(played: &Played) -> Value {
    played.answer()["choices"][0]["finish_reason"].clone()
}

#[test]
fn its_own_tests_pass() {
    self_tests::<Replicate>();
}
