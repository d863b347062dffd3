//! Calls of tools as servers unlike OpenAI's write them, to clients of each API: the real program, and a server that plays them.

use serde_json::{Value, json};
use witgate_tests::{Played, Witgate};

/// A call: its id, its name, and its arguments.
type Called = (String, String, String);

/// The calls of an answer to a client of each API, whole or streamed.
async fn calls(gateway: &Witgate, stream: bool) -> [(&'static str, Vec<Called>); 3] {
    let messages = json!([{ "role": "user", "content": "Call f." }]);
    let chat = json!({ "model": "mock/m1", "max_tokens": 99, "messages": messages, "stream": stream });
    let response = json!({ "model": "mock/m1", "input": "Call f.", "stream": stream });
    let of = async |path: &str, body: &Value| {
        let answer = gateway.post(path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        match stream {
            true => data(&answer.text),
            false => vec![answer.json()],
        }
    };
    [
        ("chat", of_chat(&of("/v1/chat/completions", &chat).await)),
        ("Messages", of_message(&of("/v1/messages", &chat).await)),
        ("Responses", of_response(&of("/v1/responses", &response).await)),
    ]
}

fn data(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: {"));
    data.map(|data| serde_json::from_str(&format!("{{{data}")).expect("JSON"))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn of_chat(chunks: &[Value]) -> Vec<Called> {
    let mut calls: Vec<Called> = Vec::new();
    for chunk in chunks {
        let choice = &chunk["choices"][0];
        let said = [&choice["delta"], &choice["message"]];
        for (at, call) in said
            .iter()
            .flat_map(|said| said["tool_calls"].as_array())
            .flatten()
            .enumerate()
        {
            let index = call["index"].as_u64().map_or(at, |index| index as usize);
            calls.resize(calls.len().max(index + 1), Called::default());
            let known = &mut calls[index];
            for (place, value) in [
                (&mut known.0, &call["id"]),
                (&mut known.1, &call["function"]["name"]),
                (&mut known.2, &call["function"]["arguments"]),
            ] {
                place.push_str(&text(value));
            }
        }
    }
    calls
}

fn of_message(events: &[Value]) -> Vec<Called> {
    let mut calls: Vec<Called> = Vec::new();
    let mut begin = |block: &Value| {
        if block["type"] == "tool_use" {
            let input = block["input"].to_string();
            calls.push((text(&block["id"]), text(&block["name"]), input.replace("{}", "")));
        }
    };
    for event in events {
        event["content"].as_array().into_iter().flatten().for_each(&mut begin);
        begin(&event["content_block"]);
    }
    let open = |event: &&Value| event["content_block"]["type"] == "tool_use";
    let places: Vec<&Value> = events.iter().filter(open).map(|event| &event["index"]).collect();
    for event in events {
        if let Some(at) = places.iter().position(|place| **place == event["index"]) {
            calls[at].2.push_str(&text(&event["delta"]["partial_json"]));
        }
    }
    calls
}

fn of_response(events: &[Value]) -> Vec<Called> {
    let last = events.last().expect("an event");
    let output = last["response"]["output"].as_array().or(last["output"].as_array());
    let calls = output
        .into_iter()
        .flatten()
        .filter(|item| item["type"] == "function_call");
    calls
        .map(|item| (text(&item["call_id"]), text(&item["name"]), text(&item["arguments"])))
        .collect()
}

fn stream(deltas: &[Value], finish: &str) -> Played {
    let event = |delta: &Value, finish: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let chunk =
            json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m1", "choices": [choice] });
        format!("data: {chunk}\n\n")
    };
    let mut events: Vec<String> = deltas.iter().map(|delta| event(delta, Value::Null)).collect();
    events.push(event(&json!({}), json!(finish)));
    events.push("data: [DONE]\n\n".to_owned());
    Played::events(events)
}

#[tokio::test]
async fn a_call_as_chats_had_it_once_is_one_in_every_other_api_and_stays_what_it_is_in_a_chat() {
    let (_provider, gateway) = Witgate::before(|asked| {
        if asked.json()["stream"] == true {
            let deltas = ["{\"x\":", "1}"].map(|text| json!({ "function_call": { "arguments": text } }));
            let first =
                json!({ "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "" } });
            return stream(&[&[first][..], &deltas[..]].concat(), "function_call");
        }
        let call = json!({ "name": "f", "arguments": "{\"x\":1}" });
        let message = json!({ "role": "assistant", "content": null, "function_call": call });
        let choice = json!({ "index": 0, "message": message, "finish_reason": "function_call" });
        Played::json(
            200,
            &json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "m1", "choices": [choice] }),
        )
    })
    .await;
    for streamed in [false, true] {
        for (api, calls) in calls(&gateway, streamed).await {
            if api == "chat" {
                assert_eq!(calls, [], "{streamed}");
                continue;
            }
            let [(id, name, arguments)] = &calls[..] else {
                panic!("{api}: {calls:?}");
            };
            assert!(id.starts_with("call_") && id.len() > 8, "{api}: {id}");
            assert_eq!((name.as_str(), arguments.as_str()), ("f", "{\"x\":1}"), "{api}");
        }
    }
    let body = json!({ "model": "mock/m1", "max_tokens": 99, "messages": [{ "role": "user", "content": "Call f." }] });
    let message = gateway.post("/v1/messages", &body).await.json();
    assert_eq!(message["stop_reason"], "tool_use");
    let chat = gateway.post("/v1/chat/completions", &body).await.json();
    assert_eq!(chat["choices"][0]["message"]["function_call"]["name"], "f");
    assert_eq!(chat["choices"][0]["finish_reason"], "function_call");
}

#[tokio::test]
async fn fragments_without_index_or_id_are_the_same_calls_in_every_api() {
    let list = |call: Value| json!({ "tool_calls": [call] });
    let named = |name: &str, arguments: &str| list(json!({ "function": { "name": name, "arguments": arguments } }));
    let more = |arguments: &str| list(json!({ "function": { "arguments": arguments } }));
    for (deltas, expected) in [
        (
            vec![
                named("f", "{\"x\":"),
                more("1}"),
                named("f", "{\"x\":2}"),
                named("g", "{\"y\""),
                more(":3}"),
            ],
            vec![("f", "{\"x\":1}"), ("f", "{\"x\":2}"), ("g", "{\"y\":3}")],
        ),
        (
            vec![
                list(json!({ "id": "a", "type": "function" })),
                named("f", ""),
                more("{\"x\":1}"),
            ],
            vec![("f", "{\"x\":1}")],
        ),
        (
            vec![
                list(json!({ "index": 0, "id": "a", "type": "function" })),
                list(json!({ "index": 0, "function": { "name": "f", "arguments": "{\"x\":1}" } })),
            ],
            vec![("f", "{\"x\":1}")],
        ),
    ] {
        let played = deltas.clone();
        let (_provider, gateway) = Witgate::before(move |_| stream(&played, "tool_calls")).await;
        for (api, calls) in calls(&gateway, true).await {
            let said: Vec<_> = calls
                .iter()
                .map(|(_, name, arguments)| (name.as_str(), arguments.as_str()))
                .collect();
            assert_eq!(said, expected, "{api}: {deltas:?}");
            let mut ids: Vec<_> = calls.iter().map(|(id, ..)| id).filter(|id| !id.is_empty()).collect();
            ids.dedup();
            assert_eq!(ids.len(), expected.len(), "{api}: {calls:?}");
        }
    }
}
