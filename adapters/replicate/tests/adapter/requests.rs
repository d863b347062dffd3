//! From the client's request to the create call.

use witgate_replicate::Replicate;
use witgate_sdk::testing::{Failed, Sent, Value, json};

use crate::{HELLO, call, hello};

fn create_of(model: &str, config: &str, body: &str) -> Sent {
    call("chat.completions", model, body)
        .config(config)
        .request::<Replicate>()
}

fn refusal_of(model: &str, config: &str, body: &str) -> Failed {
    call("chat.completions", model, body)
        .config(config)
        .play::<Replicate>([])
        .failure()
        .clone()
}

fn input(config: &str, body: &Value) -> Value {
    create_of("meta/meta-llama-3-8b-instruct", config, &body.to_string()).json()["input"].clone()
}

fn refusal(config: &str, body: &Value) -> Failed {
    refusal_of("meta/meta-llama-3-8b-instruct", config, &body.to_string())
}

#[test]
fn a_model_is_found_at_its_own_endpoint_by_version_or_as_a_deployment() {
    let version = "dfdf537ba482b029e0a761699e6f55e9162cfd159270bfe0e44857caa5f275a6";
    let cases = [
        ("meta/llama", "{}", "/models/meta/llama/predictions", None),
        (&format!("meta/llama:{version}"), "{}", "/predictions", Some(version)),
        ("meta/llama:latest", "{}", "/predictions", Some("meta/llama:latest")),
        (version, "{}", "/predictions", Some(version)),
        ("meta/llama", r#"{"version":"abc"}"#, "/predictions", Some("abc")),
        (
            "meta/llama",
            r#"{"per_model":{"meta/llama":{"version":"abc"}}}"#,
            "/predictions",
            Some("abc"),
        ),
        (
            "deployments/acme/chat",
            "{}",
            "/deployments/acme/chat/predictions",
            None,
        ),
    ];
    for (model, config, path, version) in cases {
        let sent = create_of(model, config, HELLO);
        assert_eq!(sent.url, format!("https://api.replicate.com/v1{path}"), "{model}");
        assert_eq!(sent.json()["version"].as_str(), version, "{model}");
        assert!(!sent.idempotent, "a prediction must not be paid twice");
    }
}

#[test]
fn a_model_name_cannot_lead_to_another_path() {
    for model in [
        "llama",
        "a/b/c",
        "../account",
        "a/..",
        "a/b?x=1",
        "a/b#",
        "a b/c",
        "a/b%2f",
        "a//b",
        "/a/b",
    ] {
        let failure = refusal_of(model, "{}", HELLO);
        assert_eq!(
            (failure.kind.as_str(), failure.param.as_deref()),
            ("not-found", Some("model")),
            "{model}"
        );
    }
}

#[test]
fn a_single_question_is_the_prompt_as_it_is() {
    let body = json!({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi \u{1f680}\n"}]});
    assert_eq!(
        input("{}", &body),
        json!({"prompt": "Hi \u{1f680}\n", "system_prompt": "Be brief."})
    );
}

#[test]
fn a_conversation_is_written_out_and_left_open_for_the_model() {
    let body = json!({"messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]},
        {"role": "assistant", "content": "Hello.", "refusal": null, "tool_calls": null, "function_call": null, "annotations": []},
        {"role": "developer", "content": "In French."},
        {"role": "user", "content": "Who are you?"},
    ]});
    assert_eq!(
        input("{}", &body),
        json!({
            "prompt": "User: Hi\nthere\n\nAssistant: Hello.\n\nUser: Who are you?\n\nAssistant:",
            "system_prompt": "Be brief.\n\nIn French.",
        })
    );
}

#[test]
fn an_answer_the_client_began_is_gone_on_with() {
    let body = json!({"messages": [{"role": "user", "content": "A tale"}, {"role": "assistant", "content": "Once"}]});
    assert_eq!(input("{}", &body)["prompt"], "User: A tale\n\nAssistant: Once");
}

#[test]
fn a_template_dresses_every_message() {
    let body = json!({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]});
    let cases = [
        (
            r#"{"prompt_template":"chatml","names":{"system":""}}"#,
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n",
        ),
        (r#"{"prompt_template":"inst"}"#, "[INST] U [/INST]"),
        (
            r#"{"prompt_template":"llama3"}"#,
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        (
            r#"{"prompt_template":{"start":"<s>","user":"Q:{text}\n","assistant":"A:{text}\n","open":"A:"}}"#,
            "<s>Q:U\nA:",
        ),
        (r#"{"names":{"system":""}}"#, "S\n\nU"),
    ];
    for (config, prompt) in cases {
        assert_eq!(input(config, &body)["prompt"], prompt, "{config}");
    }
    assert_eq!(refusal(r#"{"prompt_template":"nonsense"}"#, &body).kind, "config");
}

#[test]
fn parameters_go_under_the_names_of_the_model_and_zero_is_kept() {
    let body = json!({
        "model": "x", "stream": true, "stream_options": {"include_usage": true}, "n": 2, "user": "u", "metadata": {}, "seed": 7,
        "messages": [{"role": "user", "content": "hi"}], "temperature": 0, "top_p": 0.5, "top_k": 40, "max_tokens": 9,
        "max_completion_tokens": 8, "presence_penalty": 0.0, "frequency_penalty": null, "stop": ["\n\n", "END"], "reasoning_effort": "low",
    });
    assert_eq!(
        input("{}", &body),
        json!({
            "prompt": "hi", "seed": 7, "temperature": 0, "top_p": 0.5, "top_k": 40, "max_tokens": 8, "presence_penalty": 0.0,
            "stop_sequences": "\n\n,END",
        })
    );
    let config = r#"{"names":{"max_tokens":"max_new_tokens","top_k":"","seed":"","reasoning_effort":"effort"},"input":{"top_p":0.9,"min_tokens":1}}"#;
    assert_eq!(
        input(config, &body),
        json!({
            "prompt": "hi", "temperature": 0, "top_p": 0.5, "min_tokens": 1, "max_new_tokens": 8, "presence_penalty": 0.0,
            "stop_sequences": "\n\n,END", "effort": "low",
        })
    );
}

#[test]
fn settings_of_one_model_lie_over_those_of_all() {
    let config = r#"{"names":{"max_tokens":"max_new_tokens","top_k":""},"per_model":{
        "meta/meta-llama-3-8b-instruct":{"names":{"max_tokens":"limit"}},"other/model":{"names":{"max_tokens":"no"}}}}"#;
    let body = json!({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 3, "top_k": 1});
    assert_eq!(input(config, &body), json!({"prompt": "hi", "limit": 3}));
}

#[test]
fn a_client_can_name_inputs_of_the_model_itself() {
    let body =
        json!({"messages": [{"role": "user", "content": "hi"}], "top_k": 1, "input": {"top_k": 2, "min_p": 0.1}});
    assert_eq!(input("{}", &body), json!({"prompt": "hi", "top_k": 2, "min_p": 0.1}));
}

#[test]
fn images_go_where_the_model_takes_them() {
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let one = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "What?"}, image("data:image/png;base64,AA")]}]});
    assert_eq!(
        input("{}", &one),
        json!({"prompt": "What?", "image": "data:image/png;base64,AA"})
    );
    let two = json!({"messages": [{"role": "user", "content": [image("https://a/1.png"), image("https://a/2.png")]}]});
    let list = input(r#"{"image_list":true,"names":{"image":"image_input"}}"#, &two);
    assert_eq!(list["image_input"], json!(["https://a/1.png", "https://a/2.png"]));
    assert_eq!(refusal("{}", &two).param.as_deref(), Some("messages"));
    assert_eq!(refusal(r#"{"names":{"image":""}}"#, &one).kind, "unsupported");
}

#[test]
fn what_no_model_does_is_refused_by_name_and_what_asks_for_nothing_is_not() {
    let cases = [
        ("tools", json!([{"type": "function"}]), json!([])),
        ("functions", json!([{"name": "f"}]), json!([])),
        (
            "response_format",
            json!({"type": "json_object"}),
            json!({"type": "text"}),
        ),
        ("logprobs", json!(true), json!(false)),
        ("top_logprobs", json!(3), json!(0)),
        ("logit_bias", json!({"5": 1}), json!({})),
        ("modalities", json!(["text", "audio"]), json!(["text"])),
        ("audio", json!({"voice": "v"}), Value::Null),
        ("stop", json!("a,b"), json!([])),
    ];
    for (field, refused, harmless) in cases {
        let with = |value: Value| json!({"messages": [{"role": "user", "content": "hi"}], field: value});
        let failure = refusal("{}", &with(refused));
        assert_eq!(
            (failure.kind.as_str(), failure.param.as_deref()),
            ("unsupported", Some(field)),
            "{field}"
        );
        assert_eq!(input("{}", &with(harmless)), json!({"prompt": "hi"}), "{field}");
    }
    for message in [
        json!({"role": "tool", "tool_call_id": "c", "content": "sunny"}),
        json!({"role": "assistant", "tool_calls": [{"id": "c"}]}),
        json!({"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}}),
        json!({"role": "user", "content": [{"type": "input_audio"}]}),
    ] {
        let failure = refusal("{}", &json!({"messages": [message]}));
        assert_eq!(
            (failure.kind.as_str(), failure.param.as_deref()),
            ("unsupported", Some("messages"))
        );
    }
}

#[test]
fn a_request_that_cannot_be_read_is_the_clients_fault() {
    for body in [
        "[]",
        "{}",
        r#"{"messages":[]}"#,
        r#"{"messages":"hi"}"#,
        r#"{"messages":[{"content":"hi"}]}"#,
        r#"{"messages":[{"role":"user","content":5}]}"#,
    ] {
        assert_eq!(refusal_of("a/b", "{}", body).kind, "invalid-request", "{body}");
    }
}

#[test]
fn a_configured_wait_is_asked_for_unless_the_client_reads_along() {
    let header = |call: witgate_sdk::testing::Call, config| {
        call.config(config)
            .request::<Replicate>()
            .header("prefer")
            .map(str::to_owned)
    };
    assert_eq!(header(hello(), "{}"), None);
    assert_eq!(header(hello(), r#"{"wait":10}"#).as_deref(), Some("wait=10"));
    assert_eq!(header(hello(), r#"{"wait":200}"#).as_deref(), Some("wait=60"));
    assert_eq!(header(hello().streaming(), r#"{"wait":10}"#), None);
    assert_eq!(
        header(hello().streaming(), r#"{"wait":10,"streamingSupport":false}"#).as_deref(),
        Some("wait=10")
    );
}

#[test]
fn a_bare_host_is_given_the_version_of_the_api() {
    for base_url in [
        "http://127.0.0.1:5000",
        "http://127.0.0.1:5000/v1",
        "http://127.0.0.1:5000/v1/",
    ] {
        let sent = hello().base_url(base_url).request::<Replicate>();
        assert_eq!(sent.url, "http://127.0.0.1:5000/v1/models/a/b/predictions");
    }
}

#[test]
fn texts_to_embed_go_as_a_list_or_as_the_model_wants_it() {
    let embed = |config, body| call("embeddings", "a/b", body).config(config);
    let list = embed("{}", r#"{"input":["a","b"]}"#).request::<Replicate>();
    assert_eq!(list.json()["input"], json!({"texts": ["a", "b"]}));
    let text = embed(
        r#"{"texts_as":"json","names":{"texts":"text_batch"}}"#,
        r#"{"input":"a"}"#,
    )
    .request::<Replicate>();
    assert_eq!(text.json()["input"], json!({"text_batch": r#"["a"]"#}));
    let param = |body| embed("{}", body).play::<Replicate>([]).failure().param.clone();
    assert_eq!(param(r#"{"input":[1,2]}"#).as_deref(), Some("input"));
    assert_eq!(param(r#"{"input":"a","dimensions":3}"#).as_deref(), Some("dimensions"));
}
