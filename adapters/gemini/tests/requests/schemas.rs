use super::{sent, with};
use serde_json::{Value, json};

/// The declaration of a function with these parameters.
fn declared(parameters: &Value) -> Value {
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": parameters}});
    sent(&with(&json!({"tools": [tool]})))["tools"][0]["functionDeclarations"][0].take()
}

/// The schema that a property's schema becomes.
fn property(schema: &Value) -> Value {
    let mut function = declared(&json!({"type": "object", "properties": {"p": schema}}));
    function["parameters"]["properties"]["p"].take()
}

#[test]
fn what_gemini_has_no_keyword_for_is_said_in_words() {
    let cases = [
        (
            json!({"type": "string", "format": "email", "description": "Mail"}),
            json!({"type": "string", "description": "Mail (format: email)"}),
        ),
        (
            json!({"type": "string", "format": "date-time", "minLength": 1}),
            json!({"type": "string", "format": "date-time", "minLength": 1}),
        ),
        (
            json!({"type": "integer", "exclusiveMinimum": 0, "default": 5, "maximum": 9}),
            json!({"type": "integer", "maximum": 9, "description": "(default: 5, exclusiveMinimum: 0)"}),
        ),
        (
            json!({"type": "integer", "enum": [1, 2]}),
            json!({"type": "integer", "description": "(one of: 1, 2)"}),
        ),
        (
            json!({"enum": ["a", "b", null]}),
            json!({"type": "string", "nullable": true, "enum": ["a", "b"]}),
        ),
        (json!({"const": "a"}), json!({"type": "string", "enum": ["a"]})),
        (
            json!({"type": "string", "enum": ["", "a"]}),
            json!({"type": "string", "description": "(one of: \"\", \"a\")"}),
        ),
    ];
    for (schema, cleaned) in cases {
        assert_eq!(property(&schema), cleaned, "{schema}");
    }
}

#[test]
fn null_is_a_property_of_the_other_types() {
    let plain = json!({"type": "string", "nullable": true});
    assert_eq!(property(&json!({"type": ["string", "null"]})), plain);
    assert_eq!(
        property(&json!({"anyOf": [{"type": "string"}, {"type": "null"}]})),
        plain
    );
    assert_eq!(
        property(&json!({"type": ["string", "integer"], "enum": ["a"]})),
        json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer"}]})
    );
    assert_eq!(
        property(
            &json!({"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}], "description": "D", "title": "T"})
        ),
        json!({"anyOf": [{"type": "string", "nullable": true, "description": "D"}, {"type": "integer", "nullable": true, "description": "D"}]})
    );
}

#[test]
fn references_are_written_out() {
    let schema = json!({"$schema": "x", "type": "object", "properties": {"a": {"$ref": "#/$defs/A", "description": "Mine"},
        "b": {"allOf": [{"$ref": "#/$defs/A"}]}}, "required": ["a", "gone"],
        "$defs": {"A": {"type": "object", "description": "Theirs", "properties": {"x": {"$ref": "#/$defs/X"}}}, "X": {"type": "number"}}});
    let a = |description: &str| json!({"type": "object", "description": description, "properties": {"x": {"type": "number"}}});
    assert_eq!(
        declared(&schema)["parameters"],
        json!({"type": "object", "properties": {"a": a("Mine"), "b": a("Theirs")}, "required": ["a"]})
    );
}

#[test]
fn what_openapi_cannot_say_goes_as_json_schema_unchanged() {
    let tree = json!({"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}});
    let node = json!({"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}},
        "$defs": {"N": {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}}}});
    let map =
        json!({"type": "object", "properties": {"m": {"type": "object", "additionalProperties": {"type": "string"}}}});
    let any = json!({"type": "object", "properties": {"m": {}}});
    let list = json!({"type": "object", "properties": {"m": {"type": "array"}}});
    let deep = (0..60).fold(
        json!({"type": "string"}),
        |inner, _| json!({"type": "array", "items": inner}),
    );
    for schema in [
        tree,
        node,
        map,
        any,
        list,
        json!({"type": "object", "properties": {"d": deep}}),
    ] {
        let function = declared(&schema);
        assert_eq!(function["parametersJsonSchema"], schema);
        assert!(function.get("parameters").is_none());
    }
}

#[test]
fn values_of_several_types_are_all_still_allowed() {
    for values in [
        json!({"enum": ["x", 1, null]}),
        json!({"type": ["string", "integer"], "enum": ["x", 1]}),
    ] {
        let schema = json!({"type": "object", "properties": {"m": values}});
        assert_eq!(declared(&schema)["parametersJsonSchema"], schema);
    }
    let nullable = json!({"type": "string", "nullable": true, "enum": ["x"]});
    assert_eq!(property(&json!({"enum": ["x", null]})), nullable);
}

#[test]
fn a_function_without_parameters_declares_none() {
    for parameters in [
        json!({}),
        json!({"type": "object"}),
        json!({"type": "object", "properties": {}, "additionalProperties": false}),
    ] {
        assert_eq!(declared(&parameters), json!({"name": "f"}), "{parameters}");
    }
}

#[test]
fn references_that_would_make_a_schema_explode_are_not_written_out() {
    let mut definitions = json!({"d0": {"type": "string"}});
    for level in 1..30 {
        let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
        definitions[format!("d{level}")] = json!({"type": "object", "properties": {"a": below, "b": below}});
    }
    let schema = json!({"type": "object", "properties": {"p": {"$ref": "#/$defs/d29"}}, "$defs": definitions});
    assert_eq!(declared(&schema)["parametersJsonSchema"], schema);
}
