//! What a client says in Chat Completions reaches Gemini as the same request in its own form.

#[path = "requests/messages.rs"]
mod messages;
#[path = "requests/schemas.rs"]
mod schemas;
#[path = "requests/settings.rs"]
mod settings;
#[path = "requests/tools.rs"]
mod tools;

use serde_json::{Value, json};
use witgate_gemini::Gemini;
use witgate_sdk::testing::{Call, Sent};

/// The settings of a provider on Vertex AI.
const VERTEX: &str = r#"{"project_id": "p", "region": "us-east1"}"#;

fn request(model: &str, request: &Value) -> Call {
    Call::chat(request.to_string()).model(model)
}

/// The body that is sent for the client's `request`.
fn sent(asked: &Value) -> Value {
    sent_to("gemini-2.5-flash", asked)
}

fn sent_to(model: &str, asked: &Value) -> Value {
    request(model, asked).request::<Gemini>().json()
}

/// The contents that are sent for the client's `messages`.
fn contents(messages: &Value) -> Value {
    sent(&json!({ "messages": messages }))["contents"].take()
}

/// A user's request with these further fields.
fn with(fields: &Value) -> Value {
    let mut request = json!({"messages": [{"role": "user", "content": "Go"}]});
    for (key, value) in fields.as_object().expect("fields are an object") {
        request[key] = value.clone();
    }
    request
}

/// The field that a request is refused for.
fn refused_for(asked: &Value) -> String {
    let played = request("gemini-2.5-flash", asked).play::<Gemini>([]);
    played.failure().param.clone().unwrap_or_default()
}

#[test]
fn a_request_goes_to_the_models_own_address() {
    let asked = with(&json!({}));
    let call = request("gemini-2.5-flash", &asked).base_url("https://generativelanguage.googleapis.com/v1beta");
    let models = "https://generativelanguage.googleapis.com/v1beta/models";
    assert_eq!(
        call.request::<Gemini>().url,
        format!("{models}/gemini-2.5-flash:generateContent")
    );
    let streamed: Sent = call.streaming().request::<Gemini>();
    assert_eq!(
        streamed.url,
        format!("{models}/gemini-2.5-flash:streamGenerateContent?alt=sse")
    );
    assert_eq!(streamed.framing, "sse");
}

#[test]
fn on_vertex_it_goes_to_the_regions_host_with_an_access_token() {
    let call = request("gemini-2.5-flash", &with(&json!({}))).config(VERTEX);
    let sent: Sent = call.base_url("https://aiplatform.googleapis.com").request::<Gemini>();
    let path = "v1beta1/projects/p/locations/us-east1/publishers/google/models/gemini-2.5-flash:generateContent";
    assert_eq!(sent.url, format!("https://us-east1-aiplatform.googleapis.com/{path}"));
    let ext: Vec<_> = sent.ext.into_iter().filter(|(key, _)| key != "dropped").collect();
    assert_eq!(ext, [("credentials".to_owned(), "bearer".to_owned())]);
}

#[test]
fn an_operation_that_gemini_does_not_have_is_refused() {
    let played = Call::new("images.generations", "{}").play::<Gemini>([]);
    assert_eq!(played.failure().kind, "unsupported");
}
