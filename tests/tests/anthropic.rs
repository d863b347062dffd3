//! A provider with Anthropic's API behind the real program and the real adapter, seen by an OpenAI client.

use std::{fs, sync::Mutex};

use serde_json::{Value, json};
use witgate_tests::{Asked, Authority, Played, Provider, Proxy, Witgate};

const MODEL: &str = "claude/claude-sonnet-4-5";

async fn gateway(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let config = format!(
        "[[providers]]\nid = \"claude\"\ntype = \"anthropic\"\nbase_url = \"{}\"\napi_key = \"sk-ant-secret\"\nmax_retries = 0",
        provider.url
    );
    let gateway = Witgate::start(&config, &["anthropic"]).await;
    (provider, gateway)
}

fn message(content: &Value, reason: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929", "content": content,
        "stop_reason": reason, "usage": { "input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 2 },
    })
}

fn text(text: &str) -> Value {
    json!([{ "type": "text", "text": text }])
}

/// Anthropic's events, each in a write of its own.
fn events(all: &[Value]) -> Vec<String> {
    all.iter().map(event).collect()
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
}

fn start() -> Value {
    let mut message = message(&json!([]), "");
    message["stop_reason"] = Value::Null;
    json!({ "type": "message_start", "message": message })
}

fn begin(index: u32, block: &Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

fn delta(index: u32, delta: &Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

fn end(reason: &str) -> [Value; 2] {
    [
        json!({ "type": "message_delta", "delta": { "stop_reason": reason }, "usage": { "output_tokens": 2 } }),
        json!({ "type": "message_stop" }),
    ]
}

fn hello() -> Vec<Value> {
    let mut all = vec![start(), begin(0, &json!({ "type": "text", "text": "" }))];
    all.extend(["Hel", "lo"].map(|text| delta(0, &json!({ "type": "text_delta", "text": text }))));
    all.push(json!({ "type": "content_block_stop", "index": 0 }));
    all.extend(end("end_turn"));
    all
}

fn tool(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object", "properties": {} } } })
}

#[tokio::test]
async fn a_chat_is_a_message_to_the_provider_and_a_completion_to_the_client() {
    let (provider, gateway) = gateway(|_| Played::json(200, &message(&text("Hello"), "end_turn"))).await;
    let body = json!({
        "model": MODEL, "temperature": 0, "max_tokens": 50,
        "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Say hello." }],
    });
    let answer = gateway.post("/v1/chat/completions", &body).await;
    let json = answer.json();
    assert_eq!(answer.status, 200, "{json}");
    assert_eq!(json["choices"][0]["message"]["content"], "Hello");
    assert_eq!(json["choices"][0]["finish_reason"], "stop");
    assert_eq!(json["usage"]["prompt_tokens"], 7, "cached tokens are prompt tokens");
    assert_eq!(json["usage"]["prompt_tokens_details"]["cached_tokens"], 4);
    let asked = &provider.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v1/messages"));
    assert_eq!(asked.header("x-api-key"), "sk-ant-secret");
    assert_eq!(
        (asked.header("authorization"), asked.header("anthropic-version")),
        ("", "2023-06-01")
    );
    let sent = asked.json();
    assert_eq!(
        (&sent["model"], &sent["temperature"]),
        (&json!("claude-sonnet-4-5"), &json!(0))
    );
    assert_eq!(sent["system"][0]["text"], "Be brief.");
    assert_eq!(sent["messages"][0]["role"], "user");
}

