//! Provider entries as the five source documents print them. Where each is from: `tests/fixtures/seeds/README.md`.

use std::{fs, path::PathBuf};

use super::{only, read, toml};
use crate::{
    config::{Api, Config, Format, KeySource, Via},
    secret::Secret,
};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/seeds"))
}

fn block(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("a fixture")
}

/// A JSON configuration with one printed entry in it.
fn polydev(name: &str) -> Config {
    let text = format!("{{\"providers\": [\n{}]}}", block(name));
    read(&text, Format::Json, &[]).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn key(config: &Config) -> Option<&str> {
    only(config).key.secret.as_ref().map(Secret::expose)
}

#[test]
fn every_printed_entry_is_taken_as_it_stands() {
    let mut seen = 0;
    for entry in fs::read_dir(folder()).expect("the fixtures") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name in UTF-8");
        if name.ends_with(".json") {
            let config = polydev(&name);
            assert!(!only(&config).models.is_empty(), "{name}");
            seen += 1;
        } else if name.ends_with(".toml") {
            let config = toml(&block(&name), &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!config.providers.is_empty(), "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 15);
}

#[test]
fn the_printed_format_means_what_its_document_says() {
    let config = polydev("polydev-custom-provider-id.json");
    let provider = only(&config);
    assert_eq!(
        (provider.id.as_str(), provider.name.as_str()),
        ("custom_provider_id", "Custom Provider Name")
    );
    assert_eq!(provider.via(), Via::Native);
    assert_eq!(provider.headers["authorization"], "Bearer your-api-key");
    assert_eq!(provider.headers["user-agent"], "Polydev/1.0");
    let model = provider.model("custom-model-v1").expect("the model");
    assert_eq!(model.context_window, Some(8192));
    let price = model.price.as_ref().expect("a price");
    // 0.001 USD per thousand tokens is a microdollar per token.
    assert_eq!(
        (price.rate("input"), price.rate("output")),
        (Some(1_000_000), Some(2_000_000))
    );
}

#[test]
fn a_server_that_wants_no_key_gets_none() {
    for name in ["polydev-ollama.json", "polydev-localai.json"] {
        let config = polydev(name);
        assert_eq!(key(&config), None, "{name}");
        assert_eq!(only(&config).key.source, KeySource::Keyless, "{name}");
    }
    let config = toml(&block("gptme-vllm.toml"), &[("VLLM_LOCAL_API_KEY", "none")]).expect("valid");
    assert_eq!(key(&config), None);
    assert_eq!(only(&config).key.source, KeySource::Keyless);
}

#[test]
fn a_free_model_costs_nothing_and_an_unpriced_one_is_unknown() {
    let free = polydev("polydev-ollama.json");
    assert_eq!(
        only(&free).models[0].price.as_ref().expect("a price").rate("input"),
        Some(0)
    );
    let unpriced = polydev("polydev-localai.json");
    assert_eq!(only(&unpriced).models[0].price, None);
}

#[test]
fn deployments_of_the_large_clouds_keep_their_settings_for_their_adapters() {
    let azure = polydev("polydev-azure-openai.json");
    assert_eq!(only(&azure).via(), Via::Type("azure-openai"));
    assert_eq!(only(&azure).settings.0["api_version"], "2024-02-15-preview");
    assert_eq!(only(&azure).models[0].upstream(), "gpt-5-deployment-name");
    assert_eq!(only(&azure).headers["api-key"], "your-azure-api-key");
    let bedrock = polydev("polydev-aws-bedrock.json");
    assert_eq!(only(&bedrock).base_url, None);
    assert_eq!(only(&bedrock).settings.0["access_key_id"], "your-access-key");
    assert!(only(&bedrock).secrets["secret_access_key"].is("your-secret-key"));
    let vertex = polydev("polydev-vertex-ai.json");
    assert_eq!(
        only(&vertex).settings.0["service_account_key"],
        "path/to/service-account.json"
    );
}

#[test]
fn a_custom_adapter_is_named_by_its_request_format() {
    let config = polydev("polydev-replicate.json");
    assert_eq!(only(&config).via(), Via::Adapter("replicate"));
    assert_eq!(only(&config).settings.0["streamingSupport"], false);
}

#[test]
fn a_private_server_keeps_its_tls_rules() {
    let config = polydev("polydev-private-server.json");
    let security = &only(&config).security;
    assert!(security.only_tls_1_3 && security.certificate_validation && !security.allow_insecure);
}

#[test]
fn keys_are_looked_for_in_the_order_of_gptme() {
    let config = toml(
        &block("gptme-all.toml"),
        &[("AZURE_API_KEY", "named"), ("VLLM_LOCAL_API_KEY", "conventional")],
    )
    .expect("valid");
    let sources: Vec<_> = config.providers.iter().map(|p| p.key.source.to_string()).collect();
    assert_eq!(
        sources,
        [
            "$VLLM_LOCAL_API_KEY (default)",
            "$AZURE_API_KEY",
            "$GROQ_API_KEY (not set)"
        ]
    );
    let direct = "[[providers]]\nname = \"x\"\nbase_url = \"http://localhost:1/v1\"\napi_key = \"direct\"\napi_key_env = \"NAMED\"";
    let config = toml(direct, &[("NAMED", "named"), ("X_API_KEY", "conventional")]).expect("valid");
    assert_eq!(
        (key(&config), &only(&config).key.source),
        (Some("direct"), &KeySource::File)
    );
}

#[test]
fn polpos_providers_map_names_each_by_its_key() {
    let text = r#"{"providers": {"ollama": {
        "baseUrl": "http://localhost:11434/v1", "api": "openai-completions",
        "models": [{"id": "qwen2.5-coder:32b", "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
                    "contextWindow": 32768, "input": ["text", "image"]}]},
      "proxy": {"baseUrl": "https://proxy.example.com/v1/messages", "api": "anthropic-messages"}}}"#;
    let config = read(text, Format::Json, &[]).expect("valid");
    let ids: Vec<_> = config.providers.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["ollama", "proxy"]);
    assert_eq!(config.providers[0].models[0].input, ["text", "image"]);
    assert_eq!(config.providers[1].via(), Via::Type("anthropic-messages"));
    assert_eq!(
        config.providers[1].base_url.as_ref().expect("a URL").as_str(),
        "https://proxy.example.com/v1"
    );
}

#[test]
fn langwatchs_fields_are_known() {
    let text = "[[providers]]\nname = \"internal-vllm\"\nbase_url = \"http://vllm.internal:8000/v1\"\napi_key = \"\"\n\
                auth = { header = \"X-Api-Key\" }\nsupported_models = [\"a\", \"b\"]\ncache = { mode = \"respect\" }";
    let config = toml(text, &[]).expect("valid");
    assert_eq!(key(&config), None);
    assert_eq!(only(&config).models.len(), 2);
}

#[test]
fn cencoris_fields_are_known() {
    let text = "[[providers]]\nname = \"Marlo LLaMA\"\nbase_url = \"http://localhost:11434/v1/\"\nformat = \"Anthropic Compatible\"\n\
                models = [\"legal-llama-3.1\"]\nenabled = false";
    let config = toml(text, &[]).expect("valid");
    assert_eq!((only(&config).api, only(&config).enabled), (Api::Messages, false));
    assert_eq!(
        only(&config).base_url.as_ref().expect("a URL").as_str(),
        "http://localhost:11434/v1"
    );
}
