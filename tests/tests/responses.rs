//! OpenAI's Responses API as clients speak it: the real program, in front of a server that has Chat Completions alone, and of one that
//! has this API itself.

use bytes::Bytes;
use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate, fixture, program::Answer};

const MODEL: &str = "mock/m1";

async fn gateway(more: &str, play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let config = format!(
        "[[providers]]\nid = \"mock\"\nbase_url = \"{}/v1\"\napi_key = \"sk-up\"\nmax_retries = 0\n{more}",
        provider.url
    );
    let gateway = Witgate::start(&config, &[]).await;
    (provider, gateway)
}

/// A provider of Chat Completions that says one thing, whole or in pieces.
async fn saying(message: Value, finish: &'static str) -> (Provider, Witgate) {
    gateway("", move |asked| {
        if asked.json()["stream"] != true {
            return Played::json(200, &completion(&message, finish));
        }
        let pieces = [
            chunk(&message, None),
            chunk(&json!({}), Some(finish)),
            usage(),
            "data: [DONE]\n\n".to_owned(),
        ];
        Played::events(pieces)
    })
    .await
}

fn completion(message: &Value, finish: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m1-2026",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": { "cached_tokens": 4 } },
    })
}

fn event(choices: &Value, usage: &Value) -> String {
    let chunk = json!({
        "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m1-2026", "choices": choices, "usage": usage
    });
    format!("data: {chunk}\n\n")
}

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    event(
        &json!([{ "index": 0, "delta": delta, "finish_reason": finish }]),
        &Value::Null,
    )
}

fn usage() -> String {
    event(&json!([]), &completion(&json!({}), "stop")["usage"])
}

/// The events of a stream: their names, which are also their types, and what they carry.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let read = |(number, event): (usize, &str)| {
        let (name, data) = event.split_once('\n').expect("a name and data");
        let name = name.strip_prefix("event: ").expect("a name").to_owned();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(data["type"], name, "the name is the type");
        assert_eq!(data["sequence_number"], number, "the numbers rise by one");
        (name, data)
    };
    answer.text.trim_end().split("\n\n").enumerate().map(read).collect()
}

#[tokio::test]
async fn a_response_is_a_chat_to_the_provider_and_a_response_to_the_client() {
    let (provider, gateway) = saying(json!({ "role": "assistant", "content": "Hello" }), "stop").await;
    let body = json!({
        "model": MODEL, "instructions": "Be brief.", "input": "Say hello.", "max_output_tokens": 50, "temperature": 0.5,
        "reasoning": { "effort": "low", "summary": "auto" }, "metadata": { "a": "b" },
        "text": { "format": { "type": "json_schema", "name": "x", "schema": { "type": "object" }, "strict": true } },
        "tools": [{ "type": "function", "name": "f", "parameters": { "type": "object" }, "strict": true }],
        "tool_choice": { "type": "function", "name": "f" }, "parallel_tool_calls": false,
    });
    let answer = gateway.post("/v1/responses", &body).await;
    let response = answer.json();
    assert_eq!(answer.status, 200, "{response}");
    assert_eq!(
        (
            &response["object"],
            &response["status"],
            &response["model"],
            &response["metadata"]
        ),
        (
            &json!("response"),
            &json!("completed"),
            &json!("m1-2026"),
            &json!({ "a": "b" })
        )
    );
    assert_eq!(response["output"][0]["content"][0]["text"], "Hello");
    assert_eq!(response["usage"]["input_tokens_details"]["cached_tokens"], 4);
    assert_eq!(response["tools"], body["tools"]);
    assert!(
        !answer.headers.contains_key("x-witgate-dropped"),
        "{:?}",
        answer.headers
    );
    let asked = &provider.asked()[0];
    assert_eq!(asked.path, "/v1/chat/completions");
    assert_eq!(
        asked.json(),
        json!({
            "model": "m1", "max_tokens": 50, "temperature": 0.5, "reasoning_effort": "low",
            "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Say hello." }],
            "response_format": { "type": "json_schema", "json_schema": { "name": "x", "schema": { "type": "object" }, "strict": true } },
            "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" }, "strict": true } }],
            "tool_choice": { "type": "function", "function": { "name": "f" } }, "parallel_tool_calls": false,
        })
    );
}

