//! What a client says in Chat Completions reaches Cohere as the same request in its own form, and what goes wrong is told as what it is.

use serde_json::{Value, json};
use witgate_cohere::Cohere;
use witgate_sdk::testing::{Call, Reply, manifest, self_tests};

/// The body that is sent for a request with these fields beside a user's message.
fn sent(fields: &Value) -> Value {
    sent_to("command-a-03-2025", fields)
}

fn sent_to(model: &str, fields: &Value) -> Value {
    Call::says("Go").with(fields).model(model).request::<Cohere>().json()
}

fn messages(given: &Value) -> Value {
    sent(&json!({ "messages": given }))["messages"].take()
}

fn refused(fields: &Value) -> (String, String) {
    let played = Call::says("Go").with(fields).play::<Cohere>([]);
    let failure = played.failure();
    (failure.kind.clone(), failure.param.clone().unwrap_or_default())
}

fn tool(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}})
}

#[test]
fn the_manifest_is_complete_and_its_own_tests_pass() {
    assert_eq!(manifest::<Cohere>()["types"], json!(["cohere"]));
    self_tests::<Cohere>();
}

#[test]
fn a_chat_goes_to_version_2_and_streams_as_events() {
    let call = Call::says("Hi");
    let whole = call.request::<Cohere>();
    assert_eq!(
        (whole.url.as_str(), whole.framing.as_str()),
        ("https://api.example.com/v2/chat", "buffered")
    );
    assert_eq!(
        whole.json(),
        json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
    );
    let streamed = call.streaming().request::<Cohere>();
    assert_eq!(
        (streamed.framing.as_str(), &streamed.json()["stream"]),
        ("sse", &json!(true))
    );
}

#[test]
fn settings_are_renamed_and_zero_is_kept() {
    let asked = json!({"temperature": 0, "top_p": 0.70, "top_k": 5, "seed": 7, "max_completion_tokens": 9, "max_tokens": 8,
        "stop": ["a", ""], "frequency_penalty": 0, "presence_penalty": -0.5, "user": "u", "store": true, "n": 1,
        "parallel_tool_calls": false, "safety_mode": "OFF", "documents": [{"id": "d", "data": {"text": "x"}}]});
    let body = sent(&asked);
    assert_eq!(
        body,
        json!({"model": "command-a-03-2025", "messages": [{"role": "user", "content": "Go"}], "temperature": 0, "p": 0.70, "k": 5,
            "seed": 7, "max_tokens": 9, "stop_sequences": ["a"], "frequency_penalty": 0, "safety_mode": "OFF",
            "documents": [{"id": "d", "data": {"text": "x"}}]})
    );
}

#[test]
fn the_systems_messages_come_first_as_one() {
    let given = json!([{"role": "user", "content": "Hi"}, {"role": "developer", "content": "Be kind."}, {"role": "system", "content": ""},
        {"role": "system", "content": [{"type": "text", "text": "Be short."}]}]);
    let text = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        messages(&given),
        json!([{"role": "system", "content": [text("Be kind."), text("Be short.")]}, {"role": "user", "content": "Hi"}])
    );
}

#[test]
fn a_tool_loop_goes_back_with_its_plan_and_its_results() {
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let given = json!([{"role": "user", "content": "Go"},
        {"role": "assistant", "content": "I will.", "tool_calls": [call("a", "{\"x\":1}"), call("b", ""), call("c", "[1]")]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}, {"type": "text", "text": "3"}]}]);
    let sent = messages(&given);
    assert_eq!(
        (&sent[1]["tool_plan"], sent[1].get("content")),
        (&json!("I will."), None)
    );
    let arguments: Vec<&Value> = [0, 1, 2]
        .map(|at| &sent[1]["tool_calls"][at]["function"]["arguments"])
        .into();
    assert_eq!(
        arguments,
        [&json!("{\"x\":1}"), &json!("{}"), &json!("{\"arguments\":\"[1]\"}")]
    );
    assert_eq!(sent[3], json!({"role": "tool", "tool_call_id": "b", "content": "23"}));
}

