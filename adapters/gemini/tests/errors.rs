//! What goes wrong at Google's is told as what it is, so that retries, fallbacks and the client do the right thing.

use serde_json::{Value, json};
use witgate_gemini::Gemini;
use witgate_sdk::testing::{Call, Failed, Reply};

fn failed(reply: Reply) -> Failed {
    Call::says("Hi").play::<Gemini>([reply]).failure().clone()
}

fn error(code: u16, status: &str, message: &str, details: &Value) -> String {
    json!({"error": {"code": code, "message": message, "status": status, "details": details}}).to_string()
}

#[test]
fn every_documented_error_has_its_kind_status_and_message() {
    let cases = [
        (400, "INVALID_ARGUMENT", "Wrong", "invalid-request"),
        (400, "FAILED_PRECONDITION", "Not from here", "invalid-request"),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
            "context-length",
        ),
        (401, "UNAUTHENTICATED", "No token", "authentication"),
        (403, "PERMISSION_DENIED", "Not for you", "permission"),
        (404, "NOT_FOUND", "No such model", "not-found"),
        (429, "RESOURCE_EXHAUSTED", "Slow down", "rate-limit"),
        (499, "CANCELLED", "Gone", "invalid-request"),
        (500, "INTERNAL", "Broken", "upstream"),
        (503, "UNAVAILABLE", "Busy", "overloaded"),
        (504, "DEADLINE_EXCEEDED", "Late", "timeout"),
    ];
    for (code, status, message, kind) in cases {
        for body in [
            error(code, status, message, &json!([])),
            format!("[{}]", error(code, status, message, &json!([]))),
        ] {
            // Errors of streams are JSON, whatever their label.
            let failure = failed(
                Reply::status(code)
                    .header("content-type", "text/event-stream")
                    .body(body),
            );
            assert_eq!((failure.kind.as_str(), failure.status), (kind, code), "{message}");
            assert_eq!(
                (failure.message.as_str(), failure.code.as_deref()),
                (message, Some(status))
            );
        }
    }
}

#[test]
fn a_wrong_key_is_told_apart_from_a_wrong_request() {
    let info = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
    let failure = failed(Reply::status(400).body(error(400, "INVALID_ARGUMENT", "API key not valid.", &info)));
    assert_eq!(
        (failure.kind.as_str(), failure.code.as_deref()),
        ("authentication", Some("API_KEY_INVALID"))
    );
}

#[test]
fn the_time_to_wait_is_read_wherever_it_stands() {
    let wait = |message: &str, details: Value, headers: &[(&str, &str)]| {
        let reply = Reply::status(429).body(error(429, "RESOURCE_EXHAUSTED", message, &details));
        let reply = headers
            .iter()
            .fold(reply, |reply, (name, value)| reply.header(name, value));
        failed(reply).retry_after_ms
    };
    let info = |delay: &str| json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]);
    assert_eq!(wait("x", info("34s"), &[]), Some(34_000));
    assert_eq!(wait("x", info("0.25s"), &[]), Some(250));
    assert_eq!(wait("Please retry in 1.5s.", json!([]), &[]), Some(1500));
    assert_eq!(wait("x", json!([]), &[("retry-after", "3")]), Some(3000));
    assert_eq!(wait("Please retry in a while", info("soon"), &[]), None);
    assert_eq!(wait("x", info("-1s"), &[]), None);
}

#[test]
fn bodies_of_other_shapes_still_tell_what_they_can() {
    let cases = [
        (502, "upstream connect error", "upstream connect error", "upstream"),
        (
            403,
            r#"{"error":"Forbidden by the proxy"}"#,
            "Forbidden by the proxy",
            "permission",
        ),
        (
            404,
            r#"{"message":"no Route matched"}"#,
            "no Route matched",
            "not-found",
        ),
        (503, "", "The provider answered with status 503.", "overloaded"),
        (302, "", "The provider answered with status 302.", "upstream"),
        (500, "[]", "[]", "upstream"),
    ];
    for (status, body, message, kind) in cases {
        let failure = failed(Reply::status(status).body(body));
        assert_eq!((failure.kind.as_str(), failure.message.as_str()), (kind, message));
    }
    assert!(
        failed(Reply::status(500).body("ä".repeat(100_000)))
            .upstream
            .is_some_and(|text| text.len() <= 2048)
    );
}

#[test]
fn an_answer_that_is_none_is_a_failure() {
    for body in ["", "null", "{}", "[]", r#"{"candidates":5}"#, "<html>", "5"] {
        assert_eq!(failed(Reply::json(body)).kind, "upstream", "{body}");
    }
    let failure = failed(Reply::json(error(429, "RESOURCE_EXHAUSTED", "Slow", &json!([]))));
    assert_eq!(
        (failure.kind.as_str(), failure.message.as_str()),
        ("rate-limit", "Slow")
    );
}
