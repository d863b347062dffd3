//! A provider's error reaches the client in the provider's own words, and the host as what it is.

use witgate_sdk::testing::{Call, Failed, Reply};
use witgate_sdk::{Adapter, Context, Failure, Kind, Manifest, Request, Response, Result, Step};

/// Sends anything and takes any reply of status 2xx.
struct Plain;

impl Adapter for Plain {
    fn describe() -> Manifest {
        Manifest::new("plain", "1.0.0")
    }
    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        Request::post(ctx.url("/")).json_text(body).send()
    }
    fn transform_response(_: &Context, reply: Response) -> Result<Step> {
        Ok(Step::done_text(reply.ok()?.text()?))
    }
}

fn failed(reply: Reply) -> Failed {
    Call::says("Hi").play::<Plain>([reply]).failure().clone()
}

#[test]
fn messages_are_found_where_providers_put_them() {
    let bodies = [
        r#"{"error":{"message":"no such thing","type":"t","code":"c"}}"#,
        r#"{"error":"no such thing"}"#,
        r#"{"error":["no such thing"]}"#,
        r#"{"message":"no such thing"}"#,
        r#"{"detail":"no such thing"}"#,
        r#"{"detail":[{"loc":["body"],"msg":"no such thing"}]}"#,
        r#"{"title":"Gone","detail":"no such thing","status":404}"#,
        r#"[{"error":{"code":404,"message":"no such thing","status":"NOT_FOUND"}}]"#,
        r#"{"type":"error","error":{"type":"not_found_error","message":"no such thing"}}"#,
        r#""no such thing""#,
    ];
    for body in bodies {
        let failed = failed(Reply::status(404).body(body));
        assert_eq!(
            (failed.message.as_str(), failed.kind.as_str(), failed.status),
            ("no such thing", "not-found", 404),
            "{body}"
        );
        assert_eq!(failed.upstream.as_deref(), Some(body));
    }
}

#[test]
fn a_reply_that_is_no_json_goes_to_the_log_only() {
    let page = format!("<html>{}</html>", "ü".repeat(5000));
    let failed = failed(Reply::status(502).body(page.clone()));
    assert_eq!(failed.message, "the provider answered with status 502");
    let logged = failed.upstream.unwrap();
    assert!(
        page.starts_with(&logged) && logged.len() <= 2048,
        "the log gets the beginning"
    );
    for odd in [&b"\xff\xfe"[..], b"", b"{}", b"[]", b"{\"error\":{}}", b"{\"error\":"] {
        let kind = failed_kind(500, odd);
        assert_eq!(kind, "upstream", "{odd:?}");
    }
}

fn failed_kind(status: u16, body: &[u8]) -> String {
    failed(Reply::status(status).body(body)).kind
}

#[test]
fn a_status_says_whether_to_try_again() {
    let kinds = [
        (302, "upstream"),
        (400, "invalid-request"),
        (401, "authentication"),
        (402, "quota"),
        (403, "permission"),
        (404, "not-found"),
        (408, "timeout"),
        (422, "invalid-request"),
        (429, "rate-limit"),
        (500, "upstream"),
        (503, "overloaded"),
        (504, "timeout"),
        (529, "overloaded"),
    ];
    for (status, kind) in kinds {
        assert_eq!(failed_kind(status, b"{}"), kind, "{status}");
    }
    let long =
        br#"{"error":{"message":"This model's maximum context length is 8 tokens","code":"context_length_exceeded"}}"#;
    assert_eq!(failed_kind(400, long), "context-length");
    assert_eq!(
        failed_kind(429, br#"{"error":{"message":"m","code":"insufficient_quota"}}"#),
        "quota"
    );
}

#[test]
fn the_wait_that_a_provider_asks_for_is_passed_on() {
    let busy = || Reply::status(429);
    assert_eq!(failed(busy().header("retry-after", "1.5")).retry_after_ms, Some(1500));
    assert_eq!(
        failed(busy().header("retry-after-ms", "250").header("retry-after", "9")).retry_after_ms,
        Some(250)
    );
    assert_eq!(
        failed(busy().body(r#"{"detail":"slow","retry_after":3}"#)).retry_after_ms,
        Some(3000)
    );
    for odd in ["soon", "-1", "NaN", "1e99", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        assert_eq!(failed(busy().header("retry-after", odd)).retry_after_ms, None, "{odd}");
    }
}

#[test]
fn the_log_gets_the_beginning_of_a_long_text_and_no_half_character() {
    let failure = Failure::new(Kind::Upstream, "unreadable").upstream_text(&"é".repeat(5000));
    assert_eq!(failure.into_wit().upstream, Some("é".repeat(1024)));
    let failure = Failure::new(Kind::Upstream, "unreadable").upstream_text(&["a", &"é".repeat(5000)].concat());
    assert_eq!(failure.into_wit().upstream.map(|text| text.len()), Some(2047));
}