#[tokio::test]
async fn a_stream_has_its_events_in_order_and_numbered() {
    let call = json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } });
    let said = json!({ "role": "assistant", "reasoning_content": "Hm", "content": "Yes", "tool_calls": [call] });
    let (provider, gateway) = saying(said, "tool_calls").await;
    let body = json!({ "model": MODEL, "input": "Hi", "stream": true });
    let answer = gateway.post("/v1/responses", &body).await;
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let all = events(&answer);
    let names: Vec<_> = all
        .iter()
        .map(|(name, _)| name.trim_start_matches("response."))
        .collect();
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(names, expected, "{}", answer.text);
    let response = &all[all.len() - 1].1["response"];
    assert_eq!(response["usage"]["total_tokens"], 15);
    assert_eq!(response["id"], all[0].1["response"]["id"]);
    assert_eq!(
        provider.asked()[0].json()["stream_options"],
        json!({ "include_usage": true })
    );
}

#[tokio::test]
async fn a_tool_loop_brings_back_what_the_provider_said() {
    let call = json!({ "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{}" } });
    let said =
        json!({ "role": "assistant", "content": null, "reasoning_content": "Let me see.", "tool_calls": [call] });
    let (provider, gateway) = saying(said, "tool_calls").await;
    let first = gateway
        .post("/v1/responses", &json!({ "model": MODEL, "input": "Hi" }))
        .await
        .json();
    let mut input = vec![json!({ "role": "user", "content": "Hi" })];
    input.extend(first["output"].as_array().cloned().unwrap_or_default());
    input.push(json!({ "type": "function_call_output", "call_id": "call_1", "output": "42" }));
    let answer = gateway
        .post("/v1/responses", &json!({ "model": MODEL, "input": input }))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        provider.asked()[1].json()["messages"],
        json!([
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "content": null, "reasoning_content": "Let me see.",
              "tool_calls": [{ "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
            { "role": "tool", "tool_call_id": "call_1", "content": "42" },
        ])
    );
}

/// As recorded from Codex: groups of tools, a search that may not search, several instructions, hints of its own.
#[tokio::test]
async fn codex_is_served_by_a_provider_of_chats() {
    let (provider, gateway) = saying(json!({ "role": "assistant", "content": "Hello" }), "stop").await;
    let part = |text: &str| json!([{ "type": "input_text", "text": text }]);
    let body = json!({
        "model": MODEL, "stream": true, "store": false, "tool_choice": "auto", "parallel_tool_calls": true,
        "reasoning": { "summary": "auto" }, "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k", "client_metadata": { "session_id": "s" },
        "input": [
            { "type": "message", "id": "msg_1", "role": "developer", "content": part("One.") },
            { "type": "message", "id": "msg_2", "role": "developer", "content": part("Two.") },
            { "type": "message", "id": "msg_3", "role": "user", "content": part("Context") },
            { "type": "message", "id": "msg_4", "role": "user", "content": part("Say hello") },
        ],
        "tools": [
            { "type": "function", "name": "exec_command", "description": "Runs.", "strict": false, "parameters": { "type": "object" } },
            { "type": "namespace", "name": "agents", "description": "Agents.", "tools": [
                { "type": "function", "name": "wait", "description": "Waits.", "strict": false, "parameters": { "type": "object" } }] },
            { "type": "custom", "name": "apply_patch", "description": "Patches.",
              "format": { "type": "grammar", "syntax": "lark", "definition": "start: x" } },
            { "type": "web_search", "external_web_access": true },
        ],
    });
    let answer = gateway.post("/v1/responses", &body).await;
    assert_eq!(
        events(&answer).last().map(|(name, _)| name.as_str()),
        Some("response.completed")
    );
    let dropped = answer.headers["x-witgate-dropped"].to_str().expect("text");
    assert_eq!(dropped, "tools.web_search, client_metadata, prompt_cache_key");
    let asked = provider.asked()[0].json();
    assert_eq!(
        asked["messages"],
        json!([
            { "role": "system", "content": "One.\n\nTwo." },
            { "role": "user", "content": "Context" },
            { "role": "user", "content": "Say hello" },
        ])
    );
    let tools = asked["tools"].as_array().cloned().unwrap_or_default();
    let names: Vec<_> = tools.iter().map(|tool| tool["function"]["name"].clone()).collect();
    assert_eq!(names, ["exec_command", "agents__wait", "apply_patch"]);
}

