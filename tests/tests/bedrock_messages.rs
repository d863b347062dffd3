//! Clients of Anthropic's Messages and Claude on Bedrock, invoked in its own form: what such a client says and hears goes by as it is,
//! though AWS wraps each event in a binary message and refuses whatever field it does not know.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

const MODEL: &str = "aws/us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// The events of an answer, written as nobody would write them again.
const EVENTS: [&str; 8] = [
    r#"{"type":"message_start","message":{"model":"claude-sonnet-4-5","id":"msg_bdrk_1","type":"message","role":"assistant","content":[],"stop_reason":null,"usage":{"input_tokens":9,"output_tokens":1}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Er\/UB+\u003d="}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"K\u00f6ln"}}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}}"#,
    r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":7}}"#,
];
const MESSAGE: &str = r#"{"model":"claude-sonnet-4-5","id":"msg_bdrk_2","type":"message","role":"assistant","content":[{"type":"text","text":"K\u00f6ln"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":7}}"#;

/// One message of an event stream (`application/vnd.amazon.eventstream`).
fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(name.len() as u8);
        head.extend(name.as_bytes());
        head.push(7);
        head.extend((value.len() as u16).to_be_bytes());
        head.extend(value.as_bytes());
    }
    let mut bytes = Vec::new();
    bytes.extend(((head.len() + payload.len() + 16) as u32).to_be_bytes());
    bytes.extend((head.len() as u32).to_be_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(head);
    bytes.extend(payload);
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

fn chunk(event: &str) -> Vec<u8> {
    let payload = format!(r#"{{"bytes":"{}","p":"abcdef"}}"#, STANDARD.encode(event));
    let headers = [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    message(&headers, payload.as_bytes())
}

fn claude(asked: &Asked) -> Played {
    match asked.path.rsplit('/').next() {
        Some("invoke") => Played::bytes(200, "application/json", vec![MESSAGE.into()]),
        Some("invoke-with-response-stream") => {
            let stream: Vec<u8> = EVENTS.into_iter().flat_map(chunk).collect();
            let halves = stream.split_at(stream.len() / 2);
            let reads = [halves.0, halves.1].map(Bytes::copy_from_slice);
            Played::bytes(200, "application/vnd.amazon.eventstream", reads.to_vec())
        }
        _ => Played::json(404, &json!({ "message": "no such operation" })),
    }
}

/// A count of tokens, or why there is none.
fn counting(status: u16, answer: Value) -> impl Fn(&Asked) -> Played {
    move |asked| match asked.path.rsplit('/').next() {
        Some("count-tokens") => Played::json(status, &answer),
        _ => Played::json(500, &json!({})),
    }
}

async fn gateway(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let config = format!(
        "[[providers]]\nid = \"aws\"\ntype = \"aws-bedrock\"\nbase_url = \"{}\"\nmax_retries = 0\nregion = \"us-east-1\"\n\
         api_key = \"ABSKone\"\nadapter_config = {{ invoke = true }}\n",
        provider.url
    );
    let gateway = Witgate::start(&config, &["bedrock"]).await;
    (provider, gateway)
}

/// What Claude Code asks, and more.
fn asked(stream: bool) -> Value {
    json!({
        "model": MODEL, "max_tokens": 2000, "stream": stream, "temperature": 1, "metadata": { "user_id": "u" },
        "system": [{ "type": "text", "text": "Be brief.", "cache_control": { "type": "ephemeral" } }],
        "messages": [{ "role": "user", "content": "Where is the cathedral?" }],
        "thinking": { "type": "enabled", "budget_tokens": 1024 },
        "context_management": { "edits": [{ "type": "clear_tool_uses_20250919" }] },
        "output_config": { "effort": "high" }, "speed": "fast",
    })
}

#[tokio::test]
async fn what_claude_says_there_reaches_a_client_of_messages_as_it_was_said() {
    let (provider, gateway) = gateway(claude).await;
    let answer = gateway.post("/v1/messages", &asked(false)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, MESSAGE));
    let answer = gateway.post("/v1/messages", &asked(true)).await;
    let told = EVENTS.map(|event| {
        let kind: Value = serde_json::from_str(event).expect("an event");
        format!("event: {}\ndata: {event}\n\n", kind["type"].as_str().expect("a type"))
    });
    assert_eq!((answer.status, answer.text), (200, told.concat()));
    let sent = provider.asked().pop().expect("was asked").json();
    for (field, value) in asked(true).as_object().expect("an object") {
        let left_out = matches!(
            field.as_str(),
            "model" | "stream" | "context_management" | "output_config" | "speed"
        );
        assert_eq!(sent.get(field), Some(value).filter(|_| !left_out), "{field}");
    }
    assert_eq!(sent["anthropic_version"], "bedrock-2023-05-31");
}

#[tokio::test]
async fn what_the_service_would_refuse_is_left_out_and_named_unless_a_beta_lets_it_in() {
    let (provider, gateway) = gateway(claude).await;
    let body = asked(false).to_string();
    let betas = "context-management-2025-06-27, effort-2025-11-24, prompt-caching-scope-2026-01-05";
    let answer = gateway
        .post_text("/v1/messages", body, &[("anthropic-beta", betas)])
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["x-witgate-dropped"], "speed");
    let sent = provider.asked().pop().expect("was asked").json();
    assert_eq!(
        sent["anthropic_beta"],
        json!(["context-management-2025-06-27", "effort-2025-11-24"])
    );
    assert_eq!(sent["output_config"], json!({ "effort": "high" }));
    assert!(sent.get("context_management").is_some());
}

#[tokio::test]
async fn what_only_anthropics_own_host_takes_is_asked_for_as_a_chat() {
    let (provider, gateway) = gateway(claude).await;
    let mut body = asked(true);
    let system = json!({ "role": "system", "content": "Answer in German." });
    body["messages"].as_array_mut().expect("messages").push(system);
    let answer = gateway.post("/v1/messages", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let said: Vec<Value> = answer.events();
    assert_eq!(
        said.last().expect("an event")["type"],
        "message_stop",
        "{}",
        answer.text
    );
    let sent = provider.asked().pop().expect("was asked").json();
    let roles = sent["messages"].as_array().into_iter().flatten();
    assert!(roles.into_iter().all(|message| message["role"] != "system"), "{sent}");
    assert!(sent.to_string().contains("Answer in German."), "{sent}");
}

#[tokio::test]
async fn an_exception_amid_the_events_ends_the_stream_as_messages_tells_errors() {
    let play = |_: &Asked| {
        let mut stream = chunk(EVENTS[0]);
        let headers = [
            (":exception-type", "throttlingException"),
            (":message-type", "exception"),
        ];
        stream.extend(message(&headers, br#"{"message":"Too many tokens"}"#));
        Played::bytes(200, "application/vnd.amazon.eventstream", vec![stream.into()])
    };
    let (_provider, gateway) = gateway(play).await;
    let answer = gateway.post("/v1/messages", &asked(true)).await;
    let events = answer.events();
    let last = events.last().expect("an event");
    assert_eq!(
        (&last["type"], &last["error"]["type"]),
        (&json!("error"), &json!("rate_limit_error")),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("Too many tokens"), "{}", answer.text);
}

#[tokio::test]
async fn tokens_are_counted_by_the_service_and_estimated_where_it_does_not_count() {
    let body = json!({ "model": MODEL, "messages": [{ "role": "user", "content": "How many tokens is this?" }] });
    // As recorded.
    for tokens in [18, 375] {
        let (provider, aws) = gateway(counting(200, json!({ "inputTokens": tokens }))).await;
        let counted = aws.post("/v1/messages/count_tokens", &body).await;
        assert_eq!(
            (counted.status, counted.json()),
            (200, json!({ "input_tokens": tokens }))
        );
        assert!(!counted.headers.contains_key("x-witgate-estimated"));
        let asked = provider.asked().pop().expect("was asked");
        assert_eq!(
            asked.path,
            "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens"
        );
    }
    for (status, message) in [
        (400, "The provided model identifier is invalid."),
        (400, "The provided model doesn't support counting tokens."),
        (400, "prompt is too long: 216868 tokens > 200000 maximum"),
        (403, "User is not authorized to perform: bedrock:CountTokens"),
        (404, "Not Found"),
    ] {
        let (_provider, aws) = gateway(counting(status, json!({ "message": message }))).await;
        let estimated = aws.post("/v1/messages/count_tokens", &body).await;
        assert_eq!(estimated.status, 200, "{message}: {}", estimated.text);
        assert_eq!(estimated.headers["x-witgate-estimated"], "input_tokens", "{message}");
    }
    let (_provider, aws) = gateway(counting(429, json!({ "message": "Too many requests" }))).await;
    assert_eq!(aws.post("/v1/messages/count_tokens", &body).await.status, 429);
}
