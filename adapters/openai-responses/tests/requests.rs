//! What a client says in Chat Completions reaches the provider as the same request to its Responses API.

use serde_json::{Value, json};
use witgate_openai_responses::OpenAiResponses;
use witgate_sdk::testing::{Call, Reply};

const MODEL: &str = "gpt-5";

fn call(asked: &Value) -> Call {
    Call::chat(asked.to_string()).model(MODEL)
}

/// The body that is sent for the client's `request`.
fn sent(asked: &Value) -> Value {
    call(asked).request::<OpenAiResponses>().json()
}

/// The items that are sent for the client's `messages`.
fn input(messages: &Value) -> Value {
    sent(&json!({"messages": messages}))["input"].take()
}

/// A user's request with these further fields.
fn with(fields: &Value) -> Value {
    let mut request = json!({"messages": [{"role": "user", "content": "Go"}]});
    for (key, value) in fields.as_object().expect("fields are an object") {
        request[key] = value.clone();
    }
    request
}

/// Kind and field of the refusal.
fn refused(asked: &Value) -> (String, String) {
    let played = call(asked).play::<OpenAiResponses>([]);
    let failure = played.failure();
    (failure.kind.clone(), failure.param.clone().unwrap_or_default())
}

#[test]
fn a_plain_request_asks_for_nothing_to_be_stored_and_for_thoughts_that_can_come_back() {
    let asked =
        json!({"messages": [{"role": "system", "content": "Be \"brief\"."}, {"role": "user", "content": "Hi"}]});
    let request = call(&asked)
        .base_url("https://a.example/v1")
        .streaming()
        .request::<OpenAiResponses>();
    assert_eq!(
        (request.url.as_str(), request.framing.as_str()),
        ("https://a.example/v1/responses", "sse")
    );
    assert_eq!(
        request.json(),
        json!({"model": "gpt-5", "instructions": "Be \"brief\".", "input": [{"type": "message", "role": "user", "content": "Hi"}],
            "store": false, "include": ["reasoning.encrypted_content"], "stream": true})
    );
}

#[test]
fn a_model_without_thoughts_is_not_asked_for_them() {
    let request = call(&with(&json!({})))
        .model("gpt-4o-mini")
        .request::<OpenAiResponses>();
    assert!(request.json().get("include").is_none());
    let request = call(&with(&json!({})))
        .model("gpt-4o-mini")
        .config(r#"{"encrypted_reasoning": true, "store": true}"#);
    let body = request.request::<OpenAiResponses>().json();
    assert_eq!(
        (&body["store"], body.get("include")),
        (&json!(true), None),
        "what is stored need not come back"
    );
}

#[test]
fn instructions_are_those_that_the_conversation_begins_with() {
    let body = sent(&json!({"messages": [
        {"role": "system", "content": "A"}, {"role": "developer", "content": [{"type": "text", "text": "B"}]},
        {"role": "user", "content": "Hi"}, {"role": "system", "content": "C"}]}));
    assert_eq!(body["instructions"], "A\n\nB");
    assert_eq!(
        body["input"][1],
        json!({"type": "message", "role": "system", "content": "C"})
    );
}

#[test]
fn parts_have_their_own_names() {
    let parts = json!([
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://a.example/a.pdf"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]);
    assert_eq!(
        input(&json!([{"role": "user", "content": parts}]))[0]["content"],
        json!([
            {"type": "input_text", "text": "Look"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
            {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "auto"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
            {"type": "input_file", "file_url": "https://a.example/a.pdf"},
            {"type": "input_file", "file_id": "file-1"},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}])
    );
}

#[test]
fn calls_and_their_results_are_items_of_their_own() {
    let messages = json!([
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": "Let me see.", "reasoning_content": "Hm", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
            {"id": "c3", "type": "custom", "custom": {"name": "h", "input": "free"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"},
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]},
        {"role": "tool", "tool_call_id": "c3", "content": "three"}]);
    assert_eq!(
        input(&messages),
        json!([
            {"type": "message", "role": "user", "content": "Go"},
            {"type": "message", "role": "assistant", "content": "Let me see."},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}"},
            {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
            {"type": "custom_tool_call", "call_id": "c3", "name": "h", "input": "free"},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
            {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "two"},
                {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "auto"}]},
            {"type": "custom_tool_call_output", "call_id": "c3", "output": "three"}])
    );
}

#[test]
fn the_assistants_texts_are_one_string_and_others_thoughts_are_left_out() {
    let parts = json!([{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "A"}, {"type": "text", "text": "\"B\""}]);
    let messages = json!([{"role": "assistant", "content": parts}]);
    assert_eq!(
        input(&messages),
        json!([{"type": "message", "role": "assistant", "content": "A\"B\""}])
    );
}

#[test]
fn a_refusal_is_a_part_of_what_the_assistant_said() {
    let messages = json!([{"role": "assistant", "content": null, "refusal": "No."}]);
    assert_eq!(
        input(&messages)[0]["content"],
        json!([{"type": "refusal", "refusal": "No."}])
    );
}

#[test]
fn tools_and_choices_stand_one_level_higher() {
    let grammar = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}});
    let tools = json!([
        {"type": "function", "function": {"name": "f", "description": "F", "parameters": {"type": "object"}, "strict": true}},
        {"type": "function", "function": {"name": "g"}},
        {"type": "custom", "custom": {"name": "h", "format": grammar}},
        {"type": "file_search", "vector_store_ids": ["v"]}]);
    let options = json!({"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {"city": "Rome"}}});
    let body = |choice: Value| {
        sent(&with(
            &json!({"tools": tools, "web_search_options": options, "tool_choice": choice}),
        ))
    };
    assert_eq!(
        body(json!("auto"))["tools"],
        json!([
            {"type": "function", "name": "f", "description": "F", "parameters": {"type": "object"}, "strict": true},
            {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}, "strict": false},
            {"type": "custom", "name": "h", "format": {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}},
            {"type": "file_search", "vector_store_ids": ["v"]},
            {"type": "web_search", "search_context_size": "low", "user_location": {"type": "approximate", "city": "Rome"}}])
    );
    let named = |kind: &str, name: &str| json!({"type": kind, kind: {"name": name}});
    for (choice, expected) in [
        (json!("required"), json!("required")),
        (named("function", "f"), json!({"type": "function", "name": "f"})),
        (named("custom", "h"), json!({"type": "custom", "name": "h"})),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("function", "f"), named("custom", "h")]}}),
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "h"}]}),
        ),
    ] {
        assert_eq!(body(choice)["tool_choice"], expected);
    }
}

