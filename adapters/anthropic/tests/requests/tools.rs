use super::{refused_for, sent, sent_to};
use serde_json::{Value, json};

fn tool(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}})
}

fn with(fields: &Value) -> Value {
    let mut request = json!({"messages": [{"role": "user", "content": "Go"}], "tools": [tool("f"), tool("g")]});
    for (key, value) in fields.as_object().expect("fields are an object") {
        request[key] = value.clone();
    }
    request
}

#[test]
fn tools_keep_name_description_and_schema() {
    let parameters = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    let body = sent(&json!({"messages": [{"role": "user", "content": "Go"}], "tools": [
        {"type": "function", "function": {"name": "f", "description": "does", "parameters": parameters}},
        {"type": "function", "function": {"name": "bare"}},
        {"type": "function", "function": {"name": "untyped", "parameters": {"properties": {"b": {}}}}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ]}));
    assert_eq!(
        body["tools"],
        json!([
            {"name": "f", "description": "does", "input_schema": parameters},
            {"name": "bare", "input_schema": {"type": "object", "properties": {}}},
            {"name": "untyped", "input_schema": {"type": "object", "properties": {"b": {}}}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        ])
    );
    assert!(body.get("tool_choice").is_none());
}

#[test]
fn what_anthropics_tools_have_beside_openais_is_sent_wherever_it_stands() {
    let own = json!({"defer_loading": true, "allowed_callers": ["code_execution_20260120"], "eager_input_streaming": false,
        "input_examples": [{"city": "Berlin"}]});
    let mut beside = tool("f");
    let mut within = tool("f");
    for (key, value) in own.as_object().expect("an object") {
        beside[key] = value.clone();
        within["function"][key] = value.clone();
    }
    let mut expected = json!({"name": "f", "input_schema": {"type": "object", "properties": {}}});
    expected
        .as_object_mut()
        .expect("an object")
        .extend(own.as_object().expect("an object").clone());
    assert_eq!(
        sent(&with(&json!({"tools": [beside, within]})))["tools"],
        json!([expected, expected])
    );
    let toolsets = json!([{"type": "mcp_toolset", "mcp_server_name": "a"}, {"type": "computer_toolset_20260801"}]);
    assert_eq!(sent(&with(&json!({ "tools": toolsets })))["tools"], toolsets);
    let mut described = tool("f");
    described["function"]["description"] = json!("defer_loading");
    assert_eq!(
        sent(&with(&json!({"tools": [described]})))["tools"][0]
            .as_object()
            .map(serde_json::Map::len),
        Some(3)
    );
}

#[test]
fn every_tool_choice_has_its_counterpart() {
    let named = json!({"type": "function", "function": {"name": "g"}});
    let cases = [
        (json!({"tool_choice": "auto"}), json!({"type": "auto"})),
        (json!({"tool_choice": "none"}), json!({"type": "none"})),
        (json!({"tool_choice": "required"}), json!({"type": "any"})),
        (json!({"tool_choice": named}), json!({"type": "tool", "name": "g"})),
        (
            json!({"tool_choice": {"type": "tool", "name": "g"}}),
            json!({"type": "tool", "name": "g"}),
        ),
        (
            json!({"parallel_tool_calls": false}),
            json!({"type": "auto", "disable_parallel_tool_use": true}),
        ),
        (
            json!({"parallel_tool_calls": false, "tool_choice": "required"}),
            json!({"type": "any", "disable_parallel_tool_use": true}),
        ),
        (
            json!({"parallel_tool_calls": false, "tool_choice": "none"}),
            json!({"type": "none"}),
        ),
    ];
    for (fields, choice) in cases {
        assert_eq!(sent(&with(&fields))["tool_choice"], choice, "{fields}");
    }
    assert!(
        sent(&with(&json!({"tools": [], "tool_choice": "auto"})))
            .get("tool_choice")
            .is_none()
    );
}

#[test]
fn allowed_tools_leave_out_the_others() {
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
        {"type": "function", "function": {"name": "g"}}]}});
    let body = sent(&with(&json!({"tool_choice": allowed})));
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(body["tools"][0]["name"], "g");
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
}

#[test]
fn strict_tools_are_closed_and_what_decoding_does_not_take_is_said_in_words() {
    let parameters = json!({"type": "object", "properties": {
        "n": {"type": "integer", "minimum": 1, "description": "how many"},
        "list": {"type": "array", "items": {"type": "object", "properties": {}}}}});
    let request = json!({"messages": [{"role": "user", "content": "Go"}], "tools": [
        {"type": "function", "function": {"name": "f", "strict": true, "parameters": parameters}}]});
    let tool = sent(&request)["tools"][0].take();
    assert_eq!(tool["strict"], true);
    assert_eq!(
        tool["input_schema"],
        json!({"type": "object", "additionalProperties": false, "properties": {
            "n": {"type": "integer", "description": "how many (minimum: 1)"},
            "list": {"type": "array", "items": {"type": "object", "properties": {}, "additionalProperties": false}}}})
    );
    let older = sent_to("claude-sonnet-4-0", &request)["tools"][0].take();
    assert_eq!(older, json!({"name": "f", "input_schema": parameters}));
}

#[test]
fn tools_that_cannot_be_are_refused() {
    let custom = json!({"type": "custom", "custom": {"name": "free"}});
    assert_eq!(refused_for(&with(&json!({"tools": [custom]}))), "tools[0]");
    assert_eq!(refused_for(&with(&json!({"tool_choice": "sometimes"}))), "tool_choice");
    assert_eq!(refused_for(&with(&json!({"functions": []}))), "functions");
}
