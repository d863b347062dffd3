//! What a client says in Chat Completions reaches Ollama as the same request in its own form, and what goes wrong is told as what it is.

use serde_json::{Value, json};
use witgate_ollama::Ollama;
use witgate_sdk::testing::{Call, Reply, manifest, self_tests};

/// The body that is sent for a request with these fields beside a user's message.
fn sent(fields: &Value) -> Value {
    Call::says("Go").model("qwen3").with(fields).request::<Ollama>().json()
}

fn messages(given: &Value) -> Value {
    sent(&json!({ "messages": given }))["messages"].take()
}

fn refused(fields: &Value) -> (String, String) {
    let played = Call::says("Go").model("qwen3").with(fields).play::<Ollama>([]);
    let failure = played.failure();
    (failure.kind.clone(), failure.param.clone().unwrap_or_default())
}

fn tool(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}})
}

#[test]
fn the_manifest_is_complete_and_its_own_tests_pass() {
    assert_eq!(manifest::<Ollama>()["types"], json!(["ollama"]));
    self_tests::<Ollama>();
}

#[test]
fn a_chat_goes_to_the_native_api_and_says_whether_it_streams() {
    let call = Call::says("Hi").base_url("http://127.0.0.1:11434/v1");
    let whole = call.request::<Ollama>();
    assert_eq!(
        (whole.url.as_str(), whole.framing.as_str()),
        ("http://127.0.0.1:11434/api/chat", "buffered")
    );
    assert_eq!(
        whole.json(),
        json!({"model": "m", "stream": false, "messages": [{"role": "user", "content": "Hi"}]})
    );
    let streamed = call.streaming().request::<Ollama>();
    assert_eq!(
        (streamed.framing.as_str(), &streamed.json()["stream"]),
        ("ndjson", &json!(true))
    );
}

#[test]
fn settings_are_options_and_zero_is_kept() {
    let asked = json!({"temperature": 0, "top_p": 0.70, "top_k": 5, "seed": 7, "max_completion_tokens": 9, "max_tokens": 8,
        "stop": "a", "frequency_penalty": 0, "presence_penalty": -0.5, "user": "u", "num_ctx": 8192, "keep_alive": "5m",
        "options": {"seed": 8}, "logprobs": true, "top_logprobs": 2, "store": false});
    assert_eq!(
        sent(&asked),
        json!({"model": "qwen3", "stream": false, "messages": [{"role": "user", "content": "Go"}], "keep_alive": "5m",
            "logprobs": true, "top_logprobs": 2, "options": {"temperature": 0, "top_p": 0.70, "top_k": 5, "seed": 8,
            "num_predict": 9, "stop": ["a"], "frequency_penalty": 0, "presence_penalty": -0.5, "num_ctx": 8192}})
    );
}

#[test]
fn the_operators_options_are_for_clients_that_set_none() {
    let config = r#"{"options": {"num_ctx": 32768, "seed": 1}, "keep_alive": -1}"#;
    let body = Call::says("Go")
        .model("qwen3")
        .with(&json!({"seed": 2}))
        .config(config)
        .request::<Ollama>()
        .json();
    assert_eq!(
        (&body["options"], &body["keep_alive"]),
        (&json!({"num_ctx": 32768, "seed": 2}), &json!(-1))
    );
    let embed = json!({"model": "m", "input": "a"}).to_string();
    let body = Call::new("embeddings", embed).config(config).request::<Ollama>().json();
    assert_eq!(
        (&body["options"]["num_ctx"], &body["keep_alive"]),
        (&json!(32768), &json!(-1))
    );
}

#[test]
fn a_tool_loop_goes_back_with_objects_names_and_thoughts() {
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let given = json!([{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "Go"},
        {"role": "assistant", "content": null, "reasoning_content": "Hm", "tool_calls": [call("a", "{\"x\":1}"), call("b", ""), call("c", "[1]")]},
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]}]);
    let made = |id: &str, arguments: Value| json!({"id": id, "function": {"name": "f", "arguments": arguments}});
    assert_eq!(
        messages(&given),
        json!([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Go"},
            {"role": "assistant", "content": "", "thinking": "Hm",
                "tool_calls": [made("a", json!({"x": 1})), made("b", json!({})), made("c", json!({"arguments": "[1]"}))]},
            {"role": "tool", "content": "12", "tool_name": "f", "tool_call_id": "a"}])
    );
}

