//! Recorded answers of providers with the Responses API say to a client of Chat Completions what they say.

#[allow(dead_code, reason = "it is for the tests of several adapters")]
#[path = "../../cohere/tests/recordings/folder.rs"]
mod folder;

use witgate_openai_responses::OpenAiResponses;

#[test]
fn every_recording_keeps_its_meaning() {
    let cases = folder::cases("responses");
    assert!(cases.len() >= 115, "the recordings are there");
    folder::keep_their_meaning::<OpenAiResponses>(&cases);
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_same_chunks() {
    folder::may_be_cut_anywhere::<OpenAiResponses>(&folder::cases("responses"));
}

#[test]
fn unknown_fields_never_break_an_answer() {
    folder::may_have_unknown_fields::<OpenAiResponses>(&folder::cases("responses"));
}

#[test]
fn a_stream_that_stops_in_the_middle_is_a_failure() {
    folder::are_failures_if_cut_short::<OpenAiResponses>(&folder::cases("responses"));
}
