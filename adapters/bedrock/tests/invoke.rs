//! Models invoked in their own forms: what is sent. (What recorded answers say: recordings.rs.)

use serde_json::{Value, json};
use witgate_bedrock::Bedrock;
use witgate_sdk::testing::{Call, Reply};

const CONFIG: &str = r#"{"region":"us-east-1","invoke":true}"#;
const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

fn call(model: &str, fields: &Value) -> Call {
    Call::says("Go").with(fields).model(model).config(CONFIG)
}

fn sent(model: &str, fields: &Value) -> Value {
    call(model, fields).request::<Bedrock>().json()
}

#[test]
fn claude_is_asked_in_anthropics_form_without_model_and_stream() {
    let call = call(CLAUDE, &json!({"max_tokens": 7})).streaming();
    let request = call.request::<Bedrock>();
    assert!(
        request.url.ends_with("-v1%3A0/invoke-with-response-stream"),
        "{}",
        request.url
    );
    assert_eq!(request.framing, "aws-eventstream");
    assert_eq!(
        request.json(),
        json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 7,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Go"}]}]})
    );
}

#[test]
fn nova_is_asked_in_converses_form_with_its_own_fields_among_the_others() {
    let fields = json!({"max_tokens": 7, "top_k": 5, "tools": [{"type": "function", "function": {"name": "f"}}]});
    let body = sent("amazon.nova-micro-v1:0", &fields);
    assert_eq!(body["schemaVersion"], "messages-v1");
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 7, "topK": 5}));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "f");
    assert!(body.get("additionalModelRequestFields").is_none());
}

#[test]
fn models_that_go_on_with_a_text_get_the_chat_as_one_and_the_settings_by_their_names() {
    let chat = json!({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "max_tokens": 9, "temperature": 0, "top_p": 0.5});
    let llama = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>\
        <|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
    assert_eq!(
        sent("us.meta.llama3-1-8b-instruct-v1:0", &chat),
        json!({"prompt": llama, "max_gen_len": 9, "temperature": 0, "top_p": 0.5})
    );
    let llama4 = sent("us.meta.llama4-scout-17b-instruct-v1:0", &chat);
    assert!(
        llama4["prompt"]
            .as_str()
            .is_some_and(|text| text.contains("<|header_start|>user")),
        "{llama4}"
    );
    assert_eq!(
        sent("mistral.mistral-7b-instruct-v0:2", &chat),
        json!({"prompt": "<s>Be brief.\n\n[INST] Hi [/INST]", "max_tokens": 9, "temperature": 0, "top_p": 0.5})
    );
    assert_eq!(
        sent("amazon.titan-text-express-v1", &chat),
        json!({"inputText": "Be brief.\n\nUser: Hi\n\nAssistant:",
            "textGenerationConfig": {"maxTokenCount": 9, "temperature": 0, "topP": 0.5}})
    );
    let stop = json!({"stop": ["|"], "top_k": 3, "seed": 1});
    let command = call("cohere.command-text-v14", &stop)
        .streaming()
        .request::<Bedrock>()
        .json();
    assert_eq!(
        command,
        json!({"prompt": "User: Go\n\nAssistant:", "k": 3, "stop_sequences": ["|"], "stream": true})
    );
}

#[test]
fn command_r_gets_the_turns_and_the_last_message() {
    let messages = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Go"},
    ]);
    assert_eq!(
        sent("cohere.command-r-v1:0", &json!({"messages": messages, "top_p": 0.5})),
        json!({"message": "Go", "preamble": "Be brief.", "p": 0.5,
            "chat_history": [{"role": "USER", "message": "Hi"}, {"role": "CHATBOT", "message": "Hello."}]})
    );
}

