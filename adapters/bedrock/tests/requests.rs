//! What a client says in Chat Completions reaches Bedrock as the same request in Converse's form, signed for nobody here: that is the
//! gateway's.

#[path = "requests/embeddings.rs"]
mod embeddings;
#[path = "requests/messages.rs"]
mod messages;
#[path = "requests/models.rs"]
mod models;
#[path = "requests/settings.rs"]
mod settings;
#[path = "requests/tools.rs"]
mod tools;

use serde_json::{Value, json};
use witgate_bedrock::Bedrock;
use witgate_sdk::testing::{Call, Played, Reply, aws_message, manifest, self_tests};

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA: &str = "amazon.nova-lite-v1:0";

/// A call of this model with these fields beside a user's message.
fn call(model: &str, fields: &Value) -> Call {
    Call::says("Go")
        .with(fields)
        .model(model)
        .config(r#"{"region":"us-east-1"}"#)
        .base_url("https://bedrock-runtime.us-east-1.amazonaws.com")
}

/// The body that is sent.
fn sent(model: &str, fields: &Value) -> Value {
    call(model, fields).request::<Bedrock>().json()
}

/// What the host is told that the request leaves out, beside what none has.
fn dropped(model: &str, fields: &Value) -> Vec<String> {
    let ext = call(model, fields).request::<Bedrock>().ext;
    let said = ext.into_iter().find(|(key, _)| key == "dropped");
    let fields = said.iter().flat_map(|(_, fields)| fields.split(','));
    fields.filter(|field| !field.contains('.')).map(str::to_owned).collect()
}

fn refused(model: &str, fields: &Value) -> (String, String) {
    let played = call(model, fields).play::<Bedrock>([]);
    let failure = played.failure();
    (failure.kind.clone(), failure.param.clone().unwrap_or_default())
}

/// What is heard of a stream of these messages, events and exceptions.
fn stream(messages: &[(&str, &str)]) -> Played {
    let message = |(name, payload): &(&str, &str)| {
        let kind = if name.ends_with("Exception") {
            "exception"
        } else {
            "event"
        };
        let header = format!(":{kind}-type");
        aws_message(&[(&header, name), (":message-type", kind)], payload)
    };
    let bytes: Vec<u8> = messages.iter().flat_map(message).collect();
    call(NOVA, &json!({}))
        .streaming()
        .play::<Bedrock>([Reply::aws_events(bytes)])
}

#[test]
fn the_manifest_is_complete_and_its_own_tests_pass() {
    let told = manifest::<Bedrock>();
    assert_eq!(told["types"], json!(["aws-bedrock", "bedrock"]));
    assert_eq!(told["auth"], json!({"kind": "aws-sigv4", "service": "bedrock"}));
    self_tests::<Bedrock>();
}

#[test]
fn a_model_is_one_segment_of_the_path_whatever_is_in_its_name() {
    let url = |model: &str, streaming: bool| {
        let call = call(model, &json!({}));
        let call = if streaming { call.streaming() } else { call };
        let request = call.request::<Bedrock>();
        (request.url, request.framing)
    };
    let base = "https://bedrock-runtime.us-east-1.amazonaws.com/model/";
    assert_eq!(
        url(CLAUDE, false),
        (
            format!("{base}us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"),
            "buffered".to_owned()
        )
    );
    assert_eq!(
        url(
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1",
            true
        ),
        (
            format!(
                "{base}arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fa1/converse-stream"
            ),
            "aws-eventstream".to_owned()
        )
    );
}

#[test]
fn without_an_address_that_of_the_region_is_asked_and_without_a_region_the_operator_is_told() {
    let call = call(NOVA, &json!({})).base_url("https://bedrock-runtime.amazonaws.com");
    let request = call.request::<Bedrock>();
    assert!(
        request
            .url
            .starts_with("https://bedrock-runtime.us-east-1.amazonaws.com/model/"),
        "{}",
        request.url
    );
    let failed = call.config("{}").play::<Bedrock>([]);
    assert_eq!(failed.failure().kind, "config");
    assert!(
        failed.failure().message.contains("AWS_REGION"),
        "{}",
        failed.failure().message
    );
}

#[test]
fn an_error_has_the_kind_that_its_type_says_before_its_status() {
    for (status, named, body, kind) in [
        (400, "ThrottlingException", r#"{"message":"slow"}"#, "rate-limit"),
        (400, "ServiceQuotaExceededException", r#"{"message":"quota"}"#, "quota"),
        (403, "AccessDeniedException", r#"{"Message":"no"}"#, "permission"),
        (
            403,
            "UnrecognizedClientException",
            r#"{"message":"key"}"#,
            "authentication",
        ),
        (403, "ExpiredTokenException", r#"{"message":"old"}"#, "authentication"),
        (404, "ResourceNotFoundException", r#"{"message":"gone"}"#, "not-found"),
        (408, "ModelTimeoutException", r#"{"message":"late"}"#, "timeout"),
        (424, "ModelErrorException", r#"{"originalMessage":"odd"}"#, "upstream"),
        (429, "ModelNotReadyException", r#"{"message":"wait"}"#, "overloaded"),
        (
            503,
            "ServiceUnavailableException",
            r#"{"message":"later"}"#,
            "overloaded",
        ),
        (
            400,
            "ValidationException",
            r#"{"message":"Input is too long for requested model."}"#,
            "context-length",
        ),
        (
            400,
            "ValidationException",
            r#"{"message":"messages is empty"}"#,
            "invalid-request",
        ),
        (502, "", "<html>Bad gateway</html>", "upstream"),
    ] {
        let reply = Reply::status(status)
            .header("x-amzn-errortype", &format!("{named}:http://x/"))
            .body(body);
        let played = call(NOVA, &json!({})).play::<Bedrock>([reply]);
        let failure = played.failure();
        assert_eq!((failure.kind.as_str(), failure.status), (kind, status), "{named}");
    }
}

#[test]
fn an_exception_in_the_middle_keeps_the_good_chunks_and_tells_what_broke() {
    let played = stream(&[
        ("messageStart", r#"{"role":"assistant"}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"Half"}}"#,
        ),
        ("throttlingException", r#"{"message":"Too many tokens"}"#),
    ]);
    assert_eq!(played.chunks().len(), 2);
    let failure = played.failure();
    assert_eq!(
        (failure.kind.as_str(), failure.message.as_str(), failure.code.as_deref()),
        ("rate-limit", "Too many tokens", Some("throttlingException"))
    );
}

#[test]
fn events_and_blocks_that_nobody_has_heard_of_are_passed_over() {
    let played = stream(&[
        ("messageStart", r#"{"role":"assistant"}"#),
        ("novelEvent", "{}"),
        ("contentBlockStart", r#"{"contentBlockIndex":0,"start":{"novel":{}}}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"novel":{"a":1}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"Hi"}}"#),
        ("messageStop", r#"{"stopReason":"novel"}"#),
    ]);
    assert_eq!(played.text(), "Hi");
    let last = played.chunks().last().expect("a last chunk");
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
}

#[test]
fn a_streamed_picture_and_a_thought_not_to_be_read_in_pieces_come_back_whole() {
    let end = [("messageStop", r#"{"stopReason":"end_turn"}"#), ("metadata", "{}")];
    let picture = [
        ("messageStart", r#"{"role":"assistant"}"#),
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":0,"start":{"image":{"format":"png"}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"image":{"source":{"bytes":"Zg=="}}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"image":{"source":{"bytes":"b28="}}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
    ];
    let answer = stream(&[&picture[..], &end].concat()).answer();
    assert_eq!(
        answer["choices"][0]["message"]["extra_content"]["bedrock"]["content"],
        json!([{"image": {"format": "png", "source": {"bytes": "Zm9v"}}}])
    );
    let error = r#"{"contentBlockIndex":0,"delta":{"image":{"error":{"message":"no"}}}}"#;
    let failed = [picture[0], picture[1], ("contentBlockDelta", error), picture[4]];
    let answer = stream(&[&failed[..], &end].concat()).answer();
    assert_eq!(
        answer["choices"][0]["message"]["extra_content"]["bedrock"]["content"],
        json!([{"image": {"format": "png", "error": {"message": "no"}}}])
    );
    let thought = [
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"Zg=="}}}"#,
        ),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"b28="}}}"#,
        ),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
    ];
    let played = stream(&[&thought[..], &end].concat());
    let blocks = &played.chunks()[0]["choices"][0]["delta"]["thinking_blocks"];
    assert_eq!(blocks[0]["data"], "Zm9v", "{blocks}");
}

#[test]
fn sources_on_the_web_become_annotations_in_characters_and_stay_in_the_blocks() {
    let citation = json!({"title": "A", "location": {"web": {"url": "https://a.example", "domain": "a.example"}}});
    let chunk = json!({"title": "P", "location": {"documentChunk": {"documentIndex": 0, "start": 1, "end": 2}}});
    let cited = json!({"citationsContent": {"content": [{"text": "K\u{e4}se"}], "citations": [citation, chunk]}});
    let whole = json!({"output": {"message": {"role": "assistant", "content": [{"text": "S\u{fc}\u{df} \n"}, cited]}},
        "stopReason": "end_turn"});
    let event = |index: u64, delta: Value| json!({"contentBlockIndex": index, "delta": delta}).to_string();
    let stop = |index: u64| json!({"contentBlockIndex": index}).to_string();
    let events = [
        ("contentBlockDelta", event(0, json!({"text": "S\u{fc}\u{df} \n"}))),
        ("contentBlockStop", stop(0)),
        ("contentBlockDelta", event(1, json!({"text": "K\u{e4}"}))),
        ("contentBlockDelta", event(1, json!({"citation": citation}))),
        ("contentBlockDelta", event(1, json!({"citation": chunk}))),
        ("contentBlockDelta", event(1, json!({"text": "se"}))),
        ("contentBlockStop", stop(1)),
        ("messageStop", json!({"stopReason": "end_turn"}).to_string()),
    ];
    let events: Vec<_> = events.iter().map(|(name, data)| (*name, data.as_str())).collect();
    let annotation = json!({"type": "url_citation",
        "url_citation": {"url": "https://a.example", "title": "A", "start_index": 5, "end_index": 9}});
    let whole = call(CLAUDE, &json!({})).play::<Bedrock>([Reply::json(whole.to_string())]);
    for answer in [whole.answer(), stream(&events).answer()] {
        let message = &answer["choices"][0]["message"];
        assert_eq!(message["annotations"], json!([annotation]));
        assert_eq!(message["extra_content"]["bedrock"]["content"][1], cited);
    }
}

#[test]
fn what_nova_found_on_the_web_is_annotated_where_it_is_cited() {
    let file = "chat-ite-v1-0-grounds-the-answer-with-web-citations-7d5f1d.response.json";
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/bedrock/");
    let reply = Reply::recorded(std::path::Path::new(recorded).join(file));
    let message = call(NOVA, &json!({})).play::<Bedrock>([reply]).answer()["choices"][0]["message"].take();
    let list = message["annotations"].as_array().expect("there are some");
    assert_eq!(list.len(), 3);
    let length = message["content"].as_str().expect("there is a text").chars().count();
    assert_eq!(
        list[0]["url_citation"],
        json!({"url": "https://www.ruby-lang.org/en/downloads/releases/", "title": "ruby-lang.org",
            "start_index": length - 1, "end_index": length - 1})
    );
}
