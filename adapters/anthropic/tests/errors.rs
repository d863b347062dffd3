//! What goes wrong at Anthropic's is told as what it is, so that retries, fallbacks and the client do the right thing.

#[path = "drive/call.rs"]
mod drive;

use serde_json::json;

fn error(r#type: &str, message: &str) -> String {
    json!({"type": "error", "error": {"type": r#type, "message": message}, "request_id": "req_1"}).to_string()
}

#[test]
fn every_documented_error_has_its_kind_status_and_message() {
    let cases = [
        (
            400,
            "invalid_request_error",
            "messages: at least one message is required",
            "invalid-request",
        ),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "context-length",
        ),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the API.",
            "quota",
        ),
        (401, "authentication_error", "invalid x-api-key", "authentication"),
        (402, "billing_error", "Payment required", "quota"),
        (403, "permission_error", "Not for this key", "permission"),
        (404, "not_found_error", "model: claude-x", "not-found"),
        (
            413,
            "request_too_large",
            "Request exceeds the maximum size",
            "invalid-request",
        ),
        (429, "rate_limit_error", "Slow down", "rate-limit"),
        (500, "api_error", "Internal server error", "upstream"),
        (504, "timeout_error", "Timed out", "timeout"),
        (529, "overloaded_error", "Overloaded", "overloaded"),
    ];
    for (status, r#type, message, kind) in cases {
        let failure = drive::reply(status, &[], &error(r#type, message)).expect_err("an error is a failure");
        assert_eq!((failure.kind.as_str(), failure.status), (kind, status));
        assert_eq!(
            (failure.message.as_str(), failure.code.as_deref()),
            (message, Some(r#type))
        );
    }
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
        (429, r#"{"detail":"Too many"}"#, "Too many", "rate-limit"),
        (503, "", "The provider answered with status 503.", "overloaded"),
        (302, "", "The provider answered with status 302.", "upstream"),
    ];
    for (status, body, message, kind) in cases {
        let failure = drive::reply(status, &[], body).expect_err("an error is a failure");
        assert_eq!((failure.kind.as_str(), failure.message.as_str()), (kind, message));
    }
}

#[test]
fn the_time_to_wait_is_the_providers() {
    let wait = |name: &str, value: &str| {
        let failure = drive::reply(429, &[(name, value)], &error("rate_limit_error", "x"));
        failure.expect_err("an error is a failure").retry_after_ms
    };
    assert_eq!(wait("retry-after", "12"), Some(12_000));
    assert_eq!(wait("retry-after-ms", "250"), Some(250));
    assert_eq!(wait("retry-after", "soon"), None);
    assert_eq!(wait("retry-after", "-1"), None);
}

#[test]
fn an_answer_that_is_none_is_a_failure() {
    let failure = drive::reply(200, &[], &error("api_error", "Broken")).expect_err("an error is a failure");
    assert_eq!(
        (failure.kind.as_str(), failure.message.as_str()),
        ("upstream", "Broken")
    );
    for body in ["", "null", "{}", "[]", r#"{"content":5}"#, "<html>"] {
        let failure = drive::reply(200, &[], body).expect_err("no message is a failure");
        assert_eq!(failure.kind, "upstream", "{body}");
    }
}

#[test]
fn a_long_body_is_kept_for_the_log_in_part() {
    let failure = drive::reply(500, &[], &"ä".repeat(100_000)).expect_err("an error is a failure");
    assert!(failure.upstream.is_some_and(|text| text.len() <= 2048));
}
