//! Every kind of provider there is, for tests that ask the same of all of them. A new adapter is one line here.

use crate::{Provider, Witgate};

/// A kind of provider.
#[derive(Debug)]
pub struct Row {
    /// Its id in the configuration.
    pub name: &'static str,
    /// The adapter's file, without `.wasm`; "" where the gateway speaks to the provider itself.
    pub adapter: &'static str,
    /// The type in its configuration.
    pub kind: &'static str,
    /// The end of its base URL.
    pub path: &'static str,
    /// A model of its.
    pub model: &'static str,
    /// Further lines of its configuration.
    pub more: &'static str,
}

/// The key that every one of them gets.
pub const KEY: &str = "sk-of-the-provider";

/// All of them.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    Row { name: "openai", adapter: "", kind: "openai-compatible", path: "/v1", model: "gpt-4.1", more: "" },
    Row { name: "responses", adapter: "openai-responses", kind: "openai-responses", path: "/v1", model: "gpt-5", more: "" },
    Row { name: "anthropic", adapter: "anthropic", kind: "anthropic", path: "", model: "claude-sonnet-4-5", more: "" },
    Row { name: "azure", adapter: "azure-openai", kind: "azure-openai", path: "", model: "gpt-4.1", more: "" },
    Row { name: "azure-dated", adapter: "azure-openai", kind: "azure-openai", path: "", model: "our-gpt-4o", more: "api_version = \"2024-10-21\"\n" },
    Row { name: "azure-claude", adapter: "azure-openai", kind: "azure-openai", path: "", model: "claude-sonnet-4-5", more: "" },
    Row { name: "mistral", adapter: "mistral", kind: "mistral", path: "/v1", model: "mistral-large-latest", more: "" },
    Row { name: "vertex-claude", adapter: "gemini", kind: "vertex-ai", path: "", model: "claude-sonnet-4-5@20250929", more: "project_id = \"shop\"\nregion = \"europe-west1\"\n" },
    Row { name: "bedrock-llama", adapter: "bedrock", kind: "aws-bedrock", path: "", model: "meta.llama3-70b-instruct-v1:0", more: "region = \"us-east-1\"\n" },
    Row { name: "bedrock", adapter: "bedrock", kind: "aws-bedrock", path: "", model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", more: "region = \"us-east-1\"\n" },
    Row { name: "cohere", adapter: "cohere", kind: "cohere", path: "", model: "command-a-03-2025", more: "" },
    Row { name: "gemini", adapter: "gemini", kind: "gemini", path: "", model: "gemini-2.5-flash", more: "" },
    Row { name: "vertex", adapter: "gemini", kind: "vertex-ai", path: "", model: "gemini-3-pro-preview", more: "project_id = \"shop\"\nregion = \"europe-west1\"\n" },
    Row { name: "huggingface", adapter: "huggingface", kind: "huggingface-inference", path: "/models", model: "HuggingFaceH4/zephyr-7b-beta", more: "" },
    Row { name: "ollama", adapter: "ollama", kind: "ollama", path: "", model: "llama3.2", more: "" },
    Row { name: "replicate", adapter: "replicate", kind: "replicate", path: "/v1", model: "meta/meta-llama-3-8b-instruct", more: "" },
];

/// One gateway with a provider of every kind, all of them played by `provider`. Requests to the provider of a row name the model
/// `row.name/row.model`. `settings`: further lines of each provider's configuration.
pub async fn gateway(provider: &Provider, settings: &str) -> Witgate {
    let entry = |Row {
                     name, kind, path, more, ..
                 }: &Row| {
        let url = &provider.url;
        format!(
            "[[providers]]\nid = \"{name}\"\ntype = \"{kind}\"\nbase_url = \"{url}{path}\"\napi_key = \"{KEY}\"\nmax_retries = 0\n{more}{settings}\n"
        )
    };
    let mut adapters: Vec<&str> = ROWS
        .iter()
        .map(|row| row.adapter)
        .filter(|name| !name.is_empty())
        .collect();
    adapters.sort_unstable();
    adapters.dedup();
    Witgate::start(&ROWS.iter().map(entry).collect::<String>(), &adapters).await
}
