//! The way of a call: waiting, growing text, errors, giving up.

use witgate_replicate::Replicate;
use witgate_sdk::testing::{Reply, json};

use crate::{answered, call, finish_reason, hello, request};

const STARTING: &str =
    r#"{"id":"p1","status":"starting","output":null,"urls":{"get":"https://api.replicate.com/v1/predictions/p1"}}"#;

#[test]
fn pauses_between_polls_grow_up_to_the_longest() {
    let mut replies = vec![Reply::json(STARTING); 7];
    replies.push(Reply::json(r#"{"id":"p1","status":"succeeded","output":"ok"}"#));
    let played = hello()
        .config(r#"{"poll_ms":100,"poll_max_ms":400}"#)
        .play::<Replicate>(replies);
    let pauses: Vec<u32> = played.requests().iter().map(|sent| sent.delay_ms).collect();
    assert_eq!(pauses, [0, 100, 150, 225, 337, 400, 400, 400]);
    assert!(
        played.requests().iter().skip(1).all(|sent| sent.idempotent),
        "polls may be repeated"
    );
}

#[test]
fn a_polled_model_streams_its_text_as_it_grows() {
    let played = answered(
        &hello().streaming(),
        [
            r#"{"id":"p1","status":"starting"}"#,
            r#"{"id":"p1","status":"processing","output":["Gr\u00fc"]}"#,
            r#"{"id":"p1","status":"processing","output":["Gr\u00fc"]}"#,
            r#"{"id":"p1","status":"processing","output":["Gr\u00fc","\u00dfe, ","\u4e16"]}"#,
            r#"{"id":"p1","status":"succeeded","output":["Gr\u00fc","\u00dfe, ","\u4e16\u754c"],
            "metrics":{"input_token_count":3,"output_token_count":4,"predict_time":1.5}}"#,
        ],
    );
    let contents = played
        .chunks()
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    assert_eq!(contents.collect::<Vec<_>>(), ["", "Grü", "ße, 世", "界"]);
    assert_eq!(finish_reason(&played), "stop");
    let last = played.chunks().last().expect("there are chunks");
    assert_eq!(
        last["usage"],
        json!({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
    );
    assert_eq!(last["replicate"]["metrics"]["predict_time"], 1.5);
}

#[test]
fn a_settled_answer_carries_usage_and_what_only_replicate_has() {
    let body = r#"{"id":"p1","status":"succeeded","output":"hi","metrics":{"input_token_count":3,"output_token_count":4,"predict_time":1.5}}"#;
    assert_eq!(
        answered(&hello(), [body]).answer(),
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
        assert_eq!(answered(&hello(), [&body]).text(), text, "{output}");
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
        let headers = if told { vec![("retry-after", "7")] } else { Vec::new() };
        let reply = headers
            .iter()
            .fold(Reply::status(status).body(body), |reply, (name, value)| {
                reply.header(name, value)
            });
        let played = hello().streaming().play::<Replicate>([reply]);
        let failure = played.failure();
        assert_eq!(
            (failure.kind.as_str(), failure.status, failure.retry_after_ms),
            (kind, status, wait),
            "{body}"
        );
        assert!(failure.message.starts_with(message), "{}", failure.message);
        assert_eq!(played.requests().len(), 1, "a create call is not repeated");
    }
}

#[test]
fn an_invalid_field_is_named() {
    let body = r#"{"detail":"- input.max_tokens: Must be at most 4096","status":422,"title":"Input validation failed",
        "invalid_fields":[{"type":"number_lte","field":"input.max_tokens","description":"Must be at most 4096"}]}"#;
    let played = hello().play::<Replicate>([Reply::status(422).body(body)]);
    let failure = played.failure();
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
        let played = answered(&hello(), [&body]);
        let failure = played.failure();
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
        assert_eq!(answered(&hello(), [body]).failure().kind, "upstream", "{body}");
    }
}

#[test]
fn the_key_goes_to_no_other_origin() {
    let foreign = [
        "https://evil.example",
        "https://api.replicate.com.evil.example",
        "https://api.replicate.com@evil.example",
    ];
    for origin in foreign {
        let created = format!(r#"{{"id":"p1","status":"starting","urls":{{"get":"{origin}/v1/predictions/p1"}}}}"#);
        let played = answered(&hello(), [&created, r#"{"status":"succeeded"}"#]);
        assert_eq!(request(&played, 1), "GET https://api.replicate.com/v1/predictions/p1");
    }
}

#[test]
fn a_call_given_up_cancels_what_runs_and_nothing_else() {
    let early = hello().play::<Replicate>([Reply::client_gone()]);
    assert_eq!(early.requests().len(), 1, "nothing is known to cancel yet");
    let canceled = r#"{"id":"p1","status":"canceled","metrics":{"predict_time":0.1,"input_token_count":3}}"#;
    let late = hello().play::<Replicate>([Reply::json(STARTING), Reply::client_gone(), Reply::json(canceled)]);
    assert_eq!(
        request(&late, 2),
        "POST https://api.replicate.com/v1/predictions/p1/cancel"
    );
    assert!(late.requests().iter().skip(2).all(|sent| sent.idempotent));
    assert_eq!(
        late.answer()["usage"]["prompt_tokens"],
        3,
        "what it used is accounted for"
    );
    let refused = hello().play::<Replicate>([Reply::json(STARTING), Reply::client_gone(), Reply::status(404)]);
    assert!(!refused.is_failure(), "it may be over already");
}

#[test]
fn a_list_that_leads_elsewhere_is_not_followed_there_nor_for_ever() {
    let page = |next: &str| {
        Reply::json(format!(
            r#"{{"next":"{next}","results":[{{"owner":"a","name":"b","run_count":1}}]}}"#
        ))
    };
    let list = call("models", "", "{}");
    let played = list.get_models::<Replicate>([page("https://evil.example/v1/models?cursor=1")]);
    assert_eq!(played.answer()["data"][0]["id"], "a/b");
    let round = vec![page("https://api.replicate.com/v1/models?cursor=1"); 4];
    assert_eq!(
        list.get_models::<Replicate>(round).answer()["data"]
            .as_array()
            .map(Vec::len),
        Some(4)
    );
    assert_eq!(
        list.get_models::<Replicate>([Reply::status(401)]).failure().kind,
        "authentication"
    );
}

#[test]
fn vectors_come_out_of_every_shape_embedding_models_answer_in() {
    let call = call("embeddings", "a/b", r#"{"input":["a","b"]}"#);
    for output in [
        "[[0.25,-1],[1e-3,2]]",
        r#"[{"embedding":[0.25,-1]},{"embedding":[1e-3,2]}]"#,
        r#"{"embeddings":[[0.25,-1],[1e-3,2]],"dims":2}"#,
    ] {
        let body =
            format!(r#"{{"id":"p1","status":"succeeded","output":{output},"metrics":{{"input_token_count":5}}}}"#);
        let played = answered(&call, [&body]);
        assert_eq!(
            played.answer(),
            json!({"object": "list", "usage": {"prompt_tokens": 5, "total_tokens": 5}, "data": [
            {"object": "embedding", "index": 0, "embedding": [0.25, -1]}, {"object": "embedding", "index": 1, "embedding": [0.001, 2]}]})
        );
    }
    let failed = answered(&call, [r#"{"id":"p1","status":"succeeded","output":"text"}"#]);
    assert_eq!(failed.failure().kind, "upstream");
}

#[test]
fn the_settings_of_the_source_document_poll_and_never_ask_for_a_stream() {
    let settings = r#"{"requestFormat":"replicate","responseFormat":"replicate","streamingSupport":false}"#;
    let created = r#"{"id":"p1","status":"starting","urls":{"stream":"https://stream.replicate.com/v1/streams/x"}}"#;
    let over = r#"{"id":"p1","status":"succeeded","output":["a","b"]}"#;
    let played = answered(&hello().streaming().config(settings), [created, over]);
    assert_eq!(played.text(), "ab");
    assert!(played.requests().iter().all(|sent| sent.framing == "buffered"));
}
