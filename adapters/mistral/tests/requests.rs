//! What a client says in Chat Completions reaches Mistral without anything it refuses, and its answers come back as they are.

use witgate_mistral::Mistral;
use witgate_sdk::testing::{Call, Reply, Value, json, manifest, self_tests};

fn sent_to(model: &str, fields: &Value) -> Value {
    let call = Call::says("Go").with(&json!({ "model": model })).with(fields);
    call.request::<Mistral>().json()
}

fn sent(fields: &Value) -> Value {
    sent_to("mistral-small-latest", fields)
}

fn refused(fields: &Value) -> (String, String) {
    let played = Call::says("Go").with(fields).play::<Mistral>([]);
    let failure = played.failure();
    (failure.kind.clone(), failure.param.clone().unwrap_or_default())
}

fn messages(given: &Value) -> Value {
    sent(&json!({ "messages": given }))["messages"].take()
}

#[test]
fn the_manifest_is_complete_and_its_own_tests_pass() {
    assert_eq!(
        manifest::<Mistral>()["base-urls"]["mistral"],
        "https://api.mistral.ai/v1"
    );
    self_tests::<Mistral>();
}

#[test]
fn every_way_to_write_the_base_url_leads_to_the_same_place() {
    for base in ["https://a.example", "https://a.example/v1", "https://a.example/v1/"] {
        let sent = Call::says("Hi").base_url(base).request::<Mistral>();
        assert_eq!(sent.url, "https://a.example/v1/chat/completions");
    }
}

#[test]
fn fields_have_mistrals_names_and_those_it_refuses_are_left_out() {
    let asked = json!({"max_completion_tokens": 9, "max_tokens": 8, "seed": 7, "stream": true, "stream_options": {"include_usage": true},
        "user": "u", "store": true, "logit_bias": {}, "service_tier": "auto", "top_k": 5, "temperature": 0.70, "safe_prompt": true,
        "tool_choice": "any", "parallel_tool_calls": false, "prompt_cache_key": "k", "n": 2, "metadata": {"a": "b"}});
    let expected = json!({"model": "mistral-small-latest", "messages": [{"role": "user", "content": "Go"}], "max_tokens": 9,
        "random_seed": 7, "stream": true, "service_tier": "auto", "top_k": 5, "temperature": 0.70, "safe_prompt": true, "tool_choice": "any",
        "parallel_tool_calls": false, "prompt_cache_key": "k", "n": 2, "metadata": {"a": "b"}});
    assert_eq!(sent(&asked), expected);
    assert_eq!(sent(&json!({"max_tokens": 8}))["max_tokens"], 8);
    for (effort, sent_effort) in [("none", "none"), ("minimal", "none"), ("low", "high"), ("high", "high")] {
        assert_eq!(
            sent(&json!({ "reasoning_effort": effort }))["reasoning_effort"],
            sent_effort
        );
    }
}

#[test]
fn a_choice_among_some_tools_is_made_by_sending_no_others() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {}}});
    let tools = json!([tool("f"), tool("g"), {"type": "image_generation"}]);
    let choose = |choice: &Value| {
        let sent = sent(&json!({"tools": tools, "tool_choice": choice}));
        (sent["tools"].clone(), sent["tool_choice"].clone())
    };
    let some = |mode: &str, names: &[&str]| {
        let named = |name: &&str| json!({"type": "function", "function": {"name": name}});
        let names: Vec<Value> = names.iter().map(named).collect();
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": names}})
    };
    assert_eq!(choose(&some("required", &["g"])), (json!([tool("g")]), json!("any")));
    assert_eq!(
        choose(&some("auto", &["f", "g"])),
        (json!([tool("f"), tool("g")]), json!("auto"))
    );
    let named = json!({"type": "function", "function": {"name": "f"}});
    for (given, expected) in [
        (json!("required"), json!("required")),
        (json!("any"), json!("any")),
        (json!({"type": "any"}), json!("any")),
        (named.clone(), named.clone()),
        (json!({"type": "tool", "name": "f"}), named),
        (Value::Null, Value::Null),
    ] {
        assert_eq!(choose(&given), (tools.clone(), expected));
    }
    for fields in [
        json!({"tools": tools, "tool_choice": some("auto", &["h"])}),
        json!({"tool_choice": some("required", &["f"])}),
        json!({"tools": tools, "tool_choice": {"type": "novel"}}),
    ] {
        assert_eq!(
            refused(&fields),
            ("invalid-request".to_owned(), "tool_choice".to_owned()),
            "{fields}"
        );
    }
}

