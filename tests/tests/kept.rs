//! Clients that send back of an answer only its texts and calls, and drop what they do not know: their providers get their own state all
//! the same, by the real program and the real adapters.

use bytes::Bytes;
use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate, program::Answer};

const ANTHROPIC: &str = "anthropic";
const GEMINI: &str = "gemini";

/// What the provider wants back, in a form that would not survive being parsed and written again.
const SIGNED: &str = r#""thinking":"H\u006d\/m","signature":"Er\/UB+\u003d=""#;
const SIGNATURE: &str = r#""thoughtSignature":"CiQB\/0e2+\u003d=""#;

fn anthropic(asked: &Asked) -> Played {
    let tool = r#"{"type":"tool_use","id":"call_0","name":"look","input":{"a":1}}"#;
    let thought = format!("{{\"type\":\"thinking\",{SIGNED}}}");
    if asked.json()["stream"] != true {
        let message = format!(
            r#"{{"id":"m","type":"message","role":"assistant","content":[{thought},{tool}],"stop_reason":"tool_use","usage":{{"input_tokens":1,"output_tokens":1}}}}"#
        );
        return Played::bytes(200, "application/json", vec![message.into()]);
    }
    let (thinking, signature) = SIGNED.split_once(',').expect("two fields");
    let events = [
        r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}"#.to_owned(),
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#.to_owned(),
        format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"thinking_delta",{thinking}}}}}"#),
        format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"signature_delta",{signature}}}}}"#),
        r#"{"type":"content_block_stop","index":0}"#.to_owned(),
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_0","name":"look","input":{}}}"#.to_owned(),
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}"#.to_owned(),
        r#"{"type":"content_block_stop","index":1}"#.to_owned(),
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}}"#.to_owned(),
        r#"{"type":"message_stop"}"#.to_owned(),
    ];
    Played::events(events.map(|event| format!("data: {event}\n\n")))
}

