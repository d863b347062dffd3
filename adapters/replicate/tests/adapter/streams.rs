//! Reading along: events of every kind, cut streams, clients that leave.

use witgate_replicate::Replicate;
use witgate_sdk::testing::{Played, Reply};

use crate::{finish_reason, hello, request, streamed};

const CREATED: &str =
    r#"{"id":"p1","status":"starting","urls":{"stream":"https://stream.replicate.com/v1/streams/x"}}"#;
const OVER: &str = r#"{"id":"p1","status":"succeeded","output":["One"," two"," three"],
    "metrics":{"input_token_count":1,"output_token_count":3}}"#;

/// Plays a stream, cut at every byte, and the replies that follow it.
fn read(events: &str, after: &[&str]) -> Played {
    let replies = [Reply::json(CREATED), Reply::sse(events)]
        .into_iter()
        .chain(after.iter().map(|body| Reply::json(*body)));
    hello().streaming().play_cut_everywhere::<Replicate>(replies)
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
    let played = read(&events, &[OVER]);
    assert_eq!(played.text(), "One two\n\n  ```\n  x 世界 🚀");
    assert_eq!(finish_reason(&played), "stop");
    assert_eq!(played.answer()["usage"]["total_tokens"], 4);
    let sent = &played.requests()[1];
    assert_eq!(
        (sent.framing.as_str(), sent.header("accept")),
        ("sse", Some("text/event-stream"))
    );
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
    assert_eq!(read(&odd, &[OVER]).chunks(), read(&plain, &[OVER]).chunks());
}

