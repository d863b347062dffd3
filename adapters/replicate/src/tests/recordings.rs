//! Every recording of `tests/fixtures/replicate`, played as Replicate would play it, against the meaning kept beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::call::{self, Context, HttpResponse, Payload, Step};
use super::player::{HELLO, Outcome, context, json, play};

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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/replicate")
}

fn expected(what: &str) -> Vec<(String, Expected)> {
    let text = fs::read_to_string(folder().join("EXPECTED.json")).expect("the expectations are in the repository");
    let all: BTreeMap<String, Expected> = serde_json::from_str(&text).expect("the expectations are JSON");
    all.into_iter().filter(|(_, case)| case.r#use == what).collect()
}

fn body(name: &str) -> String {
    let folder = folder();
    let files = ["response.json", "stream.sse"].map(|kind| folder.join(format!("{name}.{kind}")));
    files
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())
        .expect("each case has a body")
}

fn status(name: &str) -> u16 {
    let meta = fs::read_to_string(folder().join(format!("{name}.meta.json"))).expect("each case has its meta data");
    let meta: Value = serde_json::from_str(&meta).expect("meta data is JSON");
    meta["response"]["status"]
        .as_u64()
        .and_then(|status| status.try_into().ok())
        .unwrap_or(200)
}

/// A prediction as recorded, and what asking again gives: the same, now over.
fn over(recorded: &str) -> String {
    let mut prediction: Value = serde_json::from_str(recorded).expect("predictions are JSON");
    if prediction["status"] == "processing" {
        prediction["status"] = "succeeded".into();
    }
    prediction.to_string()
}

