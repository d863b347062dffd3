//! The three tiers, as their source documents have them, and what must hold for any table.

use std::sync::Arc;

use super::{Candidate, MatchedBy, Table};
use crate::config::{Config, Format, Provider};

fn providers(toml: &str) -> Vec<Arc<Provider>> {
    Config::parse(toml, Format::Toml, "test", &|_| None)
        .expect("valid")
        .providers
}

const PROVIDERS: &str = r#"
    [[providers]]
    name = "Marlo LLaMA"
    base_url = "http://a/v1"
    models = ["Legal-Llama-3.1", "other"]
    [[providers]]
    id = "vllm-local"
    name = "The server downstairs"
    base_url = "http://b/v1"
    default_model = "meta-llama/Llama-3.1-8B"
    [[providers]]
    id = "cloud"
    base_url = "http://c/v1"
    models = [{ id = "public", deployment = "dep-1" }, { id = "hidden", enabled = false }, "shared"]
    [[providers]]
    id = "near"
    base_url = "http://d/v1"
    priority = 1
    models = ["shared", "cloud"]
    [[providers]]
    id = "off"
    base_url = "http://e/v1"
    enabled = false
    models = ["sleeping", "shared"]
"#;

/// Where `model` leads: provider, model, tier of each candidate.
fn resolve(model: &str) -> Vec<(String, String, &'static str)> {
    let providers = providers(PROVIDERS);
    let found = Table::new(&providers).resolve(model).unwrap_or_default();
    found
        .into_iter()
        .map(|c| (providers[c.provider].id.clone(), c.model, c.matched_by.as_str()))
        .collect()
}

fn first(model: &str) -> Option<(String, String, &'static str)> {
    resolve(model).into_iter().next()
}

fn leads(model: &str, provider: &str, upstream: &str, tier: &'static str) {
    assert_eq!(
        first(model),
        Some((provider.to_owned(), upstream.to_owned(), tier)),
        "{model}"
    );
}

#[test]
fn each_tier_leads_where_its_document_says() {
    // Tier 1: the registered spelling goes upstream, case and blanks do not count.
    leads("legal-llama-3.1", "Marlo LLaMA", "Legal-Llama-3.1", "model");
    leads("  LEGAL-LLAMA-3.1 ", "Marlo LLaMA", "Legal-Llama-3.1", "model");
    leads("public", "cloud", "dep-1", "model");
    // Tier 2: the default model, else the first one.
    leads("Marlo LLaMA", "Marlo LLaMA", "Legal-Llama-3.1", "provider_name");
    leads("marlo llama", "Marlo LLaMA", "Legal-Llama-3.1", "provider_name");
    leads("vllm-local", "vllm-local", "meta-llama/Llama-3.1-8B", "provider_name");
    leads(
        "the server downstairs",
        "vllm-local",
        "meta-llama/Llama-3.1-8B",
        "provider_name",
    );
    // Tier 3: what is after the name, as the client wrote it, slashes and colons and all.
    leads(
        "Marlo LLaMA/llama3.1-70b",
        "Marlo LLaMA",
        "llama3.1-70b",
        "provider_prefix",
    );
    leads(
        "vllm-local/meta-llama/Llama-3.1-8B",
        "vllm-local",
        "meta-llama/Llama-3.1-8B",
        "provider_prefix",
    );
    leads(
        "VLLM-local/qwen2.5-coder:32b",
        "vllm-local",
        "qwen2.5-coder:32b",
        "provider_prefix",
    );
    leads("cloud/Public", "cloud", "dep-1", "provider_prefix");
    leads(
        "vllm-local/",
        "vllm-local",
        "meta-llama/Llama-3.1-8B",
        "provider_prefix",
    );
}

#[test]
fn a_tier_is_tried_over_all_providers_before_the_next() {
    // `cloud` is a provider, and a model that a later provider registers.
    leads("cloud", "near", "cloud", "model");
}

#[test]
fn providers_with_one_model_follow_each_other_by_priority() {
    let order: Vec<_> = resolve("shared").into_iter().map(|(provider, ..)| provider).collect();
    assert_eq!(order, ["near", "cloud"]);
}

#[test]
fn what_is_disabled_is_skipped() {
    for model in ["sleeping", "off", "off/anything", "hidden", "cloud/hidden"] {
        assert_eq!(resolve(model), [], "{model}");
    }
}

