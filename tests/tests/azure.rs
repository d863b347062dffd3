//! Azure OpenAI and Claude beside it behind the real program and the real adapter: by deployment or by the v1 path, with a key or with
//! tokens of Microsoft Entra's.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

/// A chunk with nothing but what the filter says of the prompt comes first.
const FILTERED: &str = r#"data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}"#;
const HELLO: &str = r#"data: {"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"Hello","role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"chatcmpl-1","model":"gpt-4o-2024-11-20","object":"chat.completion.chunk","system_fingerprint":"fp","usage":null}"#;
const STOP: &str = r#"data: {"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0,"logprobs":null}],"created":1,"id":"chatcmpl-1","model":"gpt-4o-2024-11-20","object":"chat.completion.chunk","system_fingerprint":"fp","usage":null}"#;
const USAGE: &str = r#"data: {"choices":[],"created":1,"id":"chatcmpl-1","model":"gpt-4o-2024-11-20","object":"chat.completion.chunk","system_fingerprint":"fp","usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}"#;

async fn gateway(settings: &str, play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let config = format!(
        "[[providers]]\nid = \"azure\"\ntype = \"azure-openai\"\nbase_url = \"{url}\"\n{retries}{settings}\n\
         models = [{{ id = \"gpt-4o\", deployment = \"our gpt\" }}, \"claude-sonnet-4-5\", \"dall-e-3\", \"tts\", \"ada\"]\n",
        url = provider.url,
        retries = if settings.contains("max_retries") {
            ""
        } else {
            "max_retries = 0\n"
        },
        settings = settings.replace("PROVIDER", &provider.url),
    );
    let gateway = Witgate::start(&config, &["azure-openai"]).await;
    (provider, gateway)
}

const KEY: &str = "api_key = \"azure-secret\"";

fn dated() -> String {
    format!("{KEY}\napi_version = \"2024-10-21\"")
}

fn stream(asked: &Asked) -> Played {
    let usage = asked.json()["stream_options"]["include_usage"] == true;
    let events = [FILTERED, HELLO, STOP].into_iter().chain(usage.then_some(USAGE));
    Played::events(events.chain(["data: [DONE]"]).map(|event| format!("{event}\n\n")))
}

fn answer() -> Value {
    json!({
        "choices": [{ "content_filter_results": { "hate": { "filtered": false, "severity": "safe" } }, "finish_reason": "stop", "index": 0,
            "logprobs": null, "message": { "annotations": [], "content": "Hello", "refusal": null, "role": "assistant" } }],
        "created": 1, "id": "chatcmpl-1", "model": "gpt-4o-2024-11-20", "object": "chat.completion",
        "prompt_filter_results": [{ "prompt_index": 0, "content_filter_results": { "jailbreak": { "filtered": false, "detected": false } } }],
        "usage": { "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14 },
    })
}

#[tokio::test]
async fn a_chat_goes_to_its_deployment_and_the_answer_comes_back_as_it_is() {
    let (provider, gateway) = gateway(&dated(), |_| Played::json(200, &answer())).await;
    let reply = gateway.chat("azure/gpt-4o", false).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.text, answer().to_string());
    let asked = &provider.asked()[0];
    assert_eq!(
        asked.path,
        "/openai/deployments/our%20gpt/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(
        (asked.header("api-key"), asked.header("authorization")),
        ("azure-secret", "")
    );
    assert_eq!(asked.json()["model"], "our gpt");
}

#[tokio::test]
async fn a_stream_begins_with_what_the_filter_says_and_is_counted_though_nobody_asked() {
    let (provider, mut gateway) = gateway(&dated(), stream).await;
    let body = json!({ "model": "azure/gpt-4o", "stream": true, "messages": [{ "role": "user", "content": "Hi" }] });
    let headers = [("x-request-id", "count-me"), ("content-type", "application/json")];
    let reply = gateway
        .post_text("/v1/chat/completions", body.to_string(), &headers)
        .await;
    assert_eq!(reply.streamed_text(), "Hello");
    assert!(reply.text.contains("prompt_filter_results"), "{}", reply.text);
    assert!(
        reply.text.contains(&format!("{HELLO}\n\n")),
        "byte for byte: {}",
        reply.text
    );
    assert!(
        reply.text.ends_with("data: [DONE]\n\n") && !reply.text.contains("prompt_tokens"),
        "{}",
        reply.text
    );
    assert_eq!(provider.asked()[0].json()["stream_options"]["include_usage"], true);
    let line = gateway.line_with("count-me").await;
    assert!(
        line.contains("input_tokens=11") && line.contains("output_tokens=3"),
        "{line}"
    );
}