#[tokio::test]
async fn a_stream_has_chunks_an_end_mark_and_usage_for_who_asks() {
    let (provider, gateway) = gateway(|_| Played::events(events(&hello()))).await;
    let quiet = gateway.chat(MODEL, true).await;
    assert_eq!(quiet.streamed_text(), "Hello");
    assert!(
        quiet.text.ends_with("data: [DONE]\n\n") && !quiet.text.contains("usage"),
        "{}",
        quiet.text
    );
    let mut body = json!({ "model": MODEL, "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    body["stream_options"] = json!({ "include_usage": true });
    let asking = gateway.post("/v1/chat/completions", &body).await.events();
    let (last, rest) = asking.split_last().expect("events");
    assert_eq!(
        (&last["choices"], &last["usage"]["total_tokens"]),
        (&json!([]), &json!(9))
    );
    assert!(rest.iter().all(|chunk| chunk["usage"].is_null()), "{rest:?}");
    assert!(rest.iter().all(|chunk| chunk["id"] == last["id"]), "one id: {asking:?}");
    assert_eq!(provider.asked()[0].json()["stream"], true);
}

#[tokio::test]
async fn parallel_calls_of_tools_go_out_and_their_results_come_back_in_one_turn() {
    let calls = json!([
        { "type": "tool_use", "id": "toolu_1", "name": "weather", "input": { "city": "Berlin" } },
        { "type": "tool_use", "id": "toolu_2", "name": "time", "input": {} },
    ]);
    let (provider, gateway) = gateway(move |_| Played::json(200, &message(&calls, "tool_use"))).await;
    let question = json!({ "role": "user", "content": "Weather and time?" });
    let tools = [tool("weather"), tool("time")];
    let body = json!({ "model": MODEL, "tools": tools, "messages": [question] });
    let answer = gateway.post("/v1/chat/completions", &body).await.json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let called = choice["message"]["tool_calls"].as_array().expect("calls");
    let names: Vec<_> = called.iter().map(|call| &call["function"]["name"]).collect();
    assert_eq!(names, ["weather", "time"]);
    assert_eq!(called[0]["function"]["arguments"], r#"{"city":"Berlin"}"#);

    let results = ["sunny", "noon"].iter().zip(called);
    let results = results.map(|(text, call)| json!({ "role": "tool", "tool_call_id": call["id"], "content": text }));
    let mut messages = vec![question, choice["message"].clone()];
    messages.extend(results);
    gateway
        .post(
            "/v1/chat/completions",
            &json!({ "model": MODEL, "tools": tools, "messages": messages }),
        )
        .await;
    let sent = provider.asked()[1].json();
    let turns = sent["messages"].as_array().expect("turns");
    assert_eq!(turns.len(), 3, "{sent}");
    let ids: Vec<_> = turns[2]["content"]
        .as_array()
        .expect("results")
        .iter()
        .map(|block| &block["tool_use_id"])
        .collect();
    assert_eq!(ids, ["toolu_1", "toolu_2"]);
}

#[tokio::test]
async fn streamed_parallel_calls_keep_their_numbers_and_arguments_apart() {
    let mut all = vec![start()];
    for (index, name) in [(0, "weather"), (1, "time")] {
        let block = json!({ "type": "tool_use", "id": format!("toolu_{index}"), "name": name, "input": {} });
        let piece = |text: String| delta(index, &json!({ "type": "input_json_delta", "partial_json": text }));
        all.extend([
            begin(index, &block),
            piece("{\"n\":".to_owned()),
            piece(format!("{index}}}")),
        ]);
        all.push(json!({ "type": "content_block_stop", "index": index }));
    }
    all.extend(end("tool_use"));
    let (_provider, gateway) = gateway(move |_| Played::events(events(&all))).await;
    let body = json!({
        "model": MODEL, "stream": true, "tools": [tool("weather"), tool("time")],
        "messages": [{ "role": "user", "content": "Weather and time?" }],
    });
    let answer = gateway.post("/v1/chat/completions", &body).await;
    let mut calls = vec![(String::new(), String::new()); 2];
    for chunk in answer.events() {
        for call in chunk["choices"][0]["delta"]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let index = call["index"]
                .as_u64()
                .and_then(|index| usize::try_from(index).ok())
                .expect("an index");
            calls[index]
                .0
                .push_str(call["function"]["name"].as_str().unwrap_or_default());
            calls[index]
                .1
                .push_str(call["function"]["arguments"].as_str().unwrap_or_default());
        }
    }
    let expected = [("weather", r#"{"n":0}"#), ("time", r#"{"n":1}"#)];
    assert_eq!(
        calls,
        expected.map(|(name, arguments)| (name.to_owned(), arguments.to_owned()))
    );
}

#[tokio::test]
async fn a_refusal_reaches_the_client_in_openais_shape() {
    let cases = [
        (400, "invalid_request_error", 400),
        (401, "authentication_error", 401),
        (404, "not_found_error", 404),
        (429, "rate_limit_error", 429),
        (500, "api_error", 500),
        (529, "overloaded_error", 529),
    ];
    for (theirs, kind, ours) in cases {
        let body = json!({ "type": "error", "error": { "type": kind, "message": "No, thank you" } });
        let (_provider, gateway) = gateway(move |_| Played::json(theirs, &body).header("retry-after", "3")).await;
        for streaming in [false, true] {
            let answer = gateway.chat(MODEL, streaming).await;
            let error = &answer.json()["error"];
            assert_eq!(
                (answer.status, &error["message"]),
                (ours, &json!("No, thank you")),
                "{error}"
            );
            assert_eq!(error["code"], kind, "{error}");
            assert!(error["type"].is_string() && error.get("param").is_some(), "{error}");
            if theirs == 429 {
                assert_eq!(answer.headers["retry-after"], "3");
            }
        }
    }
}

#[tokio::test]
async fn an_error_in_mid_stream_is_the_last_event_and_no_end_mark_follows() {
    let mut all = hello();
    all.truncate(3);
    all.push(json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } }));
    let (_provider, gateway) = gateway(move |_| Played::events(events(&all))).await;
    let answer = gateway.chat(MODEL, true).await;
    assert_eq!(answer.streamed_text(), "Hel");
    let last = answer.events().pop().expect("events");
    assert_eq!(
        (&last["error"]["message"], &last["error"]["code"]),
        (&json!("Overloaded"), &json!("overloaded_error"))
    );
    assert!(!answer.text.contains("[DONE]"), "{}", answer.text);
}

#[tokio::test]
async fn a_stream_that_is_cut_off_is_never_taken_for_a_whole_answer() {
    let mut all = hello();
    all.truncate(3);
    let (_provider, gateway) = gateway(move |_| Played::events(events(&all))).await;
    let answer = gateway.chat(MODEL, true).await;
    assert_eq!(answer.streamed_text(), "Hel");
    assert!(
        answer.events().last().is_some_and(|last| last["error"].is_object()),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("[DONE]"), "{}", answer.text);
}

#[tokio::test]
async fn all_pages_of_models_are_listed() {
    let play = |asked: &Asked| {
        let page =
            |id: &str, more: bool| json!({ "data": [{ "id": id, "type": "model" }], "has_more": more, "last_id": id });
        if asked.path.contains("after_id=claude-1") {
            Played::json(200, &page("claude-2", false))
        } else {
            Played::json(200, &page("claude-1", true))
        }
    };
    let (provider, gateway) = gateway(play).await;
    let list = gateway.get("/v1/models").await.json();
    let ids: Vec<_> = list["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(ids, ["claude/claude-1", "claude/claude-2"]);
    assert!(
        provider
            .asked()
            .iter()
            .all(|asked| asked.header("x-api-key") == "sk-ant-secret")
    );
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_has_the_providers_connection_dropped_at_once() {
    let (stream, played) = Played::live("text/event-stream");
    let played = Mutex::new(Some(played));
    let (provider, gateway) = gateway(move |_| played.lock().expect("no panic").take().expect("one stream")).await;
    for part in hello().iter().take(3) {
        stream.send(Ok(event(part).into())).await.expect("room");
    }
    let body = json!({ "model": MODEL, "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    let request = gateway.client.post(format!("{}/v1/chat/completions", gateway.url));
    let mut answer = request.body(body.to_string()).send().await.expect("a stream");
    answer.chunk().await.expect("no break").expect("a first chunk");
    drop(answer);
    let hung_up = tokio::time::timeout(std::time::Duration::from_secs(20), stream.closed()).await;
    assert!(hung_up.is_ok(), "the stream is still read");
    assert_eq!(provider.asked().len(), 1);
}

#[tokio::test]
async fn its_type_and_a_key_are_a_whole_provider() {
    let authority = Authority::new();
    let answer = message(&text("Hello"), "end_turn");
    let tls = authority.server(&["h2", "http/1.1"]);
    let provider = Provider::start_tls(tls, move |_| Played::json(200, &answer)).await;
    // Nothing of the test's goes out: the proxy brings to the provider what is meant for Anthropic.
    let proxy = Proxy::start(provider.url.trim_start_matches("https://")).await;
    let config = format!(
        "[[providers]]\nid = \"claude\"\ntype = \"anthropic\"\napi_key = \"sk-ant-secret\"\n[providers.security]\nca_file = {:?}",
        authority.file("ca.pem")
    );
    let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
    fs::create_dir(folder.path().join("adapters")).expect("a folder can be made");
    let built = witgate_tests::root().join("adapters/anthropic.wasm");
    fs::copy(built, folder.path().join("adapters/anthropic.wasm")).expect("`cargo xtask build` has built it");
    let environment = [("HTTPS_PROXY", &*format!("http://{}", proxy.address))];
    let gateway = Witgate::start_in(folder, &config, &environment).await;
    let answer = gateway.chat(MODEL, false).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        proxy.asked()[0].starts_with("CONNECT api.anthropic.com:443 "),
        "{:?}",
        proxy.asked()
    );
    assert_eq!(provider.asked()[0].header("x-api-key"), "sk-ant-secret");
}
