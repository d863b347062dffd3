use super::{refused_for, sent, sent_to};
use serde_json::{Value, json};

fn with(fields: &Value) -> Value {
    let mut request = json!({"messages": [{"role": "user", "content": "Go"}]});
    for (key, value) in fields.as_object().expect("fields are an object") {
        request[key] = value.clone();
    }
    request
}

#[test]
fn the_answers_length_is_the_clients_or_fits_the_model() {
    assert_eq!(sent(&with(&json!({"max_tokens": 7})))["max_tokens"], 7);
    assert_eq!(
        sent(&with(&json!({"max_tokens": 7, "max_completion_tokens": 9})))["max_tokens"],
        9
    );
    assert_eq!(
        sent(&with(&json!({"max_completion_tokens": 9, "max_tokens": 7})))["max_tokens"],
        9
    );
    let defaults = [
        ("claude-3-haiku-20240307", 4096),
        ("claude-3-5-sonnet-latest", 8192),
        ("claude-opus-4-1", 16_000),
        ("claude-sonnet-4-5", 32_000),
        ("another-model", 8192),
    ];
    for (model, tokens) in defaults {
        assert_eq!(sent_to(model, &with(&json!({})))["max_tokens"], tokens, "{model}");
    }
    assert_eq!(refused_for(&with(&json!({"max_tokens": "many"}))), "max_tokens");
}

#[test]
fn sampling_settings_are_kept_where_the_model_takes_them() {
    let asked = with(&json!({"temperature": 0, "top_p": 0.9, "top_k": 5}));
    let older = sent_to("claude-3-5-haiku-latest", &asked);
    assert_eq!(
        (&older["temperature"], &older["top_p"], &older["top_k"]),
        (&json!(0), &json!(0.9), &json!(5))
    );
    let newer = sent_to("claude-sonnet-4-5", &asked);
    assert_eq!((&newer["temperature"], &newer["top_k"]), (&json!(0), &json!(5)));
    assert!(newer.get("top_p").is_none(), "this generation takes one of the two");
    assert_eq!(sent(&with(&json!({"top_p": 0.9})))["top_p"], 0.9);
    let newest = sent_to("claude-opus-4-7", &asked);
    assert!(
        ["temperature", "top_p", "top_k"]
            .iter()
            .all(|key| newest.get(key).is_none()),
        "{newest}"
    );
}

#[test]
fn an_effort_leads_the_clients_own_adaptive_thinking() {
    let asked = with(&json!({"thinking": {"type": "adaptive"}, "reasoning_effort": "low"}));
    let body = sent_to("claude-opus-4-6", &asked);
    assert_eq!(
        (&body["thinking"], &body["output_config"]),
        (&json!({"type": "adaptive"}), &json!({"effort": "low"}))
    );
    let budget = with(&json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "reasoning_effort": "low"}));
    let body = sent_to("claude-sonnet-4-5", &budget);
    assert!(body.get("output_config").is_none(), "it knows no effort: {body}");
}

#[test]
fn stop_is_a_string_or_a_list() {
    assert_eq!(sent(&with(&json!({"stop": "END"})))["stop_sequences"], json!(["END"]));
    assert_eq!(
        sent(&with(&json!({"stop": ["a", "\n", "b"]})))["stop_sequences"],
        json!(["a", "b"])
    );
    assert!(sent(&with(&json!({"stop": null}))).get("stop_sequences").is_none());
}

#[test]
fn the_user_is_named_and_other_metadata_is_not() {
    assert_eq!(
        sent(&with(&json!({"user": "u1"})))["metadata"],
        json!({"user_id": "u1"})
    );
    assert_eq!(
        sent(&with(&json!({"safety_identifier": "u2"})))["metadata"],
        json!({"user_id": "u2"})
    );
    let both = with(&json!({"metadata": {"user_id": "u3", "team": "x"}}));
    assert_eq!(sent(&both)["metadata"], json!({"user_id": "u3"}));
    assert!(
        sent(&with(&json!({"metadata": {"team": "x"}})))
            .get("metadata")
            .is_none()
    );
}

