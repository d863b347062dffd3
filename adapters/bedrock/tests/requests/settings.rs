use super::{CLAUDE, NOVA, call, dropped, refused, sent};
use serde_json::json;
use witgate_bedrock::Bedrock;

#[test]
fn settings_are_renamed_zero_is_kept_and_what_is_not_known_goes_to_the_model() {
    let asked = json!({"temperature": 0, "top_p": 0.70, "max_completion_tokens": 9, "max_tokens": 8, "stop": ["a", ""], "seed": 7,
        "user": "u", "n": 1, "top_k": 5, "service_tier": "flex", "requestMetadata": {"team": "a"}, "novel": [1]});
    assert_eq!(
        sent("mistral.mistral-large-2402-v1:0", &asked),
        json!({"messages": [{"role": "user", "content": [{"text": "Go"}]}],
            "inferenceConfig": {"maxTokens": 9, "temperature": 0, "topP": 0.70, "stopSequences": ["a"]},
            "additionalModelRequestFields": {"top_k": 5, "novel": [1]},
            "serviceTier": {"type": "flex"}, "requestMetadata": {"team": "a"}})
    );
}

#[test]
fn what_only_some_models_take_is_said_in_their_words() {
    assert_eq!(
        sent(NOVA, &json!({"top_k": 5}))["additionalModelRequestFields"],
        json!({"inferenceConfig": {"topK": 5}})
    );
    let thinking = sent(CLAUDE, &json!({"reasoning_effort": "low", "temperature": 0.5}));
    assert_eq!(
        thinking["additionalModelRequestFields"]["thinking"],
        json!({"type": "enabled", "budget_tokens": 2048})
    );
    assert!(
        thinking["inferenceConfig"].get("temperature").is_none(),
        "it takes none while it thinks"
    );
    assert_eq!(
        sent("openai.gpt-oss-120b-1:0", &json!({"reasoning_effort": "low"}))["additionalModelRequestFields"],
        json!({"reasoning_effort": "low"})
    );
    assert!(
        sent(NOVA, &json!({"reasoning_effort": "low"}))
            .get("additionalModelRequestFields")
            .is_none()
    );
}

#[test]
fn the_operators_guardrail_is_for_those_who_name_none() {
    let config = r#"{"region":"us-east-1","guardrail":{"id":"g1","version":"2"}}"#;
    let guarded = |fields| call(NOVA, &fields).config(config).request::<Bedrock>().json()["guardrailConfig"].take();
    assert_eq!(
        guarded(json!({})),
        json!({"guardrailIdentifier": "g1", "guardrailVersion": "2", "trace": "enabled"})
    );
    let own = json!({"guardrailIdentifier": "own", "guardrailVersion": "DRAFT"});
    assert_eq!(guarded(json!({"guardrailConfig": own})), own);
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    for (fields, param) in [
        (json!({"functions": []}), "functions"),
        (json!({"audio": {"voice": "v"}}), "audio"),
        (json!({"max_tokens": "many"}), "max_tokens"),
        (json!({"response_format": {"type": "xml"}}), "response_format"),
    ] {
        assert_eq!(refused(NOVA, &fields).1, param);
    }
}

#[test]
fn anthropics_thinking_goes_to_claude_and_becomes_novas_own_and_is_named_where_a_model_has_none() {
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 8000}});
    assert_eq!(
        sent(CLAUDE, &budget)["additionalModelRequestFields"]["thinking"],
        budget["thinking"]
    );
    let nova = "us.amazon.nova-2-lite-v1:0";
    assert_eq!(
        sent(nova, &budget)["additionalModelRequestFields"],
        json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}})
    );
    assert!(dropped(nova, &budget).is_empty());
    let off = json!({"thinking": {"type": "disabled"}});
    for model in [NOVA, "us.meta.llama3-3-70b-instruct-v1:0", "openai.gpt-oss-120b-1:0"] {
        let body = sent(model, &budget);
        assert!(body.get("additionalModelRequestFields").is_none(), "{body}");
        assert_eq!(dropped(model, &budget), ["thinking"], "{model}");
        assert!(dropped(model, &off).is_empty(), "{model} does not think");
    }
    let unknown = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1";
    assert_eq!(sent(unknown, &budget)["additionalModelRequestFields"], budget);
}

#[test]
fn an_effort_leads_the_clients_own_adaptive_thinking_or_is_named() {
    let asked = json!({"thinking": {"type": "adaptive"}, "reasoning_effort": "low"});
    let adaptive = "us.anthropic.claude-opus-4-6-v1";
    assert_eq!(
        sent(adaptive, &asked)["additionalModelRequestFields"],
        json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}})
    );
    assert!(dropped(adaptive, &asked).is_empty());
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "reasoning_effort": "low"});
    assert_eq!(
        sent(CLAUDE, &budget)["additionalModelRequestFields"],
        json!({"thinking": budget["thinking"]})
    );
    assert_eq!(dropped(CLAUDE, &budget), ["reasoning_effort"]);
    assert_eq!(dropped(NOVA, &json!({"reasoning_effort": "low"})), ["reasoning_effort"]);
    assert!(dropped(NOVA, &json!({"reasoning_effort": "none"})).is_empty());
}

#[test]
fn the_betas_that_bedrock_knows_go_to_claude_and_no_others() {
    let header = "claude-code-20250219, context-1m-2025-08-07,context-management-2025-06-27,context-1m-2025-08-07";
    let asked = |model: &str, config: &str| {
        let call = call(model, &json!({}))
            .config(config)
            .ext("header.anthropic-beta", header);
        call.request::<Bedrock>().json()
    };
    let (converse, invoke) = (r#"{"region":"us-east-1"}"#, r#"{"region":"us-east-1","invoke":true}"#);
    assert_eq!(
        asked(CLAUDE, converse)["additionalModelRequestFields"],
        json!({"anthropic_beta": ["context-1m-2025-08-07"]})
    );
    assert_eq!(
        asked(CLAUDE, invoke)["anthropic_beta"],
        json!(["context-1m-2025-08-07", "context-management-2025-06-27"])
    );
    assert!(asked(NOVA, converse).get("additionalModelRequestFields").is_none());
    let none = call(CLAUDE, &json!({})).ext("header.anthropic-beta", "claude-code-20250219");
    assert!(
        none.request::<Bedrock>()
            .json()
            .get("additionalModelRequestFields")
            .is_none()
    );
}