#[tokio::test]
async fn a_version_that_does_not_know_stream_options_is_asked_without() {
    let (provider, gateway) = gateway(&dated(), |asked| {
        if asked.json().get("stream_options").is_some() {
            let message = "Unrecognized request argument supplied: stream_options";
            return Played::json(
                400,
                &json!({ "error": { "message": message, "type": "invalid_request_error", "code": null } }),
            );
        }
        stream(asked)
    })
    .await;
    assert_eq!(gateway.chat("azure/gpt-4o", true).await.streamed_text(), "Hello");
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn a_refusal_of_the_content_filter_reaches_the_client_with_what_it_found() {
    let error = json!({ "error": {
        "message": "The response was filtered due to the prompt triggering a policy.", "type": null, "param": "prompt",
        "code": "content_filter", "status": 400, "innererror": { "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": { "violence": { "filtered": true, "severity": "high" } } } } });
    let said = error.clone();
    let (_provider, gateway) = gateway(&dated(), move |_| Played::json(400, &said)).await;
    let reply = gateway.chat("azure/gpt-4o", false).await;
    assert_eq!((reply.status, reply.json()), (400, error));
}

#[tokio::test]
async fn an_entra_token_is_fetched_once_and_again_when_it_is_refused() {
    let (given, used) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let settings = "token_url = \"PROVIDER/tenant/oauth2/v2.0/token\"\ntenant_id = \"t\"\nclient_id = \"app\"\nclient_secret = \"very secret\"";
    let (provider, gateway) = gateway(settings, move |asked| {
        if asked.path == "/tenant/oauth2/v2.0/token" {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            return Played::json(
                200,
                &json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": format!("ey{number}") }),
            );
        }
        let newest = format!("Bearer ey{}", given.load(Ordering::SeqCst));
        // The third call finds its token withdrawn.
        if asked.header("authorization") != newest || used.fetch_add(1, Ordering::SeqCst) == 2 {
            return Played::json(
                401,
                &json!({ "error": { "code": "401", "message": "Access token is invalid." } }),
            );
        }
        Played::json(200, &answer())
    })
    .await;
    for _ in 0..3 {
        let reply = gateway.chat("azure/gpt-4o", false).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    let tokens: Vec<Asked> = provider
        .asked()
        .into_iter()
        .filter(|asked| asked.path.ends_with("/token"))
        .collect();
    assert_eq!(tokens.len(), 2);
    let form = String::from_utf8_lossy(&tokens[0].body).into_owned();
    assert_eq!(
        form,
        "grant_type=client_credentials&client_id=app&client_secret=very+secret&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
    );
    assert!(provider.asked().iter().all(|asked| asked.header("api-key").is_empty()));
}

#[tokio::test]
async fn a_refused_client_is_told_why_and_never_its_secret() {
    let settings = "token_url = \"PROVIDER/token\"\nclient_id = \"app\"\nclient_secret = \"very secret\"";
    let (_provider, gateway) = gateway(settings, |_| {
        Played::json(
            401,
            &json!({ "error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret." }),
        )
    })
    .await;
    let reply = gateway.chat("azure/gpt-4o", false).await;
    assert!(
        reply.status >= 500 && reply.text.contains("AADSTS7000215"),
        "{}",
        reply.text
    );
    assert!(!reply.text.contains("very secret"));
}

#[tokio::test]
async fn responses_go_by_where_azure_has_them_and_are_translated_where_not() {
    let own = json!({ "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4o",
        "output": [{ "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
            "content": [{ "type": "output_text", "text": "Hello", "annotations": [] }] }],
        "usage": { "input_tokens": 11, "output_tokens": 3, "total_tokens": 14 } });
    let body = json!({ "model": "azure/gpt-4o", "input": "Hi" });
    let said = own.clone();
    let (provider, new) = gateway(KEY, move |_| Played::json(200, &said)).await;
    assert_eq!(new.post("/v1/responses", &body).await.text, own.to_string());
    assert_eq!(provider.asked()[0].path, "/openai/v1/responses");

    let (provider, old) = gateway(&dated(), |_| Played::json(200, &answer())).await;
    let reply = old.post("/v1/responses", &body).await;
    assert_eq!(
        reply.json()["output"][0]["content"][0]["text"],
        "Hello",
        "{}",
        reply.text
    );
    assert!(provider.asked()[0].path.contains("/chat/completions"));

    // A deployment that says so itself.
    let (provider, chats) = gateway(KEY, |asked| match asked.path.as_str() {
        "/openai/v1/responses" => Played::json(
            400,
            &json!({ "error": { "code": "OperationNotSupported", "message": "The model does not support it." } }),
        ),
        _ => Played::json(200, &answer()),
    })
    .await;
    assert_eq!(chats.post("/v1/responses", &body).await.status, 200);
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn only_what_the_provider_was_asked_counts_as_a_try() {
    let (provider, mut gateway) = gateway(&dated(), |_| Played::json(200, &answer())).await;
    let body = json!({ "model": "azure/gpt-4o", "input": "Hi" });
    // The adapter is asked for a response first, and has none to ask for.
    assert_eq!(gateway.post("/v1/responses", &body).await.status, 200);
    let line = gateway.line_with("operation=\"responses\"").await;
    assert!(line.contains("attempts=1"), "{line}");
    assert_eq!(provider.count(), 1);

    let refused = json!({ "model": "azure/gpt-4o", "input": "Hi", "previous_response_id": "resp_0" });
    assert_eq!(gateway.post("/v1/responses", &refused).await.status, 400);
    let line = gateway.line_with("status=400").await;
    assert!(line.contains("attempts=0"), "{line}");

    // Every repeat is one.
    let times = AtomicUsize::new(0);
    let (provider, mut gateway) = self::gateway(&format!("{}\nmax_retries = 2", dated()), move |_| {
        match times.fetch_add(1, Ordering::SeqCst) {
            0 => Played::json(503, &json!({ "error": { "message": "busy" } })).header("retry-after-ms", "1"),
            _ => Played::json(200, &answer()),
        }
    })
    .await;
    assert_eq!(gateway.chat("azure/gpt-4o", false).await.status, 200);
    let line = gateway.line_with("status=200").await;
    assert!(line.contains("attempts=2"), "{line}");
    assert_eq!(provider.count(), 2);
}

#[tokio::test]
async fn claude_is_asked_in_anthropics_api_by_every_client() {
    let message = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{ "type": "text", "text": "Hello" }], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": { "input_tokens": 11, "output_tokens": 3 } });
    let said = message.clone();
    let (provider, gateway) = gateway(KEY, move |_| Played::json(200, &said)).await;
    let chat = gateway.chat("azure/claude-sonnet-4-5", false).await;
    assert_eq!(
        chat.json()["choices"][0]["message"]["content"],
        "Hello",
        "{}",
        chat.text
    );
    let body = json!({ "model": "azure/claude-sonnet-4-5", "max_tokens": 9, "messages": [{ "role": "user", "content": "Hi" }], "new_field": 1 });
    let own = gateway.post("/v1/messages", &body).await;
    assert_eq!(own.text, message.to_string());
    let asked = provider.asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.path == "/anthropic/v1/messages" && asked.header("api-key") == "azure-secret")
    );
    assert_eq!(
        (&asked[1].json()["new_field"], &asked[1].json()["model"]),
        (&json!(1), &json!("claude-sonnet-4-5"))
    );
}

