//! Facts about models: compiled in, refreshed while the gateway runs, overruled by the operator; and what answers cost.

use serde_json::{Value, json};
use witgate_tests::{Played, Provider, Witgate};

fn answer(usage: &Value) -> Value {
    json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hi" }, "finish_reason": "stop" }]
    })
}

/// A provider that has used a thousand tokens, of which some were cached and some written.
async fn provider() -> Provider {
    let answer = answer(&json!({
        "prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000, "prompt_tokens_details": { "cached_tokens": 400 }
    }));
    Provider::start(move |_| Played::json(200, &answer)).await
}

/// What a model list says of `id`.
async fn listed(gateway: &Witgate, id: &str) -> Value {
    let list = gateway.get("/v1/models").await.json();
    let models = list["data"].as_array().expect("a list");
    models.iter().find(|model| model["id"] == id).expect("listed").clone()
}

#[tokio::test]
async fn a_model_that_nobody_configured_has_its_facts_and_its_price() {
    let provider = provider().await;
    let config = format!(
        "[[providers]]\ntype = \"openai\"\nbase_url = \"{}/v1\"\nmodels = [\"gpt-5\", \"nobody-knows\"]",
        provider.url
    );
    let mut gateway = Witgate::start(&config, &[]).await;
    let model = listed(&gateway, "gpt-5").await;
    assert_eq!(model["pricing"]["input"], 1.25);
    assert_eq!(model["pricing"]["cached"], 0.125);
    assert_eq!(model["pricing"]["unit"], "USD per 1M tokens; requests and seconds each");
    assert_eq!(model["max_output_tokens"], 128_000);
    let capabilities = model["capabilities"].as_array().expect("a list");
    assert!(capabilities.contains(&json!("tools")), "{model}");
    let unknown = listed(&gateway, "nobody-knows").await;
    for key in ["pricing", "context_window", "max_output_tokens", "capabilities"] {
        assert_eq!(unknown[key], Value::Null, "{key} is unknown");
    }

    assert_eq!(gateway.chat("gpt-5", false).await.status, 200);
    // 500 at 1.25, 400 at 0.125, 100 at 10, by the million.
    let line = gateway.line_with("operation=\"chat.completions\"").await;
    assert!(line.ends_with("cost_usd=0.001675"), "{line}");
    assert_eq!(gateway.chat("nobody-knows", false).await.status, 200);
    let line = gateway.line_with("model=\"nobody-knows\"").await;
    assert!(!line.contains("cost_usd"), "{line}");
    let metrics = gateway.get("/metrics").await.text;
    for sample in [
        "witgate_cost_usd_total{provider=\"openai\"} 0.001675",
        "witgate_unpriced_requests_total{provider=\"openai\"} 1",
    ] {
        assert!(metrics.contains(sample), "{sample}: {metrics}");
    }
    let long = json!({ "model": "gpt-5", "max_tokens": 1_000_000, "messages": [{ "role": "user", "content": "x" }] });
    let told = gateway.post("/v1/chat/completions", &long).await;
    assert_eq!(told.status, 400);
    assert!(
        told.text.contains("Token limit exceeds model context window"),
        "{}",
        told.text
    );
    let tier = json!({ "model": "gpt-5", "service_tier": "flex", "messages": [{ "role": "user", "content": "x" }] });
    gateway.post("/v1/chat/completions", &tier).await;
    let metrics = gateway.get("/metrics").await.text;
    assert!(
        metrics.contains("witgate_unpriced_requests_total{provider=\"openai\"} 2"),
        "the price of another tier is not known: {metrics}"
    );
}

#[tokio::test]
async fn the_operators_entry_wins_over_the_catalogue() {
    let provider = provider().await;
    let config = format!(
        "[[providers]]\ntype = \"openai\"\nbase_url = \"{}/v1\"\n\
         [[providers.models]]\nid = \"gpt-5\"\ncontext_window = 2_000_000\ncost = {{ input = 0, output = 0, unit = \"1M\" }}",
        provider.url
    );
    let mut gateway = Witgate::start(&config, &[]).await;
    let model = listed(&gateway, "gpt-5").await;
    assert_eq!(model["context_window"], 2_000_000);
    assert_eq!(
        (&model["pricing"]["input"], &model["pricing"]["cached"]),
        (&json!(0.0), &Value::Null)
    );
    let long = json!({ "model": "gpt-5", "max_tokens": 1_000_000, "messages": [{ "role": "user", "content": "x" }] });
    assert_eq!(gateway.post("/v1/chat/completions", &long).await.status, 200);
    let line = gateway.line_with("operation=\"chat.completions\"").await;
    assert!(
        line.ends_with("cost_usd=0"),
        "what is free costs nothing, and that is known: {line}"
    );
}

#[tokio::test]
async fn a_newer_list_takes_its_place_while_requests_run_and_a_bad_one_does_not() {
    let list = |price: f64| {
        json!({ "gpt-5": {
            "litellm_provider": "openai", "mode": "chat", "max_input_tokens": 77, "input_cost_per_token": price,
            "output_cost_per_token": price
        }})
    };
    let answers = std::sync::Mutex::new(vec![
        Played::json(200, &json!({ "none": 1 })),
        Played::json(200, &list(2e-6)),
    ]);
    let server = Provider::start(move |_| {
        let next = answers.lock().expect("no panic").pop();
        next.unwrap_or_else(|| Played::bytes(500, "text/html", vec!["<html>".into()]))
    })
    .await;
    let config = format!(
        "[catalogue]\nurl = \"{}/prices.json\"\ninterval = \"1s\"\n\
         [[providers]]\ntype = \"openai\"\nbase_url = \"http://127.0.0.1:1/v1\"\nmodels = [\"gpt-5\"]",
        server.url
    );
    let mut gateway = Witgate::start(&config, &[]).await;
    gateway.line_with("the catalogue of models was read").await;
    let model = listed(&gateway, "gpt-5").await;
    assert_eq!(
        (&model["context_window"], &model["pricing"]["input"]),
        (&json!(77), &json!(2.0))
    );
    for reason in ["it has no models", "the answer has the status 500"] {
        let line = gateway.line_with(reason).await;
        assert!(line.contains("stays as it is"), "{line}");
    }
    assert_eq!(listed(&gateway, "gpt-5").await["context_window"], 77);
    let kept = std::fs::read_to_string(gateway.folder().join("data/catalogue.tsv")).expect("kept for the next start");
    assert!(kept.contains("openai\tgpt-5\tchat\t77"), "{kept}");
}

#[tokio::test]
async fn a_list_in_a_file_is_read_at_the_start() {
    let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
    let file = folder.path().join("list.tsv");
    std::fs::write(&file, "openai\tgpt-5\tchat\t88\t\t\t\tinput=3\n").expect("a file can be written");
    let config = format!(
        "[catalogue]\nfile = {file:?}\n\
         [[providers]]\ntype = \"openai\"\nbase_url = \"http://127.0.0.1:1/v1\"\nmodels = [\"gpt-5\"]"
    );
    let gateway = Witgate::start_in(folder, &config, &[]).await;
    let model = listed(&gateway, "gpt-5").await;
    assert_eq!(
        (&model["context_window"], &model["pricing"]["input"]),
        (&json!(88), &json!(3.0))
    );
}