#[test]
fn an_error_event_is_an_error_after_the_text_that_was_good() {
    let cases = [
        ("Prediction broke", "Prediction broke"),
        (r#"{"detail":"CUDA out of memory"}"#, "CUDA out of memory"),
        ("", "The prediction failed"),
    ];
    for (data, message) in cases {
        let played = read(
            &events(&[("output", "half"), ("error", data), ("done", r#"{"reason":"error"}"#)]),
            &[],
        );
        assert_eq!(
            (streamed(&played).as_str(), played.failure().message.as_str()),
            ("half", message)
        );
    }
    let only_done = read(&events(&[("done", r#"{"reason":"error"}"#)]), &[]);
    assert!(only_done.is_failure() && only_done.chunks().is_empty());
}

#[test]
fn what_was_said_before_a_cancellation_stands() {
    let canceled = ("done", r#"{"reason": "canceled"}"#);
    let played = read(
        &events(&[("output", "Once"), ("output", " upon\n\na time"), canceled]),
        &[OVER],
    );
    assert_eq!(
        (played.text().as_str(), finish_reason(&played).as_str()),
        ("Once upon\n\na time", Some("stop"))
    );
    assert_eq!(
        read(&events(&[canceled]), &[]).failure().code.as_deref(),
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
        let replies = [
            Reply::json(CREATED),
            Reply::sse(&events.as_bytes()[..end]),
            Reply::json(OVER),
        ];
        let played = hello().streaming().play::<Replicate>(replies);
        assert_eq!(
            (played.text().as_str(), finish_reason(&played).as_str()),
            ("One two three", Some("stop")),
            "cut at {end}"
        );
        assert_eq!(played.answer()["usage"]["completion_tokens"], 3, "cut at {end}");
    }
}

#[test]
fn a_stream_that_is_refused_is_replaced_by_polling() {
    let played = hello()
        .streaming()
        .play::<Replicate>([Reply::json(CREATED), Reply::status(404), Reply::json(OVER)]);
    assert_eq!(played.text(), "One two three");
    assert_eq!(request(&played, 2), "GET https://api.replicate.com/v1/predictions/p1");
}

#[test]
fn a_stream_elsewhere_than_at_replicate_is_not_read() {
    for stream in [
        "https://evil.example/s",
        "http://stream.replicate.com/s",
        "https://replicate.com.evil.example/s",
    ] {
        let created = format!(r#"{{"id":"p1","status":"starting","urls":{{"stream":"{stream}"}}}}"#);
        let played = hello()
            .streaming()
            .play::<Replicate>([Reply::json(created), Reply::json(OVER)]);
        assert_eq!(played.text(), "One two three");
        assert_eq!(request(&played, 1), "GET https://api.replicate.com/v1/predictions/p1");
    }
}

#[test]
fn figures_that_are_not_there_yet_are_asked_for_a_few_times() {
    let early = r#"{"id":"p1","status":"processing"}"#;
    let played = read(&events(&[("output", "One"), ("done", "{}")]), &[early, early, OVER]);
    assert_eq!(
        (played.text().as_str(), finish_reason(&played).as_str()),
        ("One", Some("stop"))
    );
    assert_eq!(played.answer()["usage"]["completion_tokens"], 3);
    let never = read(&events(&[("output", "One"), ("done", "{}")]), &[early; 4]);
    assert_eq!(
        (never.text().as_str(), finish_reason(&never).as_str()),
        ("One", Some("stop"))
    );
}

#[test]
fn a_model_server_that_writes_json_events_is_understood() {
    let cog = "event: start\ndata: {\"id\":\"a\",\"status\":\"processing\"}\n\nevent: output\ndata: {\"chunk\":\"Hi\",\"index\":0}\n\n\
               event: output\ndata: {\"chunk\":\" \\\"you\\\"\",\"index\":1}\n\nevent: log\ndata: {}\n\n\
               event: completed\ndata: {\"id\":\"a\",\"status\":\"succeeded\",\"metrics\":{\"predict_time\":0.4}}\n\n";
    let played = read(cog, &[]);
    assert_eq!(
        (played.text().as_str(), finish_reason(&played).as_str()),
        ("Hi \"you\"", Some("stop"))
    );
    assert_eq!(played.answer()["replicate"]["metrics"]["predict_time"], 0.4);
    let failed = "event: start\ndata: {}\n\nevent: completed\ndata: {\"status\":\"failed\",\"error\":\"broken\"}\n\n";
    assert_eq!(read(failed, &[]).failure().message, "broken");
}

#[test]
fn a_model_that_writes_json_itself_is_not_taken_for_a_server_that_does() {
    let said = [
        ("output", "Look: "),
        ("output", "{\"chunk\":\"x\",\"index\":0}"),
        ("done", "{}"),
    ];
    assert_eq!(
        read(&events(&said), &[OVER]).text(),
        "Look: {\"chunk\":\"x\",\"index\":0}"
    );
}

#[test]
fn a_client_that_leaves_stops_the_prediction() {
    let canceled = r#"{"id":"p1","status":"canceled","metrics":{"input_token_count":1,"output_token_count":1}}"#;
    for reason in ["client-gone", "timeout", "upstream-error", "a word of the future"] {
        let cut = Reply::sse(events(&[("output", "One")])).breaks_off(reason);
        let played = hello()
            .streaming()
            .play::<Replicate>([Reply::json(CREATED), cut, Reply::json(canceled)]);
        assert_eq!(
            request(&played, 2),
            "POST https://api.replicate.com/v1/predictions/p1/cancel",
            "{reason}"
        );
        assert_eq!(
            played.answer()["usage"]["total_tokens"],
            2,
            "what it used is accounted for"
        );
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seed = events(&[
        ("start", "{}"),
        ("output", "{\"chunk\":\"a\"}"),
        ("error", "{\"detail\":5}"),
        ("done", "{\"reason\":7}"),
        ("completed", "{\"status\":\"failed\"}"),
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
        // Broken off, it asks for one thing more and no other, whatever was read; unless its end was in the bytes.
        let replies = [
            Reply::json(CREATED),
            Reply::sse(bytes).breaks_off("timeout"),
            Reply::json(OVER),
        ];
        let played = std::panic::catch_unwind(|| hello().streaming().play::<Replicate>(replies));
        if let Err(panic) = played {
            let text = panic.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
            assert!(text.contains("scripted replies were not asked for"), "{text}");
        }
    }
}