#[test]
fn settings_have_their_own_names_and_places() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let body = sent(&with(&json!({
        "max_tokens": 5, "temperature": 0.50, "top_p": 0.9, "reasoning_effort": "low", "verbosity": "low", "logprobs": true, "top_logprobs": 2,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}},
        "parallel_tool_calls": false, "metadata": {"a": "b"}, "user": "u", "service_tier": "flex", "prompt_cache_key": "k",
        "seed": 1, "n": 1, "stop": [], "logit_bias": {}, "stream_options": {"include_usage": true}, "truncation": "auto"})));
    assert_eq!(
        body,
        json!({"model": "gpt-5", "input": [{"type": "message", "role": "user", "content": "Go"}],
            "max_output_tokens": 16, "temperature": 0.50, "top_p": 0.9, "reasoning": {"effort": "low"},
            "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": schema, "strict": true}},
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs"], "top_logprobs": 2, "store": false,
            "parallel_tool_calls": false, "metadata": {"a": "b"}, "user": "u", "service_tier": "flex", "prompt_cache_key": "k",
            "truncation": "auto"})
    );
}

#[test]
fn the_apis_own_fields_go_before_what_is_made_of_a_chats() {
    let fields = json!({"reasoning": {"effort": "high", "summary": "detailed"}, "reasoning_effort": "low", "store": true,
        "include": ["file_search_call.results"], "text": {"format": {"type": "text"}}, "response_format": {"type": "json_object"}});
    let body = sent(&with(&fields));
    assert_eq!(body["reasoning"], json!({"effort": "high", "summary": "detailed"}));
    assert_eq!(
        (&body["store"], &body["include"]),
        (&json!(true), &json!(["file_search_call.results"]))
    );
    assert_eq!(body["text"], json!({"format": {"type": "text"}}));
    let call = call(&with(&json!({"thinking": {"type": "enabled", "budget_tokens": 8000}})));
    let body = call
        .config(r#"{"reasoning_summary": "auto"}"#)
        .request::<OpenAiResponses>()
        .json();
    assert_eq!(body["reasoning"], json!({"effort": "medium", "summary": "auto"}));
}

#[test]
fn what_the_api_does_not_have_is_refused_by_name() {
    for (fields, kind, param) in [
        (json!({"stop": ["END"]}), "unsupported", "stop"),
        (json!({"audio": {"voice": "alloy"}}), "unsupported", "audio"),
        (json!({"modalities": ["text", "audio"]}), "unsupported", "modalities"),
        (json!({"background": true}), "unsupported", "background"),
        (json!({"functions": []}), "invalid-request", "functions"),
        (
            json!({"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "never"}),
            "invalid-request",
            "tool_choice",
        ),
        (json!({"tools": [7]}), "invalid-request", "tools[0]"),
        (
            json!({"max_tokens": "many"}),
            "invalid-request",
            "max_completion_tokens",
        ),
    ] {
        assert_eq!(refused(&with(&fields)), (kind.to_owned(), param.to_owned()), "{fields}");
    }
    for (messages, param) in [
        (
            json!([{"role": "function", "name": "f", "content": "x"}]),
            "messages[0].role",
        ),
        (json!([{"role": "tool", "content": "x"}]), "messages[0].tool_call_id"),
        (
            json!([{"role": "user", "content": [{"type": "image_url"}]}]),
            "messages[0].content[0]",
        ),
        (
            json!([{"role": "user", "content": [{"type": "file", "file": {}}]}]),
            "messages[0].content[0]",
        ),
        (
            json!([{"role": "assistant", "tool_calls": [{"id": "a", "type": "function"}]}]),
            "messages[0].tool_calls[0]",
        ),
    ] {
        assert_eq!(refused(&json!({"messages": messages})).1, param);
    }
}

#[test]
fn that_a_tool_failed_is_named_as_dropped() {
    let manifest = witgate_sdk::testing::manifest::<OpenAiResponses>();
    let dropped = manifest["drops"]["chat.completions"].as_array().expect("a list");
    assert!(dropped.contains(&json!("messages.is_error")));
}

#[test]
fn a_request_in_the_api_itself_goes_by_untouched() {
    let body = r#"{ "model":"gpt-5", "input" : "Hi", "novel": 1.0 }"#;
    let played = Call::new("responses", body)
        .base_url("https://a.example/v1")
        .play::<OpenAiResponses>([Reply::json("{ }")]);
    assert_eq!(
        (played.requests()[0].text().as_str(), played.relayed()),
        (body, Some("{ }".as_bytes()))
    );
    let played = Call::new("rerank", "{}").play::<OpenAiResponses>([]);
    assert_eq!(played.failure().kind, "unsupported");
}