#[test]
fn thoughts_go_back_to_models_that_think_and_to_no_other() {
    let given = json!({"messages": [{"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho", "reasoning_content": "Hm"}, {"role": "user", "content": "Go"}]});
    let thought = json!({"type": "thinking", "thinking": "Hm"});
    let text = json!({"type": "text", "text": "Ho"});
    assert_eq!(
        sent_to("command-a-reasoning-08-2025", &given)["messages"][1]["content"],
        json!([thought, text])
    );
    assert_eq!(
        sent_to("command-r7b-12-2024", &given)["messages"][1]["content"],
        json!([text])
    );
}

#[test]
fn effort_is_a_budget_for_models_that_think() {
    let thinking = |model: &str, effort: &str| sent_to(model, &json!({"reasoning_effort": effort}))["thinking"].take();
    let model = "command-a-reasoning-08-2025";
    assert_eq!(thinking(model, "none"), json!({"type": "disabled"}));
    assert_eq!(thinking(model, "low"), json!({"type": "enabled", "token_budget": 1024}));
    assert_eq!(thinking(model, "high"), json!({"type": "enabled"}));
    assert_eq!(thinking("command-a-03-2025", "high"), Value::Null);
    let own = json!({"thinking": {"type": "enabled", "budget_tokens": 99}, "reasoning_effort": "none"});
    assert_eq!(
        sent_to(model, &own)["thinking"],
        json!({"type": "enabled", "token_budget": 99})
    );
}

#[test]
fn a_tool_that_must_be_called_is_the_only_one_that_is_sent() {
    let tools = json!([tool("f"), tool("g")]);
    let choose = |choice: Value| sent(&json!({"tools": tools, "tool_choice": choice}));
    let names = |body: &Value| body["tools"].as_array().map_or(0, Vec::len);
    let named = choose(json!({"type": "function", "function": {"name": "g"}}));
    assert_eq!((names(&named), &named["tool_choice"]), (1, &json!("REQUIRED")));
    assert_eq!(named["tools"][0]["function"]["name"], "g");
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool("f")]}});
    let allowed = choose(allowed);
    assert_eq!((names(&allowed), allowed.get("tool_choice")), (1, None));
    for (mode, word) in [
        ("none", json!("NONE")),
        ("required", json!("REQUIRED")),
        ("auto", Value::Null),
    ] {
        assert_eq!(choose(json!(mode))["tool_choice"], word, "{mode}");
    }
    let nobody = json!({"tools": tools, "tool_choice": {"type": "function", "function": {"name": "h"}}});
    assert_eq!(
        refused(&nobody),
        ("invalid-request".to_owned(), "tool_choice".to_owned())
    );
}

#[test]
fn strictness_is_for_all_tools_or_none() {
    let mut strict = tool("f");
    strict["function"]["strict"] = json!(true);
    let body = sent(&json!({"tools": [strict, tool("g")]}));
    assert_eq!(body["strict_tools"], true);
    assert_eq!(body["tools"][0]["function"].get("strict"), None);
}

