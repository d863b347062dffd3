//! The way of a call: waiting, growing text, errors, giving up.

use serde_json::json;

use super::call::{self, Context, HttpResponse, Payload, Step};
use super::player::{self, Answer, HELLO, context, json as reply, play};

const STARTING: &str =
    r#"{"id":"p1","status":"starting","output":null,"urls":{"get":"https://api.replicate.com/v1/predictions/p1"}}"#;

#[test]
fn pauses_between_polls_grow_up_to_the_longest() {
    let ctx = Context {
        config: r#"{"poll_ms":100,"poll_max_ms":400}"#.into(),
        ..context("a/b", false)
    };
    let mut polls = 0;
    let outcome = play(&ctx, HELLO, 1, |_| {
        polls += 1;
        reply(
            200,
            if polls < 8 {
                STARTING
            } else {
                r#"{"id":"p1","status":"succeeded","output":"ok"}"#
            },
        )
    });
    let pauses: Vec<u32> = outcome.requests.iter().map(|(_, pause)| *pause).collect();
    assert_eq!(pauses, [0, 100, 150, 225, 337, 400, 400, 400]);
}

#[test]
fn a_polled_model_streams_its_text_as_it_grows() {
    let mut states = [
        r#"{"id":"p1","status":"starting"}"#,
        r#"{"id":"p1","status":"processing","output":["Gr\u00fc"]}"#,
        r#"{"id":"p1","status":"processing","output":["Gr\u00fc"]}"#,
        r#"{"id":"p1","status":"processing","output":["Gr\u00fc","\u00dfe, ","\u4e16"]}"#,
        r#"{"id":"p1","status":"succeeded","output":["Gr\u00fc","\u00dfe, ","\u4e16\u754c"],"metrics":{"input_token_count":3,"output_token_count":4,"predict_time":1.5}}"#,
    ]
    .into_iter();
    let outcome = play(&context("a/b", true), HELLO, 1, |_| {
        reply(200, states.next().expect("asked once too often"))
    });
    let pieces: Vec<_> = outcome
        .chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(pieces, ["", "Grü", "ße, 世", "界"]);
    assert_eq!(outcome.chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(outcome.finish_reason(), Some("stop"));
    assert_eq!(
        outcome.chunks.last().expect("chunks")["usage"],
        json!({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
    );
    assert_eq!(
        outcome.chunks.last().expect("chunks")["replicate"]["metrics"]["predict_time"],
        1.5
    );
}

#[test]
fn a_settled_answer_carries_usage_and_what_only_replicate_has() {
    let body = r#"{"id":"p1","status":"succeeded","output":"hi","metrics":{"input_token_count":3,"output_token_count":4,"predict_time":1.5}}"#;
    let outcome = play(&context("a/b", false), HELLO, 1, |_| reply(201, body));
    assert_eq!(
        outcome.answer.expect("an answer"),
        json!({
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
            "replicate": {"id": "p1", "metrics": {"input_token_count": 3, "output_token_count": 4, "predict_time": 1.5}},
        })
    );
}

#[test]
fn every_shape_of_output_becomes_text() {
    let cases = [
        ("null", ""),
        (r#""plain \"text\"""#, "plain \"text\""),
        (r#"[" a"," b\n",""]"#, " a b\n"),
        ("[]", ""),
        (
            r#"["https://x/1.png","https://x/2.png"]"#,
            "https://x/1.png\nhttps://x/2.png",
        ),
        (r#"["https://x"," is it"]"#, "https://x is it"),
        (r#"{"text":"hi"}"#, r#"{"text":"hi"}"#),
        (r#"[{"a":1},"b"]"#, r#"[{"a":1},"b"]"#),
        ("42", "42"),
        ("true", "true"),
    ];
    for (output, text) in cases {
        let body = format!(r#"{{"id":"p1","status":"succeeded","output":{output},"logs":"","new":[1,{{}}]}}"#);
        assert_eq!(
            play(&context("a/b", false), HELLO, 1, |_| reply(201, body.clone())).text(),
            text,
            "{output}"
        );
    }
}

#[test]
fn an_error_reply_keeps_its_class_its_words_and_its_wait() {
    let cases = [
        (400, r#"{"title":"Bad","detail":"No."}"#, "invalid-request", "No.", None),
        (
            401,
            r#"{"title":"Unauthenticated","detail":"Who are you?"}"#,
            "authentication",
            "Who are you?",
            None,
        ),
        (
            402,
            r#"{"title":"Insufficient credit","detail":"Pay first.","status":402}"#,
            "quota",
            "Pay first.",
            None,
        ),
        (403, r#"{"detail":"Not yours."}"#, "permission", "Not yours.", None),
        (
            404,
            r#"{"detail":"Not there.","status":404}"#,
            "not-found",
            "Not there. (",
            None,
        ),
        (
            422,
            r#"{"detail":"- input: prompt is required\n","title":"T"}"#,
            "invalid-request",
            "- input: prompt is required",
            None,
        ),
        (
            429,
            r#"{"detail":"Too fast.","status":429,"retry_after":10}"#,
            "rate-limit",
            "Too fast.",
            Some(10_000),
        ),
        (429, r#"{"title":"Slow down"}"#, "rate-limit", "Slow down", Some(7_000)),
        (
            500,
            "",
            "upstream",
            "the provider answered with status 500",
            Some(7_000),
        ),
        (
            502,
            "<html>Bad gateway</html>",
            "upstream",
            "the provider answered with status 502",
            Some(7_000),
        ),
        (
            503,
            "No upstream",
            "overloaded",
            "the provider answered with status 503",
            Some(7_000),
        ),
        (
            504,
            r#"{"detail":null}"#,
            "timeout",
            "the provider answered with status 504",
            Some(7_000),
        ),
        (
            422,
            r#"{"detail":[{"loc":["body"],"msg":"x"}],"invalid_fields":null}"#,
            "invalid-request",
            "x",
            None,
        ),
    ];
    for (status, body, kind, message, wait) in cases {
        let told = status >= 500 || body.contains("Slow down");
        let headers = if told {
            vec![("retry-after".to_owned(), "7".to_owned())]
        } else {
            Vec::new()
        };
        let outcome = play(&context("a/b", true), HELLO, 1, |_| Answer {
            status,
            headers: headers.clone(),
            body: body.to_owned(),
        });
        let failure = outcome.failure.expect("an error");
        assert_eq!(
            (failure.kind.as_str(), failure.status, failure.retry_after_ms),
            (kind, status, wait),
            "{body}"
        );
        assert!(failure.message.starts_with(message), "{}", failure.message);
        assert_eq!(outcome.requests.len(), 1, "a create call is not repeated");
    }
}

#[test]
fn an_invalid_field_is_named() {
    let body = r#"{"detail":"- input.max_tokens: Must be at most 4096","status":422,"title":"Input validation failed",
        "invalid_fields":[{"type":"number_lte","field":"input.max_tokens","description":"Must be at most 4096"}]}"#;
    let failure = play(&context("a/b", false), HELLO, 1, |_| reply(422, body))
        .failure
        .expect("an error");
    assert_eq!(
        (failure.param.as_deref(), failure.code.as_deref()),
        (Some("max_tokens"), Some("number_lte"))
    );
}

#[test]
fn a_prediction_that_failed_is_an_error_though_its_status_is_200() {
    let cases = [
        (
            r#""status":"failed","error":"CUDA out of memory""#,
            "upstream",
            "prediction_failed",
            "CUDA out of memory",
        ),
        (
            r#""status":"failed","error":"NSFW content detected. Try again.""#,
            "content-filter",
            "prediction_failed",
            "NSFW",
        ),
        (
            r#""status":"failed","error":"The input was flagged as sensitive (E005)""#,
            "content-filter",
            "E005",
            "The input was flagged",
        ),
        (
            r#""status":"failed","error":"Service is under high demand (E003)""#,
            "overloaded",
            "E003",
            "Service",
        ),
        (
            r#""status":"failed","error":"E1001: out of memory""#,
            "upstream",
            "E1001",
            "E1001",
        ),
        (
            r#""status":"failed","error":"Prompt is longer than the context window""#,
            "context-length",
            "prediction_failed",
            "Prompt",
        ),
        (
            r#""status":"failed","error":{"why":1}"#,
            "upstream",
            "prediction_failed",
            r#"{"why":1}"#,
        ),
        (
            r#""status":"failed","error":null"#,
            "upstream",
            "prediction_failed",
            "The prediction failed",
        ),
        (
            r#""status":"canceled""#,
            "upstream",
            "canceled",
            "The prediction was canceled",
        ),
        (
            r#""status":"aborted""#,
            "upstream",
            "aborted",
            "The prediction was aborted",
        ),
    ];
    for (fields, kind, code, message) in cases {
        let body = format!(r#"{{"id":"p1","output":["half"],{fields}}}"#);
        let failure = play(&context("a/b", false), HELLO, 1, |_| reply(201, body.clone()))
            .failure
            .expect(fields);
        assert_eq!(
            (failure.kind.as_str(), failure.code.as_deref(), failure.status),
            (kind, Some(code), 0),
            "{fields}"
        );
        assert!(failure.message.starts_with(message), "{}", failure.message);
    }
}

#[test]
fn a_reply_that_is_no_prediction_is_the_providers_fault() {
    for body in [
        "",
        "[]",
        "{}",
        "<html>",
        r#"{"data":[],"object":"list"}"#,
        r#"{"status":"starting"}"#,
    ] {
        let failure = play(&context("a/b", false), HELLO, 1, |_| reply(200, body))
            .failure
            .expect(body);
        assert_eq!(failure.kind, "upstream", "{body}");
    }
}

#[test]
fn the_key_goes_to_no_other_origin() {
    for get in [
        "https://evil.example/v1/predictions/p1",
        "https://api.replicate.com.evil.example/p1",
        "https://api.replicate.com@evil.example/p1",
    ] {
        let body = format!(r#"{{"id":"p1","status":"starting","urls":{{"get":"{get}"}}}}"#);
        let mut first = true;
        let outcome = play(&context("a/b", false), HELLO, 1, |_| {
            let body = if std::mem::take(&mut first) {
                body.clone()
            } else {
                r#"{"status":"succeeded"}"#.to_owned()
            };
            reply(200, body)
        });
        assert_eq!(outcome.request(1), "GET https://api.replicate.com/v1/predictions/p1");
    }
}

#[test]
fn a_call_given_up_cancels_what_runs_and_nothing_else() {
    let ctx = context("a/b", false);
    let Ok(Step::Fetch(create)) = call::begin(&ctx, HELLO) else {
        panic!("not a fetch")
    };
    let nothing = call::cancel(&ctx, &create.state);
    assert!(
        matches!(nothing, Ok(Step::End(chunks)) if chunks.is_empty()),
        "nothing is known to cancel yet"
    );
    let response = HttpResponse {
        status: 201,
        headers: Vec::new(),
        body: Payload::Text(STARTING.into()),
    };
    let Ok(Step::Fetch(poll)) = call::resume(&ctx, create.state, response) else {
        panic!("not a fetch")
    };
    let Ok(Step::Fetch(cancel)) = call::cancel(&ctx, &poll.state) else {
        panic!("not a fetch")
    };
    let url = "https://api.replicate.com/v1/predictions/p1/cancel";
    assert_eq!(
        (cancel.request.method.as_str(), cancel.request.url.as_str()),
        ("POST", url)
    );
    assert!(cancel.request.idempotent);
    assert!(matches!(call::cancel(&ctx, &cancel.state), Ok(Step::End(_))));
    assert!(call::cancel(&ctx, "nonsense").is_err());
}

#[test]
fn a_list_that_leads_elsewhere_is_not_followed_there() {
    let ctx = Context {
        operation: "models".into(),
        ..context("", false)
    };
    let page = |next: &str| HttpResponse {
        status: 200,
        headers: Vec::new(),
        body: Payload::Text(format!(
            r#"{{"next":"{next}","results":[{{"owner":"a","name":"b","run_count":1}}]}}"#
        )),
    };
    assert!(matches!(call::get_models(&ctx, None), Ok(Step::Fetch(_))));
    let list = call::get_models(&ctx, Some(page("https://evil.example/v1/models?cursor=1")));
    assert!(matches!(list, Ok(Step::Done(list)) if list.contains("a/b")));
    // And it is not followed for ever.
    let mut step = call::get_models(&ctx, None);
    let mut pages = 0;
    while let Ok(Step::Fetch(_)) = step {
        pages += 1;
        step = call::get_models(&ctx, Some(page("https://api.replicate.com/v1/models?cursor=1")));
    }
    assert_eq!(pages, 4);
    assert!(matches!(step, Ok(Step::Done(_))));
}

#[test]
fn vectors_come_out_of_every_shape_embedding_models_answer_in() {
    let ctx = Context {
        operation: "embeddings".into(),
        ..context("a/b", false)
    };
    for output in [
        "[[0.25,-1],[1e-3,2]]",
        r#"[{"embedding":[0.25,-1]},{"embedding":[1e-3,2]}]"#,
        r#"{"embeddings":[[0.25,-1],[1e-3,2]],"dims":2}"#,
    ] {
        let body =
            format!(r#"{{"id":"p1","status":"succeeded","output":{output},"metrics":{{"input_token_count":5}}}}"#);
        let outcome = play(&ctx, r#"{"input":["a","b"]}"#, 1, |_| reply(201, body.clone()));
        assert_eq!(
            outcome.answer.expect(output),
            json!({"object": "list", "usage": {"prompt_tokens": 5, "total_tokens": 5}, "data": [
            {"object": "embedding", "index": 0, "embedding": [0.25, -1]}, {"object": "embedding", "index": 1, "embedding": [0.001, 2]}]})
        );
    }
    let failed = play(&ctx, r#"{"input":"a"}"#, 1, |_| {
        reply(201, r#"{"id":"p1","status":"succeeded","output":"text"}"#)
    });
    assert_eq!(failed.failure.expect("no vectors").kind, "upstream");
}

#[test]
fn the_settings_of_the_source_document_poll_and_never_ask_for_a_stream() {
    let config = r#"{"requestFormat":"replicate","responseFormat":"replicate","streamingSupport":false}"#;
    let ctx = Context {
        config: config.into(),
        ..context("meta/llama-2-70b-chat", true)
    };
    let created = r#"{"id":"p1","status":"starting","urls":{"stream":"https://stream.replicate.com/v1/streams/x"}}"#;
    let mut first = true;
    let outcome = play(&ctx, HELLO, 1, |request| {
        assert_eq!(request.framing, "buffered");
        let body = if std::mem::take(&mut first) {
            created
        } else {
            r#"{"id":"p1","status":"succeeded","output":["a","b"]}"#
        };
        player::json(200, body)
    });
    assert_eq!(outcome.text(), "ab");
}
