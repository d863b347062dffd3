//! Embeddings by an adapter: more texts than the provider takes at once, each text's vector in its place, as numbers or as base64.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate};

/// How many texts Cohere takes at once.
const AT_ONCE: usize = 96;

/// Each text is a number, and its vector is that number twice.
fn embedded(asked: &Asked) -> Played {
    let asked = asked.json();
    let texts = asked["texts"].as_array().cloned().unwrap_or_default();
    if texts.len() > AT_ONCE {
        return Played::json(400, &json!({ "message": "too many texts" }));
    }
    let number = |text: &Value| -> f32 { text.as_str().and_then(|text| text.parse().ok()).unwrap_or(-1.0) };
    let kind = asked["embedding_types"][0].as_str().unwrap_or("float").to_owned();
    let vector = |text: &Value| match kind.as_str() {
        "base64" => json!(BASE64_STANDARD.encode([number(text).to_le_bytes(), number(text).to_le_bytes()].concat())),
        _ => json!([number(text), number(text)]),
    };
    let vectors: Vec<Value> = texts.iter().map(vector).collect();
    let meta = json!({ "billed_units": { "input_tokens": texts.len() } });
    Played::json(
        200,
        &json!({ "id": "e", "embeddings": { kind: vectors }, "texts": texts, "meta": meta }),
    )
}

#[tokio::test]
async fn more_texts_than_a_provider_takes_at_once_are_one_answer_in_their_order() {
    let provider = Provider::start(embedded).await;
    let config = format!(
        "[[providers]]\nid = \"cohere\"\ntype = \"cohere\"\nbase_url = \"{}\"\napi_key = \"k\"\nmax_retries = 0\n",
        provider.url
    );
    let gateway = Witgate::start(&config, &["cohere"]).await;
    let texts: Vec<String> = (0..250).map(|number| number.to_string()).collect();
    for format in ["float", "base64"] {
        let before = provider.asked().len();
        let body =
            json!({ "model": "cohere/embed-v4.0", "input": texts, "encoding_format": format, "dimensions": 256 });
        let answer = gateway.post("/v1/embeddings", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let answer = answer.json();
        let data = answer["data"].as_array().expect("a list");
        assert_eq!(data.len(), texts.len());
        for (place, item) in data.iter().enumerate() {
            let (number, expected) = (place as f32, place as u64);
            let vector = match format {
                "float" => json!([number, number]),
                _ => json!(BASE64_STANDARD.encode([number.to_le_bytes(), number.to_le_bytes()].concat())),
            };
            assert_eq!((&item["index"], &item["embedding"]), (&json!(expected), &vector));
        }
        assert_eq!(answer["usage"]["prompt_tokens"], 250, "each call counts");
        let asked = provider.asked().split_off(before);
        let mut sizes: Vec<usize> = asked
            .iter()
            .map(|asked| asked.json()["texts"].as_array().map_or(0, Vec::len))
            .collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [58, AT_ONCE, AT_ONCE]);
        assert!(asked.iter().all(|asked| asked.json()["output_dimension"] == 256));
    }
}
