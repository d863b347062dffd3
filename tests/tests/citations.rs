//! What an answer's text is from, to clients of Messages and Responses, and back: the real program, and servers that say it as
//! OpenAI, OpenRouter and Perplexity do.

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate, program::Answer};

/// Two providers on one server: one has chats alone, the other Anthropic's API, too.
async fn gateway(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let url = &provider.url;
    let config = format!(
        "[[providers]]\nid = \"chat\"\nbase_url = \"{url}/v1\"\nmax_retries = 0\n\
         [[providers]]\nid = \"own\"\nbase_url = \"{url}/v1\"\napis = [\"anthropic-messages\"]\nmax_retries = 0"
    );
    let gateway = Witgate::start(&config, &[]).await;
    (provider, gateway)
}

async fn message(gateway: &Witgate, model: &str, messages: &Value, stream: bool) -> Answer {
    let body = json!({ "model": model, "max_tokens": 100, "messages": messages, "stream": stream });
    let headers = [("anthropic-version", "2023-06-01")];
    let answer = gateway.post_text("/v1/messages", body.to_string(), &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

fn annotation() -> Value {
    json!({ "type": "url_citation", "url_citation": { "url": "https://a.example/", "title": "A", "start_index": 0, "end_index": 4, "content": "long" } })
}

/// An answer, or its last chunk, with Perplexity's lists.
fn searched(mut answer: Value) -> Value {
    answer["citations"] = json!(["https://a.example/", "https://b.example/"]);
    answer["search_results"] = json!([{ "title": "B", "url": "https://b.example/", "date": null }]);
    answer
}

/// What a server of chats answers: a text with an annotation, and lists.
fn played(asked: &Asked) -> Played {
    if asked.path == "/v1/messages" {
        return Played::json(200, &json!({ "type": "message", "content": [] }));
    }
    if asked.json()["stream"] != true {
        let message = json!({ "role": "assistant", "content": "Käse is good.", "annotations": [annotation()] });
        let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
        return Played::json(
            200,
            &searched(
                json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "m1", "choices": [choice] }),
            ),
        );
    }
    let event = |delta: Value, finish: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let chunk =
            json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m1", "choices": [choice] });
        format!("data: {}\n\n", searched(chunk))
    };
    Played::events([
        event(json!({ "role": "assistant", "content": "K\u{e4}" }), Value::Null),
        event(json!({ "content": "se is good." }), Value::Null),
        event(json!({ "content": "", "annotations": [annotation()] }), Value::Null),
        event(json!({}), json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ])
}

