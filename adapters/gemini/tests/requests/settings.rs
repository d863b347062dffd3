use super::{VERTEX, refused_for, request, sent, sent_to, with};
use serde_json::{Value, json};
use witgate_gemini::Gemini;

fn config(fields: &Value) -> Value {
    sent(&with(fields))["generationConfig"].take()
}

#[test]
fn settings_are_renamed_and_zero_is_kept() {
    let asked = json!({"temperature": 0, "top_p": 0.0, "top_k": 5, "seed": 7, "n": 2, "presence_penalty": 0.5,
        "frequency_penalty": 0, "logprobs": true, "top_logprobs": 3, "max_tokens": 9, "stop": ["a", "", "b"]});
    assert_eq!(
        config(&asked),
        json!({"temperature": 0, "topP": 0.0, "topK": 5, "seed": 7, "candidateCount": 2, "presencePenalty": 0.5,
            "frequencyPenalty": 0, "responseLogprobs": true, "logprobs": 3, "maxOutputTokens": 9, "stopSequences": ["a", "b"]})
    );
    assert_eq!(
        config(&json!({"max_tokens": 9, "max_completion_tokens": 8, "stop": "x"})),
        json!({"maxOutputTokens": 8, "stopSequences": ["x"]})
    );
    assert_eq!(
        sent(&with(
            &json!({"n": 1, "stop": "", "temperature": null, "user": "u", "store": true})
        ))
        .get("generationConfig"),
        None
    );
}

#[test]
fn effort_is_a_budget_or_a_level_as_the_model_takes_it() {
    let thinking = |model: &str, effort: &str| {
        sent_to(model, &with(&json!({"reasoning_effort": effort})))["generationConfig"]["thinkingConfig"].take()
    };
    let budget = |tokens: i64| json!({"thinkingBudget": tokens, "includeThoughts": true});
    let level = |word: &str| json!({"thinkingLevel": word, "includeThoughts": true});
    let cases = [
        ("gemini-2.5-flash", "none", json!({"thinkingBudget": 0})),
        ("gemini-2.5-pro", "none", json!({"thinkingBudget": 128})),
        ("gemini-2.5-flash", "low", budget(1024)),
        ("gemini-2.5-flash", "medium", budget(8192)),
        ("gemini-2.5-flash", "xhigh", budget(24_576)),
        ("gemini-flash-latest", "high", budget(24_576)),
        ("gemini-3-pro-preview", "minimal", level("low")),
        ("gemini-3-pro-preview", "medium", level("high")),
        ("gemini-3.1-pro-preview", "medium", level("medium")),
        ("gemini-3-flash-preview", "none", json!({"thinkingLevel": "minimal"})),
        ("gemini-2.0-flash", "high", Value::Null),
    ];
    for (model, effort, config) in cases {
        assert_eq!(thinking(model, effort), config, "{model} {effort}");
    }
}

#[test]
fn thinking_may_be_said_as_other_clients_say_it() {
    let thinking = |fields: Value| config(&fields)["thinkingConfig"].take();
    let budget = json!({"thinkingBudget": 2000, "includeThoughts": true});
    assert_eq!(
        thinking(json!({"thinking": {"type": "enabled", "budget_tokens": 2000}})),
        budget
    );
    assert_eq!(
        thinking(json!({"thinking": {"type": "disabled"}})),
        json!({"thinkingBudget": 0})
    );
    let own = json!({"thinkingBudget": 1});
    assert_eq!(
        thinking(json!({"reasoning_effort": "high", "extra_body": {"google": {"thinking_config": own}}})),
        own
    );
    assert_eq!(
        thinking(json!({"reasoning_effort": "high", "generationConfig": {"thinkingConfig": own}})),
        own
    );
}

#[test]
fn effort_leads_a_thinking_without_a_budget() {
    let thinking = |model: &str, thinking: Value, effort: &str| {
        let asked = with(&json!({"thinking": thinking, "reasoning_effort": effort}));
        sent_to(model, &asked)["generationConfig"]["thinkingConfig"].take()
    };
    let adaptive = || json!({"type": "adaptive"});
    let budget = |tokens: i64| json!({"thinkingBudget": tokens, "includeThoughts": true});
    assert_eq!(thinking("gemini-2.5-flash", adaptive(), "medium"), budget(8192));
    assert_eq!(
        thinking("gemini-3-flash-preview", adaptive(), "low"),
        json!({"thinkingLevel": "low", "includeThoughts": true})
    );
    let enabled = json!({"type": "enabled", "budget_tokens": 2000});
    assert_eq!(thinking("gemini-2.5-flash", enabled, "high"), budget(2000));
    let off = json!({"thinkingBudget": 0});
    assert_eq!(thinking("gemini-2.5-flash", json!({"type": "disabled"}), "high"), off);
    let alone = sent(&with(&json!({"thinking": adaptive()})));
    assert_eq!(alone["generationConfig"]["thinkingConfig"], budget(-1));
}