#[test]
fn a_tool_that_must_be_called_is_the_only_one_and_the_model_is_told() {
    let tools = json!([tool("f"), tool("g")]);
    let choose = |choice: Value| sent(&json!({"tools": tools, "tool_choice": choice}));
    let named = choose(json!({"type": "function", "function": {"name": "g"}}));
    assert_eq!(named["tools"], json!([tool("g")]));
    assert_eq!(named["messages"][1]["role"], "system");
    assert_eq!(choose(json!("required"))["tools"], tools);
    assert_eq!(choose(json!("none")).get("tools"), None);
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [tool("f")]}});
    let allowed = choose(allowed);
    assert_eq!(
        (&allowed["tools"], allowed["messages"].as_array().map(Vec::len)),
        (&json!([tool("f")]), Some(1))
    );
    let nobody = json!({"tools": tools, "tool_choice": {"type": "function", "function": {"name": "h"}}});
    assert_eq!(
        refused(&nobody),
        ("invalid-request".to_owned(), "tool_choice".to_owned())
    );
}

#[test]
fn effort_is_a_level_of_thought_or_none() {
    let think = |effort: &str| sent(&json!({"reasoning_effort": effort}))["think"].take();
    let levels = [
        ("none", json!(false)),
        ("minimal", json!("low")),
        ("medium", json!("medium")),
        ("xhigh", json!("high")),
    ];
    for (effort, level) in levels {
        assert_eq!(think(effort), level, "{effort}");
    }
    assert_eq!(
        sent(&json!({"reasoning_effort": "high", "think": false}))["think"],
        false
    );
}

#[test]
fn a_format_is_its_schema() {
    let format = |given: Value| sent(&json!({"response_format": given}))["format"].take();
    assert_eq!(format(json!({"type": "json_object"})), "json");
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    assert_eq!(
        format(json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})),
        schema
    );
    assert_eq!(format(json!({"type": "text"})), Value::Null);
}

