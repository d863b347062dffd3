use super::{refused_for, sent, sent_to, with};
use serde_json::{Value, json};

fn function(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "description": "A tool", "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}}})
}

#[test]
fn functions_are_declared_and_the_providers_own_tools_passed_on() {
    let tools = json!([function("f"), {"googleSearch": {}}, {"type": "function", "function": {"name": "g"}}]);
    let body = sent(&with(&json!({"tools": tools, "web_search_options": {}})));
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    assert_eq!(
        body["tools"],
        json!([{"functionDeclarations": [{"name": "f", "description": "A tool", "parameters": parameters}, {"name": "g"}]},
            {"googleSearch": {}}, {"googleSearch": {}}])
    );
    assert!(body.get("toolConfig").is_none());
}

#[test]
fn every_tool_choice_has_its_mode() {
    let config = |choice: Value| {
        let tools = [function("f"), function("g")];
        sent(&with(&json!({"tools": tools, "tool_choice": choice})))["toolConfig"]["functionCallingConfig"].take()
    };
    assert_eq!(config(json!("auto")), json!({"mode": "AUTO"}));
    assert_eq!(config(json!("none")), json!({"mode": "NONE"}));
    assert_eq!(config(json!("required")), json!({"mode": "ANY"}));
    let named = json!({"type": "function", "function": {"name": "g"}});
    assert_eq!(config(named), json!({"mode": "ANY", "allowedFunctionNames": ["g"]}));
}

#[test]
fn a_tool_choice_and_the_clients_own_tool_config_are_one() {
    let named = json!({"type": "function", "function": {"name": "f"}});
    let asked = |own: Value| {
        let asked = with(&json!({"tools": [function("f")], "tool_choice": named, "toolConfig": own}));
        let sent = super::request("gemini-2.5-flash", &asked).request::<witgate_gemini::Gemini>();
        assert_eq!(sent.text().matches("toolConfig").count(), 1);
        sent.json()["toolConfig"].take()
    };
    let place = json!({"languageCode": "de"});
    assert_eq!(
        asked(json!({"functionCallingConfig": {"streamFunctionCallArguments": true}, "retrievalConfig": place})),
        json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"], "streamFunctionCallArguments": true},
            "retrievalConfig": place})
    );
    let own = json!({"functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["g"]}});
    assert_eq!(asked(own.clone()), own);
    let alone = sent(&with(&json!({"tools": [function("f")], "toolConfig": own})));
    assert_eq!(alone["toolConfig"], own);
}

#[test]
fn a_choice_of_several_leaves_the_others_out() {
    let tools = [function("f"), function("g"), function("h")];
    let allowed = |mode: &str| {
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode,
            "tools": [{"type": "function", "function": {"name": "g"}}, {"type": "function", "function": {"name": "h"}}]}})
    };
    for (mode, config) in [
        ("auto", json!({"mode": "AUTO"})),
        ("required", json!({"mode": "ANY", "allowedFunctionNames": ["g", "h"]})),
    ] {
        let body = sent(&with(&json!({"tools": tools, "tool_choice": allowed(mode)})));
        let names: Vec<&Value> = body["tools"][0]["functionDeclarations"]
            .as_array()
            .expect("functions")
            .iter()
            .map(|function| &function["name"])
            .collect();
        assert_eq!(names, ["g", "h"]);
        assert_eq!(body["toolConfig"]["functionCallingConfig"], config);
    }
}

#[test]
fn what_gemini_does_not_have_is_refused_by_name() {
    for tool in [
        json!({"type": "custom", "custom": {"name": "x"}}),
        json!({"type": "file_search"}),
        json!(5),
    ] {
        assert_eq!(refused_for(&with(&json!({"tools": [function("f"), tool]}))), "tools[1]");
    }
    assert_eq!(refused_for(&with(&json!({"tool_choice": "perhaps"}))), "tool_choice");
    assert_eq!(refused_for(&with(&json!({"functions": []}))), "functions");
}

#[test]
fn a_format_beside_functions_is_asked_for_in_words_where_the_model_takes_one_of_them() {
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema":
        {"type": "object", "properties": {"a": {"type": "string"}}}}});
    let asked = with(&json!({"tools": [function("f")], "response_format": format}));
    let older = sent(&asked);
    assert!(older.get("generationConfig").is_none());
    let words = older["systemInstruction"]["parts"][0]["text"].as_str().expect("words");
    assert!(
        words.contains(r#"{"properties":{"a":{"type":"string"}},"type":"object"}"#),
        "{words}"
    );
    let newer = sent_to("gemini-3-flash-preview", &asked);
    assert_eq!(newer["generationConfig"]["responseMimeType"], "application/json");
}
