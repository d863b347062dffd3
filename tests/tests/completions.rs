//! `/v1/completions` of a model that is only asked by chat: the older clients are answered all the same.

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate, program::Answer};

/// Claude's answer "Hello there", whole or streamed.
fn hello(asked: &Asked) -> Played {
    let usage = json!({ "input_tokens": 3, "output_tokens": 2 });
    let message = |content: Value, stop: Value| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": content,
            "stop_reason": stop, "usage": usage
        })
    };
    if asked.json()["stream"] != true {
        let text = json!([{ "type": "text", "text": "Hello there" }]);
        return Played::json(200, &message(text, json!("end_turn")));
    }
    let text = |text: &str| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } });
    let events = [
        json!({ "type": "message_start", "message": message(json!([]), Value::Null) }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        text("Hello"),
        text(" there"),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "max_tokens" }, "usage": { "output_tokens": 2 } }),
        json!({ "type": "message_stop" }),
    ];
    Played::events(events.map(|event| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap_or_default()
        )
    }))
}

async fn gateway() -> (Provider, Witgate) {
    let provider = Provider::start(hello).await;
    let config = format!(
        "[[providers]]\nid = \"claude\"\ntype = \"anthropic\"\nbase_url = \"{}\"\napi_key = \"k\"\nmax_retries = 0\n",
        provider.url
    );
    let gateway = Witgate::start(&config, &["anthropic"]).await;
    (provider, gateway)
}

async fn complete(gateway: &Witgate, more: &Value) -> Answer {
    let mut body = json!({ "model": "claude/claude-sonnet-4-5", "prompt": "Say hello.", "max_tokens": 16 });
    let fields = body.as_object_mut().expect("it is an object");
    fields.extend(more.as_object().expect("it is an object").clone());
    gateway.post("/v1/completions", &body).await
}

#[tokio::test]
async fn a_prompt_is_answered_in_the_shape_of_a_completion() {
    let (provider, gateway) = gateway().await;
    for prompt in [json!("Say hello."), json!(["Say hello."])] {
        let answer = complete(&gateway, &json!({ "prompt": prompt, "echo": false, "best_of": 1 }))
            .await
            .json();
        let choice = json!({ "index": 0, "text": "Hello there", "logprobs": null, "finish_reason": "stop" });
        assert_eq!(
            (&answer["object"], &answer["choices"]),
            (&json!("text_completion"), &json!([choice]))
        );
        assert_eq!(answer["usage"]["total_tokens"], 5);
        let asked = provider.asked().pop().expect("the provider is asked").json();
        assert_eq!(
            asked["messages"],
            json!([{ "role": "user", "content": [{ "type": "text", "text": "Say hello." }] }])
        );
        assert_eq!((&asked["max_tokens"], asked.get("prompt")), (&json!(16), None));
    }
}

#[tokio::test]
async fn a_streamed_completion_has_the_text_the_end_and_the_usage_where_older_clients_look() {
    let (_provider, gateway) = gateway().await;
    let more = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let answer = complete(&gateway, &more).await;
    assert!(answer.text.ends_with("data: [DONE]\n\n"), "{}", answer.text);
    let events = answer.events();
    assert!(
        events.iter().all(|event| event["object"] == "text_completion"),
        "{}",
        answer.text
    );
    let choices = || events.iter().filter_map(|event| event["choices"].get(0));
    let text: String = choices().filter_map(|choice| choice["text"].as_str()).collect();
    let reasons: Vec<&str> = choices()
        .filter_map(|choice| choice["finish_reason"].as_str())
        .collect();
    assert_eq!((text.as_str(), reasons), ("Hello there", vec!["length"]));
    let last = events.last().expect("there are events");
    assert_eq!(
        (&last["choices"], &last["usage"]["total_tokens"]),
        (&json!([]), &json!(5))
    );
}

#[tokio::test]
async fn what_a_chat_has_no_words_for_is_refused_by_name() {
    let (provider, gateway) = gateway().await;
    for (param, value) in [
        ("suffix", json!("the end")),
        ("echo", json!(true)),
        ("best_of", json!(2)),
        ("logprobs", json!(3)),
        ("prompt", json!(["one", "two"])),
        ("prompt", json!([1, 2, 3])),
    ] {
        let answer = complete(&gateway, &json!({ param: value })).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["param"]),
            (400, &json!(param)),
            "{}",
            answer.text
        );
    }
    assert!(
        provider.asked().is_empty(),
        "nothing that is refused may reach the provider"
    );
}
