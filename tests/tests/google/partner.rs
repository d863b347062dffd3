//! A model of another maker's on Vertex AI, played: it answers in OpenAI's form, if it is asked at the right place for the right thing.

use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

/// Where the project and the region of these tests are.
const PLACE: &str = "/v1/projects/shop/locations/us-east1";

/// A provider that gives out a token, and has one model: at `whole`, for streams at `streamed`, and for exactly this body beside what
/// asks for a stream.
pub(crate) async fn start(whole: &'static str, streamed: &'static str, body: Value) -> Provider {
    Provider::start(move |asked| {
        if asked.path == "/token" {
            return Played::json(200, &json!({ "access_token": "ya29.1", "expires_in": 3599 }));
        }
        let mut sent = asked.json();
        let fields = sent.as_object_mut().expect("a chat is an object");
        fields.remove("stream_options");
        let streaming = fields.remove("stream") == Some(json!(true));
        let path = if streaming { streamed } else { whole };
        if sent != body || !is_at(asked, path) {
            let message = format!("{} with {sent} is not known here.", asked.path);
            let error = json!({ "code": 404, "message": message, "status": "NOT_FOUND" });
            return Played::json(404, &json!([{ "error": error }]));
        }
        if streaming { stream() } else { answer() }
    })
    .await
}

fn is_at(asked: &Asked, path: &str) -> bool {
    asked.path.strip_prefix(PLACE) == Some(path) && asked.header("authorization") == "Bearer ya29.1"
}

fn usage() -> Value {
    json!({ "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14 })
}

fn answer() -> Played {
    let message = json!({ "role": "assistant", "content": "Hello" });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    let answer = json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage() });
    Played::json(200, &answer)
}

fn stream() -> Played {
    let chunk = |content: &str, finish_reason: Value, usage: Value| {
        let choice = json!({ "index": 0, "delta": { "content": content }, "finish_reason": finish_reason });
        let chunk = json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice],
            "usage": usage });
        format!("data: {chunk}\n\n")
    };
    Played::events([
        chunk("Hel", Value::Null, Value::Null),
        chunk("lo", Value::Null, Value::Null),
        chunk("", json!("stop"), usage()),
        "data: [DONE]\n\n".to_owned(),
    ])
}

/// Has `asked` answered, whole and streamed.
pub(crate) async fn is_answered(gateway: &Witgate, mut asked: Value) {
    let whole = gateway.post("/v1/chat/completions", &asked).await;
    assert_eq!(whole.status, 200, "{}", whole.text);
    assert_eq!(whole.json()["choices"][0]["message"]["content"], "Hello");
    assert_eq!(whole.json()["usage"]["total_tokens"], 14);
    asked["stream"] = json!(true);
    let streamed = gateway.post("/v1/chat/completions", &asked).await;
    assert_eq!(streamed.status, 200, "{}", streamed.text);
    assert_eq!(streamed.streamed_text(), "Hello", "{}", streamed.text);
    assert!(streamed.text.ends_with("data: [DONE]\n\n"), "{}", streamed.text);
}
