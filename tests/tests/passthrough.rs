//! A provider that speaks OpenAI's API gets what the client wrote, and the client gets what the provider wrote.

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

fn config(provider: &Provider, more: &str) -> String {
    format!(
        "[[providers]]\nname = \"mock\"\nbase_url = \"{}/v1\"\napi_key = \"sk-upstream\"\nmodels = [\"small\"]\nmax_retries = 0\n{more}",
        provider.url
    )
}

fn completion() -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "small", "odd": [1.50, null],
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hello" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4 }
    })
}

const STREAM: [&str; 4] = [
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"small\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"small\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"small\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\n",
    "data: [DONE]\n\n",
];

async fn gateway(play: impl Fn(&Asked) -> Played + Send + Sync + 'static, more: &str) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let gateway = Witgate::start(&config(&provider, more), &[]).await;
    (provider, gateway)
}

#[tokio::test]
async fn the_provider_gets_the_clients_own_bytes_but_for_the_model() {
    let (provider, gateway) = gateway(|_| Played::json(200, &completion()), "").await;
    // A long one goes out in pieces.
    for text in ["\\u00e9".to_owned(), "a long \\\"text\\\" \\u00e9é\\n".repeat(50_000)] {
        let body = format!(
            "{{ \"model\": \"mock/small\",\n \"temperature\": 0.0,\t\"messages\": [{{\"role\":\"user\",\"content\":\"{text}\"}}], \"mine\": 1e2 }}"
        );
        let answer = gateway.post_text("/v1/chat/completions", body.clone(), &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let asked = provider.asked().pop().expect("a request");
        assert!(
            asked.body == body.replace("mock/small", "small"),
            "{} bytes",
            asked.body.len()
        );
        assert_eq!(asked.header("content-length"), asked.body.len().to_string());
        assert_eq!(asked.path, "/v1/chat/completions");
        assert_eq!(asked.header("authorization"), "Bearer sk-upstream");
    }
}

#[tokio::test]
async fn the_client_gets_the_providers_own_bytes() {
    let text = "{\"id\":\"x\", \"object\":\"chat.completion\",\"created\":1,\"model\":\"small\",\"odd\":[1.50,null],\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n";
    let (_provider, gateway) = gateway(move |_| Played::bytes(200, "application/json", vec![text.into()]), "").await;
    assert_eq!(gateway.chat("small", false).await.text, text);
}

#[tokio::test]
async fn the_clients_key_never_reaches_the_provider() {
    let (provider, gateway) = gateway(|_| Played::json(200, &completion()), "").await;
    let body = json!({ "model": "small", "messages": [{ "role": "user", "content": "x" }] }).to_string();
    let headers = [
        ("authorization", "Bearer mine"),
        ("x-api-key", "mine"),
        ("cookie", "a=mine"),
    ];
    gateway.post_text("/v1/chat/completions", body, &headers).await;
    let asked = provider.asked().pop().expect("one request");
    let leaked = asked
        .headers
        .values()
        .any(|value| value.to_str().is_ok_and(|value| value.contains("mine")));
    assert!(!leaked, "{:?}", asked.headers);
}

#[tokio::test]
async fn a_stream_hides_usage_from_a_client_that_did_not_ask() {
    let (provider, gateway) = gateway(|_| Played::events(STREAM), "").await;
    let answer = gateway.chat("small", true).await;
    assert_eq!(answer.text, [STREAM[0], STREAM[1], STREAM[3]].concat());
    assert_eq!(
        provider.asked()[0].json()["stream_options"]["include_usage"],
        true,
        "usage is asked for in any case"
    );
}

#[tokio::test]
async fn a_stream_shows_usage_to_a_client_that_asked() {
    let (_provider, gateway) = gateway(|_| Played::events(STREAM), "").await;
    let body = json!({
        "model": "small", "stream": true, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "x" }]
    });
    let answer = gateway.post("/v1/chat/completions", &body).await;
    let events = answer.events();
    let last = events.last().expect("events");
    assert_eq!(
        (&last["choices"], &last["usage"]["total_tokens"]),
        (&json!([]), &json!(5))
    );
    assert!(answer.text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_cut_stream_is_never_taken_for_a_whole_one() {
    let (_provider, gateway) = gateway(|_| Played::events([STREAM[0]]), "").await;
    let answer = gateway.chat("small", true).await;
    assert!(!answer.text.contains("[DONE]"), "{}", answer.text);
    assert_eq!(
        answer.events().last().expect("events")["error"]["code"],
        "provider_truncated"
    );
}

#[tokio::test]
async fn a_providers_own_error_reaches_the_client() {
    let error = json!({ "error": { "message": "too hot", "type": "invalid_request_error", "param": "temperature", "code": "hot" } });
    let body = error.clone();
    let (_provider, gateway) = gateway(move |_| Played::json(422, &body), "").await;
    let answer = gateway.chat("small", false).await;
    assert_eq!((answer.status, answer.json()), (422, error));
}

#[tokio::test]
async fn a_path_the_provider_does_not_have_is_its_404_or_405() {
    for status in [404, 405] {
        let (_provider, gateway) = gateway(
            move |_| Played::bytes(status, "text/plain", vec!["no such thing".into()]),
            "",
        )
        .await;
        let body = json!({ "model": "small", "input": "x" });
        assert_eq!(gateway.post("/v1/embeddings", &body).await.status, status);
    }
}

#[tokio::test]
async fn a_base_url_with_the_endpoint_or_a_slash_is_understood() {
    for suffix in ["/v1/", "/v1/chat/completions", "/v1/chat/completions/"] {
        let provider = Provider::start(|_| Played::json(200, &completion())).await;
        let config = format!(
            "[[providers]]\nname = \"mock\"\nbase_url = \"{}{suffix}\"\nmodels = [\"small\"]",
            provider.url
        );
        let gateway = Witgate::start(&config, &[]).await;
        assert_eq!(gateway.chat("small", false).await.status, 200);
        assert_eq!(provider.asked()[0].path, "/v1/chat/completions", "{suffix}");
    }
}

#[tokio::test]
async fn default_parameters_fill_what_the_client_left_out() {
    let more = "default_params = { temperature = 0.5, top_p = 0.9 }";
    let (provider, gateway) = gateway(|_| Played::json(200, &completion()), more).await;
    let body = json!({ "model": "small", "temperature": 0, "messages": [{ "role": "user", "content": "x" }] });
    gateway.post("/v1/chat/completions", &body).await;
    let asked = provider.asked()[0].json();
    assert_eq!((&asked["temperature"], &asked["top_p"]), (&json!(0), &json!(0.9)));
}

#[tokio::test]
async fn header_templates_carry_the_key_where_the_operator_says() {
    let more = "[providers.headers]\napi-key = \"{api_key}\"\nauthorization = \"Token {api_key}\"\nuser-agent = \"Polydev/1.0\"";
    let (provider, gateway) = gateway(|_| Played::json(200, &completion()), more).await;
    gateway.chat("small", false).await;
    let asked = &provider.asked()[0];
    assert_eq!(asked.header("api-key"), "sk-upstream");
    assert_eq!(asked.header("authorization"), "Token sk-upstream");
    assert_eq!(asked.header("user-agent"), "Polydev/1.0");
}

#[tokio::test]
async fn a_flat_embedding_becomes_a_list_of_lists() {
    let flat = json!({ "object": "list", "data": [0.5, 1.0], "model": "small", "usage": { "prompt_tokens": 1, "total_tokens": 1 } });
    let (_provider, gateway) = gateway(move |_| Played::json(200, &flat), "").await;
    let answer = gateway
        .post("/v1/embeddings", &json!({ "model": "small", "input": "x" }))
        .await
        .json();
    assert_eq!(
        answer["data"],
        json!([{ "object": "embedding", "index": 0, "embedding": [0.5, 1.0] }])
    );
}

#[tokio::test]
async fn models_of_a_provider_without_a_list_are_its_own() {
    let list =
        json!({ "object": "list", "data": [{ "id": "org/m", "object": "model", "created": 5, "owned_by": "org" }] });
    let provider = Provider::start(move |_| Played::json(200, &list)).await;
    let gateway = Witgate::start(
        &format!("[[providers]]\nname = \"mock\"\nbase_url = \"{}/v1\"", provider.url),
        &[],
    )
    .await;
    assert_eq!(gateway.get("/v1/models").await.json()["data"][0]["id"], "mock/org/m");
    assert_eq!(gateway.get("/v1/models/mock/org/m").await.json()["id"], "mock/org/m");
    assert_eq!(gateway.get("/v1/models/nothing").await.status, 404);
}