#[test]
fn formats_become_json_with_its_schema() {
    let format = |given: Value| sent(&json!({"response_format": given}))["response_format"].take();
    assert_eq!(format(json!({"type": "json_object"})), json!({"type": "json_object"}));
    let schema = json!({"type": "object"});
    let named = json!({"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}});
    assert_eq!(format(named), json!({"type": "json_object", "json_schema": schema}));
    assert_eq!(format(json!({"type": "text"})), Value::Null);
}

#[test]
fn the_fields_of_a_schema_keep_their_order() {
    let schema = r#"{"type":"object","properties":{"why":{"type":"string"},"answer":{"type":"string"}}}"#;
    let messages = r#""messages":[{"role":"user","content":"Hi"}]"#;
    let format =
        format!(r#""response_format":{{"type":"json_schema","json_schema":{{"name":"n","schema":{schema}}}}}"#);
    let sent = Call::new("chat.completions", format!("{{{messages},{format}}}"))
        .model("command-a-03-2025")
        .request::<Cohere>();
    assert!(sent.text().contains(schema), "{}", sent.text());
}

#[test]
fn texts_have_no_format() {
    let format = |given: Value| sent(&json!({"response_format": given}))["response_format"].take();
    assert_eq!(format(json!({"type": "text"})), Value::Null);
}

#[test]
fn images_are_sent_and_what_cohere_does_not_take_is_refused_by_name() {
    let user =
        |part: Value| json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Look"}, part]}]});
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url, "detail": "low"}});
    for url in ["data:image/png;base64,AA==", "https://a.example/b"] {
        assert_eq!(sent(&user(image(url)))["messages"][0]["content"][1], image(url));
    }
    let at = "messages[0].content[1]";
    let cases = [
        (user(image("data:image/tiff;base64,AA==")), "unsupported", at),
        (user(image("data:image/png,AA")), "invalid-request", at),
        (user(image("ftp://a.example")), "invalid-request", at),
        (
            user(json!({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}})),
            "unsupported",
            at,
        ),
        (
            user(json!({"type": "file", "file": {"file_id": "f"}})),
            "unsupported",
            at,
        ),
        (json!({"stop": ["1", "2", "3", "4", "5", "6"]}), "unsupported", "stop"),
        (json!({"functions": []}), "invalid-request", "functions"),
        (json!({"audio": {"voice": "a"}}), "unsupported", "audio"),
        (
            json!({"response_format": {"type": "xml"}}),
            "invalid-request",
            "response_format",
        ),
        (
            json!({"tools": [{"type": "custom", "custom": {"name": "f"}}]}),
            "unsupported",
            "tools[0]",
        ),
    ];
    for (fields, kind, param) in cases {
        assert_eq!(refused(&fields), (kind.to_owned(), param.to_owned()), "{fields}");
    }
}

#[test]
fn citations_reach_the_client_and_those_with_an_address_as_annotations_too() {
    let citation = json!({"start": 0, "end": 4, "text": "Ruby", "sources": [{"type": "document", "id": "d",
        "document": {"id": "d", "url": "https://a.example", "title": "A"}}]});
    let message = json!({"role": "assistant", "content": [{"type": "text", "text": "Ruby"}], "citations": [citation]});
    let whole = Call::says("Hi").play::<Cohere>([Reply::json(
        json!({"message": message, "finish_reason": "COMPLETE"}).to_string(),
    )]);
    let annotation = json!({"type": "url_citation",
        "url_citation": {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 4}});
    let events = [
        json!({"type": "message-start", "delta": {"message": {"role": "assistant", "content": [], "citations": []}}}),
        json!({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": "Ruby"}}}}),
        json!({"type": "citation-start", "index": 0, "delta": {"message": {"citations": citation}}}),
        json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}),
    ];
    let wire: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let streamed = Call::says("Hi").streaming().play::<Cohere>([Reply::sse(wire)]);
    for answer in [whole.answer(), streamed.answer()] {
        let message = &answer["choices"][0]["message"];
        assert_eq!(
            (&message["citations"], &message["annotations"]),
            (&json!([citation]), &json!([annotation]))
        );
    }
}

#[test]
fn a_streamed_call_without_arguments_has_an_empty_object() {
    let start = json!({"tool_calls": {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}});
    let events = [
        json!({"type": "tool-call-start", "index": 0, "delta": {"message": start}}),
        json!({"type": "tool-call-end", "index": 0}),
        json!({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}}),
    ];
    let wire: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let answer = Call::says("Hi").streaming().play::<Cohere>([Reply::sse(wire)]).answer();
    assert_eq!(
        answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"],
        "{}"
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn an_answer_that_ended_in_an_error_is_a_failure_that_still_counts() {
    let usage = json!({"tokens": {"input_tokens": 5, "output_tokens": 1}});
    let end = json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "boom", "usage": usage}});
    let played = Call::says("Hi")
        .streaming()
        .play::<Cohere>([Reply::sse(format!("data: {end}\n\n"))]);
    assert_eq!(
        (played.failure().kind.as_str(), played.failure().message.as_str()),
        ("upstream", "boom")
    );
    assert_eq!(played.chunks().last().expect("usage")["usage"]["total_tokens"], 6);
    let whole = json!({"message": {"role": "assistant", "content": []}, "finish_reason": "ERROR"});
    assert_eq!(
        Call::says("Hi")
            .play::<Cohere>([Reply::json(whole.to_string())])
            .failure()
            .kind,
        "upstream"
    );
    assert_eq!(
        Call::says("Hi").play::<Cohere>([Reply::json("<html>")]).failure().kind,
        "upstream"
    );
}

