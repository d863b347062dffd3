//! Anthropic's Messages API as clients speak it, in front of providers that do not have it: the real program, and a server of
//! OpenAI's API.

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

const MODEL: &str = "mock/m1";

async fn gateway(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let config = format!(
        "api_keys = [\"sk-client\"]\n[[providers]]\nid = \"mock\"\nbase_url = \"{}/v1\"\napi_key = \"sk-up\"\nmax_retries = 0",
        provider.url
    );
    let gateway = Witgate::start(&config, &[]).await;
    (provider, gateway)
}

/// A call as Anthropic's clients make it.
async fn post(gateway: &Witgate, path: &str, body: &Value) -> witgate_tests::program::Answer {
    let headers = [("x-api-key", "sk-client"), ("anthropic-version", "2023-06-01")];
    gateway.post_text(path, body.to_string(), &headers).await
}

fn ask(messages: &Value) -> Value {
    json!({ "model": MODEL, "max_tokens": 100, "messages": messages })
}

fn hello() -> Value {
    ask(&json!([{ "role": "user", "content": "Say hello." }]))
}

fn completion(message: &Value, finish: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m1-2026",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": { "cached_tokens": 4 } },
    })
}

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
    let chunk =
        json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m1-2026", "choices": [choice] });
    format!("data: {chunk}\n\n")
}

fn usage() -> String {
    let usage = completion(&json!({}), "stop")["usage"].clone();
    let chunk = json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m1-2026", "choices": [], "usage": usage });
    format!("data: {chunk}\n\ndata: [DONE]\n\n")
}

/// The events of a stream: their names, which are also their types, and what they carry.
fn events(text: &str) -> Vec<(String, Value)> {
    let read = |event: &str| {
        let (name, data) = event.split_once('\n').expect("a name and data");
        let name = name.strip_prefix("event: ").expect("a name").to_owned();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(data["type"], name, "the name is the type");
        (name, data)
    };
    text.trim_end().split("\n\n").map(read).collect()
}

#[tokio::test]
async fn a_message_is_a_chat_to_the_provider_and_a_message_to_the_client() {
    let said = json!({ "role": "assistant", "content": "Hello" });
    let (provider, gateway) = gateway(move |_| Played::json(200, &completion(&said, "stop"))).await;
    let mut body = hello();
    body["system"] = json!("Be brief.");
    body["stop_sequences"] = json!(["END"]);
    let answer = post(&gateway, "/v1/messages?beta=true", &body).await;
    let message = answer.json();
    assert_eq!(answer.status, 200, "{message}");
    assert_eq!(
        (&message["type"], &message["role"], &message["model"]),
        (&json!("message"), &json!("assistant"), &json!("m1-2026"))
    );
    assert_eq!(message["content"], json!([{ "type": "text", "text": "Hello" }]));
    assert_eq!(
        (&message["stop_reason"], &message["stop_sequence"]),
        (&json!("end_turn"), &Value::Null)
    );
    assert_eq!(
        message["usage"],
        json!({ "input_tokens": 6, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0, "output_tokens": 5 })
    );
    assert_eq!(answer.headers["request-id"], answer.headers["x-request-id"]);
    let asked = &provider.asked()[0];
    assert_eq!(
        (asked.path.as_str(), asked.header("authorization")),
        ("/v1/chat/completions", "Bearer sk-up")
    );
    assert_eq!(
        asked.json(),
        json!({
            "model": "m1", "max_tokens": 100, "stop": ["END"],
            "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Say hello." }],
        })
    );
}