#[tokio::test]
async fn a_client_of_anthropics_api_reaches_azures_own_models() {
    let (_provider, gateway) = gateway(KEY, |_| Played::json(200, &answer())).await;
    let body = json!({ "model": "azure/gpt-4o", "max_tokens": 9, "messages": [{ "role": "user", "content": "Hi" }] });
    let reply = gateway.post("/v1/messages", &body).await;
    assert_eq!(reply.json()["content"][0]["text"], "Hello", "{}", reply.text);
    let count = gateway.post("/v1/messages/count_tokens", &body).await;
    assert!(count.json()["input_tokens"].as_u64() > Some(0), "{}", count.text);
}

#[tokio::test]
async fn embeddings_pictures_and_speech_pass() {
    let (provider, gateway) = gateway(KEY, |asked| match asked.path.as_str() {
        "/openai/v1/embeddings" => Played::json(
            200,
            &json!({ "object": "list", "data": [{ "object": "embedding", "index": 0, "embedding": [0.5, -1.0] }], "model": "ada",
                "usage": { "prompt_tokens": 2, "total_tokens": 2 } }),
        ),
        "/openai/v1/images/generations" => Played::json(200, &json!({ "created": 1, "data": [{ "b64_json": "aGk=" }] })),
        _ => Played::bytes(200, "audio/mpeg", vec![b"\xff\xfb\x90".as_slice().into(), b"\x00\x01".as_slice().into()]),
    })
    .await;
    let base64 = json!({ "model": "azure/ada", "input": "Hi", "encoding_format": "base64" });
    let vector = gateway.post("/v1/embeddings", &base64).await.json()["data"][0]["embedding"].clone();
    assert_eq!(vector, "AAAAPwAAgL8=");
    let picture = gateway
        .post(
            "/v1/images/generations",
            &json!({ "model": "azure/dall-e-3", "prompt": "a cat" }),
        )
        .await;
    assert_eq!(picture.json()["data"][0]["b64_json"], "aGk=", "{}", picture.text);
    let speech = gateway
        .post(
            "/v1/audio/speech",
            &json!({ "model": "azure/tts", "input": "Hi", "voice": "alloy" }),
        )
        .await;
    assert_eq!(
        (speech.status, &speech.headers["content-type"]),
        (200, &"audio/mpeg".parse().expect("a header"))
    );
    let paths: Vec<String> = provider.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(
        paths,
        [
            "/openai/v1/embeddings",
            "/openai/v1/images/generations",
            "/openai/v1/audio/speech"
        ]
    );
}