#[test]
fn images_are_sent_as_base64_and_what_ollama_does_not_take_is_refused_by_name() {
    let user =
        |part: Value| json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Look"}, part]}]});
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let sent = sent(&user(image("data:image/png;base64,AA==")));
    assert_eq!(
        sent["messages"],
        json!([{"role": "user", "content": "Look", "images": ["AA=="]}])
    );
    let at = "messages[0].content[1]";
    let cases = [
        (user(image("https://a.example/b.png")), "unsupported", at),
        (user(image("data:application/pdf;base64,AA==")), "unsupported", at),
        (user(image("data:image/png,AA")), "invalid-request", at),
        (
            user(json!({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}})),
            "unsupported",
            at,
        ),
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
fn calls_without_ids_get_some_and_are_numbered() {
    let call = |name: &str| json!({"function": {"name": name, "arguments": {"a": 1}}});
    let lines = [
        json!({"message": {"role": "assistant", "content": "", "tool_calls": [call("f"), call("g")]}, "done": false}),
        json!({"message": {"role": "assistant", "content": "", "tool_calls": [call("h")]}, "done": false}),
        json!({"message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop"}),
    ];
    let wire: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let answer = Call::says("Hi")
        .streaming()
        .play_cut_everywhere::<Ollama>([Reply::ndjson(wire)])
        .answer();
    let calls = answer["choices"][0]["message"]["tool_calls"]
        .as_array()
        .expect("calls")
        .clone();
    let ids: Vec<&Value> = calls.iter().map(|call| &call["id"]).collect();
    assert_eq!(
        ids,
        [
            &json!("call_req0001x0"),
            &json!("call_req0001x1"),
            &json!("call_req0001x2")
        ]
    );
    assert_eq!(calls[2]["function"], json!({"name": "h", "arguments": "{\"a\":1}"}));
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn arguments_in_a_string_are_not_encoded_twice() {
    let call = |arguments: Value| json!({"function": {"name": "f", "arguments": arguments}});
    let given = [json!("{\"a\":\"b\"}"), json!({"a": "b"}), json!(""), Value::Null].map(call);
    let line = json!({"message": {"role": "assistant", "content": "", "tool_calls": given}, "done": true, "done_reason": "stop"});
    let whole = Call::says("Hi").play::<Ollama>([Reply::json(line.to_string())]);
    let streamed = Call::says("Hi").streaming();
    let streamed = streamed.play_cut_everywhere::<Ollama>([Reply::ndjson(format!("{line}\n"))]);
    for answer in [whole.answer(), streamed.answer()] {
        let calls = answer["choices"][0]["message"]["tool_calls"].as_array().expect("calls");
        let arguments: Vec<_> = calls.iter().map(|call| &call["function"]["arguments"]).collect();
        assert_eq!(arguments, ["{\"a\":\"b\"}", "{\"a\":\"b\"}", "{}", "{}"]);
    }
}

#[test]
fn likelihoods_are_told_whole_and_streamed() {
    let entry = json!({"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []});
    let line = json!({"message": {"role": "assistant", "content": "a"}, "logprobs": [entry], "done": true, "done_reason": "stop"});
    let expected = json!({"content": [entry], "refusal": null});
    let whole = Call::says("Hi")
        .play::<Ollama>([Reply::json(line.to_string())])
        .answer();
    assert_eq!(whole["choices"][0]["logprobs"], expected);
    let streamed = Call::says("Hi")
        .streaming()
        .play::<Ollama>([Reply::ndjson(line.to_string())]);
    assert_eq!(streamed.chunks()[1]["choices"][0]["logprobs"], expected);
}

#[test]
fn durations_are_kept_and_what_was_not_counted_is_not_invented() {
    let line =
        json!({"message": {"role": "assistant", "content": "a"}, "done": true, "eval_count": 3, "load_duration": 99});
    let usage = Call::says("Hi")
        .play::<Ollama>([Reply::json(line.to_string())])
        .answer()["usage"]
        .take();
    assert_eq!(
        (&usage["prompt_tokens"], &usage["total_tokens"], &usage["load_duration"]),
        (&json!(0), &json!(3), &json!(99))
    );
    let line = json!({"message": {"role": "assistant", "content": "a"}, "done": true});
    let answer = Call::says("Hi")
        .play::<Ollama>([Reply::json(line.to_string())])
        .answer();
    assert_eq!(answer.get("usage"), None);
}

#[test]
fn an_error_after_good_lines_is_a_failure_after_good_chunks() {
    let wire = "{\"message\":{\"role\":\"assistant\",\"content\":\"Hel\"},\"done\":false}\n{\"error\":\"llama runner process no longer running\"}\n";
    let played = Call::says("Hi")
        .streaming()
        .play_cut_everywhere::<Ollama>([Reply::ndjson(wire)]);
    assert_eq!(played.chunks().len(), 2);
    let failure = played.failure();
    assert_eq!(
        (failure.kind.as_str(), failure.message.as_str()),
        ("upstream", "llama runner process no longer running")
    );
    let whole = Call::says("Hi").play::<Ollama>([Reply::json("{\"error\":\"boom\"}")]);
    assert_eq!(
        (whole.failure().kind.as_str(), whole.failure().message.as_str()),
        ("upstream", "boom")
    );
    for strange in ["<html>", "{}", "[]"] {
        assert_eq!(
            Call::says("Hi").play::<Ollama>([Reply::json(strange)]).failure().kind,
            "upstream",
            "{strange}"
        );
    }
}

#[test]
fn every_saying_of_ollama_is_understood() {
    let cases = [
        (404, "model 'llama9' not found", "not-found", Some("model_not_found")),
        (
            404,
            "model \"llama9\" not found, try pulling it first",
            "not-found",
            Some("model_not_found"),
        ),
        (
            400,
            "registry.ollama.ai/library/gemma3:1b does not support tools",
            "unsupported",
            Some("tools_not_supported"),
        ),
        (
            400,
            "\"gemma3:1b\" does not support thinking",
            "unsupported",
            Some("thinking_not_supported"),
        ),
        (
            400,
            "\"all-minilm\" does not support chat",
            "unsupported",
            Some("not_supported"),
        ),
        (
            400,
            "input length exceeds maximum context length",
            "context-length",
            Some("context_length_exceeded"),
        ),
        (401, "unauthorized", "authentication", None),
        (429, "too many requests", "rate-limit", None),
        (500, "llm server loading model", "overloaded", Some("model_loading")),
        (
            500,
            "timed out waiting for llama runner to start",
            "overloaded",
            Some("model_loading"),
        ),
        (
            500,
            "model requires more system memory (9.1 GiB) than is available (2.3 GiB)",
            "overloaded",
            Some("insufficient_memory"),
        ),
        (
            503,
            "server busy, please try again. maximum pending requests exceeded",
            "overloaded",
            Some("server_busy"),
        ),
        (500, "something else", "upstream", None),
    ];
    for (status, message, kind, code) in cases {
        let played =
            Call::says("Hi").play::<Ollama>([Reply::status(status).body(json!({"error": message}).to_string())]);
        let failure = played.failure();
        assert_eq!(
            (failure.kind.as_str(), failure.code.as_deref()),
            (kind, code),
            "{message}"
        );
        assert_eq!((failure.status, failure.message.as_str()), (status, message));
    }
}

#[test]
fn embeddings_are_asked_for_in_ollamas_form() {
    let asked = json!({"model": "nomic", "input": ["a", "b"], "dimensions": 256, "truncate": false, "encoding_format": "float"});
    let sent = Call::new("embeddings", asked.to_string()).request::<Ollama>();
    assert_eq!(sent.url, "https://api.example.com/api/embed");
    assert_eq!(
        sent.json(),
        json!({"model": "nomic", "input": ["a", "b"], "dimensions": 256, "truncate": false})
    );
}

#[test]
fn that_a_tool_failed_is_named_as_dropped() {
    let manifest = manifest::<Ollama>();
    let dropped = manifest["drops"]["chat.completions"].as_array().expect("a list");
    assert!(dropped.contains(&json!("messages.is_error")));
}
