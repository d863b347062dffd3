use super::{CLAUDE, NOVA, dropped, refused, sent};
use serde_json::{Value, json};

fn tool(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}})
}

fn with(fields: &Value) -> Value {
    let mut request = json!({"tools": [tool("f"), tool("g")]});
    for (key, value) in fields.as_object().expect("fields are an object") {
        request[key] = value.clone();
    }
    request
}

#[test]
fn tools_keep_name_description_and_schema() {
    let parameters = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    let body = sent(
        NOVA,
        &json!({"tools": [
            {"type": "function", "function": {"name": "f", "description": "does", "parameters": parameters}},
            {"type": "function", "function": {"name": "bare", "description": ""}},
        ]}),
    );
    assert_eq!(
        body["toolConfig"],
        json!({"tools": [
            {"toolSpec": {"name": "f", "description": "does", "inputSchema": {"json": parameters}}},
            {"toolSpec": {"name": "bare", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
        ]})
    );
}

#[test]
fn every_tool_choice_has_its_counterpart() {
    let named = json!({"type": "function", "function": {"name": "g"}});
    for (choice, expected) in [
        (json!("auto"), json!({"auto": {}})),
        (json!("required"), json!({"any": {}})),
        (named, json!({"tool": {"name": "g"}})),
    ] {
        let body = sent(CLAUDE, &with(&json!({"tool_choice": choice})));
        assert_eq!(body["toolConfig"]["toolChoice"], expected, "{choice}");
    }
    let none = sent(CLAUDE, &with(&json!({"tool_choice": "none"})));
    assert!(
        none.get("toolConfig").is_none(),
        "there is no such word, so there are no tools: {none}"
    );
    let single = sent(CLAUDE, &with(&json!({"parallel_tool_calls": false})));
    assert_eq!(
        single["additionalModelRequestFields"]["tool_choice"]["disable_parallel_tool_use"],
        true
    );
}

#[test]
fn one_call_at_a_time_is_said_where_the_choice_is_claudes_and_named_where_it_is_not() {
    for choice in [json!(null), json!("auto")] {
        let asked = with(&json!({"parallel_tool_calls": false, "tool_choice": choice}));
        let body = sent(CLAUDE, &asked);
        assert_eq!(
            body["additionalModelRequestFields"]["tool_choice"],
            json!({"type": "auto", "disable_parallel_tool_use": true})
        );
        assert!(
            body["toolConfig"].get("toolChoice").is_none(),
            "the API takes it once: {body}"
        );
        assert!(dropped(CLAUDE, &asked).is_empty());
    }
    let named = json!({"type": "function", "function": {"name": "g"}});
    for (choice, expected) in [
        (json!("required"), json!({"any": {}})),
        (named, json!({"tool": {"name": "g"}})),
    ] {
        let asked = with(&json!({"parallel_tool_calls": false, "tool_choice": choice}));
        let body = sent(CLAUDE, &asked);
        assert_eq!(body["toolConfig"]["toolChoice"], expected);
        assert!(body.get("additionalModelRequestFields").is_none(), "{body}");
        assert_eq!(dropped(CLAUDE, &asked), ["parallel_tool_calls"]);
    }
    assert_eq!(
        dropped(NOVA, &with(&json!({"parallel_tool_calls": false}))),
        ["parallel_tool_calls"]
    );
    assert!(
        dropped(NOVA, &json!({"parallel_tool_calls": false})).is_empty(),
        "there are no tools"
    );
}

#[test]
fn tools_that_were_called_are_known_also_where_none_may_be_called_now() {
    let messages = json!([
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]);
    let body = sent(NOVA, &json!({ "messages": messages }));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "f");
}

#[test]
fn a_schema_for_the_answer_is_a_tool_that_must_be_called_or_words_where_no_model_can_be_made_to() {
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {}}}}});
    let forced = sent(NOVA, &json!({"response_format": format}));
    let config = &forced["toolConfig"];
    assert_eq!(
        config["toolChoice"]["tool"]["name"],
        config["tools"][0]["toolSpec"]["name"]
    );
    assert_eq!(
        config["tools"][0]["toolSpec"]["inputSchema"]["json"]["properties"],
        json!({"a": {}})
    );
    let words = sent("meta.llama3-8b-instruct-v1:0", &json!({"response_format": format}));
    assert!(words.get("toolConfig").is_none());
    assert!(
        words["system"][0]["text"]
            .as_str()
            .is_some_and(|text| text.contains("\"properties\"")),
        "{words}"
    );
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let custom = json!({"tools": [{"type": "custom", "custom": {"name": "c"}}]});
    assert_eq!(
        refused(NOVA, &custom),
        ("unsupported".to_owned(), "tools[0]".to_owned())
    );
    let word = json!({"tools": [tool("f")], "tool_choice": "whatever"});
    assert_eq!(
        refused(NOVA, &word),
        ("invalid-request".to_owned(), "tool_choice".to_owned())
    );
}
