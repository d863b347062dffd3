//! What the adapter promises, played without a network.

use my_adapter::MyAdapter;
use witgate_sdk::testing::{Call, Reply, json};

#[test]
fn a_chat_becomes_a_prompt_and_the_text_an_answer() {
    let played = Call::says("Hi").play::<MyAdapter>([Reply::json(r#"{"text":"Hello"}"#)]);
    assert_eq!(
        played.requests()[0].json(),
        json!({ "model": "m", "prompt": "Hi", "stream": false })
    );
    assert_eq!(played.text(), "Hello");
}

#[test]
fn a_temperature_of_zero_is_one() {
    let call = Call::chat(r#"{"model":"m","temperature":0,"messages":[{"role":"user","content":"Hi"}]}"#);
    assert_eq!(call.request::<MyAdapter>().json()["temperature"], 0);
}

#[test]
fn a_stream_gives_the_same_wherever_the_network_cuts_it() {
    let stream = "data: {\"text\":\"Hel\"}\n\ndata: {\"text\":\"lo\"}\n\nevent: done\ndata: {}\n\n";
    let played = Call::says("Hi")
        .streaming()
        .play_cut_everywhere::<MyAdapter>([Reply::sse(stream)]);
    assert_eq!(played.text(), "Hello");
}

#[test]
fn the_providers_own_words_reach_the_client() {
    let busy = Reply::status(429)
        .header("retry-after", "2")
        .body(r#"{"error":"slow down"}"#);
    let played = Call::says("Hi").play::<MyAdapter>([busy]);
    assert_eq!(
        (played.failure().kind.as_str(), played.failure().message.as_str()),
        ("rate-limit", "slow down")
    );
}