#[test]
fn other_models_are_asked_as_the_client_asked() {
    let fields = json!({"temperature": 0.10, "tools": [{"type": "function", "function": {"name": "f"}}]});
    let body = call("qwen.qwen3-32b-v1:0", &fields)
        .streaming()
        .request::<Bedrock>()
        .text();
    assert!(body.contains("\"temperature\":0.1"), "{body}");
    let body: Value = serde_json::from_str(&body).expect("it is JSON");
    assert!(body.get("model").is_none());
    assert_eq!((&body["stream"], &body["tools"]), (&json!(true), &fields["tools"]));
}

#[test]
fn thoughts_that_stand_in_the_text_are_shown_as_such() {
    let reply = json!({"choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "<reasoning>Hm.</reasoning>Hello"}}]});
    let played = call("openai.gpt-oss-20b-1:0", &json!({})).play::<Bedrock>([Reply::json(reply.to_string())]);
    let message = &played.answer()["choices"][0]["message"];
    assert_eq!(
        (&message["reasoning_content"], &message["content"]),
        (&json!("Hm."), &json!("Hello"))
    );
}

#[test]
fn mistrals_own_kind_of_chat_is_put_in_openais_words() {
    let reply = json!({"choices": [{"index": 0, "stop_reason": "tool_calls", "message": {"role": "assistant", "content": "",
        "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}]}}]});
    let played = call("mistral.mistral-large-2407-v1:0", &json!({})).play::<Bedrock>([Reply::json(reply.to_string())]);
    let choice = &played.answer()["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["tool_calls"][0]["type"], "function");
}

#[test]
fn a_model_behind_a_profile_is_named_by_the_operator() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1";
    let config = json!({"region": "us-east-1", "invoke": true, "profiles": {arn: CLAUDE}}).to_string();
    let request = call(arn, &json!({})).config(&config).request::<Bedrock>();
    assert!(
        request.url.contains("application-inference-profile%2Fa1/invoke"),
        "{}",
        request.url
    );
    assert_eq!(request.json()["anthropic_version"], "bedrock-2023-05-31");
}

#[test]
fn the_operators_guardrail_is_named_in_headers() {
    let config = r#"{"region":"us-east-1","invoke":true,"guardrail":{"id":"g1","version":"2"}}"#;
    let request = call(CLAUDE, &json!({})).config(config).request::<Bedrock>();
    assert_eq!(request.header("x-amzn-bedrock-guardrailidentifier"), Some("g1"));
    assert_eq!(request.header("x-amzn-bedrock-guardrailversion"), Some("2"));
}

#[test]
fn what_a_text_cannot_say_is_refused_by_name() {
    let llama = "meta.llama3-8b-instruct-v1:0";
    let image =
        json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}]);
    for (fields, param) in [
        (
            json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
            "tools",
        ),
        (json!({"response_format": {"type": "json_object"}}), "response_format"),
        (json!({"stop": "x"}), "stop"),
        (json!({ "messages": image }), "messages[0]"),
    ] {
        let played = call(llama, &fields).play::<Bedrock>([]);
        let failure = played.failure();
        assert_eq!(
            (failure.kind.as_str(), failure.param.as_deref()),
            ("unsupported", Some(param))
        );
    }
}

#[test]
fn what_is_no_answer_and_no_event_is_a_failure() {
    for model in [
        CLAUDE,
        "amazon.nova-lite-v1:0",
        "meta.llama3-8b-instruct-v1:0",
        "qwen.qwen3-32b-v1:0",
    ] {
        let whole = call(model, &json!({})).play::<Bedrock>([Reply::json("{}")]);
        assert_eq!(whole.failure().kind, "upstream", "{model}");
        let event = witgate_sdk::testing::aws_message(
            &[(":event-type", "chunk"), (":message-type", "event")],
            r#"{"bytes":"!"}"#,
        );
        let streamed = call(model, &json!({}))
            .streaming()
            .play::<Bedrock>([Reply::aws_events(event)]);
        assert_eq!(streamed.failure().kind, "upstream", "{model}");
    }
}