fn assert_means(name: &str, case: &Expected, outcome: &Outcome) {
    match case.means.as_deref() {
        Some("answer") => {
            assert!(outcome.failure.is_none(), "{name}: {:?}", outcome.failure);
            assert_eq!(Some(outcome.text()), case.text, "{name}");
            assert_eq!(outcome.finish_reason(), case.finish_reason.as_deref(), "{name}");
            assert_eq!(outcome.usage("prompt_tokens"), case.prompt_tokens, "{name}");
            assert_eq!(outcome.usage("completion_tokens"), case.completion_tokens, "{name}");
        }
        Some("error") => {
            let failure = outcome
                .failure
                .as_ref()
                .unwrap_or_else(|| panic!("{name}: the error is hidden: {outcome:?}"));
            assert_eq!(failure.status, case.status.unwrap_or(0), "{name}");
            let message = case.message.as_deref().unwrap_or_default().trim();
            assert!(failure.message.contains(message), "{name}: {}", failure.message);
        }
        other => panic!("{name}: a call cannot mean {other:?}"),
    }
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
        .filter(|(_, case)| case.means.as_deref() != Some("pending"))
    {
        for streaming in [false, true] {
            let (recorded, created) = (body(&name), status(&name));
            let ctx = with_config(streaming, r#"{"streaming_support":false}"#);
            let outcome = play(&ctx, HELLO, 1, |request| match request.method.as_str() {
                "POST" => json(created, recorded.clone()),
                _ => json(200, over(&recorded)),
            });
            assert_means(&name, &case, &outcome);
        }
    }
}

#[test]
fn what_a_poll_was_answered_reaches_the_client_as_it_was_meant() {
    for (name, case) in expected("poll")
        .into_iter()
        .filter(|(_, case)| case.means.as_deref() != Some("pending"))
    {
        let starting = r#"{"id":"p1","status":"starting","output":null}"#;
        let recorded = body(&name);
        let outcome = play(&context("a/b", false), HELLO, 1, |request| {
            match request.method.as_str() {
                "POST" => json(201, starting),
                _ => json(200, recorded.clone()),
            }
        });
        assert_means(&name, &case, &outcome);
    }
}

#[test]
fn a_prediction_that_is_not_over_is_asked_for_again_where_it_says() {
    let pending = expected("create")
        .into_iter()
        .chain(expected("poll"))
        .filter(|(_, case)| case.means.as_deref() == Some("pending"));
    let mut seen = 0;
    for (name, _) in pending {
        let recorded = body(&name);
        let prediction: Value = serde_json::from_str(&recorded).expect("predictions are JSON");
        let done = r#"{"id":"x","status":"succeeded","output":"ok"}"#;
        let outcome = play(&context("a/b", false), HELLO, 1, |request| {
            match request.method.as_str() {
                "POST" => json(201, recorded.clone()),
                _ => json(200, done),
            }
        });
        assert_eq!(outcome.text(), "ok", "{name}");
        assert_eq!(
            outcome.request(1),
            format!("GET {}", prediction["urls"]["get"].as_str().unwrap_or("no URL")),
            "{name}"
        );
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn a_stream_means_the_same_however_it_is_cut() {
    for (name, case) in expected("stream") {
        let recorded = body(&name);
        let whole = stream(&recorded, usize::MAX);
        assert_means(&name, &case, &whole);
        for piece in 1..recorded.len() {
            let cut = stream(&recorded, piece);
            assert_eq!(cut.chunks, whole.chunks, "{name} in pieces of {piece}");
        }
    }
}

/// Plays a stream: create, read along, and a last question for the usage.
fn stream(recorded: &str, piece: usize) -> Outcome {
    let created = r#"{"id":"p1","status":"starting","output":null,"urls":{"stream":"https://stream.replicate.com/v1/streams/x"}}"#;
    play(&context("a/b", true), HELLO, piece, |request| {
        match request.url.as_str() {
            "https://stream.replicate.com/v1/streams/x" => json(200, recorded),
            url if url.ends_with("/predictions/p1") => json(200, r#"{"id":"p1","status":"succeeded"}"#),
            _ => json(201, created),
        }
    })
}

#[test]
fn a_canceled_prediction_is_over_for_whoever_canceled_it() {
    for (name, _) in expected("cancel") {
        let ctx = context("a/b", false);
        let url = "https://api.replicate.com/v1/predictions/p/cancel";
        let state = format!(r#"{{"what":"poll","get":"https://api.replicate.com/v1/predictions/p","cancel":"{url}"}}"#);
        let Ok(Step::Fetch(fetch)) = call::cancel(&ctx, &state) else {
            panic!("nothing is canceled")
        };
        assert_eq!(
            (fetch.request.method.as_str(), fetch.request.url.as_str()),
            ("POST", url)
        );
        let reply = HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: Payload::Text(body(&name)),
        };
        let Ok(Step::End(chunks)) = call::resume(&ctx, fetch.state, reply) else {
            panic!("{name}")
        };
        assert!(
            chunks.iter().all(|chunk| chunk.contains("predict_time")),
            "{name}: {chunks:?}"
        );
    }
}

#[test]
fn every_model_of_every_page_is_listed_by_owner_and_name() {
    let cases = expected("models");
    let ctx = Context {
        operation: "models".into(),
        config: r#"{"models_pages":10}"#.into(),
        ..context("", false)
    };
    let mut step = call::get_models(&ctx, None);
    for (number, (name, _)) in cases.iter().enumerate() {
        let Ok(Step::Fetch(fetch)) = step else {
            panic!("{name} is not asked for")
        };
        let cursor = if number == 0 {
            String::new()
        } else {
            format!("?cursor={number}")
        };
        assert_eq!(
            fetch.request.url,
            format!("https://api.replicate.com/v1/models{cursor}")
        );
        let next = number + 1;
        let next = if next < cases.len() {
            format!(r#""https://api.replicate.com/v1/models?cursor={next}""#)
        } else {
            "null".into()
        };
        let page = format!(r#"{{"previous":null,"next":{next},"results":[{}]}}"#, body(name));
        let response = HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: Payload::Text(page),
        };
        step = call::get_models(&ctx, Some(response));
    }
    let Ok(Step::Done(list)) = step else { panic!("no list") };
    let list: Value = serde_json::from_str(&list).expect("a list is JSON");
    for (number, (name, case)) in cases.iter().enumerate() {
        assert_eq!(list["data"][number]["id"].as_str(), case.model.as_deref(), "{name}");
        assert_eq!(list["data"][number]["object"], "model");
    }
}

fn with_config(streaming: bool, config: &str) -> Context {
    Context {
        config: config.to_owned(),
        ..context("a/b", streaming)
    }
}