fn gemini(asked: &Asked) -> Played {
    let part = format!(r#"{{"functionCall":{{"name":"look","args":{{"a":1}}}},{SIGNATURE}}}"#);
    let answer = format!(
        r#"{{"candidates":[{{"content":{{"role":"model","parts":[{part}]}},"finishReason":"STOP"}}],"usageMetadata":{{"promptTokenCount":1,"totalTokenCount":2}}}}"#
    );
    match asked.path.contains("streamGenerateContent") {
        true => Played::events([format!("data: {answer}\r\n\r\n")]),
        false => Played::bytes(200, "application/json", vec![answer.into()]),
    }
}

async fn gateway(kind: &str, settings: &str) -> (Provider, Witgate) {
    let play = if kind == GEMINI { gemini } else { anthropic };
    let provider = Provider::start(play).await;
    let gateway = Witgate::start(&config(kind, settings, &provider), &[kind]).await;
    (provider, gateway)
}

fn config(kind: &str, settings: &str, provider: &Provider) -> String {
    let url = &provider.url;
    let entry = |id: &str| {
        format!(
            "[[providers]]\nid = \"{id}\"\ntype = \"{kind}\"\nbase_url = \"{url}\"\napi_key = \"k\"\nmax_retries = 0\n"
        )
    };
    let (one, other) = (entry("one"), entry("other"));
    format!("api_keys = [\"sk-a\", \"sk-b\"]\n[adapters]\n{settings}\n{one}{other}")
}

fn ask(stream: bool) -> Value {
    json!({ "model": "one/m", "stream": stream, "messages": [{ "role": "user", "content": "Look." }],
        "tools": [{ "type": "function", "function": { "name": "look", "parameters": { "type": "object", "properties": {} } } }] })
}

async fn post(gateway: &Witgate, key: &str, body: &Value) -> Answer {
    let shown = format!("Bearer {key}");
    let headers = [("authorization", shown.as_str())];
    let answer = gateway
        .post_text("/v1/chat/completions", body.to_string(), &headers)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// The id of the one call in an answer.
fn call_id(answer: &Answer) -> String {
    let first = |message: &Value| message["tool_calls"][0]["id"].as_str().map(str::to_owned);
    let found = if answer.text.starts_with("data:") {
        answer
            .events()
            .iter()
            .find_map(|event| first(&event["choices"][0]["delta"]))
    } else {
        first(&answer.json()["choices"][0]["message"])
    };
    found.expect("a call")
}

/// The request with the call's result, by a client that keeps id, function and content, and writes the arguments its own way.
fn with_result(mut asked: Value, id: &str) -> Value {
    let function = json!({ "name": "look", "arguments": "{\"a\": 1}" });
    let call = json!({ "id": id, "type": "function", "function": function });
    let assistant = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
    let result = json!({ "role": "tool", "tool_call_id": id, "content": "42" });
    let messages = asked["messages"].as_array_mut().expect("messages");
    messages.extend([assistant, result]);
    asked
}

fn last_asked(provider: &Provider) -> String {
    let body: Bytes = provider.asked().pop().expect("was asked").body;
    String::from_utf8(body.to_vec()).expect("UTF-8")
}

#[tokio::test]
async fn a_signature_that_the_client_dropped_is_back_at_the_provider_byte_for_byte() {
    for (kind, signed) in [(ANTHROPIC, SIGNED), (GEMINI, SIGNATURE)] {
        let (provider, gateway) = gateway(kind, "").await;
        for stream in [false, true] {
            let first = ask(stream);
            let id = call_id(&post(&gateway, "sk-a", &first).await);
            let next = with_result(first, &id);
            post(&gateway, "sk-a", &next).await;
            let asked = last_asked(&provider);
            assert!(asked.contains(signed), "{kind}, streamed: {stream}: {asked}");
            // A long loop sends it again with each of its calls.
            post(&gateway, "sk-a", &with_result(next, "call_1")).await;
            assert!(last_asked(&provider).contains(signed), "{kind}, streamed: {stream}");
        }
    }
}

/// What a client of `path` asks first, and after its call was answered: it keeps the call alone, and writes its arguments its own way.
fn asked_twice(path: &str, stream: bool) -> (Value, impl Fn(&str) -> Value + use<>) {
    let parameters = json!({ "type": "object", "properties": {} });
    let (messages, user) = (path == "/v1/messages", json!({ "role": "user", "content": "Look." }));
    let (first, list) = if messages {
        let tool = json!({ "name": "look", "input_schema": parameters });
        let thinking = json!({ "type": "enabled", "budget_tokens": 1024 });
        let first = json!({ "model": "one/m", "max_tokens": 2000, "stream": stream, "tools": [tool], "thinking": thinking,
            "messages": [user] });
        (first, "messages")
    } else {
        let tool = json!({ "type": "function", "name": "look", "parameters": parameters });
        let first = json!({ "model": "one/m", "stream": stream, "store": false, "tools": [tool], "input": [user] });
        (first, "input")
    };
    let begun = first.clone();
    let next = move |id: &str| {
        let (call, result) = if messages {
            let call = json!({ "type": "tool_use", "id": id, "name": "look", "input": { "a": 1 } });
            let result = json!({ "type": "tool_result", "tool_use_id": id, "content": "42" });
            (
                json!({ "role": "assistant", "content": [call] }),
                json!({ "role": "user", "content": [result] }),
            )
        } else {
            (
                json!({ "type": "function_call", "call_id": id, "name": "look", "arguments": "{\"a\": 1}" }),
                json!({ "type": "function_call_output", "call_id": id, "output": "42" }),
            )
        };
        let mut next = begun.clone();
        next[list].as_array_mut().expect("a list").extend([call, result]);
        next
    };
    (first, next)
}

/// The id of the one call in an answer of Messages or Responses, whole or streamed.
fn id_of_call(answer: &Answer) -> String {
    let of = |item: &Value| match item["type"].as_str()? {
        "tool_use" => item["id"].as_str().map(str::to_owned),
        "function_call" => item["call_id"].as_str().map(str::to_owned),
        _ => None,
    };
    let within = |value: &Value, list: &str| value[list].as_array().into_iter().flatten().find_map(of);
    let found = if answer.text.trim_start().starts_with('{') {
        let answer = answer.json();
        within(&answer, "content").or_else(|| within(&answer, "output"))
    } else {
        answer
            .events()
            .iter()
            .find_map(|event| of(&event["content_block"]).or_else(|| of(&event["item"])))
    };
    found.unwrap_or_else(|| panic!("a call: {}", answer.text))
}

#[tokio::test]
async fn clients_of_messages_and_responses_may_drop_it_too() {
    for (kind, signed) in [(ANTHROPIC, SIGNED), (GEMINI, SIGNATURE)] {
        // Anthropic's adapter has Messages itself: there is nothing to keep.
        let paths = ["/v1/responses", "/v1/messages"];
        for path in paths
            .into_iter()
            .filter(|path| kind == GEMINI || *path != "/v1/messages")
        {
            let (provider, gateway) = gateway(kind, "").await;
            for stream in [false, true] {
                let (first, next) = asked_twice(path, stream);
                let headers = [("authorization", "Bearer sk-a")];
                let answer = gateway.post_text(path, first.to_string(), &headers).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
                let next = next(&id_of_call(&answer));
                let answer = gateway.post_text(path, next.to_string(), &headers).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
                let asked = last_asked(&provider);
                assert!(asked.contains(signed), "{kind} {path}, streamed: {stream}: {asked}");
            }
        }
    }
}

#[tokio::test]
async fn no_other_client_provider_or_conversation_gets_it() {
    let (provider, gateway) = gateway(ANTHROPIC, "").await;
    let first = ask(false);
    assert_eq!(call_id(&post(&gateway, "sk-a", &first).await), "call_0");
    let same = with_result(first.clone(), "call_0");
    let mut of_other_provider = same.clone();
    of_other_provider["model"] = json!("other/m");
    let mut of_other_conversation = same.clone();
    of_other_conversation["messages"][0]["content"] = json!("Look there.");
    let mut of_other_call = same.clone();
    of_other_call["messages"][1]["tool_calls"][0]["function"]["arguments"] = json!("{\"a\":2}");
    for (key, request) in [
        ("sk-b", &same),
        ("sk-a", &of_other_provider),
        ("sk-a", &of_other_conversation),
        ("sk-a", &of_other_call),
    ] {
        post(&gateway, key, request).await;
        assert!(!last_asked(&provider).contains("signature"), "{request}");
    }
    post(&gateway, "sk-a", &same).await;
    assert!(last_asked(&provider).contains(SIGNED));
}

#[tokio::test]
async fn it_is_kept_no_longer_and_no_larger_than_the_operator_allows_and_not_over_a_restart() {
    for settings in ["state_ms = 0", "state_bytes = 0", "state_bytes = 300"] {
        let (provider, gateway) = gateway(ANTHROPIC, settings).await;
        let first = ask(false);
        post(&gateway, "sk-a", &first).await;
        post(&gateway, "sk-a", &with_result(first, "call_0")).await;
        assert!(!last_asked(&provider).contains("signature"), "{settings}");
    }
    let (provider, before) = gateway(ANTHROPIC, "").await;
    let first = ask(false);
    post(&before, "sk-a", &first).await;
    let after = Witgate::start(&config(ANTHROPIC, "", &provider), &[ANTHROPIC]).await;
    post(&after, "sk-a", &with_result(first, "call_0")).await;
    assert!(!last_asked(&provider).contains("signature"));
}

#[tokio::test]
async fn what_the_client_sends_itself_is_not_replaced() {
    let (provider, gateway) = gateway(ANTHROPIC, "").await;
    let first = ask(false);
    post(&gateway, "sk-a", &first).await;
    let mut next = with_result(first, "call_0");
    next["messages"][1]["thinking_blocks"] = json!([{ "type": "thinking", "thinking": "Mine", "signature": "own" }]);
    post(&gateway, "sk-a", &next).await;
    let asked = last_asked(&provider);
    assert!(
        asked.contains("\"signature\":\"own\"") && !asked.contains(SIGNED),
        "{asked}"
    );
}

/// A server of Chat Completions that has state of its own, and one that has the clients' APIs itself.
async fn two() -> (Provider, Witgate) {
    let provider = Provider::start(|asked| {
        let message = json!({ "role": "assistant", "content": "Hello", "reasoning_content": "Hm",
            "reasoning_details": [{ "type": "reasoning.encrypted", "data": "x" }] });
        Played::json(
            200,
            &match asked.path.as_str() {
                "/v1/messages" => {
                    json!({ "id": "m", "type": "message", "role": "assistant", "model": "m1", "stop_reason": "end_turn",
                "content": [{ "type": "text", "text": "Hi" }], "usage": { "input_tokens": 1, "output_tokens": 1 } })
                }
                "/v1/responses" => json!({ "id": "r", "object": "response", "status": "completed", "output": [] }),
                _ => json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] }),
            },
        )
    })
    .await;
    let entry = |id: &str, more: &str| {
        let url = &provider.url;
        format!("[[providers]]\nid = \"{id}\"\nbase_url = \"{url}/v1\"\napi_key = \"k\"\nmax_retries = 0\n{more}")
    };
    let apis = "apis = [\"openai-responses\", \"anthropic-messages\"]\n";
    let config = entry("chats", "") + &entry("native", apis);
    let gateway = Witgate::start(&config, &[]).await;
    (provider, gateway)
}