fn data(answer: &Answer) -> Vec<Value> {
    let data = answer.text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

/// The text block that Anthropic's SDKs put together.
fn block(answer: &Answer) -> Value {
    let mut block = Value::Null;
    for event in data(answer) {
        let delta = &event["delta"];
        match (event["type"].as_str().expect("a type"), delta["type"].as_str()) {
            ("content_block_start", _) => {
                assert!(block.is_null(), "one block: {}", answer.text);
                block = event["content_block"].clone();
            }
            ("content_block_delta", Some("citations_delta")) => match block["citations"].as_array_mut() {
                Some(citations) => citations.push(delta["citation"].clone()),
                None => block["citations"] = json!([delta["citation"]]),
            },
            ("content_block_delta", _) => {
                let text = [&block["text"], &delta["text"]].map(|text| text.as_str().expect("text"));
                block["text"] = text.concat().into();
            }
            _ => {}
        }
    }
    block
}

fn hello() -> Value {
    json!([{ "role": "user", "content": "What is good?" }])
}

#[tokio::test]
async fn a_text_block_has_its_citations_and_they_go_back_to_nobody() {
    let (provider, gateway) = gateway(played).await;
    let mut blocks = Vec::new();
    for stream in [false, true] {
        let answer = message(&gateway, "chat/m1", &hello(), stream).await;
        let block = if stream {
            block(&answer)
        } else {
            answer.json()["content"][0].take()
        };
        let citations = block["citations"].as_array().expect("citations").clone();
        let seen: Vec<_> = citations
            .iter()
            .map(|one| {
                [&one["type"], &one["url"], &one["title"], &one["cited_text"]]
                    .map(|value| value.as_str().expect("text"))
            })
            .collect();
        let kind = "web_search_result_location";
        assert_eq!(
            seen,
            [
                [kind, "https://a.example/", "A", "K\u{e4}se"],
                [kind, "https://b.example/", "B", ""]
            ]
        );
        let made_here = |one: &Value| {
            one["encrypted_index"]
                .as_str()
                .is_some_and(|mark| mark.starts_with("witgate."))
        };
        assert!(citations.iter().all(made_here), "{block}");
        assert_eq!(block["text"], "K\u{e4}se is good.");
        blocks.push(block);
    }
    assert_eq!(blocks[0], blocks[1], "whole and streamed");
    let mut history = hello();
    let turns = history.as_array_mut().expect("a list");
    turns.push(json!({ "role": "assistant", "content": [blocks[0]] }));
    turns.push(json!({ "role": "user", "content": "Why?" }));

    let answer = message(&gateway, "chat/m1", &history, false).await;
    assert_eq!(answer.headers.get("x-witgate-dropped"), None);
    message(&gateway, "own/m1", &history, false).await;
    let asked = provider.asked();
    let [.., translated, own] = &asked[..] else {
        panic!("four requests")
    };
    let plain = |content: Value| {
        let mut plain = history.clone();
        plain[1]["content"] = content;
        plain
    };
    assert_eq!(translated.json()["messages"], plain(json!("K\u{e4}se is good.")));
    assert_eq!(own.path, "/v1/messages");
    assert_eq!(
        own.json()["messages"],
        plain(json!([{ "type": "text", "text": "K\u{e4}se is good." }]))
    );
}

#[tokio::test]
async fn citations_of_another_maker_are_named_where_they_are_dropped_and_stay_where_they_are_read() {
    let (provider, gateway) = gateway(played).await;
    let foreign = json!({ "type": "web_search_result_location", "url": "u", "title": null, "encrypted_index": "Eo8B", "cited_text": "" });
    let said = json!({ "role": "assistant", "content": [{ "type": "text", "text": "Hi", "citations": [foreign] }] });
    let history = json!([{ "role": "user", "content": "?" }, said, { "role": "user", "content": "Why?" }]);
    let answer = message(&gateway, "chat/m1", &history, false).await;
    assert_eq!(answer.headers["x-witgate-dropped"], "messages.content.citations");
    message(&gateway, "own/m1", &history, false).await;
    assert_eq!(provider.asked()[1].json()["messages"], history);
}

#[tokio::test]
async fn an_output_text_has_its_annotations() {
    let (_provider, gateway) = gateway(played).await;
    let url = |url: &str, title: &str, end: u64| json!({ "type": "url_citation", "start_index": 0, "end_index": end, "title": title, "url": url });
    let expected = [url("https://a.example/", "A", 4), url("https://b.example/", "B", 0)];
    let mut body = json!({ "model": "chat/m1", "input": "What is good?" });
    let whole = gateway.post("/v1/responses", &body).await.json();
    assert_eq!(
        whole["output"][0]["content"][0]["annotations"],
        json!(expected),
        "{whole}"
    );
    body["stream"] = json!(true);
    let events = data(&gateway.post("/v1/responses", &body).await);
    let added = events
        .iter()
        .filter(|event| event["type"] == "response.output_text.annotation.added");
    let added: Vec<&Value> = added.map(|event| &event["annotation"]).collect();
    assert_eq!(added, expected.iter().collect::<Vec<_>>());
    let last = events.last().expect("events");
    assert_eq!(
        last["response"]["output"][0]["content"][0]["annotations"],
        json!(expected)
    );
}
