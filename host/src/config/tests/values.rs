//! What values mean.

use std::time::Duration;

use super::{only, toml};
use crate::{
    config::{Auth, KeySource, provider::Via},
    secret::Secret,
};

const START: &str = "[[providers]]\nid = \"a\"\nbase_url = \"http://localhost:1/v1\"\n";

#[test]
fn variables_are_filled_in_and_a_default_stands_in_for_an_empty_one() {
    let text = format!("{START}api_key = \"${{TOKEN}}\"\ndefault_model = \"${{MODEL:-m}}-$${{x}}\"");
    let config = toml(&text, &[("TOKEN", "t"), ("MODEL", "")]).expect("valid");
    let provider = only(&config);
    assert_eq!(provider.key.secret.as_ref().map(Secret::expose), Some("t"));
    assert_eq!(provider.key.source, KeySource::Variable("TOKEN".to_owned()));
    assert_eq!(provider.default_model.as_deref(), Some("m-${x}"));
}

#[test]
fn base_urls_lose_what_was_copied_along() {
    for (written, read, warns) in [
        ("http://h/v1/", "http://h/v1", false),
        ("http://h/v1/chat/completions", "http://h/v1", true),
        ("http://h/v1/chat/completions/", "http://h/v1", true),
        ("http://h/v1/completions", "http://h/v1", true),
        ("https://h/v1/messages", "https://h/v1", true),
        ("https://h/v1/embeddings", "https://h/v1", true),
        ("https://h/models", "https://h/models", false),
        ("https://h/openai/deployments", "https://h/openai/deployments", false),
    ] {
        let config = toml(&format!("[[providers]]\nid = \"a\"\nbase_url = \"{written}\""), &[]).expect(written);
        assert_eq!(
            only(&config).base_url.as_ref().expect("a URL").as_str(),
            read,
            "{written}"
        );
        let warned = config
            .warnings
            .iter()
            .any(|warning| warning.message.contains("taken off"));
        assert_eq!(warned, warns, "{written}");
    }
}

#[test]
fn a_key_travels_as_auth_says() {
    let auth = |text: &str| {
        only(&toml(&format!("{START}auth = {text}"), &[]).expect("valid"))
            .auth
            .clone()
    };
    assert_eq!(auth("\"Bearer\""), Some(Auth::Bearer));
    assert_eq!(auth("\"none\""), Some(Auth::None));
    let header = |name, prefix: &str| {
        Some(Auth::Header {
            name: hyper::header::HeaderName::from_static(name),
            prefix: prefix.to_owned(),
        })
    };
    assert_eq!(auth("\"api-key\""), header("api-key", ""));
    assert_eq!(
        auth("{ header = \"X-Api-Key\", prefix = \"Key \" }"),
        header("x-api-key", "Key ")
    );
    assert_eq!(
        auth("{ query = \"key\" }"),
        Some(Auth::Query { name: "key".to_owned() })
    );
}

#[test]
fn a_header_that_carries_the_key_replaces_the_usual_one_and_is_left_out_without_a_key() {
    let text = format!("{START}headers = {{ X-Token = \"{{api_key}}\" }}\napi_key = ");
    let with = toml(&format!("{text}\"k\""), &[]).expect("valid");
    assert_eq!(only(&with).headers["x-token"], "k");
    assert_eq!(only(&with).auth, Some(Auth::None));
    let without = toml(&format!("{text}\"none\""), &[]).expect("valid");
    assert!(only(&without).headers.is_empty());
}

#[test]
fn lengths_of_time_have_units() {
    for (written, read) in [
        ("\"90s\"", 90_000),
        ("\"1500ms\"", 1_500),
        ("\"2m\"", 120_000),
        ("30000", 30_000),
    ] {
        let config = toml(&format!("{START}timeout = {written}"), &[]).expect(written);
        assert_eq!(only(&config).timeout, Duration::from_millis(read), "{written}");
    }
}

#[test]
fn prices_are_read_in_the_unit_they_name() {
    for (written, picodollars) in [
        ("pricing = { input = 3, unit = \"1M\" }", 3_000_000),
        ("cost = { input = 3 }", 3_000_000),
        ("pricing = { input = 0.003 }", 3_000_000),
        ("pricing = { input = 0.000003, unit = \"token\" }", 3_000_000),
    ] {
        let config = toml(&format!("{START}models = [{{ id = \"m\", {written} }}]"), &[]).expect(written);
        assert_eq!(
            only(&config).models[0].price.as_ref().expect("a price").rate("input"),
            Some(picodollars),
            "{written}"
        );
        assert_eq!(config.warnings.is_empty(), written.contains("unit"), "{written}");
    }
}

#[test]
fn what_acts_later_is_noted() {
    let config = toml(
        &format!("{START}rate_limit = {{ rpm = 3 }}\nbudget = {{ daily = 1.5 }}"),
        &[],
    )
    .expect("valid");
    let later: Vec<_> = config
        .later
        .iter()
        .map(|note| (note.key.as_str(), note.message.as_str()))
        .collect();
    assert_eq!(
        later,
        [
            ("providers[0].rate_limit", "limits"),
            ("providers[0].budget", "budgets")
        ]
    );
}

#[test]
fn the_admin_key_can_come_from_a_variable() {
    let config = toml("[admin]\nkey_env = \"ADMIN\"", &[("ADMIN", "k")]).expect("valid");
    assert!(config.admin.key.expect("a key").is("k"));
    assert!(toml("[admin]\nkey_env = \"ADMIN\"", &[]).is_err());
}

#[test]
fn a_known_type_and_a_key_are_a_whole_provider() {
    let config = toml("[[providers]]\ntype = \"Groq\"\napi_key = \"k\"", &[]).expect("valid");
    let groq = only(&config);
    assert_eq!((groq.id.as_str(), groq.via()), ("groq", Via::Native));
    let base_url = groq.base_url.as_ref().expect("a URL").as_str();
    assert_eq!(base_url, "https://api.groq.com/openai/v1");

    // What the operator writes comes first; the usual variable is for a provider that has none of its own.
    let text = "[[providers]]\nid = \"mine\"\ntype = \"hf\"\nbase_url = \"https://h/v1\"";
    let config = toml(text, &[("HF_TOKEN", "usual")]).expect("valid");
    let mine = only(&config);
    assert_eq!(mine.base_url.as_ref().expect("a URL").as_str(), "https://h/v1");
    assert_eq!(mine.key.secret.as_ref().map(Secret::expose), Some("usual"));
    assert_eq!(mine.key.source, KeySource::Default("HF_TOKEN".to_owned()));
    let config = toml(text, &[("HF_TOKEN", "usual"), ("MINE_API_KEY", "own")]).expect("valid");
    assert_eq!(only(&config).key.secret.as_ref().map(Secret::expose), Some("own"));

    // An adapter that is named stands before the table.
    let config = toml("[[providers]]\ntype = \"groq\"\nadapter = \"theirs\"", &[]).expect("valid");
    assert_eq!(only(&config).via(), Via::Adapter("theirs"));
}
