//! Reading along: events of every kind, cut streams, clients that leave.

use super::call::{self, Failure, Frame, Payload, Step};
use super::player::{Cutter, HELLO, Outcome, context, json, play, value};

const STREAM: &str = "https://stream.replicate.com/v1/streams/x";
const CREATED: &str =
    r#"{"id":"p1","status":"starting","urls":{"stream":"https://stream.replicate.com/v1/streams/x"}}"#;
const OVER: &str = r#"{"id":"p1","status":"succeeded","output":["One"," two"," three"],"metrics":{"input_token_count":1,"output_token_count":3}}"#;

/// Plays a stream in reads of `piece` bytes; whoever asks for the prediction gets `prediction`.
fn streamed(events: &str, prediction: &str, piece: usize) -> Outcome {
    play(&context("a/b", true), HELLO, piece, |request| {
        match request.url.as_str() {
            STREAM => json(200, events),
            url if url.ends_with("/predictions/p1") => json(200, prediction),
            _ => json(201, CREATED),
        }
    })
}

/// Events as Replicate writes them.
fn events(list: &[(&str, &str)]) -> String {
    let event = |(number, (kind, data)): (usize, &(&str, &str))| {
        let lines: String = data.split('\n').map(|line| format!("data: {line}\n")).collect();
        format!("event: {kind}\nid: 1690212292:{number}\n{lines}\n")
    };
    format!(": hi\n\n{}", list.iter().enumerate().map(event).collect::<String>())
}

#[test]
fn text_keeps_its_blanks_and_lines_and_usage_follows() {
    let events = events(&[
        ("output", ""),
        ("output", "One"),
        ("output", " two\n\n"),
        ("output", "  ```\n  x"),
        ("output", " 世界 🚀"),
        ("done", "{}"),
    ]);
    let whole = streamed(&events, OVER, usize::MAX);
    assert_eq!(whole.text(), "One two\n\n  ```\n  x 世界 🚀");
    assert_eq!(
        (whole.finish_reason(), whole.usage("total_tokens")),
        (Some("stop"), Some(4))
    );
    assert_eq!(whole.requests.len(), 3);
    for piece in 1..events.len() {
        assert_eq!(
            streamed(&events, OVER, piece).chunks,
            whole.chunks,
            "in pieces of {piece}"
        );
    }
}

#[test]
fn unknown_events_and_fields_change_nothing() {
    let plain = events(&[("output", "a"), ("output", "b"), ("done", "{}")]);
    let odd = events(&[
        ("ping", "{}"),
        ("output", "a"),
        ("logs", "loading"),
        ("", "x"),
        ("output", "b"),
        ("metric", "{\"n\":1}"),
        ("done", "{\"new\":[1]}"),
    ]);
    assert_eq!(
        streamed(&odd, OVER, 7).chunks,
        streamed(&plain, OVER, usize::MAX).chunks
    );
}