#[test]
fn tools_with_free_form_input_are_refused_by_name() {
    let tools = json!([{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "sh"}}]);
    assert_eq!(
        refused(&json!({ "tools": tools })),
        ("unsupported".to_owned(), "tools[1]".to_owned())
    );
}

#[test]
fn a_tier_that_mistral_has_not_is_named_as_dropped() {
    let tier = |tier: &str| {
        let sent = Call::says("Go")
            .with(&json!({ "service_tier": tier }))
            .request::<Mistral>();
        let dropped = sent
            .ext
            .iter()
            .find(|(key, _)| key == "dropped")
            .map(|(_, paths)| paths.clone());
        (sent.json()["service_tier"].clone(), dropped)
    };
    assert_eq!(tier("standard_only"), (json!("standard_only"), None));
    assert_eq!(tier("default"), (json!("standard_only"), None));
    assert_eq!(tier("flex"), (Value::Null, Some("service_tier".to_owned())));
}

#[test]
fn that_a_tool_failed_is_named_as_dropped() {
    let dropped = |is_error: bool| {
        let result = json!({"role": "tool", "tool_call_id": "D681PevKs", "content": "No.", "is_error": is_error});
        let sent = Call::says("Go")
            .with(&json!({ "messages": [result] }))
            .request::<Mistral>();
        sent.ext.into_iter().find(|(key, _)| key == "dropped")
    };
    assert_eq!(
        dropped(true),
        Some(("dropped".to_owned(), "messages.is_error".to_owned()))
    );
    assert_eq!(dropped(false), None);
}

#[test]
fn a_tool_loop_of_another_provider_gets_ids_that_mistral_takes() {
    let call = |id: &str| json!({"id": id, "type": "function", "index": 0, "extra_content": {}, "function": {"name": "f", "arguments": "{}"}});
    let said = messages(&json!([
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": null, "reasoning_content": "Hm.", "refusal": null, "annotations": [], "audio": null,
            "tool_calls": [call("call_PTLP8xhu3uwZk4l3nlnrrJha"), call("D681PevKs")]},
        {"role": "tool", "tool_call_id": "call_PTLP8xhu3uwZk4l3nlnrrJha", "content": "1", "is_error": false, "name": "f"},
        {"role": "tool", "tool_call_id": "D681PevKs", "content": [{"type": "text", "text": "2", "cache_control": {}}]}]));
    let id = said[1]["tool_calls"][0]["id"].as_str().expect("an id").to_owned();
    assert!(
        id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{id}"
    );
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    assert_eq!(
        said,
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "assistant", "content": "", "tool_calls": [call(&id), call("D681PevKs")]},
            {"role": "tool", "content": "1", "tool_call_id": id, "name": "f"},
            {"role": "tool", "content": [{"type": "text", "text": "2"}], "tool_call_id": "D681PevKs"}])
    );
}

#[test]
fn thoughts_go_back_as_parts_to_models_that_always_think_and_to_no_others() {
    let history = json!([{"role": "assistant", "content": "Two.", "reasoning_content": "One \"and\" one."},
        {"role": "user", "content": "Sure?"}]);
    let content = |model| sent_to(model, &json!({ "messages": history }))["messages"][0]["content"].take();
    assert_eq!(
        content("magistral-medium-latest"),
        json!([{"type": "thinking", "thinking": [{"type": "text", "text": "One \"and\" one."}]}, {"type": "text", "text": "Two."}])
    );
    assert_eq!(content("mistral-large-latest"), "Two.");
}