#[tokio::test]
async fn a_stream_has_each_block_in_its_turn_and_the_usage_at_its_end() {
    let call = |index: u32, id: &str| json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": { "name": "f", "arguments": "" } }] });
    let arguments =
        |index: u32, text: &str| json!({ "tool_calls": [{ "index": index, "function": { "arguments": text } }] });
    let mut pieces = vec![
        chunk(&json!({ "role": "assistant", "content": "" }), None),
        chunk(&json!({ "reasoning_content": "Hm" }), None),
        chunk(&json!({ "reasoning_content": "m" }), None),
        chunk(&json!({ "content": "Hel" }), None),
        chunk(&json!({ "content": "lo" }), None),
        chunk(&call(0, "a"), None),
        // Fragments of two calls, mixed.
        chunk(&arguments(0, "{\"x\":"), None),
        chunk(&call(1, "b"), None),
        chunk(&arguments(1, "{\"y\":"), None),
        chunk(&arguments(0, "1}"), None),
        chunk(&arguments(1, "2}"), None),
        chunk(&json!({}), Some("tool_calls")),
    ];
    pieces.push(usage());
    let (_provider, gateway) = gateway(move |_| Played::events(pieces.clone())).await;
    let mut body = hello();
    body["stream"] = json!(true);
    let answer = post(&gateway, "/v1/messages", &body).await;
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let all = events(&answer.text);
    let names: Vec<_> = all
        .iter()
        .map(|(name, _)| name.trim_start_matches("content_block_"))
        .collect();
    let expected = [
        "message_start",
        "start",
        "delta",
        "delta",
        "delta",
        "stop",
        "start",
        "delta",
        "delta",
        "stop",
        "start",
        "delta",
        "delta",
        "stop",
        "start",
        "delta",
        "delta",
        "stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(names, expected, "{}", answer.text);
    let starts: Vec<_> = all.iter().filter(|(name, _)| name == "content_block_start").collect();
    let numbers: Vec<_> = starts.iter().map(|(_, data)| data["index"].as_u64()).collect();
    assert_eq!(numbers, [Some(0), Some(1), Some(2), Some(3)]);
    let of = |index: u64, key: &str| -> String {
        let pieces = all.iter().filter(|(_, data)| data["index"] == index);
        pieces.filter_map(|(_, data)| data["delta"][key].as_str()).collect()
    };
    assert_eq!((of(0, "thinking").as_str(), of(1, "text").as_str()), ("Hmm", "Hello"));
    assert_eq!(
        (of(2, "partial_json").as_str(), of(3, "partial_json").as_str()),
        ("{\"x\":1}", "{\"y\":2}")
    );
    assert_eq!(
        starts[2].1["content_block"],
        json!({ "type": "tool_use", "id": "a", "name": "f", "input": {} })
    );
    let (_, end) = &all[all.len() - 2];
    assert_eq!(
        end["delta"],
        json!({ "stop_reason": "tool_use", "stop_sequence": null })
    );
    assert_eq!(
        (&end["usage"]["input_tokens"], &end["usage"]["output_tokens"]),
        (&json!(6), &json!(5))
    );
}

#[tokio::test]
async fn errors_have_the_shape_of_the_api_also_before_the_key_is_known() {
    let refusal = json!({ "error": { "message": "Slow down", "type": "requests", "param": null, "code": "rate_limit_exceeded" } });
    let (_provider, gateway) = gateway(move |_| Played::json(429, &refusal)).await;
    let bare = gateway.post("/v1/messages", &hello()).await;
    let unknown = gateway.post("/v1/messages/batches", &json!({})).await;
    let refused = post(&gateway, "/v1/messages", &hello()).await;
    let invalid = post(&gateway, "/v1/messages", &json!({ "model": MODEL, "messages": [] })).await;
    for (answer, status, kind) in [
        (bare, 401, "authentication_error"),
        (unknown, 404, "not_found_error"),
        (refused, 429, "rate_limit_error"),
        (invalid, 400, "invalid_request_error"),
    ] {
        let error = answer.json();
        assert_eq!(
            (answer.status, &error["type"], &error["error"]["type"]),
            (status, &json!("error"), &json!(kind))
        );
        assert!(error["error"]["message"].is_string(), "{error}");
        assert_eq!(
            error["request_id"],
            answer.headers["request-id"].to_str().expect("text")
        );
    }
}

#[tokio::test]
async fn a_stream_that_breaks_says_so_in_an_error_event() {
    let pieces = [chunk(&json!({ "role": "assistant", "content": "Hel" }), None)];
    let (_provider, gateway) = gateway(move |_| Played::events(pieces.clone())).await;
    let mut body = hello();
    body["stream"] = json!(true);
    let answer = post(&gateway, "/v1/messages", &body).await;
    let all = events(&answer.text);
    let (name, data) = all.last().expect("events");
    assert_eq!(
        (name.as_str(), &data["error"]["type"]),
        ("error", &json!("api_error")),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("message_stop"));
}

#[tokio::test]
async fn who_asks_whether_anybody_is_there_needs_no_key() {
    let (_provider, gateway) = gateway(|_| Played::json(200, &json!({}))).await;
    let head = gateway.client.head(&gateway.url).send().await.expect("an answer");
    assert_eq!(head.status(), 200);
    assert_eq!(gateway.get("/").await.json()["name"], "witgate");
}

#[tokio::test]
async fn models_are_listed_in_the_words_of_whoever_asks() {
    let list = json!({ "object": "list", "data": [{ "id": "m1", "object": "model", "created": 951_782_400, "owned_by": "x" }] });
    let (_provider, gateway) = gateway(move |_| Played::json(200, &list)).await;
    let get = async |path: &str, anthropic: bool| {
        let request = gateway
            .client
            .get(format!("{}{path}", gateway.url))
            .bearer_auth("sk-client");
        let request = if anthropic {
            request.header("anthropic-version", "2023-06-01")
        } else {
            request
        };
        let text = request.send().await.expect("an answer").text().await.expect("a body");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let model = json!({ "type": "model", "id": MODEL, "display_name": MODEL, "created_at": "2000-02-29T00:00:00Z" });
    assert_eq!(
        get("/v1/models", true).await,
        json!({ "data": [model], "has_more": false, "first_id": MODEL, "last_id": MODEL })
    );
    assert_eq!(get("/v1/models/mock/m1", true).await, model);
    assert_eq!(get("/v1/models", false).await["data"][0]["object"], "model");
    assert_eq!(get("/v1/models/none", true).await["error"]["type"], "not_found_error");
}

/// Two calls behind one provider that speaks both APIs.
async fn both(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let config = format!(
        "[[providers]]\nid = \"mock\"\nbase_url = \"{}/v1\"\napis = [\"anthropic-messages\"]\nmax_retries = 0",
        provider.url
    );
    let gateway = Witgate::start(&config, &[]).await;
    (provider, gateway)
}

#[tokio::test]
async fn a_server_that_has_the_api_itself_gets_the_request_as_it_is_and_is_counted_by_its_own_words() {
    let answer = "{ \"type\":\"message\", \"content\":[], \"novel\": 1.0e-0,\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":4,\"output_tokens\":2} }";
    let (provider, mut gateway) = both(move |_| Played::bytes(200, "application/json", vec![answer.into()])).await;
    let body = "{ \"model\": \"mock/m1\", \"max_tokens\":9, \"novel\":1.0e-0,\n\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}] }";
    let headers = [
        ("anthropic-beta", "b-1"),
        ("anthropic-version", "2023-06-01"),
        ("x-request-id", "count-me"),
    ];
    let got = gateway.post_text("/v1/messages", body, &headers).await;
    assert_eq!((got.status, got.text.as_str()), (200, answer));
    let asked = &provider.asked()[0];
    assert_eq!(
        (asked.path.as_str(), asked.header("anthropic-beta")),
        ("/v1/messages", "b-1")
    );
    assert_eq!(String::from_utf8_lossy(&asked.body), body.replace("mock/", ""));
    let line = gateway.line_with("count-me").await;
    assert!(
        line.contains("input_tokens=7") && line.contains("output_tokens=2"),
        "{line}"
    );
}

#[tokio::test]
async fn claude_code_gets_the_model_named_as_it_asked_for_it_and_others_what_the_provider_said() {
    let message =
        json!({ "type": "message", "model": "m1", "content": [], "usage": { "input_tokens": 3, "output_tokens": 2 } });
    let start = json!({ "type": "message_start", "message": message });
    let (_provider, gateway) = both(move |asked| match asked.json()["stream"] == true {
        true => Played::events([format!("event: message_start\ndata: {start}\n\n")]),
        false => Played::json(200, &message),
    })
    .await;
    let mut body = hello();
    body["model"] = json!("mock/m1");
    for (agent, named) in [
        ("claude-cli/2.1.197 (external, cli)", "mock/m1"),
        ("anthropic-sdk", "m1"),
    ] {
        for stream in [false, true] {
            body["stream"] = json!(stream);
            let got = gateway
                .post_text("/v1/messages", body.to_string(), &[("user-agent", agent)])
                .await;
            assert!(got.text.contains(&format!("\"model\":\"{named}\"")), "{}", got.text);
        }
    }
}

#[tokio::test]
async fn a_refusal_in_the_clients_own_words_reaches_it_as_it_came() {
    let refusal =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Busy", "details": { "x": 1 } } });
    let body = refusal.clone();
    let (_provider, gateway) = both(move |_| Played::json(529, &body)).await;
    let got = post(&gateway, "/v1/messages", &hello()).await;
    assert_eq!((got.status, got.json()), (529, refusal.clone()));
    // The same as the first word of a stream.
    let event = format!("event: error\ndata: {refusal}\n\n");
    let (_provider, gateway) = both(move |_| Played::events([event.clone()])).await;
    let mut body = hello();
    body["stream"] = json!(true);
    let got = post(&gateway, "/v1/messages", &body).await;
    assert_eq!(
        (got.status, &got.json()["error"]["type"]),
        (503, &json!("overloaded_error"))
    );
}

#[tokio::test]
async fn what_a_model_does_not_take_is_left_out_and_the_client_is_told() {
    let said = json!({ "role": "assistant", "content": "Hello" });
    let (provider, gateway) = gateway(move |asked| match asked.json().get("reasoning_effort") {
        Some(_) => Played::json(
            400,
            &json!({ "error": { "message": "Unrecognized request argument supplied: reasoning_effort", "type": "invalid_request_error" } }),
        ),
        None => Played::json(200, &completion(&said, "stop")),
    })
    .await;
    // As Claude Code asks.
    let body = json!({
        "model": MODEL, "max_tokens": 32_000, "thinking": { "type": "adaptive" }, "output_config": { "effort": "high" },
        "context_management": { "edits": [{ "type": "clear_thinking_20251015", "keep": "all" }] },
        "metadata": { "user_id": "{\"device_id\":\"d\"}" },
        "system": [{ "type": "text", "text": "Be an agent.", "cache_control": { "type": "ephemeral" } }],
        "messages": [
            { "role": "user", "content": [{ "type": "text", "text": "Say hello.", "cache_control": { "type": "ephemeral" } }] },
            { "role": "system", "content": "There are tools." },
        ],
        "tools": [{ "name": "Bash", "description": "Runs.", "input_schema": { "type": "object", "properties": {} } }],
    });
    let answer = post(&gateway, "/v1/messages?beta=true", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let dropped = answer.headers["x-witgate-dropped"].to_str().expect("text");
    for field in ["cache_control", "context_management", "reasoning_effort"] {
        assert!(dropped.contains(field), "{dropped}");
    }
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn a_tool_of_another_provider_is_refused_by_name() {
    let (provider, gateway) = gateway(|_| Played::json(500, &json!({}))).await;
    let mut body = hello();
    body["tools"] = json!([{ "type": "web_search_20250305", "name": "web_search" }]);
    let answer = post(&gateway, "/v1/messages", &body).await;
    let error = answer.json()["error"].take();
    assert_eq!((answer.status, &error["type"]), (400, &json!("invalid_request_error")));
    assert!(
        error["message"].as_str().expect("text").contains("web_search_20250305"),
        "{error}"
    );
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn tokens_are_counted_by_who_can_and_estimated_for_who_cannot() {
    let count = json!({ "model": MODEL, "messages": [{ "role": "user", "content": "Say hello." }] });
    let (_provider, gateway) = gateway(|_| Played::json(500, &json!({}))).await;
    let estimated = post(&gateway, "/v1/messages/count_tokens", &count).await;
    assert_eq!(
        (estimated.status, &estimated.headers["x-witgate-estimated"]),
        (200, &"input_tokens".parse().expect("a header"))
    );
    assert!(
        estimated.json()["input_tokens"]
            .as_u64()
            .is_some_and(|tokens| (3..20).contains(&tokens))
    );
    let (_provider, gateway) = both(|_| Played::json(200, &json!({ "input_tokens": 11 }))).await;
    let counted = post(&gateway, "/v1/messages/count_tokens", &count).await;
    assert_eq!(counted.json(), json!({ "input_tokens": 11 }));
    assert!(!counted.headers.contains_key("x-witgate-estimated"));
    let (_provider, gateway) = both(|_| Played::json(404, &json!({ "detail": "Not Found" }))).await;
    let estimated = post(&gateway, "/v1/messages/count_tokens", &count).await;
    assert!(estimated.status == 200 && estimated.headers.contains_key("x-witgate-estimated"));
}
