//! Recorded answers of Cohere's say to the client what they say.

#[path = "recordings/folder.rs"]
mod folder;

use serde_json::{Value, json};
use witgate_cohere::Cohere;
use witgate_sdk::testing::{Call, Reply};

#[test]
fn every_recording_keeps_its_meaning() {
    let cases = folder::cases("cohere");
    assert!(cases.len() >= 17, "the recordings are there");
    folder::keep_their_meaning::<Cohere>(&cases);
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_same_chunks() {
    folder::may_be_cut_anywhere::<Cohere>(&folder::cases("cohere"));
}

#[test]
fn unknown_fields_never_break_an_answer() {
    folder::may_have_unknown_fields::<Cohere>(&folder::cases("cohere"));
}

#[test]
fn a_stream_that_stops_in_the_middle_is_a_failure() {
    folder::are_failures_if_cut_short::<Cohere>(&folder::cases("cohere"));
}

#[test]
fn recorded_embeddings_and_rankings_are_read() {
    let embeddings = folder::answers("cohere", "embeddings-");
    assert_eq!(embeddings.len(), 4);
    for file in &embeddings {
        let call = Call::new("embeddings", json!({"model": "m", "input": "x"}).to_string());
        let answer = call.play::<Cohere>([Reply::recorded(file)]).answer();
        let vector = &answer["data"][0]["embedding"];
        assert!(
            vector.as_array().is_some_and(|vector| vector.len() > 100),
            "{}",
            file.display()
        );
    }
    let rankings = folder::answers("cohere", "rerank-");
    assert_eq!(rankings.len(), 2);
    for file in &rankings {
        let body = json!({"model": "m", "query": "x", "documents": ["a", "b"]});
        let call = Call::new("rerank", body.to_string());
        let answer: Value = call.play::<Cohere>([Reply::recorded(file)]).answer();
        assert!(
            answer["results"][0]["relevance_score"].is_number(),
            "{}",
            file.display()
        );
    }
}
