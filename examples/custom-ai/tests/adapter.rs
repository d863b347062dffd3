//! What the adapter promises, played without a network.

use custom_ai::CustomAi;
use witgate_sdk::testing::{Call, Reply, json};

const ANSWER: &str = r#"{"generated_text":"Hello","model_used":"custom-large-model-2","input_token_count":3,
    "output_token_count":2,"total_token_count":6}"#;

#[test]
fn a_chat_becomes_a_query_with_the_defaults_of_the_service() {
    let call = Call::chat(
        r#"{"model":"gpt-5","messages":[{"role":"system","content":"Be brief."},
            {"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#,
    );
    let sent = call.request::<CustomAi>();
    assert_eq!(sent.url, "https://api.example.com/generate");
    assert_eq!(
        sent.json(),
        json!({ "query": "Be brief.\nHi", "model": "custom-large-model", "parameters": { "temperature": 0.7, "max_tokens": 1000 } })
    );
}

#[test]
fn a_temperature_of_zero_is_kept() {
    let call =
        Call::chat(r#"{"model":"own","temperature":0,"max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#);
    let sent = call.request::<CustomAi>().json();
    assert_eq!(sent["model"], "own");
    assert_eq!(sent["parameters"], json!({ "temperature": 0, "max_tokens": 5 }));
}

#[test]
fn the_answer_has_text_model_and_usage() {
    let answer = Call::says("Hi").play::<CustomAi>([Reply::json(ANSWER)]).answer();
    assert_eq!(answer["model"], "custom-large-model-2");
    assert_eq!(
        answer["choices"][0]["message"],
        json!({ "role": "assistant", "content": "Hello" })
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(
        answer["usage"],
        json!({ "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 6 })
    );
}

#[test]
fn the_key_is_exchanged_for_a_token() {
    let played = Call::says("Hi")
        .config(r#"{"api_key":"secret"}"#)
        .authenticate::<CustomAi>([Reply::status(200).body("t0ken\n")]);
    let sent = &played.requests()[0];
    assert_eq!(
        (sent.method.as_str(), sent.url.as_str()),
        ("POST", "https://api.example.com/auth")
    );
    assert_eq!(sent.header("authorization"), Some("Bearer secret"));
    assert_eq!(played.answer()["headers"]["authorization"], "Bearer t0ken");
}

#[test]
fn a_key_that_is_refused_is_an_authentication_failure() {
    let played = Call::says("Hi").authenticate::<CustomAi>([Reply::status(401).body(r#"{"message":"unknown key"}"#)]);
    assert_eq!(played.failure().kind, "authentication");
    assert_eq!(played.failure().message, "unknown key");
}

#[test]
fn the_model_list_has_names_context_and_exact_prices() {
    let models = r#"[{"model_id":"custom-large-model","display_name":"Large","max_context_length":128000,
        "input_price_per_token":0.0000020,"output_price_per_token":0.000008}]"#;
    let played = Call::says("").get_models::<CustomAi>([Reply::json(models)]);
    assert_eq!(played.requests()[0].url, "https://api.example.com/models");
    let model = &played.answer()["data"][0];
    assert_eq!(model["id"], "custom-large-model");
    assert_eq!(model["name"], "Large");
    assert_eq!(model["context_window"], 128_000);
    assert_eq!(model["pricing"], json!({ "input": 0.000_002, "output": 0.000_008 }));
}
