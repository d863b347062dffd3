use serde_json::{Value, json};
use witgate_bedrock::Bedrock;
use witgate_sdk::testing::{Call, Played, Reply, Sent};

const CONFIG: &str = r#"{"region":"us-east-1"}"#;

fn embed(model: &str, fields: &Value, replies: impl IntoIterator<Item = Reply>) -> Played {
    let call = Call::new("embeddings", r#"{"input":["a","b"]}"#).with(fields);
    call.model(model).config(CONFIG).play::<Bedrock>(replies)
}

#[test]
fn amazons_models_are_asked_text_by_text_and_their_tokens_are_summed() {
    let one =
        |vector: &str, tokens: u64| Reply::json(format!("{{\"embedding\":{vector},\"inputTextTokenCount\":{tokens}}}"));
    let played = embed(
        "amazon.titan-embed-text-v2:0",
        &json!({"dimensions": 256, "normalize": false}),
        [one("[0.10,1e-3]", 3), one("[2]", 4)],
    );
    let bodies: Vec<Value> = played.requests().iter().map(Sent::json).collect();
    assert_eq!(
        bodies,
        [
            json!({"inputText": "a", "dimensions": 256, "normalize": false}),
            json!({"inputText": "b", "dimensions": 256, "normalize": false})
        ]
    );
    let answer = played.answer();
    assert_eq!(
        answer["data"],
        json!([
            {"object": "embedding", "index": 0, "embedding": [0.10, 1e-3]},
            {"object": "embedding", "index": 1, "embedding": [2]}
        ])
    );
    assert_eq!(answer["usage"]["prompt_tokens"], 7);
}

#[test]
fn coheres_models_are_asked_once_and_answer_in_either_form() {
    for vectors in ["[[1,2],[3,4]]", r#"{"float":[[1,2],[3,4]]}"#] {
        let reply = Reply::json(format!("{{\"embeddings\":{vectors},\"texts\":[\"a\",\"b\"]}}"));
        let played = embed(
            "cohere.embed-english-v3",
            &json!({"input_type": "search_query"}),
            [reply.header("x-amzn-bedrock-input-token-count", "5")],
        );
        assert_eq!(
            played.requests()[0].json(),
            json!({"texts": ["a", "b"], "input_type": "search_query"})
        );
        let answer = played.answer();
        assert_eq!(answer["data"][1]["embedding"], json!([3, 4]));
        assert_eq!(answer["usage"]["prompt_tokens"], 5);
    }
}

#[test]
fn what_is_no_list_of_embeddings_is_a_failure() {
    let played = embed("cohere.embed-english-v3", &json!({}), [Reply::json("{}")]);
    assert_eq!(played.failure().kind, "upstream");
}
