//! What a client may get wrong, and what it is told.

use serde_json::json;
use witgate_tests::{Played, Provider, Witgate};

/// A gateway whose one provider must never be asked.
async fn gateway(more: &str) -> (Provider, Witgate) {
    let provider = Provider::start(|_| Played::json(500, &json!({}))).await;
    let config = format!(
        "{more}\n[[providers]]\nname = \"mock\"\nbase_url = \"{}/v1\"\nmodels = [{{ id = \"small\", context_window = 100 }}]",
        provider.url
    );
    let gateway = Witgate::start(&config, &[]).await;
    (provider, gateway)
}

async fn refused(body: &str) -> (u16, serde_json::Value) {
    let (provider, gateway) = gateway("").await;
    let answer = gateway.post_text("/v1/chat/completions", body.to_owned(), &[]).await;
    assert!(provider.asked().is_empty(), "a bad request must not reach the provider");
    (answer.status, answer.json()["error"].clone())
}

#[tokio::test]
async fn json_that_is_none_is_refused_with_the_place() {
    let (status, error) = refused("{\"model\": \"small\", \"messages\": [").await;
    assert_eq!((status, &error["type"]), (400, &json!("invalid_request_error")));
    assert!(
        error["message"].as_str().is_some_and(|m| m.contains("line 1 column")),
        "{error}"
    );
}

#[tokio::test]
async fn missing_messages_are_named() {
    for body in [r#"{"model":"small"}"#, r#"{"model":"small","messages":[]}"#] {
        let (status, error) = refused(body).await;
        assert_eq!(
            (status, error["message"].as_str()),
            (400, Some("Messages are required"))
        );
        assert_eq!(error["param"], "messages");
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let (status, error) =
        refused(r#"{"model":"small","temperature":"hot","n":0,"messages":[{"role":7},{"content":1,"role":"user"},3]}"#)
            .await;
    let params: Vec<_> = error["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|p| p["param"].clone())
        .collect();
    assert_eq!(status, 400);
    assert_eq!(
        params,
        [
            "temperature",
            "n",
            "messages[0].role",
            "messages[1].content",
            "messages[2]"
        ]
    );
    assert_eq!(error["param"], "temperature");
}

#[tokio::test]
async fn more_tokens_than_the_model_has_are_refused() {
    let (status, error) =
        refused(r#"{"model":"small","max_tokens":101,"messages":[{"role":"user","content":"x"}]}"#).await;
    assert_eq!((status, &error["param"]), (400, &json!("max_tokens")));
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|m| m.starts_with("Token limit exceeds model context window")),
        "{error}"
    );
}

#[tokio::test]
async fn a_body_nested_too_deep_is_refused() {
    let deep = format!(
        r#"{{"model":"small","messages":{}{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    let (status, error) = refused(&deep).await;
    assert_eq!(status, 400);
    assert!(
        error["message"].as_str().is_some_and(|m| m.contains("nested deeper")),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_model_is_a_404_that_names_it() {
    let (status, error) = refused(r#"{"model":"nope","messages":[{"role":"user","content":"x"}]}"#).await;
    assert_eq!(
        (status, &error["code"], &error["param"]),
        (404, &json!("model_not_found"), &json!("model"))
    );
    assert!(
        error["message"].as_str().is_some_and(|m| m.contains("`nope`")),
        "{error}"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413() {
    let (_provider, gateway) = gateway("[limits]\nbody_bytes = 2000\n").await;
    let answer = gateway.post_text("/v1/chat/completions", "x".repeat(2001), &[]).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "request_too_large"));
}

#[tokio::test]
async fn a_key_is_asked_for_where_keys_are_configured() {
    let (_provider, gateway) = gateway("api_keys = [\"k1\", \"k2\"]\n").await;
    let body = json!({ "model": "nope", "messages": [{ "role": "user", "content": "x" }] }).to_string();
    for (header, value, status) in [
        ("authorization", "Bearer k2", 404),
        ("x-api-key", "k1", 404),
        ("authorization", "Bearer k3", 401),
        ("accept", "*/*", 401),
    ] {
        let answer = gateway
            .post_text("/v1/chat/completions", body.clone(), &[(header, value)])
            .await;
        assert_eq!(answer.status, status, "{header}: {value}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_404_in_the_apis_shape() {
    let (_provider, gateway) = gateway("").await;
    let answer = gateway.post("/v1/nothing", &json!({})).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "unknown_url"));
}

#[tokio::test]
async fn a_path_asked_with_the_wrong_method_says_which_it_takes() {
    let (_provider, gateway) = gateway("").await;
    let answer = gateway.get("/v1/chat/completions").await;
    assert_eq!((answer.status, answer.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(answer.headers["allow"], "POST");
}

#[tokio::test]
async fn the_clients_request_id_comes_back_and_a_new_one_is_made() {
    let (_provider, gateway) = gateway("").await;
    let answer = gateway
        .post_text("/v1/chat/completions", "{}", &[("x-request-id", "mine-1")])
        .await;
    assert_eq!(
        answer
            .headers
            .get("x-request-id")
            .map(reqwest::header::HeaderValue::as_bytes),
        Some("mine-1".as_bytes())
    );
    let ids: Vec<_> = [gateway.get("/healthz").await, gateway.get("/healthz").await]
        .iter()
        .map(|answer| answer.headers["x-request-id"].clone())
        .collect();
    assert_ne!(ids[0], ids[1]);
}
