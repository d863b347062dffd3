//! Other makers' models on Vertex AI: most are asked in OpenAI's API, Mistral's in Mistral's, and what they answer is relayed.

use witgate_gemini::Gemini;
use witgate_sdk::testing::{Call, Reply, Sent, Value, json};

const LLAMA: &str = "meta/llama-3.3-70b-instruct-maas";
const MISTRAL: &str = "mistral-medium-3@001";

/// A chat of this model by a client that calls it otherwise.
fn chat(model: &str, fields: &Value) -> Call {
    Call::says("Hi")
        .with(fields)
        .model(model)
        .base_url("https://aiplatform.googleapis.com")
        .config(r#"{"project_id": "p", "region": "us-east5"}"#)
}

fn sent(model: &str, fields: &Value) -> Sent {
    chat(model, fields).request::<Gemini>()
}

/// Where in the location `sent` goes, by the version that all these models have.
fn path(sent: &Sent) -> &str {
    let place = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/";
    sent.url.strip_prefix(place).unwrap_or(&sent.url)
}

fn is_relayed_with_a_bearer(sent: &Sent) -> bool {
    let bearer = ("credentials".to_owned(), "bearer".to_owned());
    sent.framing == "relay" && sent.ext.contains(&bearer)
}

/// What the client is told was dropped.
fn dropped(sent: &Sent) -> &str {
    let dropped = sent.ext.iter().find(|(key, _)| key == "dropped");
    dropped.map_or("", |(_, paths)| paths)
}

#[test]
fn a_chat_in_openais_api_goes_to_one_path_with_the_publisher_in_the_models_name() {
    for model in [LLAMA, "publishers/meta/models/llama-3.3-70b-instruct-maas"] {
        let sent = sent(model, &json!({}));
        assert_eq!(path(&sent), "endpoints/openapi/chat/completions");
        assert_eq!(
            sent.json(),
            json!({"model": LLAMA, "messages": [{"role": "user", "content": "Hi"}]})
        );
        assert!(is_relayed_with_a_bearer(&sent), "{sent:?}");
    }
    let unheard_of = sent("acme/mind-1", &json!({}));
    assert_eq!(path(&unheard_of), "endpoints/openapi/chat/completions");
    assert_eq!(unheard_of.json()["model"], "acme/mind-1");
}

#[test]
fn its_fields_are_the_clients_but_for_the_longest_answers_older_name() {
    let fields = json!({"max_completion_tokens": 9, "max_tokens": 8, "stream": true, "stream_options": {"include_usage": true},
        "logit_bias": {"1": 2}, "user": "u", "temperature": 0.70});
    let sent = sent(LLAMA, &fields);
    let expected = json!({"model": LLAMA, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9, "stream": true,
        "stream_options": {"include_usage": true}, "logit_bias": {"1": 2}, "user": "u", "temperature": 0.70});
    assert_eq!(sent.json(), expected);
    assert_eq!(dropped(&sent), "");
}

#[test]
fn mistrals_models_are_asked_in_mistrals_api_with_the_version_in_the_url_alone() {
    let fields = json!({"seed": 7, "store": true, "user": "", "audio": null, "prompt_cache_key": "k"});
    for model in [
        MISTRAL,
        "mistralai/mistral-medium-3@001",
        "publishers/mistralai/models/mistral-medium-3@001",
    ] {
        let sent = sent(model, &fields);
        assert_eq!(
            path(&sent),
            "publishers/mistralai/models/mistral-medium-3%40001:rawPredict"
        );
        assert_eq!(
            sent.json(),
            json!({"model": "mistral-medium-3", "messages": [{"role": "user", "content": "Hi"}], "random_seed": 7,
                "prompt_cache_key": "k"})
        );
        assert_eq!(dropped(&sent), "store");
        assert!(is_relayed_with_a_bearer(&sent), "{sent:?}");
    }
    let streamed = sent("codestral-2", &json!({"stream": true}));
    assert_eq!(
        path(&streamed),
        "publishers/mistralai/models/codestral-2:streamRawPredict"
    );
    assert_eq!(streamed.json()["stream"], true);
    assert!(is_relayed_with_a_bearer(&streamed), "{streamed:?}");
}

#[test]
fn the_version_and_the_place_of_the_operator_are_theirs_too() {
    let call = chat(LLAMA, &json!({}));
    let given = "https://a.example/v1beta1/projects/q/locations/l/endpoints/openapi";
    let sent = call.config("{}").base_url(given).request::<Gemini>();
    assert_eq!(sent.url, [given, "/chat/completions"].concat());
}

#[test]
fn endpoints_and_the_gemini_api_stay_what_they_are() {
    let endpoint = sent("endpoints/12", &json!({}));
    assert!(
        endpoint
            .url
            .ends_with("/v1beta1/projects/p/locations/us-east5/endpoints/12:generateContent"),
        "{}",
        endpoint.url
    );
    let call = chat(MISTRAL, &json!({})).config("{}").base_url("https://a.example");
    assert_eq!(
        call.request::<Gemini>().url,
        "https://a.example/v1beta/models/mistral-medium-3%40001:generateContent"
    );
}

#[test]
fn what_goes_wrong_is_told_by_google_or_by_the_makers_server() {
    let failed = |model, status, body: Value| {
        let reply = Reply::status(status).body(body.to_string());
        let played = chat(model, &json!({})).play::<Gemini>([reply]);
        (played.failure().kind.clone(), played.failure().message.clone())
    };
    let told = |kind: &str, message: &str| (kind.to_owned(), message.to_owned());
    let googles = |code: u16, status, message| json!({"error": {"code": code, "message": message, "status": status}});
    for model in [LLAMA, MISTRAL] {
        assert_eq!(
            failed(model, 400, googles(400, "FAILED_PRECONDITION", "Not enabled.")),
            told("invalid-request", "Not enabled.")
        );
        assert_eq!(
            failed(model, 429, json!([googles(429, "RESOURCE_EXHAUSTED", "Retry in 2s.")])),
            told("rate-limit", "Retry in 2s.")
        );
    }
    let long = "This model's maximum context length is 128000 tokens.";
    assert_eq!(
        failed(LLAMA, 400, googles(400, "INVALID_ARGUMENT", long)),
        told("context-length", long)
    );
    assert_eq!(
        failed(
            LLAMA,
            400,
            json!({"object": "error", "message": "No.", "type": "BadRequestError", "code": 400})
        ),
        told("invalid-request", "No.")
    );
    let detail = json!([{"loc": ["body", "n"], "msg": "Too many"}]);
    assert_eq!(
        failed(MISTRAL, 422, json!({"object": "error", "message": {"detail": detail}})),
        told("invalid-request", "n: Too many")
    );
}

#[test]
fn what_cannot_be_asked_is_said() {
    let failure = |call: Call| call.play::<Gemini>([]).failure().clone();
    let nameless = failure(chat("llama-3.3-70b-instruct-maas", &json!({})));
    assert_eq!(
        (nameless.kind.as_str(), nameless.param.as_deref()),
        ("not-found", Some("model"))
    );
    let embeddings = Call::new("embeddings", r#"{"input": "Hi"}"#).model(LLAMA);
    let embeddings = embeddings.config(r#"{"project_id": "p"}"#);
    assert_eq!(failure(embeddings).kind, "unsupported");
}