#[test]
fn every_error_has_its_kind_and_its_message() {
    let cases = [
        (
            400,
            "invalid request: message must not be empty in a turn",
            "invalid-request",
        ),
        (
            400,
            "too many tokens: size limit exceeded by 11 tokens.",
            "context-length",
        ),
        (
            400,
            "too many tokens: max tokens must be less than or equal to 4096",
            "invalid-request",
        ),
        (401, "invalid api token", "authentication"),
        (404, "model 'x' not found", "not-found"),
        (
            429,
            "You are using a Trial key, which is limited to 20 API calls / minute.",
            "rate-limit",
        ),
        (
            429,
            "You are using a Trial key, which is limited to 1000 API calls / month.",
            "quota",
        ),
        (498, "blocked output", "content-filter"),
        (499, "request cancelled", "timeout"),
        (500, "internal error", "upstream"),
        (503, "overloaded", "overloaded"),
    ];
    for (status, message, kind) in cases {
        let body = json!({"id": "1", "message": message}).to_string();
        let played = Call::says("Hi").play::<Cohere>([Reply::status(status).body(body)]);
        let failure = played.failure();
        assert_eq!(
            (failure.kind.as_str(), failure.status, failure.message.as_str()),
            (kind, status, message)
        );
    }
}

#[test]
fn embeddings_and_rankings_are_asked_for_in_coheres_form() {
    let asked = json!({"model": "embed-v4.0", "input": ["a", "b"], "dimensions": 256, "encoding_format": "base64"});
    let sent = Call::new("embeddings", asked.to_string()).request::<Cohere>();
    assert_eq!(sent.url, "https://api.example.com/v2/embed");
    assert_eq!(
        sent.json(),
        json!({"model": "embed-v4.0", "texts": ["a", "b"], "output_dimension": 256, "input_type": "search_document",
            "embedding_types": ["base64"]})
    );
    let own = json!({"model": "m", "input": "a", "input_type": "search_query", "truncate": "END"});
    let sent = Call::new("embeddings", own.to_string()).request::<Cohere>().json();
    assert_eq!(
        (&sent["input_type"], &sent["truncate"]),
        (&json!("search_query"), &json!("END"))
    );
    let rank = json!({"model": "rerank-v3.5", "query": "q", "documents": ["a"], "top_n": 1, "return_documents": true});
    let sent = Call::new("rerank", rank.to_string()).request::<Cohere>();
    assert_eq!(sent.url, "https://api.example.com/v2/rerank");
    assert_eq!(
        sent.json(),
        json!({"model": "rerank-v3.5", "query": "q", "documents": ["a"], "top_n": 1})
    );
}

#[test]
fn models_are_listed_page_by_page() {
    let page = |name: &str, next: &str| {
        let model = json!({"name": name, "endpoints": ["chat"], "context_length": 288_768.0, "features": null});
        Reply::json(json!({"models": [model], "next_page_token": next}).to_string())
    };
    let played = Call::new("models", "{}").get_models::<Cohere>([page("command-a", "t 1"), page("command-b", "")]);
    let urls: Vec<&str> = played.requests().iter().map(|sent| sent.url.as_str()).collect();
    let first = "https://api.example.com/v1/models?page_size=1000";
    assert_eq!(urls, [first, &format!("{first}&page_token=t%201")]);
    let list = played.answer();
    assert_eq!(
        (&list["data"][1]["id"], &list["data"][0]["context_window"]),
        (&json!("command-b"), &json!(288_768))
    );
}

#[test]
fn that_a_tool_failed_is_named_as_dropped() {
    let manifest = manifest::<Cohere>();
    let dropped = manifest["drops"]["chat.completions"].as_array().expect("a list");
    assert!(dropped.contains(&json!("messages.is_error")));
}