#[test]
fn an_answer_to_be_continued_is_marked_by_its_prefix() {
    let said =
        messages(&json!([{"role": "user", "content": "Go"}, {"role": "assistant", "content": "{", "prefix": true}]));
    assert_eq!(said[1], json!({"role": "assistant", "content": "{", "prefix": true}));
}

#[test]
fn pictures_sound_and_documents_have_mistrals_names() {
    let parts = json!([
        {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk=", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": "aGk="}},
        {"type": "file", "file": {"file_id": "f-1"}}]);
    assert_eq!(
        messages(&json!([{"role": "user", "content": parts}]))[0]["content"],
        json!([
            {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}},
            {"type": "input_audio", "input_audio": "aGk="},
            {"type": "document_url", "document_url": "data:application/pdf;base64,aGk=", "document_name": "a.pdf"},
            {"type": "document_url", "document_url": "data:application/pdf;base64,aGk="},
            {"type": "file", "file_id": "f-1"}])
    );
}

#[test]
fn embeddings_and_models_are_asked_by_mistrals_names() {
    let body =
        json!({"model": "codestral-embed", "input": ["a"], "dimensions": 8, "encoding_format": "base64", "user": "u"});
    let sent = Call::new("embeddings", body.to_string()).request::<Mistral>();
    assert_eq!(
        sent.json(),
        json!({"model": "codestral-embed", "input": ["a"], "output_dimension": 8})
    );
    let list = json!({"object": "list", "data": [{"id": "mistral-small-latest", "object": "model", "created": 1, "owned_by": "mistralai",
        "max_context_length": 131_072, "capabilities": {"vision": true}, "aliases": [], "type": "base"}]});
    let models = Call::new("models", "{}")
        .get_models::<Mistral>([Reply::json(list.to_string())])
        .answer();
    assert_eq!(models["data"][0]["context_window"], 131_072);
    assert_eq!(models["data"][0]["capabilities"]["vision"], true);
}

#[test]
fn answers_are_relayed_and_every_form_of_error_is_read() {
    let answer = r#"{"choices":[{"message":{"content":[{"type":"thinking"}]}}]}"#;
    let call = Call::says("Hi");
    assert_eq!(
        call.play::<Mistral>([Reply::json(answer)]).relayed(),
        Some(answer.as_bytes())
    );
    let message = |status, body: &str| {
        let played = call.play::<Mistral>([Reply::status(status).body(body)]);
        let failure = played.failure();
        (failure.kind.clone(), failure.message.clone())
    };
    let told = |kind: &str, text: &str| (kind.to_owned(), text.to_owned());
    assert_eq!(
        message(401, r#"{"detail":"Invalid API Key"}"#),
        told("authentication", "Invalid API Key")
    );
    assert_eq!(
        message(
            400,
            r#"{"object":"error","message":"Too many inputs.","type":"invalid_request_prompt","code":"3210"}"#
        ),
        told("invalid-request", "Too many inputs.")
    );
    let detail = r#"[{"type":"extra_forbidden","loc":["body","messages",2,"assistant","name"],"msg":"Extra inputs are not permitted"}]"#;
    let expected = told(
        "invalid-request",
        "messages.2.assistant.name: Extra inputs are not permitted",
    );
    for body in [
        format!(r#"{{"object":"error","message":{{"detail":{detail}}},"type":"invalid_request_error"}}"#),
        format!(r#"{{"object":"Error","message":{detail},"detail":{detail},"code":3001}}"#),
        format!(r#"{{"detail":{detail}}}"#),
    ] {
        assert_eq!(message(422, &body), expected, "{body}");
    }
}
