//! Models invoked in their own forms: what is sent. (What recorded answers say: recordings.rs.)

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use witgate_bedrock::Bedrock;
use witgate_sdk::testing::{Call, Reply, aws_message};

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

/// What is heard of a stream of these events of the model's own.
fn stream(model: &str, events: &[Value]) -> Value {
    let message = |event: &Value| {
        let payload = json!({"bytes": base64(&event.to_string())}).to_string();
        aws_message(&[(":event-type", "chunk"), (":message-type", "event")], payload)
    };
    let bytes: Vec<u8> = events.iter().flat_map(message).collect();
    let call = call(model, &json!({})).streaming();
    call.play::<Bedrock>([Reply::aws_events(bytes)]).answer()["choices"][0].take()
}

fn whole(model: &str, answer: &Value) -> Value {
    let reply = Reply::json(answer.to_string());
    call(model, &json!({})).play::<Bedrock>([reply]).answer()["choices"][0].take()
}

fn base64(text: &str) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            out.push(char::from(letters[bits >> (18 - 6 * place) & 63]));
        }
        out.push_str(&"=="[..3 - three.len()]);
    }
    out
}

#[test]
fn an_answer_that_a_guardrail_stopped_says_so_whoever_wrote_it() {
    let mark = json!({"amazon-bedrock-guardrailAction": "INTERVENED"});
    let guarded = |event: Value| {
        let mut event = event;
        event["amazon-bedrock-guardrailAction"] = mark["amazon-bedrock-guardrailAction"].clone();
        event
    };
    let (nova, qwen) = ("amazon.nova-lite-v1:0", "qwen.qwen3-32b-v1:0");
    let claude = json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": "No"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let message = json!({"role": "assistant", "content": "No"});
    let converse =
        json!({"output": {"message": {"role": "assistant", "content": [{"text": "No"}]}}, "stopReason": "end_turn"});
    let wholes = [
        (CLAUDE, claude),
        (nova, converse),
        (
            qwen,
            json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}),
        ),
    ];
    for (model, answer) in wholes {
        assert_eq!(whole(model, &answer)["finish_reason"], "stop", "{model}");
        let stopped = whole(model, &guarded(answer));
        assert_eq!(
            (&stopped["finish_reason"], &stopped["message"]["content"]),
            (&json!("content_filter"), &json!("No")),
            "{model}"
        );
    }
    let claude = [
        json!({"type": "message_start", "message": {"role": "assistant", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "No"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        guarded(json!({"type": "message_stop"})),
    ];
    let nova_events = [
        json!({"messageStart": {"role": "assistant"}}),
        json!({"contentBlockDelta": {"delta": {"text": "No"}, "contentBlockIndex": 0}}),
        json!({"messageStop": {"stopReason": "end_turn"}}),
        guarded(json!({"metadata": {"usage": {"inputTokens": 1, "outputTokens": 1}}})),
    ];
    let qwen_events = [guarded(
        json!({"choices": [{"index": 0, "delta": message, "finish_reason": "stop"}]}),
    )];
    for (model, events) in [(CLAUDE, &claude[..]), (nova, &nova_events), (qwen, &qwen_events)] {
        let stopped = stream(model, events);
        assert_eq!(
            (&stopped["finish_reason"], &stopped["message"]["content"]),
            (&json!("content_filter"), &json!("No")),
            "{model}"
        );
    }
}

#[test]
fn what_deepseek_r1_thinks_is_no_part_of_its_answer() {
    let r1 = "us.deepseek.r1-v1:0";
    let expected = (&json!("Two?"), &json!("Yes"));
    let answer = whole(
        r1,
        &json!({"choices": [{"text": "Two?\n</think>\n\nYes", "stop_reason": "stop"}]}),
    );
    assert_eq!(
        (&answer["message"]["reasoning_content"], &answer["message"]["content"]),
        expected
    );
    let piece = |text: &str, reason: Value| json!({"choices": [{"text": text, "stop_reason": reason}]});
    let pieces = [
        piece("Two?\n</th", json!(null)),
        piece("ink>\n", json!(null)),
        piece("\nYes", json!("stop")),
    ];
    let streamed = stream(r1, &pieces);
    assert_eq!(
        (
            &streamed["message"]["reasoning_content"],
            &streamed["message"]["content"]
        ),
        expected
    );

    let begun = json!({"messages": [{"role": "user", "content": "Go"}, {"role": "assistant", "content": "On"}]});
    let reply = Reply::json(json!({"choices": [{"text": "wards", "stop_reason": "stop"}]}).to_string());
    let played = call(r1, &begun).play::<Bedrock>([reply]);
    assert_eq!(
        played.answer()["choices"][0]["message"]["content"],
        "wards",
        "it has thought already"
    );
}

#[test]
fn a_chat_has_the_usage_of_the_headers_and_no_field_that_nobody_said() {
    let message = json!({"role": "assistant", "content": "Hi"});
    let reply = json!({"choices": [{"index": 0, "stop_reason": "stop", "message": message}]});
    let reply = Reply::json(reply.to_string())
        .header("x-amzn-bedrock-input-token-count", "6")
        .header("x-amzn-bedrock-output-token-count", "10");
    let played = call("mistral.mistral-large-2407-v1:0", &json!({})).play::<Bedrock>([reply]);
    let answer = played.answer();
    assert_eq!(answer["choices"][0]["message"], message);
    assert_eq!(
        answer["usage"],
        json!({"prompt_tokens": 6, "completion_tokens": 10, "total_tokens": 16})
    );
    let chunk = json!({"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]});
    let bytes = json!({"bytes": base64(&chunk.to_string())}).to_string();
    let event = aws_message(&[(":event-type", "chunk"), (":message-type", "event")], bytes);
    let played = call("qwen.qwen3-32b-v1:0", &json!({}))
        .streaming()
        .play::<Bedrock>([Reply::aws_events(event)]);
    assert_eq!(played.chunks(), [chunk]);
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
        let event = aws_message(
            &[(":event-type", "chunk"), (":message-type", "event")],
            r#"{"bytes":"!"}"#,
        );
        let streamed = call(model, &json!({}))
            .streaming()
            .play::<Bedrock>([Reply::aws_events(event)]);
        assert_eq!(streamed.failure().kind, "upstream", "{model}");
    }
}

#[test]
fn what_is_counted_is_what_would_be_invoked_of_the_model_behind_a_profile() {
    let said = json!([{"role": "user", "content": "How many tokens is this sentence?"}]);
    let count = |model: &str, config: &str, fields: Value| {
        let mut body = json!({"model": "m", "messages": said});
        body.as_object_mut()
            .expect("an object")
            .extend(fields.as_object().expect("an object").clone());
        Call::new("count_tokens", body.to_string()).model(model).config(config)
    };
    let config = r#"{"region":"us-east-1","profiles":{"arn:x":"us.anthropic.claude-sonnet-4-5-20250929-v1:0"}}"#;
    let arn = "arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let itself = "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens";
    for model in [CLAUDE, arn, "arn:x", "anthropic.claude-sonnet-4-5-20250929-v1:0"] {
        let request = count(model, config, json!({})).request::<Bedrock>();
        assert!(request.url.ends_with(itself), "{}", request.url);
    }
    let invoked = |fields: Value| -> Value {
        let body = count(CLAUDE, CONFIG, fields).request::<Bedrock>().json();
        let text = body["input"]["invokeModel"]["body"]
            .as_str()
            .expect("base64")
            .to_owned();
        serde_json::from_slice(&STANDARD.decode(text).expect("base64")).expect("JSON")
    };
    assert_eq!(
        invoked(json!({"system": "Be brief.", "speed": "fast"})),
        json!({"anthropic_version": "bedrock-2023-05-31", "messages": said, "system": "Be brief.", "max_tokens": 1})
    );
    let thinking = json!({"type": "enabled", "budget_tokens": 1024});
    assert_eq!(invoked(json!({ "thinking": thinking }))["max_tokens"], 1025);
    assert_eq!(invoked(json!({"max_tokens": 7}))["max_tokens"], 7);
    let played = count(CLAUDE, CONFIG, json!({})).play::<Bedrock>([Reply::json(r#"{"inputTokens": 18}"#)]);
    assert_eq!(played.answer(), json!({"input_tokens": 18}));
    let nova = count("amazon.nova-lite-v1:0", CONFIG, json!({})).play::<Bedrock>([]);
    assert_eq!(nova.failure().kind, "unsupported");
}
