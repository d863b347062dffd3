//! Recorded answers of Bedrock's say to the client what they say.

#[path = "../../cohere/tests/recordings/folder.rs"]
mod folder;

use serde_json::{Value, json};
use witgate_bedrock::Bedrock;
use witgate_sdk::testing::{Call, Reply};

/// Recordings of Converse, and of models invoked in their makers' own forms.
fn cases() -> Vec<folder::Case> {
    let mut cases = folder::cases("bedrock");
    for mut case in folder::cases("bedrock-invoke") {
        let config = r#"{"region":"us-east-1","invoke":true}"#;
        case.asked = case.asked.config(config);
        cases.push(case);
    }
    assert!(cases.len() >= 80, "the recordings are there");
    cases
}

#[test]
fn every_recording_keeps_its_meaning() {
    folder::keep_their_meaning::<Bedrock>(&cases());
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_same_chunks() {
    folder::may_be_cut_anywhere::<Bedrock>(&cases());
}

#[test]
fn unknown_fields_never_break_an_answer() {
    folder::may_have_unknown_fields::<Bedrock>(&cases());
}

#[test]
fn a_stream_that_stops_in_the_middle_is_a_failure() {
    folder::are_failures_if_cut_short::<Bedrock>(&cases());
}

#[test]
fn recorded_embeddings_are_read() {
    let embeddings = folder::answers("bedrock", "embeddings-");
    assert_eq!(embeddings.len(), 3);
    for file in &embeddings {
        let meta = file.to_string_lossy().replace(".response.", ".meta.");
        let meta = std::fs::read_to_string(meta).expect("a recording tells its request");
        let meta: Value = serde_json::from_str(&meta).expect("it is JSON");
        let url = meta["request"]["url"].as_str().expect("a request has a URL");
        let model = url.split('/').rev().nth(1).expect("a URL names the model");
        let call = Call::new("embeddings", json!({"model": model, "input": "x"}).to_string())
            .model(model)
            .config(r#"{"region":"us-east-1"}"#);
        let answer = call.play::<Bedrock>([Reply::recorded(file)]).answer();
        let vector = &answer["data"][0]["embedding"];
        assert!(
            vector.as_array().is_some_and(|vector| vector.len() > 100),
            "{}",
            file.display()
        );
    }
}