#[test]
fn a_budget_of_thoughts_is_one_that_the_model_takes() {
    let budget = |model: &str, tokens: i64| {
        let asked = with(&json!({"thinking": {"type": "enabled", "budget_tokens": tokens}}));
        sent_to(model, &asked)["generationConfig"]["thinkingConfig"]["thinkingBudget"].take()
    };
    let cases = [
        ("gemini-2.5-flash", 32_000, 24_576),
        ("gemini-2.5-flash", 20_000, 20_000),
        ("gemini-2.5-flash", 0, 0),
        ("gemini-2.5-flash-lite", 32_000, 24_576),
        ("gemini-2.5-flash-lite", 100, 512),
        ("gemini-2.5-pro", 64_000, 32_768),
        ("gemini-2.5-pro", 32_000, 32_000),
        ("gemini-2.5-pro", 0, 128),
        ("gemini-2.5-flash", -1, -1),
    ];
    for (model, asked, sent) in cases {
        assert_eq!(budget(model, asked), sent, "{model} {asked}");
    }
}

#[test]
fn geminis_own_fields_are_passed_on_and_go_before_ours() {
    let safety = json!([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]);
    let body = sent(&with(
        &json!({"temperature": 1, "generationConfig": {"temperature": 0.5, "mediaResolution": "MEDIA_RESOLUTION_LOW"},
        "safetySettings": safety, "cachedContent": "cachedContents/x", "modalities": ["text", "image"]}),
    ));
    assert_eq!(
        body["generationConfig"],
        json!({"responseModalities": ["TEXT", "IMAGE"], "temperature": 0.5, "mediaResolution": "MEDIA_RESOLUTION_LOW"})
    );
    assert_eq!(
        (&body["safetySettings"], &body["cachedContent"]),
        (&safety, &json!("cachedContents/x"))
    );
}

#[test]
fn the_operators_safety_settings_are_for_clients_that_have_none() {
    let (ours, theirs) = (json!([{"category": "A"}]), json!([{"category": "B"}]));
    let settings = json!({"safety_settings": ours}).to_string();
    let safety = |asked: Value| {
        let sent = request("gemini-2.5-flash", &with(&asked))
            .config(&settings)
            .request::<Gemini>();
        sent.json()["safetySettings"].take()
    };
    assert_eq!(safety(json!({})), ours);
    assert_eq!(safety(json!({"safetySettings": theirs})), theirs);
}

#[test]
fn formats_become_a_media_type_and_a_schema() {
    assert_eq!(
        config(&json!({"response_format": {"type": "json_object"}})),
        json!({"responseMimeType": "application/json"})
    );
    let schema =
        json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "additionalProperties": false});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}});
    assert_eq!(
        config(&json!({"response_format": format})),
        json!({"responseMimeType": "application/json",
            "responseSchema": {"type": "object", "properties": {"a": {"type": "string", "nullable": true}}}})
    );
    assert_eq!(config(&json!({"response_format": {"type": "text"}})), Value::Null);
    assert_eq!(
        refused_for(&with(&json!({"response_format": {"type": "xml"}}))),
        "response_format"
    );
}

#[test]
fn embeddings_ask_each_service_in_its_own_form() {
    let asked =
        json!({"model": "gemini-embedding-001", "input": ["a", "b"], "dimensions": 8, "task_type": "RETRIEVAL_QUERY"});
    let call = witgate_sdk::testing::Call::new("embeddings", asked.to_string());
    let one = |text: &str| {
        json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]}, "taskType": "RETRIEVAL_QUERY",
            "outputDimensionality": 8})
    };
    let gemini = call.request::<Gemini>();
    assert!(
        gemini
            .url
            .ends_with("/v1beta/models/gemini-embedding-001:batchEmbedContents")
    );
    assert_eq!(gemini.json(), json!({"requests": [one("a"), one("b")]}));
    let vertex = call.config(VERTEX).request::<Gemini>();
    assert!(
        vertex
            .url
            .ends_with("/publishers/google/models/gemini-embedding-001:predict")
    );
    let instance = |text: &str| json!({"content": text, "task_type": "RETRIEVAL_QUERY"});
    assert_eq!(
        vertex.json(),
        json!({"instances": [instance("a"), instance("b")], "parameters": {"outputDimensionality": 8}})
    );
}
