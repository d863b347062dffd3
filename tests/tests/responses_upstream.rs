//! A provider that has OpenAI's Responses API and not Chat Completions, behind the real program and the real adapter, seen by clients of
//! all three APIs.

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate, fixture, program::Answer};

const MODEL: &str = "up/gpt-5";

/// The two ways to configure one.
const WAYS: [&str; 2] = [
    "type = \"openai-responses\"",
    "type = \"openai-compatible\"\napi = \"openai-responses\"",
];

async fn gateway(way: &str, play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let config = format!(
        "[[providers]]\nid = \"up\"\n{way}\nbase_url = \"{}/v1\"\napi_key = \"sk-up\"\nmax_retries = 0\nmodels = [\"gpt-5\"]",
        provider.url
    );
    let gateway = Witgate::start(&config, &["openai-responses"]).await;
    (provider, gateway)
}

fn response(output: &Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-5-2025-08-07", "output": output,
        "usage": { "input_tokens": 10, "input_tokens_details": { "cached_tokens": 4 }, "output_tokens": 5,
            "output_tokens_details": { "reasoning_tokens": 2 }, "total_tokens": 15 },
    })
}

fn said(text: &str) -> Value {
    json!({ "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{ "type": "output_text", "text": text, "annotations": [] }] })
}

/// Thoughts whose text would not survive being parsed and written again.
const THOUGHTS: &str = r#"{ "id":"rs_1","type":"reasoning" ,"summary":[{"type":"summary_text","text":"H\u006d"}],"encrypted_content":"gAAA\/+==","n":1.0e0 }"#;
const CALL: &str = r#"{"id":"fc_1","type":"function_call","call_id":"call_1","name":"look","arguments":"{\"a\":1}","status":"completed"}"#;

fn thinking_call() -> String {
    let whole = response(&json!([])).to_string();
    whole.replace("\"output\":[]", &format!("\"output\":[{THOUGHTS},{CALL}]"))
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
}

fn hello() -> Vec<String> {
    let mut all = vec![json!({ "type": "response.created", "response": response(&json!([])) })];
    all.push(json!({ "type": "response.output_item.added", "output_index": 0, "item": said("") }));
    all.extend(["Hel", "lo"].map(
        |text| json!({ "type": "response.output_text.delta", "output_index": 0, "delta": text, "logprobs": [], "obfuscation": "x" }),
    ));
    all.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": said("Hello") }));
    all.push(json!({ "type": "response.completed", "response": response(&json!([said("Hello")])) }));
    all.iter().map(event).collect()
}

fn tools() -> Value {
    json!([{ "type": "function", "function": { "name": "look", "parameters": { "type": "object", "properties": {} } } }])
}

#[tokio::test]
async fn a_chat_is_a_response_to_the_provider_and_a_completion_to_the_client() {
    for way in WAYS {
        let (provider, gateway) = gateway(way, |asked| match asked.json()["stream"] == true {
            true => Played::events(hello()),
            false => Played::json(200, &response(&json!([said("Hello")]))),
        })
        .await;
        let body =
            json!({ "model": MODEL, "max_tokens": 50, "messages": [{ "role": "user", "content": "Say hello." }] });
        let answer = gateway.post("/v1/chat/completions", &body).await.json();
        assert_eq!(answer["choices"][0]["message"]["content"], "Hello", "{answer}");
        assert_eq!(
            (
                &answer["usage"]["total_tokens"],
                &answer["usage"]["prompt_tokens_details"]["cached_tokens"]
            ),
            (&json!(15), &json!(4))
        );
        let asked = &provider.asked()[0];
        assert_eq!(
            (asked.path.as_str(), asked.header("authorization")),
            ("/v1/responses", "Bearer sk-up")
        );
        assert_eq!(
            asked.json(),
            json!({ "model": "gpt-5", "input": [{ "type": "message", "role": "user", "content": "Say hello." }],
                "max_output_tokens": 50, "store": false, "include": ["reasoning.encrypted_content"] })
        );
        let streamed = gateway.chat(MODEL, true).await;
        assert_eq!(streamed.streamed_text(), "Hello");
        assert!(streamed.text.ends_with("data: [DONE]\n\n"), "{}", streamed.text);
    }
}

#[tokio::test]
async fn a_client_of_responses_goes_by_byte_for_byte() {
    let answers = [
        "openai-responses-stream-reasoning-then-text-25b441.stream.sse",
        "openai-responses-o3-pro-token-limit-ac1ae3.response.json",
    ]
    .map(|name| std::fs::read(fixture("responses").join(name)).expect("a recording"));
    let played = answers.clone();
    let (provider, gateway) = gateway(WAYS[1], move |asked| {
        let streamed = asked.json()["stream"] == true;
        let pieces = played[usize::from(!streamed)]
            .chunks(97)
            .map(|piece| piece.to_vec().into())
            .collect();
        Played::bytes(
            200,
            if streamed {
                "text/event-stream"
            } else {
                "application/json"
            },
            pieces,
        )
    })
    .await;
    for (stream, answer) in [true, false].into_iter().zip(&answers) {
        let body = format!("{{ \"model\":\"gpt-5\", \"input\" : [ ],\"novel\":1.0,\"stream\":{stream}}}");
        let heard = gateway.post_text("/v1/responses", body.clone(), &[]).await;
        assert_eq!(
            (heard.status, heard.text.as_bytes() == answer.as_slice()),
            (200, true),
            "{}",
            heard.text
        );
        let asked = provider.asked().pop().expect("was asked");
        assert_eq!(
            (asked.path.as_str(), asked.body.as_ref()),
            ("/v1/responses", body.as_bytes())
        );
    }
}

/// Asks with a tool, gives the tool's result, and hands out what the provider was asked then.
async fn tool_loop(path: &str, first: Value, next: impl FnOnce(&Value) -> Value) -> (Value, String) {
    let (provider, gateway) = gateway(WAYS[0], |asked| {
        let asked = String::from_utf8_lossy(&asked.body).into_owned();
        if asked.contains("function_call_output") {
            return Played::json(200, &response(&json!([said("Done")])));
        }
        Played::bytes(200, "application/json", vec![thinking_call().into()])
    })
    .await;
    let told = gateway.post(path, &first).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let told = told.json();
    let answer: Answer = gateway.post(path, &next(&told)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let asked = provider.asked().pop().expect("was asked");
    (told, String::from_utf8_lossy(&asked.body).into_owned())
}

#[tokio::test]
async fn encrypted_thoughts_come_back_byte_for_byte_through_a_chat() {
    let first = json!({ "model": MODEL, "tools": tools(), "messages": [{ "role": "user", "content": "Go" }] });
    let next = first.clone();
    let (_, asked) = tool_loop("/v1/chat/completions", first, |told| {
        let mut next = next;
        let result = json!({ "role": "tool", "tool_call_id": "call_1", "content": "42" });
        next["messages"] = json!([next["messages"][0], told["choices"][0]["message"], result]);
        next
    })
    .await;
    let thoughts: Value = serde_json::from_str(THOUGHTS).expect("JSON");
    assert!(asked.contains("gAAA/+=="), "{asked}");
    let sent: Value = serde_json::from_str(&asked).expect("JSON");
    assert_eq!(sent["input"][1], thoughts);
    assert_eq!(
        sent["input"][3],
        json!({ "type": "function_call_output", "call_id": "call_1", "output": "42" })
    );
}

#[tokio::test]
async fn encrypted_thoughts_come_back_byte_for_byte_through_a_message() {
    let tool = json!({ "name": "look", "input_schema": { "type": "object", "properties": {} } });
    let first = json!({ "model": MODEL, "max_tokens": 4000, "tools": [tool], "messages": [{ "role": "user", "content": "Go" }],
        "thinking": { "type": "enabled", "budget_tokens": 2000 } });
    let next = first.clone();
    let (told, asked) = tool_loop("/v1/messages", first, |told| {
        let mut next = next;
        let result = json!([{ "type": "tool_result", "tool_use_id": "call_1", "content": "42" }]);
        next["messages"] = json!([next["messages"][0], { "role": "assistant", "content": told["content"] },
            { "role": "user", "content": result }]);
        next
    })
    .await;
    let blocks = told["content"].as_array().expect("blocks");
    assert!(blocks.iter().any(|block| block["thinking"] == "Hm"), "{told}");
    assert!(asked.contains(&format!("{THOUGHTS},{CALL}")), "{asked}");
    let sent: Value = serde_json::from_str(&asked).expect("JSON");
    assert_eq!(sent["reasoning"], json!({ "effort": "low" }));
}

#[tokio::test]
async fn an_error_is_told_as_one_before_and_in_a_stream() {
    let (_provider, gateway) = gateway(WAYS[0], |asked| {
        let asked = asked.json();
        let error = json!({ "code": "rate_limit_exceeded", "message": "Too much." });
        if asked["stream"] != true {
            return Played::json(429, &json!({ "error": error }));
        }
        let mut failed = response(&json!([]));
        failed["status"] = json!("failed");
        failed["error"] = error;
        let mut all = hello();
        all.truncate(3);
        all.push(event(&json!({ "type": "response.failed", "response": failed })));
        Played::events(all)
    })
    .await;
    let answer = gateway.chat(MODEL, false).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["message"]),
        (429, &json!("Too much."))
    );
    let answer = gateway.chat(MODEL, true).await;
    assert!(
        answer.text.contains("\"Hel\"") && answer.text.contains("Too much."),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("[DONE]"), "{}", answer.text);
}

#[tokio::test]
async fn a_stream_that_fails_before_its_first_word_is_answered_by_the_next_provider() {
    let busy = |_: &Asked| {
        let mut failed = response(&json!([]));
        failed["status"] = json!("failed");
        failed["error"] = json!({ "code": "server_error", "message": "Busy." });
        let created = json!({ "type": "response.created", "response": response(&json!([])) });
        Played::events([created, json!({ "type": "response.failed", "response": failed })].map(|data| event(&data)))
    };
    let (busy, other) = (
        Provider::start(busy).await,
        Provider::start(|_| Played::events(hello())).await,
    );
    let entry = |id: &str, provider: &Provider, priority: u8| {
        format!(
            "[[providers]]\nid = \"{id}\"\ntype = \"openai-responses\"\nbase_url = \"{}/v1\"\napi_key = \"k\"\nmax_retries = 0\nmodels = [\"gpt-5\"]\npriority = {priority}\n",
            provider.url
        )
    };
    let config = entry("busy", &busy, 1) + &entry("other", &other, 2);
    let gateway = Witgate::start(&config, &["openai-responses"]).await;
    let answer = gateway.chat("gpt-5", true).await;
    assert_eq!(answer.streamed_text(), "Hello", "{}", answer.text);
    assert_eq!((busy.asked().len(), other.asked().len()), (1, 1));
}