#[test]
fn a_provider_without_models_passes_its_own_name() {
    let providers = providers("[[providers]]\nid = \"Bare\"\nbase_url = \"http://a/v1\"");
    let found = Table::new(&providers).resolve("bare").expect("found");
    assert_eq!(
        found,
        [Candidate {
            provider: 0,
            model: "bare".to_owned(),
            matched_by: MatchedBy::ProviderName
        }]
    );
}

#[test]
fn a_built_in_provider_is_not_shadowed() {
    let mut list =
        providers("[[providers]]\nid = \"mine\"\nbase_url = \"http://a/v1\"\npriority = 1\nmodels = [\"big-4\"]");
    let mut found = Provider::clone(&providers("[[providers]]\nid = \"found\"\nbase_url = \"http://b/v1\"")[0]);
    found.built_in = true;
    found.claims = vec!["big-*".to_owned()];
    list.push(Arc::new(found));
    let table = Table::new(&list);
    let order: Vec<_> = table
        .resolve("BIG-4")
        .expect("found")
        .into_iter()
        .map(|c| (c.provider, c.model))
        .collect();
    assert_eq!(order, [(1, "BIG-4".to_owned()), (0, "big-4".to_owned())]);
    assert_eq!(table.listings()[0].id, "mine/big-4");
}

#[test]
fn every_listed_model_leads_to_its_provider_first() {
    let providers = providers(PROVIDERS);
    let table = Table::new(&providers);
    let listings = table.listings();
    assert_eq!(listings.len(), 6);
    for listing in &listings {
        let candidates = table.resolve(&listing.id).expect("it routes");
        assert_eq!(candidates[0].provider, listing.provider, "{}", listing.id);
        let model = &providers[listing.provider].models[listing.model];
        assert_eq!(candidates[0].model, model.upstream(), "{}", listing.id);
    }
    let mut ids: Vec<_> = listings.iter().map(|listing| listing.id.to_lowercase()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), listings.len(), "an id is listed once");
}

/// Names out of a few pieces, so that all the cases where they collide come up.
#[test]
fn for_any_name_and_any_table_a_decision_keeps_the_rules() {
    let pieces = ["a", "B", "a/b", "", " a ", "b:1", "/", "é", "a b"];
    let mut tables = 0;
    for id in ["a", "b", "a/b"] {
        for (one, other) in pieces
            .iter()
            .flat_map(|one| pieces.iter().map(move |other| (one, other)))
        {
            let mut provider = Provider::clone(&providers("[[providers]]\nid = \"x\"\nbase_url = \"http://a/v1\"")[0]);
            provider.id = id.to_owned();
            provider.name = (*one).to_owned();
            provider.models = vec![crate::config::Model::named(*other)];
            let table = Table::new(&[Arc::new(provider)]);
            tables += 1;
            for name in pieces
                .iter()
                .flat_map(|a| pieces.iter().map(move |b| format!("{a}/{b}")))
            {
                let upper = table.resolve(&format!(" {} ", name.to_uppercase()));
                match table.resolve(&name) {
                    Ok(found) => {
                        assert_eq!(found.len(), 1);
                        let same = upper.expect("case does not count");
                        assert_eq!(
                            (same[0].provider, same[0].matched_by),
                            (found[0].provider, found[0].matched_by)
                        );
                    }
                    Err(missing) => {
                        assert!(upper.is_err() && !missing.to_string().is_empty());
                        assert!(!name.to_lowercase().starts_with(&format!("{id}/")), "{name} names {id}");
                    }
                }
                assert!(!table.explain(&name).is_empty());
            }
        }
    }
    assert_eq!(tables, 243);
}

#[test]
fn a_name_that_leads_nowhere_is_answered_with_what_to_do() {
    let providers = providers(PROVIDERS);
    let table = Table::new(&providers);
    let hint = |model: &str| table.resolve(model).expect_err("nowhere").to_string();
    assert_eq!(hint("legal-lama-3.1"), "did you mean `Legal-Llama-3.1`?");
    assert_eq!(hint("sleeping"), "the provider `off` has it, but is disabled");
    assert!(hint("zzzzzzzzzzzzzz").contains("GET /v1/models"));
}

#[test]
fn a_decision_is_explained() {
    let providers = providers(PROVIDERS);
    let table = Table::new(&providers);
    assert_eq!(
        table.explain("shared"),
        [
            "Goes to `near` as `shared`: the model is registered there (priority 1).",
            "If that fails, to `cloud` as `shared`: the model is registered there (priority 50)."
        ]
    );
    assert!(table.explain("nothing").last().expect("a line").contains("404"));
}