#[tokio::test]
async fn a_response_that_moves_to_a_provider_with_the_api_leaves_sealed_state_behind() {
    let (provider, gateway) = two().await;
    let user = json!({ "role": "user", "content": "Hi" });
    let first = json!({ "model": "chats/m1", "input": [user] });
    let told = gateway.post("/v1/responses", &first).await.json();
    let items = told["output"].as_array().expect("items").clone();
    let sealed = items[0]["encrypted_content"].as_str().expect("state");
    assert!(sealed.starts_with("witgate."), "{told}");
    let foreign = json!({ "type": "reasoning", "id": "rs_9", "summary": [], "encrypted_content": "gAAA" });
    let mut input = vec![user.clone()];
    input.extend(items.clone());
    input.extend([foreign.clone(), user.clone()]);
    let answer = gateway
        .post("/v1/responses", &json!({ "model": "native/m1", "input": input }))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let asked = provider.asked().pop().expect("was asked");
    assert_eq!(asked.path, "/v1/responses");
    assert_eq!(asked.json()["input"], json!([user, items[1], foreign, user]));
    // Back where it came from it is of use again.
    gateway
        .post("/v1/responses", &json!({ "model": "chats/m1", "input": input }))
        .await;
    assert!(last_asked(&provider).contains("reasoning.encrypted"));
}

#[tokio::test]
async fn a_message_that_moves_to_a_provider_with_the_api_leaves_sealed_state_behind() {
    let (provider, gateway) = two().await;
    let user = json!({ "role": "user", "content": "Hi" });
    let ask = |model: &str, messages: &Value| json!({ "model": model, "max_tokens": 2000, "thinking": { "type": "enabled", "budget_tokens": 1024 }, "messages": messages });
    let told = gateway
        .post("/v1/messages", &ask("chats/m1", &json!([user])))
        .await
        .json();
    let sealed = told["content"][0]["signature"].as_str().expect("state");
    assert!(sealed.starts_with("witgate."), "{told}");
    let messages = json!([user, { "role": "assistant", "content": told["content"] }, user]);
    let answer = gateway.post("/v1/messages", &ask("native/m1", &messages)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let asked = provider.asked().pop().expect("was asked");
    assert_eq!(asked.path, "/v1/messages");
    let kept = json!([user, { "role": "assistant", "content": [told["content"][1]] }, user]);
    assert_eq!(asked.json()["messages"], kept);
    gateway.post("/v1/messages", &ask("chats/m1", &messages)).await;
    assert!(last_asked(&provider).contains("reasoning.encrypted"));
}
