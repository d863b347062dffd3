//! Recorded answers of Ollama's say to the client what they say.

#[path = "../../cohere/tests/recordings/folder.rs"]
mod folder;

use serde_json::json;
use witgate_ollama::Ollama;
use witgate_sdk::testing::{Call, Reply};

#[test]
fn every_recording_keeps_its_meaning() {
    let cases = folder::cases("ollama");
    assert!(cases.len() >= 16, "the recordings are there");
    folder::keep_their_meaning::<Ollama>(&cases);
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_same_chunks() {
    folder::may_be_cut_anywhere::<Ollama>(&folder::cases("ollama"));
}

#[test]
fn unknown_fields_never_break_an_answer() {
    folder::may_have_unknown_fields::<Ollama>(&folder::cases("ollama"));
}

#[test]
fn a_stream_that_stops_in_the_middle_is_a_failure() {
    folder::are_failures_if_cut_short::<Ollama>(&folder::cases("ollama"));
}

#[test]
fn recorded_embeddings_and_models_are_read() {
    let embeddings = folder::answers("ollama", "embeddings-");
    assert_eq!(embeddings.len(), 3);
    for file in &embeddings {
        let call = Call::new("embeddings", json!({"model": "m", "input": "x"}).to_string());
        let answer = call.play::<Ollama>([Reply::recorded(file)]).answer();
        let vector = &answer["data"][0]["embedding"];
        assert!(
            vector.as_array().is_some_and(|vector| vector.len() > 100),
            "{}",
            file.display()
        );
        assert!(answer["usage"]["prompt_tokens"].is_u64(), "{}", file.display());
    }
    let models = folder::answers("ollama", "models-");
    assert_eq!(models.len(), 1);
    for file in &models {
        let list = Call::new("models", "{}")
            .get_models::<Ollama>([Reply::recorded(file)])
            .answer();
        assert_eq!(
            (&list["data"][1]["id"], &list["data"][1]["created"]),
            (&json!("qwen3:4b"), &json!(1_781_911_612))
        );
    }
}