#[test]
fn an_error_event_is_an_error_after_the_text_that_was_good() {
    let cases = [
        ("Prediction broke", "Prediction broke"),
        (r#"{"detail":"CUDA out of memory"}"#, "CUDA out of memory"),
        ("", "The prediction failed"),
    ];
    for (data, message) in cases {
        for piece in [1, usize::MAX] {
            let outcome = streamed(
                &events(&[("output", "half"), ("error", data), ("done", r#"{"reason":"error"}"#)]),
                OVER,
                piece,
            );
            assert_eq!(outcome.text(), "half");
            assert_eq!(outcome.failure.expect("an error").message, message);
        }
    }
    let only_done = streamed(&events(&[("done", r#"{"reason":"error"}"#)]), OVER, 1);
    assert!(only_done.failure.is_some() && only_done.chunks.is_empty());
}

#[test]
fn what_was_said_before_a_cancellation_stands() {
    let outcome = streamed(
        &events(&[
            ("output", "Once"),
            ("output", " upon\n\na time"),
            ("done", r#"{"reason": "canceled"}"#),
        ]),
        OVER,
        3,
    );
    assert_eq!(
        (outcome.text().as_str(), outcome.finish_reason()),
        ("Once upon\n\na time", Some("stop"))
    );
    let nothing = streamed(&events(&[("done", r#"{"reason": "canceled"}"#)]), OVER, 3);
    assert_eq!(
        nothing.failure.expect("nothing was said").code.as_deref(),
        Some("canceled")
    );
}

#[test]
fn a_stream_cut_anywhere_is_completed_from_the_prediction() {
    let events = events(&[
        ("output", "One"),
        ("output", " two"),
        ("output", " three"),
        ("done", "{}"),
    ]);
    for end in 0..events.len() {
        let outcome = streamed(&events[..end], OVER, 5);
        assert_eq!(
            (
                outcome.text().as_str(),
                outcome.finish_reason(),
                outcome.usage("completion_tokens")
            ),
            ("One two three", Some("stop"), Some(3)),
            "cut at {end}"
        );
    }
}

#[test]
fn a_stream_that_is_refused_is_replaced_by_polling() {
    let outcome = play(&context("a/b", true), HELLO, 1, |request| match request.url.as_str() {
        STREAM => json(404, "gone"),
        url if url.ends_with("/predictions/p1") => json(200, OVER),
        _ => json(201, CREATED),
    });
    assert_eq!(
        (outcome.text().as_str(), outcome.request(2)),
        ("One two three", "GET https://api.replicate.com/v1/predictions/p1")
    );
}

#[test]
fn a_stream_elsewhere_than_at_replicate_is_not_read() {
    for stream in [
        "https://evil.example/s",
        "http://stream.replicate.com/s",
        "https://replicate.com.evil.example/s",
    ] {
        let outcome = play(&context("a/b", true), HELLO, 1, |request| {
            assert_ne!(request.url, stream);
            let created = format!(r#"{{"id":"p1","status":"starting","urls":{{"stream":"{stream}"}}}}"#);
            if request.method == "POST" {
                json(201, created)
            } else {
                json(200, OVER)
            }
        });
        assert_eq!(outcome.text(), "One two three");
    }
}

#[test]
fn figures_that_are_not_there_yet_are_asked_for_a_few_times() {
    let events = events(&[("output", "One"), ("done", "{}")]);
    let outcome = streamed(&events, r#"{"id":"p1","status":"processing"}"#, 1);
    assert_eq!(
        (outcome.text().as_str(), outcome.finish_reason()),
        ("One", Some("stop"))
    );
    assert!((4..8).contains(&outcome.requests.len()), "{:?}", outcome.requests);
}

#[test]
fn a_model_server_that_writes_json_events_is_understood() {
    let cog = "event: start\ndata: {\"id\":\"a\",\"status\":\"processing\"}\n\nevent: output\ndata: {\"chunk\":\"Hi\",\"index\":0}\n\n\
               event: output\ndata: {\"chunk\":\" \\\"you\\\"\",\"index\":1}\n\nevent: log\ndata: {}\n\n\
               event: completed\ndata: {\"id\":\"a\",\"status\":\"succeeded\",\"metrics\":{\"predict_time\":0.4}}\n\n";
    let outcome = streamed(cog, OVER, 1);
    assert_eq!(
        (outcome.text().as_str(), outcome.finish_reason()),
        ("Hi \"you\"", Some("stop"))
    );
    assert_eq!(
        outcome.chunks.last().expect("chunks")["replicate"]["metrics"]["predict_time"],
        0.4
    );
    let failed = "event: start\ndata: {}\n\nevent: completed\ndata: {\"status\":\"failed\",\"error\":\"broken\"}\n\n";
    assert_eq!(streamed(failed, OVER, 1).failure.expect("an error").message, "broken");
}

#[test]
fn a_model_that_writes_json_itself_is_not_taken_for_a_server_that_does() {
    let said = [
        ("output", "Look: "),
        ("output", "{\"chunk\":\"x\",\"index\":0}"),
        ("done", "{}"),
    ];
    assert_eq!(
        streamed(&events(&said), OVER, 1).text(),
        "Look: {\"chunk\":\"x\",\"index\":0}"
    );
}

#[test]
fn a_client_that_leaves_stops_the_prediction() {
    for reason in ["client-gone", "timeout", "upstream-error", "a word of the future"] {
        let Ok(Step::Fetch(cancel)) = finished(reason) else {
            panic!("{reason}")
        };
        assert_eq!(
            (cancel.request.method.as_str(), cancel.request.url.as_str()),
            ("POST", "https://api.replicate.com/v1/predictions/p1/cancel")
        );
        assert!(cancel.emit.is_empty());
    }
}

/// Opens a stream, reads one piece of text, and ends it for a reason.
fn finished(reason: &str) -> Result<Step, Failure> {
    let state = r#"{"what":"stream","get":"https://api.replicate.com/v1/predictions/p1","cancel":"https://api.replicate.com/v1/predictions/p1/cancel"}"#;
    let reader = call::open(&context("a/b", true), state)?;
    let frame = Frame {
        event: "output".into(),
        data: Payload::Text("x".into()),
        headers: Vec::new(),
    };
    assert!(!reader.push(&[frame]).ended);
    reader.finish(reason)
}

#[test]
fn no_bytes_make_it_panic() {
    let seed = events(&[
        ("start", "{}"),
        ("output", "{\"chunk\":\"a\"}"),
        ("error", "{\"detail\":5}"),
        ("done", "{\"reason\":7}"),
    ]);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..2_000 {
        let mut bytes = seed.clone().into_bytes();
        for _ in 0..4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = usize::try_from(state % (bytes.len() as u64)).expect("smaller than a length");
            bytes[at] = b" {}\":\n,x"[usize::try_from(state >> 61).expect("three bits")];
        }
        let stage = r#"{"what":"stream"}"#;
        let reader = call::open(&context("a/b", true), stage).expect("our own state");
        let output = reader.push(&Cutter::default().cut(&bytes));
        output.emit.iter().for_each(|chunk| drop(value(chunk)));
        drop(reader.finish(if output.ended { "ended" } else { "eof" }));
    }
}
