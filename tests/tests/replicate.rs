//! A provider with Replicate's API behind the real program and the real adapter: a prediction is created, then polled or read along,
//! and an OpenAI client notices nothing of it.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

const MODEL: &str = "rep/meta/llama";

fn config(provider: &Provider, settings: &str) -> String {
    format!(
        "[[providers]]\nid = \"rep\"\ntype = \"replicate\"\nbase_url = \"{}/v1\"\napi_key = \"r8-secret\"\nmax_retries = 0\n\
         [providers.adapter_config]\npoll_ms = 1\npoll_max_ms = 1\n{settings}",
        provider.url
    )
}

async fn gateway(play: impl Fn(&Asked) -> Played + Send + Sync + 'static, settings: &str) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let gateway = Witgate::start(&config(&provider, settings), &["replicate"]).await;
    (provider, gateway)
}

/// A prediction as Replicate shows it to whoever asked.
fn prediction(asked: &Asked, status: &str, output: &Value) -> Value {
    let here = format!("http://{}/v1", asked.header("host"));
    let metrics = json!({ "input_token_count": 3, "output_token_count": 2, "predict_time": 0.1 });
    json!({
        "id": "p1", "status": status, "output": output, "error": null,
        "metrics": if status == "succeeded" { metrics } else { json!({}) },
        "urls": {
            "get": format!("{here}/predictions/p1"),
            "cancel": format!("{here}/predictions/p1/cancel"),
            "stream": format!("{here}/stream/p1"),
        },
    })
}

/// Replicate, where each poll finds the next of `states`; the last one stays.
fn polled(states: impl IntoIterator<Item = (&'static str, Value)>) -> impl Fn(&Asked) -> Played + Send + Sync {
    let (states, polls): (Vec<_>, _) = (states.into_iter().collect(), AtomicUsize::new(0));
    move |asked| {
        if asked.method == "POST" {
            return Played::json(201, &prediction(asked, "starting", &Value::Null));
        }
        let at = polls.fetch_add(1, Ordering::SeqCst).min(states.len() - 1);
        let (status, output) = &states[at];
        Played::json(200, &prediction(asked, status, output))
    }
}

fn creations(provider: &Provider) -> usize {
    let asked = provider.asked();
    asked.iter().filter(|asked| is_creation(asked)).count()
}

fn is_creation(asked: &Asked) -> bool {
    asked.method == "POST" && asked.path.ends_with("/predictions")
}

/// A streamed chat that is under way when this returns, and what it has said so far.
async fn begun(gateway: &Witgate) -> (reqwest::Response, String) {
    let body = json!({ "model": MODEL, "stream": true, "messages": [{ "role": "user", "content": "Say hello." }] });
    let request = gateway.client.post(format!("{}/v1/chat/completions", gateway.url));
    let mut answer = request.body(body.to_string()).send().await.expect("a stream");
    let first = answer.chunk().await.expect("no break").expect("a first chunk");
    (answer, String::from_utf8_lossy(&first).into_owned())
}

#[tokio::test]
async fn a_prediction_is_created_once_asked_for_until_it_is_over_and_answered() {
    let states = [("processing", json!(["Hel"])), ("succeeded", json!(["Hel", "lo"]))];
    let (provider, gateway) = gateway(polled(states), "").await;
    let answer = gateway.chat(MODEL, false).await;
    let json = answer.json();
    assert_eq!(answer.status, 200, "{json}");
    assert_eq!(json["choices"][0]["message"]["content"], "Hello");
    assert_eq!(json["choices"][0]["finish_reason"], "stop");
    assert_eq!(json["object"], "chat.completion");
    assert_eq!(json["usage"]["total_tokens"], 5);
    let asked = provider.asked();
    assert_eq!(asked[0].path, "/v1/models/meta/llama/predictions");
    assert_eq!(asked[0].json()["input"]["prompt"], "Say hello.");
    assert_eq!((creations(&provider), asked.len()), (1, 3));
    for asked in asked {
        assert_eq!(asked.header("authorization"), "Bearer r8-secret", "{}", asked.path);
    }
}

#[tokio::test]
async fn a_stream_is_read_along_and_its_usage_asked_for_afterwards() {
    let play = |asked: &Asked| match asked.path.as_str() {
        "/v1/stream/p1" => Played::events([
            "event: output\nid: 1:0\ndata: Hel\n\n",
            "event: output\nid: 2:0\ndata: lo\n\n",
            "event: done\nid: 3:0\ndata: {}\n\n",
        ]),
        _ if asked.method == "POST" => Played::json(201, &prediction(asked, "starting", &Value::Null)),
        _ => Played::json(200, &prediction(asked, "succeeded", &json!(["Hel", "lo"]))),
    };
    let (_provider, gateway) = gateway(play, "").await;
    let body = json!({
        "model": MODEL, "stream": true, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "Say hello." }]
    });
    let answer = gateway.post("/v1/chat/completions", &body).await;
    assert_eq!(answer.streamed_text(), "Hello");
    let events = answer.events();
    let (first, last) = (&events[0], &events[events.len() - 1]);
    assert_eq!(first["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(
        (&last["choices"], &last["usage"]["total_tokens"]),
        (&json!([]), &json!(5))
    );
    assert!(answer.text.ends_with("data: [DONE]\n\n"), "{}", answer.text);
    let quiet = gateway.chat(MODEL, true).await;
    assert!(!quiet.text.contains("usage"), "nobody asked for it: {}", quiet.text);
}