#[tokio::test]
async fn what_a_provider_of_chats_cannot_do_is_refused_by_name() {
    let (provider, gateway) = saying(json!({}), "stop").await;
    let image = json!([{ "role": "user", "content": [{ "type": "input_image", "file_id": "file_1" }] }]);
    let cases = [
        (json!({ "previous_response_id": "resp_1" }), "previous_response_id"),
        (json!({ "conversation": "conv_1" }), "conversation"),
        (json!({ "background": true }), "background"),
        (json!({ "prompt": { "id": "pmpt_1" } }), "prompt"),
        (json!({ "tools": [{ "type": "web_search" }] }), "tools[0]"),
        (
            json!({ "tools": [{ "type": "file_search", "vector_store_ids": [] }] }),
            "tools[0]",
        ),
        (json!({ "tools": [{ "type": "mcp", "server_label": "x" }] }), "tools[0]"),
        (
            json!({ "input": [{ "type": "item_reference", "id": "msg_1" }] }),
            "input[0]",
        ),
        (json!({ "input": image }), "input[0].content[0].file_id"),
        (
            json!({ "input": [{ "type": "compaction", "encrypted_content": "x" }] }),
            "input[0].type",
        ),
    ];
    for (fields, param) in cases {
        let mut body = json!({ "model": MODEL, "input": "Hi" });
        for (key, value) in fields.as_object().expect("fields") {
            body[key] = value.clone();
        }
        let answer = gateway.post("/v1/responses", &body).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["param"]), (400, &json!(param)), "{error}");
        assert!(
            error["message"].as_str().is_some_and(|text| text.contains(param)),
            "{error}"
        );
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn mistakes_are_named_with_their_place() {
    let (_provider, gateway) = saying(json!({}), "stop").await;
    let cases = [
        (json!({ "input": 5 }), "input"),
        (json!({ "input": null }), "input"),
        (json!({ "input": [5] }), "input[0]"),
        (json!({ "input": [{ "role": "user" }] }), "input[0].content"),
        (
            json!({ "input": [{ "role": "robot", "content": "a" }] }),
            "input[0].role",
        ),
        (
            json!({ "input": [{ "type": "function_call", "name": "f", "arguments": "{}" }] }),
            "input[0].call_id",
        ),
        (
            json!({ "input": [{ "role": "user", "content": [{ "type": "input_text" }] }] }),
            "input[0].content[0].text",
        ),
        (json!({ "tools": [{ "type": "function" }] }), "tools[0].name"),
        (json!({ "max_output_tokens": "5" }), "max_output_tokens"),
        (json!({ "text": { "format": {} } }), "text.format.type"),
    ];
    for (fields, param) in cases {
        let mut body = json!({ "model": MODEL, "input": "Hi" });
        for (key, value) in fields.as_object().expect("fields") {
            body[key] = value.clone();
        }
        let answer = gateway.post("/v1/responses", &body).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["param"]), (400, &json!(param)), "{error}");
        assert_eq!(error["type"], "invalid_request_error");
    }
}

#[tokio::test]
async fn an_error_before_the_first_byte_is_an_answer_and_one_after_it_an_event() {
    let refusal = json!({ "error": { "message": "Slow down", "type": "requests", "param": null, "code": "rate_limit_exceeded" } });
    let (_provider, gateway) = gateway("", move |asked| match asked.json()["model"].as_str() {
        Some("m1") => Played::json(429, &refusal),
        _ => Played::events([chunk(&json!({ "role": "assistant", "content": "Hel" }), None)]),
    })
    .await;
    let mut body = json!({ "model": MODEL, "input": "Hi", "stream": true });
    let answer = gateway.post("/v1/responses", &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "rate_limit_exceeded"));
    body["model"] = json!("mock/cut");
    let answer = gateway.post("/v1/responses", &body).await;
    let all = events(&answer);
    let last: Vec<_> = all.iter().rev().take(2).map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        (answer.status, last),
        (200, vec!["response.failed", "error"]),
        "{}",
        answer.text
    );
    assert_eq!(all[all.len() - 1].1["response"]["error"]["code"], "server_error");
}

/// A raw recording of a provider that has the API.
struct Recording {
    name: String,
    request: Option<Bytes>,
    answer: Bytes,
    streamed: bool,
}

