//! Recorded answers of Hugging Face's inference API and of text-generation-inference say to the client what they say.

#[path = "../../cohere/tests/recordings/folder.rs"]
mod folder;

use serde_json::json;
use witgate_huggingface::HuggingFace;
use witgate_sdk::testing::{Call, Reply};

fn cases() -> Vec<folder::Case> {
    let mut cases = folder::cases("huggingface");
    cases.extend(folder::cases("tgi"));
    cases
}

#[test]
fn every_recording_keeps_its_meaning() {
    assert!(cases().len() >= 13, "the recordings are there");
    folder::keep_their_meaning::<HuggingFace>(&cases());
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_same_chunks() {
    folder::may_be_cut_anywhere::<HuggingFace>(&cases());
}

#[test]
fn unknown_fields_never_break_an_answer() {
    folder::may_have_unknown_fields::<HuggingFace>(&cases());
}

#[test]
fn a_stream_that_stops_in_the_middle_is_a_failure() {
    folder::are_failures_if_cut_short::<HuggingFace>(&cases());
}

#[test]
fn recorded_embeddings_are_read() {
    let embeddings = folder::answers("huggingface", "embeddings-");
    assert_eq!(embeddings.len(), 1);
    for file in &embeddings {
        let call = Call::new("embeddings", json!({"model": "m", "input": "x"}).to_string());
        let answer = call.play::<HuggingFace>([Reply::recorded(file)]).answer();
        let vector = &answer["data"][0]["embedding"];
        assert_eq!(vector.as_array().map(Vec::len), Some(1024), "{}", file.display());
    }
}
