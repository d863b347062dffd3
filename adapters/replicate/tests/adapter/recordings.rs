//! Every recording of `tests/fixtures/replicate`, played as Replicate would play it, against the meaning kept beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use witgate_replicate::Replicate;
use witgate_sdk::testing::{Played, Reply, Value};

use crate::{call, finish_reason, hello, request};

/// A line of `EXPECTED.json`.
#[derive(Clone, Debug, Deserialize)]
struct Expected {
    /// what the adapter does with it
    r#use: String,
    /// what it means
    means: Option<String>,
    text: Option<String>,
    finish_reason: Option<String>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    status: Option<u16>,
    message: Option<String>,
    model: Option<String>,
    /// why it is not used, or what is odd about it
    why: Option<String>,
}

impl Expected {
    fn means(&self, what: &str) -> bool {
        self.means.as_deref() == Some(what)
    }
}

const STARTING: &str = r#"{"id":"p1","status":"starting","output":null}"#;
const POLL_ONLY: &str = r#"{"streaming_support":false}"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/replicate")
}

fn expected(what: &str) -> Vec<(String, Expected)> {
    let text = fs::read_to_string(folder().join("EXPECTED.json")).expect("the expectations are in the repository");
    let all: BTreeMap<String, Expected> = serde_json::from_str(&text).expect("the expectations are JSON");
    all.into_iter().filter(|(_, case)| case.r#use == what).collect()
}

fn recorded(name: &str) -> Reply {
    Reply::recorded(folder().join(name))
}

fn body(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.response.json"))).expect("the case has a body");
    serde_json::from_str(&text).expect("the body is JSON")
}

/// The replies to a create call: as recorded, and if it is not over by then, the same once more as over.
fn to_the_end(name: &str, case: &Expected) -> Vec<Reply> {
    let mut replies = vec![recorded(name)];
    if case.means("answer") {
        let mut prediction = body(name);
        if prediction["status"] == "processing" {
            prediction["status"] = "succeeded".into();
            replies.push(Reply::json(prediction.to_string()));
        }
    }
    replies
}

fn assert_means(name: &str, case: &Expected, played: &Played) {
    if case.means("error") {
        assert!(played.is_failure(), "{name}: the error is hidden: {played:?}");
        let failure = played.failure();
        assert_eq!(failure.status, case.status.unwrap_or(0), "{name}");
        let message = case.message.as_deref().unwrap_or_default().trim();
        assert!(failure.message.contains(message), "{name}: {}", failure.message);
        return;
    }
    assert!(case.means("answer"), "{name} means {:?}", case.means);
    let usage = &played.answer()["usage"];
    assert_eq!(Some(played.text()), case.text, "{name}");
    assert_eq!(finish_reason(played).as_str(), case.finish_reason.as_deref(), "{name}");
    assert_eq!(usage["prompt_tokens"].as_u64(), case.prompt_tokens, "{name}");
    assert_eq!(usage["completion_tokens"].as_u64(), case.completion_tokens, "{name}");
}

#[test]
fn every_recording_is_used_or_says_why_not() {
    let uses = ["create", "poll", "stream", "models", "cancel", "none"];
    let known: Vec<String> = uses
        .iter()
        .flat_map(|what| expected(what))
        .map(|(name, _)| name)
        .collect();
    let files = fs::read_dir(folder()).expect("the recordings are in the repository");
    for file in files.filter_map(|file| file.ok()?.file_name().into_string().ok()) {
        if let Some(name) = file.strip_suffix(".meta.json") {
            assert!(known.iter().any(|known| known == name), "{name} is not listed");
        }
    }
    assert!(expected("none").iter().all(|(_, case)| case.why.is_some()));
}

#[test]
fn what_a_create_call_was_answered_reaches_the_client_as_it_was_meant() {
    for (name, case) in expected("create")
        .into_iter()
        .filter(|(_, case)| !case.means("pending"))
    {
        for call in [hello(), hello().streaming().config(POLL_ONLY)] {
            assert_means(&name, &case, &call.play::<Replicate>(to_the_end(&name, &case)));
        }
    }
}

#[test]
fn what_a_poll_was_answered_reaches_the_client_as_it_was_meant() {
    for (name, case) in expected("poll").into_iter().filter(|(_, case)| !case.means("pending")) {
        assert_means(
            &name,
            &case,
            &hello().play::<Replicate>([Reply::json(STARTING), recorded(&name)]),
        );
    }
}

#[test]
fn a_prediction_that_is_not_over_is_asked_for_again_where_it_says() {
    let pending = expected("create")
        .into_iter()
        .chain(expected("poll"))
        .filter(|(_, case)| case.means("pending"));
    let mut seen = 0;
    for (name, _) in pending {
        let over = Reply::json(r#"{"id":"x","status":"succeeded","output":"ok"}"#);
        let played = hello().play::<Replicate>([recorded(&name), over]);
        assert_eq!(played.text(), "ok", "{name}");
        assert_eq!(
            request(&played, 1),
            format!("GET {}", body(&name)["urls"]["get"].as_str().unwrap_or("no URL")),
            "{name}"
        );
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn a_stream_means_the_same_however_it_is_cut() {
    for (name, case) in expected("stream") {
        let created =
            r#"{"id":"p1","status":"starting","urls":{"stream":"https://stream.replicate.com/v1/streams/x"}}"#;
        let mut replies = vec![Reply::json(created), recorded(&name)];
        // Figures follow in a reply of their own, but from Cog, whose last event has them.
        if !name.contains("cog") {
            replies.push(Reply::json(r#"{"id":"p1","status":"succeeded"}"#));
        }
        assert_means(
            &name,
            &case,
            &hello().streaming().play_cut_everywhere::<Replicate>(replies),
        );
    }
}

#[test]
fn a_canceled_prediction_is_over_for_whoever_canceled_it() {
    for (name, _) in expected("cancel") {
        let played = hello().play::<Replicate>([Reply::json(STARTING), Reply::client_gone(), recorded(&name)]);
        assert_eq!(
            request(&played, 2),
            "POST https://api.replicate.com/v1/predictions/p1/cancel",
            "{name}"
        );
        assert!(
            played
                .chunks()
                .iter()
                .all(|chunk| chunk["replicate"]["metrics"]["predict_time"].is_number()),
            "{name}"
        );
    }
}

#[test]
fn every_model_of_every_page_is_listed_by_owner_and_name() {
    let cases = expected("models");
    let pages = cases.iter().enumerate().map(|(number, (name, _))| {
        let next =
            (number + 1 < cases.len()).then(|| format!("https://api.replicate.com/v1/models?cursor={}", number + 1));
        Reply::json(serde_json::json!({ "previous": null, "next": next, "results": [body(name)] }).to_string())
    });
    let played = call("models", "", "{}")
        .config(r#"{"models_pages":10}"#)
        .get_models::<Replicate>(pages);
    let list = played.answer();
    for (number, (name, case)) in cases.iter().enumerate() {
        assert_eq!(list["data"][number]["id"].as_str(), case.model.as_deref(), "{name}");
        assert_eq!(list["data"][number]["object"], "model");
    }
    assert_eq!(request(&played, 0), "GET https://api.replicate.com/v1/models");
}
