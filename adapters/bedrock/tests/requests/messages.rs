use super::{CLAUDE, NOVA, call, refused, sent};
use serde_json::{Value, json};
use witgate_bedrock::Bedrock;

fn turns(model: &str, messages: &Value) -> Value {
    sent(model, &json!({ "messages": messages }))["messages"].take()
}

#[test]
fn sides_take_turns_and_the_system_stands_beside() {
    let body = sent(
        NOVA,
        &json!({"messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "One"},
            {"role": "user", "content": [{"type": "text", "text": "Two"}, {"type": "text", "text": "  "}]},
        ]}),
    );
    assert_eq!(body["system"], json!([{"text": "Be brief."}, {"text": "Be kind."}]));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"text": "."}]},
            {"role": "assistant", "content": [{"text": "Hello."}]},
            {"role": "user", "content": [{"text": "One"}, {"text": "Two"}]},
        ])
    );
}

#[test]
fn results_of_parallel_calls_are_one_turn_and_come_first() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}});
    let messages = json!([
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": "", "tool_calls": [call("c1"), call("c2")]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "And?"},
    ]);
    let turns = turns(NOVA, &messages);
    let used = |id: &str| json!({"toolUse": {"toolUseId": id, "name": "f", "input": {"a": 1}}});
    assert_eq!(turns[1]["content"], json!([used("c1"), used("c2")]));
    let said = turns[2]["content"].as_array().expect("blocks");
    assert_eq!(said.len(), 3, "{turns}");
    assert_eq!(said[0]["toolResult"]["toolUseId"], "c1");
    assert_eq!(said[1]["toolResult"]["content"], json!([{"text": "two"}]));
    assert_eq!(said[2], json!({"text": "And?"}));
}

#[test]
fn thoughts_come_back_signed_as_they_were() {
    let messages = json!([
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": "Well", "thinking_blocks": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, {"type": "redacted_thinking", "data": "AAA="}]},
        {"role": "user", "content": "On"},
    ]);
    assert_eq!(
        turns(CLAUDE, &messages)[1]["content"],
        json!([
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": "AAA="}},
            {"text": "Well"},
        ])
    );
}

#[test]
fn images_documents_and_cache_marks_are_said_in_converses_words() {
    let content = json!([
        {"type": "text", "text": "Look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}},
        {"type": "image_url", "image_url": "s3://bucket/a.png"},
        {"type": "file", "file": {"filename": "my_report.v2.pdf", "file_data": "data:application/pdf;base64,BBBB"}},
    ]);
    assert_eq!(
        turns(CLAUDE, &json!([{"role": "user", "content": content}]))[0]["content"],
        json!([
            {"text": "Look"},
            {"cachePoint": {"type": "default", "ttl": "1h"}},
            {"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}},
            {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}}},
            {"document": {"format": "pdf", "name": "my report v2", "source": {"bytes": "BBBB"}}},
        ])
    );
}

#[test]
fn what_cannot_be_sent_is_refused_by_its_place() {
    let refused = |content: Value| {
        let messages = json!([{"role": "user", "content": [{"type": "text", "text": "x"}, content]}]);
        refused(NOVA, &json!({ "messages": messages })).1
    };
    for part in [
        json!({"type": "image_url", "image_url": {"url": "ftp://example.com/a.png"}}),
        json!({"type": "image_url", "image_url": {}}),
        json!({"type": "image_url", "image_url": {"url": "data:image/png,raw"}}),
        json!({"type": "file", "file": {"file_id": "file-1"}}),
        json!({"type": "file", "file": {"filename": "a.exe", "file_data": "data:application/x-msdownload;base64,AA"}}),
        json!({"type": "novel"}),
        json!(5),
    ] {
        assert_eq!(refused(part.clone()), "messages[0].content[1]", "{part}");
    }
}

#[test]
fn a_web_address_is_refused_wherever_bytes_are_wanted_and_bare_base64_is_taken() {
    let address = "https://x.example/y.pdf";
    for part in [
        json!({"type": "file", "file": {"file_data": address}}),
        json!({"type": "file", "file": {"file_data": "http://x.example/y.mp4", "format": "video/mp4"}}),
        json!({"type": "video_url", "video_url": {"url": address}}),
        json!({"type": "image_url", "image_url": {"url": address}}),
        json!({"type": "input_audio", "input_audio": {"data": address, "format": "mp3"}}),
    ] {
        let asked = json!({"messages": [{"role": "user", "content": [part]}]});
        let played = call(NOVA, &asked).play::<Bedrock>([]);
        let failure = played.failure();
        assert_eq!(failure.param.as_deref(), Some("messages[0].content[0]"), "{part}");
        assert_eq!(
            (failure.kind.as_str(), failure.message.contains("from the web")),
            ("invalid-request", true)
        );
    }
    let file = json!({"type": "file", "file": {"file_data": "JVBE/+==", "filename": "a.pdf"}});
    let turns = turns(NOVA, &json!([{"role": "user", "content": [file]}]));
    assert_eq!(
        turns[0]["content"][0]["document"],
        json!({"format": "pdf", "name": "a", "source": {"bytes": "JVBE/+=="}})
    );
}