#[tokio::test]
async fn a_model_without_a_stream_is_polled_and_its_text_streamed_as_it_grows() {
    let (say, said) = tokio::sync::mpsc::channel(1);
    let said = Mutex::new(said);
    let play = move |asked: &Asked| {
        if asked.method == "POST" {
            return Played::json(201, &prediction(asked, "starting", &Value::Null));
        }
        // Between two words of the test's the prediction says nothing new.
        match said.lock().expect("no panic").try_recv() {
            Ok(()) => Played::json(200, &prediction(asked, "succeeded", &json!(["Hel", "lo"]))),
            Err(_) => Played::json(200, &prediction(asked, "processing", &json!(["Hel"]))),
        }
    };
    // As the older configuration documents write it.
    let provider = Provider::start(play).await;
    let config = format!(
        "[[providers]]\nid = \"rep\"\ntype = \"custom-adapter\"\nbase_url = \"{}/v1\"\napi_key = \"r8-secret\"\n\
         [providers.adapterConfig]\nrequestFormat = \"replicate\"\nresponseFormat = \"replicate\"\nstreamingSupport = false\n\
         poll_ms = 1\npoll_max_ms = 1",
        provider.url
    );
    let gateway = Witgate::start(&config, &["replicate"]).await;
    let (mut answer, mut text) = begun(&gateway).await;
    while !text.contains("Hel") {
        let chunk = answer.chunk().await.expect("no break").expect("more");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(!text.contains("lo\""), "the rest was not said yet: {text}");
    say.send(()).await.expect("the provider lives");
    while let Some(chunk) = answer.chunk().await.expect("no break") {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(text.contains("\"lo\"") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(creations(&provider), 1);
}

#[tokio::test]
async fn an_answer_that_is_there_at_once_is_streamed_by_the_gateway() {
    let play = |asked: &Asked| Played::json(201, &prediction(asked, "succeeded", &json!(["Hel", "lo"])));
    let (provider, gateway) = gateway(play, "").await;
    let answer = gateway.chat(MODEL, true).await;
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    assert_eq!(answer.streamed_text(), "Hello");
    assert_eq!(answer.events()[0]["object"], "chat.completion.chunk");
    assert!(answer.text.ends_with("data: [DONE]\n\n"), "{}", answer.text);
    assert_eq!(provider.asked().len(), 1);
}

#[tokio::test]
async fn a_refusal_reaches_the_client_in_openais_shape() {
    let invalid = json!({
        "title": "Input validation failed", "status": 422, "detail": "- input.prompt: Too long",
        "invalid_fields": [{ "type": "number_lte", "field": "input.prompt", "description": "Too long" }],
    });
    let cases = [
        (
            401,
            json!({ "detail": "You did not pass a valid token" }),
            "invalid_api_key",
            Value::Null,
        ),
        (
            402,
            json!({ "detail": "Insufficient credit" }),
            "insufficient_quota",
            Value::Null,
        ),
        (404, json!({ "detail": "not here" }), "", json!("model")),
        (422, invalid, "number_lte", json!("prompt")),
        (
            429,
            json!({ "detail": "Slow down", "retry_after": 7 }),
            "rate_limit_exceeded",
            Value::Null,
        ),
        (500, json!({ "detail": "We broke" }), "", Value::Null),
    ];
    for (status, body, code, param) in cases {
        let said = body["detail"].as_str().unwrap_or_default().to_owned();
        let (_provider, gateway) = gateway(move |_| Played::json(status, &body), "").await;
        for streaming in [false, true] {
            let answer = gateway.chat(MODEL, streaming).await;
            let error = &answer.json()["error"];
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{error}");
            assert_eq!(error["param"], param, "{error}");
            assert!(
                error["message"].as_str().is_some_and(|message| message.contains(&said)),
                "{error}"
            );
            assert!(error["type"].is_string(), "{error}");
            assert!(!answer.text.contains("r8-secret"));
            if status == 429 {
                assert_eq!(answer.headers["retry-after"], "7");
            }
        }
    }
}

#[tokio::test]
async fn a_prediction_that_fails_is_an_error_and_not_an_empty_answer() {
    let failed = |asked: &Asked| {
        let mut failed = prediction(asked, "failed", &Value::Null);
        failed["error"] = json!("CUDA out of memory (E1234)");
        Played::json(201, &failed)
    };
    let (_provider, gateway) = gateway(failed, "").await;
    let answer = gateway.chat(MODEL, false).await;
    assert_eq!((answer.status, answer.code().as_str()), (502, "E1234"));
    assert_eq!(answer.json()["error"]["message"], "CUDA out of memory (E1234)");
}

#[tokio::test]
async fn a_failure_in_mid_stream_ends_the_stream_with_an_error_and_without_the_end_mark() {
    let play = |asked: &Asked| match asked.path.as_str() {
        "/v1/stream/p1" => Played::events([
            "event: output\nid: 1:0\ndata: Hel\n\n",
            "event: error\nid: 2:0\ndata: {\"detail\":\"The GPU is gone\"}\n\n",
        ]),
        _ => Played::json(201, &prediction(asked, "starting", &Value::Null)),
    };
    let (_provider, gateway) = gateway(play, "").await;
    let answer = gateway.chat(MODEL, true).await;
    assert_eq!(answer.streamed_text(), "Hel");
    let last = answer.events().pop().expect("events");
    assert_eq!(last["error"]["message"], "The GPU is gone");
    assert!(!answer.text.contains("[DONE]"), "{}", answer.text);
}

#[tokio::test]
async fn all_pages_of_models_are_listed_under_the_names_clients_write() {
    let play = |asked: &Asked| {
        let page =
            |next: Option<String>, name: &str| json!({ "next": next, "results": [{ "owner": "meta", "name": name }] });
        let next = format!("http://{}/v1/models?cursor=2", asked.header("host"));
        match asked.path.as_str() {
            "/v1/models" => Played::json(200, &page(Some(next), "llama")),
            _ => Played::json(200, &page(None, "llama-3")),
        }
    };
    let (_provider, gateway) = gateway(play, "").await;
    let list = gateway.get("/v1/models").await.json();
    let ids: Vec<_> = list["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(ids, ["rep/meta/llama", "rep/meta/llama-3"]);
    assert_eq!(
        gateway.get("/v1/models/rep/meta/llama-3").await.json()["owned_by"],
        "meta"
    );
}

#[tokio::test]
async fn a_client_that_leaves_while_a_prediction_is_polled_cancels_it() {
    // The poll hangs: its sender tells when the gateway hangs up.
    let (poll, played) = Played::live("application/json");
    let played = Mutex::new(Some(played));
    let play = move |asked: &Asked| {
        let hanging = played.lock().expect("no panic").take_if(|_| asked.method == "GET");
        hanging.unwrap_or_else(|| {
            let status = if asked.path.ends_with("/cancel") {
                "canceled"
            } else {
                "starting"
            };
            Played::json(200, &prediction(asked, status, &Value::Null))
        })
    };
    let (provider, gateway) = gateway(play, "").await;
    tokio::select! {
        answer = gateway.chat(MODEL, false) => panic!("the prediction is not over: {answer:?}"),
        _ = provider.asked_for(|asked| asked.method == "GET") => {}
    }
    let hung_up = tokio::time::timeout(std::time::Duration::from_secs(20), poll.closed()).await;
    assert!(hung_up.is_ok(), "the poll still hangs");
    let cancel = provider
        .asked_for(|asked| asked.path == "/v1/predictions/p1/cancel")
        .await;
    assert_eq!(
        (cancel.method.as_str(), cancel.header("authorization")),
        ("POST", "Bearer r8-secret")
    );
    assert_eq!(creations(&provider), 1);
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_drops_the_stream_and_cancels_the_prediction() {
    let (stream, played) = Played::live("text/event-stream");
    let played = Mutex::new(Some(played));
    let play = move |asked: &Asked| match asked.path.as_str() {
        "/v1/stream/p1" => played.lock().expect("no panic").take().expect("one stream"),
        _ => Played::json(201, &prediction(asked, "starting", &Value::Null)),
    };
    let (provider, gateway) = gateway(play, "").await;
    stream
        .send(Ok("event: output\ndata: Hel\n\n".into()))
        .await
        .expect("room");
    let (answer, text) = begun(&gateway).await;
    assert!(text.contains("\"role\":\"assistant\""), "{text}");
    drop(answer);
    let hung_up = tokio::time::timeout(std::time::Duration::from_secs(20), stream.closed()).await;
    assert!(hung_up.is_ok(), "the stream is still read");
    provider
        .asked_for(|asked| asked.path == "/v1/predictions/p1/cancel")
        .await;
}
