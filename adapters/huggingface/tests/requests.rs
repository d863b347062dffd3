//! What a client says becomes a text to go on with, what comes back an answer, and what goes wrong is told as what it is.

use serde_json::{Value, json};
use witgate_huggingface::HuggingFace;
use witgate_sdk::testing::{Call, Played, Reply, manifest, self_tests};

/// The body that is sent for a request with these fields beside a user's message.
fn sent(fields: &Value) -> Value {
    Call::says("Go").with(fields).request::<HuggingFace>().json()
}

fn refused(fields: &Value) -> (String, String) {
    let played = Call::says("Go").with(fields).play::<HuggingFace>([]);
    let failure = played.failure();
    (failure.kind.clone(), failure.param.clone().unwrap_or_default())
}

fn prompt(messages: &Value, config: &str) -> String {
    let call = Call::chat(json!({"model": "m", "messages": messages}).to_string()).config(config);
    call.request::<HuggingFace>().json()["inputs"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn stream(call: &Call, events: &[Value]) -> Played {
    let wire: String = events.iter().map(|event| format!("data:{event}\n\n")).collect();
    call.clone()
        .streaming()
        .play_cut_everywhere::<HuggingFace>([Reply::sse(wire)])
}

fn token(text: &str) -> Value {
    json!({"index": 1, "token": {"id": 1, "text": text, "logprob": -0.5, "special": false}, "generated_text": null, "details": null})
}

fn last(text: &str, whole: &str, reason: &str) -> Value {
    let mut last = token(text);
    last["generated_text"] = json!(whole);
    last["details"] = json!({"finish_reason": reason, "generated_tokens": 3, "input_length": 7, "seed": null});
    last
}

#[test]
fn the_manifest_is_complete_and_its_own_tests_pass() {
    assert_eq!(
        manifest::<HuggingFace>()["types"],
        json!(["huggingface-inference", "tgi-native"])
    );
    self_tests::<HuggingFace>();
}

#[test]
fn a_server_is_asked_to_generate_and_the_inference_api_for_a_model() {
    let call = Call::says("Hi");
    let whole = call.request::<HuggingFace>();
    assert_eq!(
        (whole.url.as_str(), whole.framing.as_str()),
        ("https://api.example.com/generate", "buffered")
    );
    assert_eq!(
        whole.json(),
        json!({"inputs": "Hi", "parameters": {"return_full_text": false, "details": true}})
    );
    let streamed = call.clone().streaming().request::<HuggingFace>();
    assert_eq!(
        (streamed.url.as_str(), streamed.framing.as_str()),
        ("https://api.example.com/generate_stream", "sse")
    );
    let hub = call
        .model("org/m")
        .base_url("https://router.huggingface.co/hf-inference")
        .streaming();
    let hub = hub.request::<HuggingFace>();
    assert_eq!(hub.url, "https://router.huggingface.co/hf-inference/models/org/m");
    assert_eq!(hub.json()["stream"], true);
}

#[test]
fn a_chat_is_written_out_by_a_template() {
    let chat = json!([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho"}, {"role": "user", "content": [{"type": "text", "text": "Go"}]}]);
    assert_eq!(
        prompt(&chat, "{}"),
        "Be kind.\n\nUser: Hi\n\nAssistant: Ho\n\nUser: Go\n\nAssistant:"
    );
    assert_eq!(
        prompt(
            &json!([{"role": "user", "content": "Hi"}]),
            r#"{"prompt_template": "chatml"}"#
        ),
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    );
    let own =
        r#"{"prompt_template": {"start": "<s>", "user": "Q: {text}\n", "assistant": "A: {text}\n", "open": "A:"}}"#;
    let goes_on = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]);
    assert_eq!(prompt(&goes_on, own), "<s>Q: Hi\nA: Ho");
    let wrong = Call::says("Hi").config(r#"{"prompt_template": "klingon"}"#);
    let wrong = Call::chat(r#"{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}"#)
        .config(r#"{"prompt_template": "klingon"}"#)
        .play::<HuggingFace>([])
        .failure()
        .kind
        .clone()
        + &wrong.play::<HuggingFace>([]).failure().kind;
    assert_eq!(wrong, "configconfig");
}

#[test]
fn images_are_markdown_in_the_prompt() {
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    let chat = json!([{"role": "user", "content": [image, {"type": "text", "text": "What is it?"}]}]);
    assert_eq!(prompt(&chat, "{}"), "![](data:image/png;base64,AA==)What is it?");
}

#[test]
fn settings_are_parameters_and_what_the_server_would_refuse_is_left_out() {
    let parameters = |fields: Value| {
        let mut parameters = sent(&fields)["parameters"].take();
        let all = parameters.as_object_mut().expect("parameters");
        all.remove("return_full_text");
        all.remove("details");
        parameters
    };
    let asked = json!({"temperature": 0.7, "top_p": 0.90, "seed": 7, "max_tokens": 9, "stop": ["a", ""], "frequency_penalty": 0.5,
        "top_k": 5, "repetition_penalty": 1.1, "logprobs": true, "top_logprobs": 2, "user": "u", "n": 1});
    assert_eq!(
        parameters(asked),
        json!({"temperature": 0.7, "do_sample": true, "top_p": 0.90, "seed": 7, "max_new_tokens": 9, "stop": ["a"],
            "frequency_penalty": 0.5, "top_k": 5, "repetition_penalty": 1.1, "top_n_tokens": 2})
    );
    assert_eq!(
        parameters(json!({"temperature": 0, "top_p": 1.0, "frequency_penalty": 0})),
        json!({"do_sample": false})
    );
    let own = json!({"max_tokens": 9, "parameters": {"max_new_tokens": 5}, "options": {"wait_for_model": true}});
    assert_eq!(sent(&own)["options"], json!({"wait_for_model": true}));
    assert_eq!(parameters(own), json!({"max_new_tokens": 5}));
    let config = Call::says("Hi")
        .config(r#"{"default_max_tokens": 512}"#)
        .request::<HuggingFace>();
    assert_eq!(config.json()["parameters"]["max_new_tokens"], 512);
}

#[test]
fn a_format_is_a_grammar() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let named = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    let grammar = |format: Value| sent(&json!({"response_format": format}))["parameters"]["grammar"].take();
    assert_eq!(grammar(named), json!({"type": "json", "value": schema}));
    assert_eq!(
        grammar(json!({"type": "json_object"})),
        json!({"type": "json", "value": {"type": "object"}})
    );
    assert_eq!(grammar(json!({"type": "text"})), Value::Null);
}

#[test]
fn what_text_generation_does_not_do_is_refused_by_name() {
    let user =
        |part: Value| json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Look"}, part]}]});
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let at = "messages[0].content[1]";
    let cases = [
        (json!({"tools": tools}), "unsupported", "tools"),
        (json!({"functions": []}), "unsupported", "functions"),
        (json!({"audio": {"voice": "a"}}), "unsupported", "audio"),
        (
            json!({"messages": [{"role": "tool", "tool_call_id": "a", "content": "1"}]}),
            "unsupported",
            "messages[0].role",
        ),
        (user(image("data:application/pdf;base64,AA==")), "unsupported", at),
        (user(image("ftp://a.example")), "invalid-request", at),
        (user(json!({"type": "file", "file": {}})), "unsupported", at),
        (
            json!({"response_format": {"type": "xml"}}),
            "invalid-request",
            "response_format",
        ),
    ];
    for (fields, kind, param) in cases {
        assert_eq!(refused(&fields), (kind.to_owned(), param.to_owned()), "{fields}");
    }
    assert_eq!(sent(&json!({"tools": tools, "tool_choice": "none"}))["inputs"], "Go");
}

#[test]
fn a_streamed_answer_has_its_text_its_reason_and_its_usage_and_no_special_tokens() {
    let mut special = last("</s>", "Hello you", "eos_token");
    special["token"]["special"] = json!(true);
    let played = stream(&Call::says("Hi"), &[token("Hello"), token(" you"), special]);
    assert_eq!(played.text(), "Hello you");
    let answer = played.answer();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(
        (&answer["usage"]["prompt_tokens"], &answer["usage"]["completion_tokens"]),
        (&json!(7), &json!(3))
    );
    let silent = stream(
        &Call::says("Hi"),
        &[json!({"generated_text": "Hello", "details": {"finish_reason": "length"}})],
    );
    assert_eq!(
        (silent.text().as_str(), &silent.answer()["choices"][0]["finish_reason"]),
        ("Hello", &json!("length"))
    );
}

#[test]
fn the_text_at_which_an_answer_ended_is_no_part_of_it() {
    let call = Call::says("Go").with(&json!({"stop": ["\n###"]}));
    let events = [
        token("One\n"),
        token("two\n"),
        token("#"),
        last("##", "One\ntwo\n###", "stop_sequence"),
    ];
    assert_eq!(stream(&call, &events).text(), "One\ntwo");
    let whole =
        json!({"generated_text": "One\n###", "details": {"finish_reason": "stop_sequence", "generated_tokens": 3}});
    assert_eq!(call.play::<HuggingFace>([Reply::json(whole.to_string())]).text(), "One");
    let other = json!({"generated_text": "One\n###", "details": {"finish_reason": "length", "generated_tokens": 3}});
    assert_eq!(
        call.play::<HuggingFace>([Reply::json(other.to_string())]).text(),
        "One\n###"
    );
}

#[test]
fn likelihoods_are_told_whole_and_streamed() {
    let call = Call::says("Go").with(&json!({"logprobs": true, "top_logprobs": 1}));
    let mut event = last("a", "a", "length");
    let likely = json!({"id": 2, "text": "b", "logprob": -1.5, "special": false});
    event["top_tokens"] = json!([likely]);
    let top = json!([{"token": "b", "logprob": -1.5, "bytes": [98]}]);
    let expected =
        json!({"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": top}], "refusal": null});
    assert_eq!(
        stream(&call, &[event.clone()]).chunks()[1]["choices"][0]["logprobs"],
        expected
    );
    let details =
        json!({"finish_reason": "length", "generated_tokens": 1, "tokens": [event["token"]], "top_tokens": [[likely]]});
    let whole = json!([{"generated_text": "a", "details": details}]);
    let whole = call.play::<HuggingFace>([Reply::json(whole.to_string())]).answer();
    assert_eq!(whole["choices"][0]["logprobs"], expected);
}

#[test]
fn a_completion_is_the_clients_own_prompt_and_answered_as_one() {
    let call = Call::new(
        "completions",
        json!({"model": "m", "prompt": "One, two,", "max_tokens": 3, "echo": true}).to_string(),
    );
    let sent = call.request::<HuggingFace>().json();
    assert_eq!(
        (&sent["inputs"], &sent["parameters"]["return_full_text"]),
        (&json!("One, two,"), &json!(true))
    );
    let reply = json!({"generated_text": " three", "details": {"finish_reason": "length", "generated_tokens": 1}});
    let answer = call.play::<HuggingFace>([Reply::json(reply.to_string())]).answer();
    assert_eq!(
        (&answer["choices"][0]["text"], &answer["choices"][0]["finish_reason"]),
        (&json!(" three"), &json!("length"))
    );
    let played = stream(&call, &[token(" th"), last("ree", " three", "length")]);
    let texts: Vec<&Value> = played
        .chunks()
        .iter()
        .map(|chunk| &chunk["choices"][0]["text"])
        .collect();
    assert_eq!(texts, [&json!(" th"), &json!("ree"), &json!("")]);
    assert_eq!(played.chunks()[2]["usage"]["completion_tokens"], 3);
    for (fields, param) in [
        (json!({"prompt": ["a", "b"]}), "prompt"),
        (json!({"prompt": [1, 2]}), "prompt"),
        (json!({"prompt": "a", "suffix": "b"}), "suffix"),
    ] {
        let played = Call::new("completions", fields.to_string()).play::<HuggingFace>([]);
        assert_eq!(
            (played.failure().kind.as_str(), played.failure().param.as_deref()),
            ("unsupported", Some(param))
        );
    }
}

#[test]
fn every_error_has_its_kind_its_message_and_its_wait() {
    let too_long = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 17 `inputs` tokens and 10000 `max_new_tokens`";
    let cases = [
        (
            422,
            json!({"error": too_long, "error_type": "validation"}),
            "context-length",
            Some("validation"),
        ),
        (
            422,
            json!({"error": "Input validation error: `top_p` must be > 0.0", "error_type": "validation"}),
            "invalid-request",
            Some("validation"),
        ),
        (
            424,
            json!({"error": "Request failed during generation", "error_type": "generation"}),
            "upstream",
            Some("generation"),
        ),
        (
            429,
            json!({"error": "Model is overloaded", "error_type": "overloaded"}),
            "overloaded",
            Some("overloaded"),
        ),
        (
            503,
            json!({"error": "Model m is currently loading", "estimated_time": 20.5}),
            "overloaded",
            Some("model_loading"),
        ),
        (404, json!({"error": "Model m does not exist"}), "not-found", None),
        (
            400,
            json!({"error": ["Error in `parameters`"]}),
            "invalid-request",
            None,
        ),
        (
            400,
            json!({"error": "Model not supported by provider hf-inference"}),
            "not-found",
            None,
        ),
        (
            401,
            json!({"error": "Invalid credentials in Authorization header"}),
            "authentication",
            None,
        ),
        (
            402,
            json!({"error": "You have exceeded your monthly included credits"}),
            "quota",
            None,
        ),
    ];
    for (status, body, kind, code) in cases {
        let played = Call::says("Hi").play::<HuggingFace>([Reply::status(status).body(body.to_string())]);
        let failure = played.failure();
        assert_eq!(
            (failure.kind.as_str(), failure.code.as_deref(), failure.status),
            (kind, code, status),
            "{body}"
        );
        let message = body["error"].as_str().or(body["error"][0].as_str());
        assert_eq!(Some(failure.message.as_str()), message);
        let wait = body["estimated_time"].as_f64().map(|_| 20_500);
        assert_eq!(failure.retry_after_ms, wait);
    }
    let plain = "Failed to deserialize the JSON body into the target type: missing field `inputs`";
    let played = Call::says("Hi").play::<HuggingFace>([Reply::status(422).body(plain)]);
    assert_eq!(
        (played.failure().kind.as_str(), played.failure().message.as_str()),
        ("invalid-request", plain)
    );
    let page = Call::says("Hi").play::<HuggingFace>([Reply::status(502).body("<html>Bad gateway</html>")]);
    assert!(!page.failure().message.contains("html"));
}

#[test]
fn an_error_in_a_stream_is_a_failure_after_the_good_chunks() {
    let plain = json!({"error": "Request failed during generation", "error_type": "generation"});
    let nested =
        json!({"error": {"message": "Model is overloaded", "http_status_code": 429}, "error_type": "overloaded"});
    for (error, kind) in [(plain, "upstream"), (nested, "overloaded")] {
        let played = stream(&Call::says("Hi"), &[token("Hel"), error]);
        assert_eq!((played.chunks().len(), played.failure().kind.as_str()), (2, kind));
    }
    for strange in ["<html>", "{}", "[]", "5"] {
        assert_eq!(
            Call::says("Hi")
                .play::<HuggingFace>([Reply::json(strange)])
                .failure()
                .kind,
            "upstream",
            "{strange}"
        );
    }
}

#[test]
fn embeddings_are_features_of_texts() {
    let asked = json!({"model": "org/m", "input": ["a", "b"], "normalize": true});
    let call = Call::new("embeddings", asked.to_string());
    let server = call.request::<HuggingFace>();
    assert_eq!(server.url, "https://api.example.com/embed");
    assert_eq!(server.json(), json!({"inputs": ["a", "b"], "normalize": true}));
    let hub = call.clone().base_url("https://router.huggingface.co/hf-inference");
    assert_eq!(
        hub.request::<HuggingFace>().url,
        "https://router.huggingface.co/hf-inference/models/org/m/pipeline/feature-extraction"
    );
    let answer = call
        .play::<HuggingFace>([Reply::json("[[0.1,0.2],[0.3,0.4]]")])
        .answer();
    assert_eq!(
        (&answer["data"][1]["index"], &answer["data"][1]["embedding"]),
        (&json!(1), &json!([0.3, 0.4]))
    );
    let tokens = call.play::<HuggingFace>([Reply::json("[[[0.1],[0.2]]]")]);
    assert_eq!(tokens.failure().kind, "upstream");
}

#[test]
fn a_server_has_one_model_and_the_hub_many() {
    let server = Call::new("models", "{}")
        .get_models::<HuggingFace>([Reply::json(r#"{"model_id":"org/m","max_total_tokens":4096}"#)]);
    assert_eq!(server.requests()[0].url, "https://api.example.com/info");
    assert_eq!(
        (
            &server.answer()["data"][0]["id"],
            &server.answer()["data"][0]["context_window"]
        ),
        (&json!("org/m"), &json!(4096))
    );
    let hub = Call::new("models", "{}").base_url("https://router.huggingface.co/hf-inference");
    let hub = hub.get_models::<HuggingFace>([Reply::json(r#"[{"id":"a/b","likes":1},{"id":"c"}]"#)]);
    assert!(hub.requests()[0].url.starts_with("https://huggingface.co/api/models?"));
    assert_eq!(hub.answer()["data"][1]["id"], "c");
}
