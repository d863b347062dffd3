//! The table that is compiled in, the look-up, and the public list.

use super::{BUILT_IN, Catalogue, Table, provider};
use crate::reply::Usage;

/// In the public list's shape.
const LIST: &str = r#"{
    "sample_spec": { "litellm_provider": "one of many", "max_input_tokens": "how many" },
    "mistral/Large-1": {
        "litellm_provider": "mistral", "mode": "chat", "max_input_tokens": 128000, "max_output_tokens": "4096",
        "input_cost_per_token": 2e-06, "output_cost_per_token": 6.0e-06, "cache_read_input_token_cost": 2e-07,
        "supports_function_calling": true, "supports_vision": false, "deprecation_date": "2026-02-28",
        "search_context_cost_per_query": { "low": 0.01, "high": 0.01 }, "source": "https://example.com"
    },
    "gemini/long": {
        "litellm_provider": "gemini", "mode": "chat", "supported_endpoints": ["/v1/responses", "/v1/batch"],
        "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
        "input_cost_per_token_above_200k_tokens": 2.5e-06, "input_cost_per_token_batches": 1e-06,
        "output_cost_per_token_above_200k_tokens_priority": 9e-05, "deprecation_date": "soon"
    },
    "dashscope/steps": {
        "litellm_provider": "dashscope",
        "tiered_pricing": [
            { "range": [0, 32000.0], "input_cost_per_token": 1e-06, "output_cost_per_token": 5e-06 },
            { "range": [32000.0, 128000.0], "input_cost_per_token": 2e-06, "output_cost_per_token": 9e-06 }
        ]
    },
    "azure/eu/gpt-x": { "litellm_provider": "azure", "input_cost_per_token": 1e-06 },
    "azure/gpt-x": { "litellm_provider": "azure", "input_cost_per_token": 2e-06 },
    "somebody/else": { "litellm_provider": "nobody-we-know", "input_cost_per_token": 1e-06 }
}"#;

fn table() -> Table {
    Table::read(LIST.to_owned()).expect("a list")
}

#[test]
fn the_list_is_condensed_to_what_is_used() {
    let text = table().to_string();
    let rows: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        rows,
        [
            "alibaba\tsteps\t\t\t\t\t\tinput=1 output=5 >32000 input=2 output=9",
            "azure\tgpt-x\t\t\t\t\t\tinput=2",
            "gemini\tlong\tchat,responses\t\t\t\t\tinput=1.25 output=10 >200000 input=2.5",
            "mistral\tlarge-1\tchat\t128000\t4096\ttools\t2026-02-28\tinput=2 cached=0.2 output=6 requests=0.01",
        ]
    );
    // And a table is read as itself.
    assert_eq!(Table::read(text.clone()).expect("a table").to_string(), text);
}

#[test]
fn what_is_no_list_is_refused_with_the_reason() {
    for (text, reason) in [
        ("[]", "no model"),
        ("{\"a\": 1", "not a price list"),
        ("{}", "no models"),
        ("<html>", "no model"),
        ("", "no models"),
        ("b\tx\t\t\t\t\t\t\na\tx\t\t\t\t\t\t", "order"),
        ("a\tx\t\t\t\t\t\tinput=free", "no model"),
    ] {
        let error = Table::read(text.to_owned()).err().unwrap_or_default();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_model_is_found_by_the_names_its_provider_has_for_it_and_by_no_others() {
    let table = table();
    for id in [
        "large-1",
        " Large-1 ",
        "large-1:latest",
        "publishers/x/models/large-1",
        "arn:x:y:profile/large-1",
    ] {
        assert!(table.get("mistral", id).is_some(), "{id}");
    }
    for id in ["large", "large-1-2026-02-28", "large-10", "", "\t"] {
        assert_eq!(table.get("mistral", id), None, "{id}");
    }
    assert_eq!(table.get("gemini", "large-1"), None, "it is another's");
}

#[test]
fn every_line_of_the_table_is_found() {
    let table = Catalogue::default().current();
    table.check().expect("sound");
    let mut seen = 0;
    for line in BUILT_IN.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let (of, id) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        assert_eq!(table.line(&format!("{of}\t{id}")), Some(line));
        assert_eq!(provider(of), Some(of));
        seen += 1;
    }
    assert!(seen > 1000, "{seen}");
    assert_eq!(table.models().count(), seen);
    assert!(BUILT_IN.len() < 512 << 10, "it is part of every program");
}

#[test]
fn the_table_says_what_providers_say() {
    let table = Catalogue::default().current();
    let usage = Usage {
        input: Some(1_000_000),
        cached: Some(500_000),
        output: Some(1000),
        ..Usage::default()
    };
    // <https://openai.com/api/pricing>: 1.25 USD in, 0.125 cached, 10 out, per million tokens.
    let row = table.get("openai", "gpt-5").expect("a row");
    assert_eq!(
        row.price().expect("a price").cost(&usage).expect("known").to_string(),
        "0.6975"
    );
    // <https://platform.claude.com/docs/en/about-claude/pricing>: 3, 3.75 and 6 for what is cached, 0.3 from there, 15.
    let row = table.get("anthropic", "claude-sonnet-4-5-20250929").expect("a row");
    let price = row.price().expect("a price").to_string();
    let start = "input=3 cached=0.3 cache_written=3.75 cache_written_hour=6 output=15";
    assert!(price.starts_with(start), "{price}");
    assert_eq!(row.max_output_tokens, Some(64_000));
    // A local model costs nothing, and that is known.
    let row = table.get("ollama", "llama3").expect("a row");
    assert_eq!(row.price().expect("a price").cost(&usage).expect("known").pico, 0);
}