fn recordings() -> Vec<Recording> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(fixture("responses")).expect("the recordings") {
        let path = entry.expect("a file").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        let Some((stem, kind)) = name.split_once('.') else {
            continue;
        };
        // Errors are told in the gateway's words.
        if !matches!(kind, "response.json" | "stream.sse") || name.contains("-error-") {
            continue;
        }
        let streamed = kind == "stream.sse";
        // Some recorders kept a part of the request only.
        let request = std::fs::read(path.with_file_name(format!("{stem}.request.json"))).ok();
        let request = request.filter(|body| {
            let fields: Value = serde_json::from_slice(body).unwrap_or_default();
            fields["model"].is_string() && (fields["stream"] == true) == streamed
        });
        found.push(Recording {
            request: request.map(Bytes::from),
            answer: std::fs::read(&path).expect("a recording").into(),
            streamed,
            name,
        });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// The tokens of an answer, by an independent reading: input and output.
fn counted(recording: &Recording) -> Option<(u64, u64)> {
    let text = String::from_utf8_lossy(&recording.answer);
    let response = if recording.streamed {
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let mut events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let last = events.rfind(|event| !event["response"]["usage"].is_null())?;
        last["response"].clone()
    } else {
        serde_json::from_str(&text).ok()?
    };
    let usage = &response["usage"];
    Some((usage["input_tokens"].as_u64()?, usage["output_tokens"].as_u64()?))
}

#[tokio::test]
async fn a_provider_that_has_the_api_is_asked_and_heard_byte_for_byte() {
    let recordings = recordings();
    assert!(recordings.len() >= 67, "{}", recordings.len());
    let of_request = |one: &Recording| serde_json::from_slice::<Value>(one.request.as_ref()?).ok();
    let mut models: Vec<_> = recordings
        .iter()
        .filter_map(|one| Some(of_request(one)?["model"].as_str()?.to_owned()))
        .chain(["m1".to_owned()])
        .collect();
    models.sort();
    models.dedup();
    let more = format!("apis = [\"openai-responses\"]\nmodels = {models:?}\n");
    let played: Vec<(Bytes, bool)> = recordings
        .iter()
        .map(|one| (one.answer.clone(), one.streamed))
        .collect();
    let (provider, gateway) = gateway(&more, move |asked| {
        let at: usize = asked.header("traceparent").parse().expect("a number");
        let (answer, streamed) = &played[at];
        let pieces = answer.chunks(1 + at * 7 % 900).map(Bytes::copy_from_slice).collect();
        let kind = if *streamed {
            "text/event-stream; charset=utf-8"
        } else {
            "application/json"
        };
        Played::bytes(200, kind, pieces)
    })
    .await;
    let mut totals = (0, 0);
    for (at, recording) in recordings.iter().enumerate() {
        let number = at.to_string();
        let made = json!({ "model": "m1", "input": "Hi", "stream": recording.streamed }).to_string();
        let body = recording.request.clone().unwrap_or_else(|| made.into());
        let answer = gateway
            .post_text("/v1/responses", body.clone(), &[("traceparent", number.as_str())])
            .await;
        assert_eq!(answer.status, 200, "{}: {}", recording.name, answer.text);
        assert!(
            answer.text.as_bytes() == recording.answer,
            "{}: {}",
            recording.name,
            answer.text
        );
        let asked = provider.asked().pop().expect("was asked");
        assert_eq!(
            (asked.path.as_str(), &asked.body),
            ("/v1/responses", &body),
            "{}",
            recording.name
        );
        let (input, output) = counted(recording).unwrap_or_default();
        totals = (totals.0 + input, totals.1 + output);
    }
    let metrics = gateway.get("/metrics").await.text;
    // The lines of the account leave each other out: together they are what the provider counted.
    let metered = |kinds: &[&str]| -> u64 {
        let ours = |line: &&str| kinds.iter().any(|kind| line.contains(&format!("kind=\"{kind}\"")));
        let lines = metrics.lines().filter(|line| line.starts_with("witgate_tokens_total{"));
        let counts = lines.filter(ours).filter_map(|line| line.rsplit(' ').next());
        counts.filter_map(|count| count.parse::<u64>().ok()).sum()
    };
    let input = metered(&["input", "cached", "cache_written"]);
    assert_eq!((input, metered(&["output", "reasoning"])), totals);
}