#[test]
fn effort_becomes_a_budget_or_an_effort_as_the_model_takes_it() {
    let high = with(&json!({"reasoning_effort": "high", "temperature": 0.3, "max_tokens": 4000}));
    let older = sent_to("claude-sonnet-4-5", &high);
    assert_eq!(older["thinking"], json!({"type": "enabled", "budget_tokens": 3000}));
    assert!(older.get("temperature").is_none(), "thinking takes none");
    let newer = sent_to("claude-opus-4-6", &high);
    assert_eq!(newer["thinking"]["type"], "adaptive");
    assert_eq!(newer["output_config"], json!({"effort": "high"}));
    for (model, effort) in [("claude-3-5-haiku-latest", "high"), ("claude-opus-4-6", "none")] {
        let body = sent_to(model, &with(&json!({"reasoning_effort": effort})));
        assert!(
            body.get("thinking").is_none() && body.get("output_config").is_none(),
            "{body}"
        );
    }
}

#[test]
fn thinking_from_an_effort_gives_way_where_the_api_would_refuse_it() {
    let call = json!({"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let unsigned = json!({"reasoning_effort": "low", "messages": [
        {"role": "user", "content": "Go"}, {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "x", "content": "1"}]});
    assert!(sent(&unsigned).get("thinking").is_none());
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let forced = with(&json!({"reasoning_effort": "low", "tool_choice": "required", "tools": tools}));
    assert!(sent(&forced).get("thinking").is_none());
    assert!(
        sent(&with(&json!({"reasoning_effort": "low", "max_tokens": 100})))
            .get("thinking")
            .is_none()
    );
}

#[test]
fn anthropics_own_fields_pass_through_and_go_before_ours() {
    let own = json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "context_management": {"edits": []},
        "container": "c", "mcp_servers": [{"type": "url"}], "output_config": {"effort": "low"}, "reasoning_effort": "high"});
    let body = sent(&with(&own));
    for key in [
        "thinking",
        "context_management",
        "container",
        "mcp_servers",
        "output_config",
    ] {
        assert_eq!(body[key], own[key], "{key}");
    }
    assert!(body.get("reasoning_effort").is_none());
    let tiers = [
        ("default", "standard_only"),
        ("auto", "auto"),
        ("standard_only", "standard_only"),
    ];
    for (asked, tier) in tiers {
        assert_eq!(sent(&with(&json!({"service_tier": asked})))["service_tier"], tier);
    }
}

#[test]
fn what_anthropic_has_nothing_like_is_not_sent() {
    let body = sent(&with(
        &json!({"seed": 1, "logprobs": true, "n": 1, "stream_options": {"include_usage": true},
        "frequency_penalty": 0.5, "logit_bias": {}, "store": false, "verbosity": "low"}),
    ));
    let keys: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["max_tokens", "messages", "model"]);
}

fn schema_request(schema: &Value, more: &Value) -> Value {
    let mut request = with(more);
    request["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "city", "schema": schema}});
    request
}

#[test]
fn a_response_format_is_native_where_the_model_takes_it() {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}}});
    let body = sent(&schema_request(&schema, &json!({})));
    let closed = json!({"type": "object", "additionalProperties": false,
        "properties": {"name": {"type": "string", "description": "(maxLength: 9)"}}});
    assert_eq!(
        body["output_config"],
        json!({"format": {"type": "json_schema", "schema": closed}})
    );
    assert!(body.get("tools").is_none());
}

#[test]
fn a_response_format_is_a_forced_tool_elsewhere() {
    let open = json!({"type": "object", "additionalProperties": true});
    let body = sent(&schema_request(&open, &json!({})));
    assert_eq!(body["tools"][0]["input_schema"], open);
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": "structured_output"})
    );
    let tools = json!({"tools": [{"type": "function", "function": {"name": "f"}}]});
    let body = sent_to("claude-sonnet-4-0", &schema_request(&json!({"type": "object"}), &tools));
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
    assert_eq!(body["tools"].as_array().unwrap().len(), 2);
}

#[test]
fn json_without_a_schema_is_asked_for_in_words() {
    let body = sent(&with(&json!({"response_format": {"type": "json_object"}})));
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON"));
    assert!(
        sent(&with(&json!({"response_format": {"type": "text"}})))
            .get("system")
            .is_none()
    );
}

#[test]
fn web_search_options_bring_anthropics_search() {
    let place = json!({"type": "approximate", "approximate": {"city": "Berlin"}});
    let body = sent(&with(&json!({"web_search_options": {"user_location": place}})));
    let tool = json!({"type": "web_search_20250305", "name": "web_search",
        "user_location": {"type": "approximate", "city": "Berlin"}});
    assert_eq!(body["tools"], json!([tool]));
}
