use super::{VERTEX, contents, refused_for, request, sent, sent_to};
use serde_json::{Value, json};
use witgate_gemini::Gemini;

#[test]
fn system_and_developer_messages_become_the_system_instruction_in_their_order() {
    let body = sent(&json!({"messages": [
        {"role": "system", "content": "One"}, {"role": "user", "content": "Hi"},
        {"role": "developer", "content": [{"type": "text", "text": "Two"}]}]}));
    assert_eq!(
        body["systemInstruction"],
        json!({"parts": [{"text": "One"}, {"text": "Two"}]})
    );
    assert_eq!(body["contents"], json!([{"role": "user", "parts": [{"text": "Hi"}]}]));
}

#[test]
fn turns_of_one_side_become_one_and_the_user_begins() {
    let user = |text: &str| json!({"role": "user", "content": text});
    let model = |text: &str| json!({"role": "assistant", "content": text});
    assert_eq!(
        contents(&json!([model("A"), user("B"), user(""), user("C"), model("D")])),
        json!([
            {"role": "user", "parts": [{"text": "."}]},
            {"role": "model", "parts": [{"text": "A"}]},
            {"role": "user", "parts": [{"text": "B"}, {"text": "C"}]},
            {"role": "model", "parts": [{"text": "D"}]},
        ])
    );
    let only_system = contents(&json!([{"role": "system", "content": "Be kind"}]));
    assert_eq!(only_system, json!([{"role": "user", "parts": [{"text": "."}]}]));
}

#[test]
fn texts_arrive_as_they_are() {
    let text = "Grüß \"dich\"\n\u{1F600} \\ \u{2028}";
    assert_eq!(
        contents(&json!([{"role": "user", "content": text}]))[0]["parts"][0]["text"],
        text
    );
}

/// The part that a user's part becomes.
fn part(part: &Value) -> Value {
    contents(&json!([{"role": "user", "content": [part]}]))[0]["parts"][0].take()
}

#[test]
fn images_recordings_films_and_documents_are_sent_inline_or_by_address() {
    let cases = [
        (
            json!({"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}}),
            json!({"inlineData": {"mimeType": "image/jpeg", "data": "AAAA"}}),
        ),
        (
            json!({"type": "image_url", "image_url": "https://a.example/b.png?c=d.gif"}),
            json!({"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/b.png?c=d.gif"}}),
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "gs://bucket/photo"}}),
            json!({"fileData": {"mimeType": "image/jpeg", "fileUri": "gs://bucket/photo"}}),
        ),
        (
            json!({"type": "video_url", "video_url": {"url": "https://youtu.be/x"}}),
            json!({"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}}),
        ),
        (
            json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}),
            json!({"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}}),
        ),
        (
            json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/octet-stream;base64,AAAA"}}),
            json!({"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}),
        ),
        (
            json!({"type": "file", "file": {"filename": "a.csv", "file_data": "AAAA"}}),
            json!({"inlineData": {"mimeType": "text/csv", "data": "AAAA"}}),
        ),
        (
            json!({"type": "file", "file": {"file_id": "https://generativelanguage.googleapis.com/v1beta/files/x"}}),
            json!({"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}}),
        ),
        (
            json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "videoMetadata": {"fps": 1}}),
            json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "videoMetadata": {"fps": 1}}),
        ),
    ];
    for (asked, sent) in cases {
        assert_eq!(part(&asked), sent, "{asked}");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_by_name() {
    let part = |part: Value| json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]});
    let parts = [
        json!({"type": "image_url", "image_url": {"url": "ftp://a.example/b"}}),
        json!({"type": "image_url", "image_url": {"url": "data:image/png,AAAA"}}),
        json!({"type": "image_url", "image_url": {}}),
        json!({"type": "input_audio", "input_audio": {}}),
        json!({"type": "file", "file": {"file_id": "file-123"}}),
        json!({"type": "hologram"}),
        json!("text"),
    ];
    for one in parts {
        assert_eq!(refused_for(&part(one.clone())), "messages[0].content[1]", "{one}");
    }
    assert_eq!(
        refused_for(&json!({"messages": [{"role": "robot", "content": "x"}]})),
        "messages[0].role"
    );
    assert_eq!(
        refused_for(&json!({"messages": [{"role": "function", "content": "x"}]})),
        "messages[0].role"
    );
    assert_eq!(
        refused_for(&json!({"messages": [{"role": "user", "content": 5}]})),
        "messages[0].content"
    );
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

fn calls(calls: &[Value]) -> Value {
    json!({"role": "assistant", "content": null, "tool_calls": calls})
}

fn result(id: &str, content: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": content})
}

#[test]
fn results_get_their_functions_names_and_the_order_of_the_calls() {
    let asked = json!([{"role": "user", "content": "Go"},
        calls(&[call("a", "f", "{\"n\": 1}"), call("b", "g", ""), call("c", "f", "[2]")]),
        result("c", "[3]"), result("a", "{\"x\": 1}"), result("b", "no"), {"role": "user", "content": "And?"}]);
    assert_eq!(
        contents(&asked).as_array().expect("contents")[1..],
        [
            json!({"role": "model", "parts": [
                {"functionCall": {"id": "a", "name": "f", "args": {"n": 1}}},
                {"functionCall": {"id": "b", "name": "g", "args": {}}},
                {"functionCall": {"id": "c", "name": "f", "args": {"arguments": "[2]"}}}]}),
            json!({"role": "user", "parts": [
                {"functionResponse": {"id": "a", "name": "f", "response": {"x": 1}}},
                {"functionResponse": {"id": "b", "name": "g", "response": {"output": "no"}}},
                {"functionResponse": {"id": "c", "name": "f", "response": {"output": [3]}}}]}),
            json!({"role": "user", "parts": [{"text": "And?"}]}),
        ]
    );
}

#[test]
fn ids_that_the_provider_does_not_know_are_not_sent() {
    let messages = json!({"messages": [calls(&[call("gm_0001x0", "f", "{}"), call("x", "f", "{}")]),
        result("gm_0001x0", "1"), result("x", "2")]});
    let results = |body: &Value| body["contents"][2]["parts"].as_array().cloned().expect("results");
    let ids = |body: Value| {
        results(&body)
            .iter()
            .map(|part| part["functionResponse"]["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(sent(&messages)), [Value::Null, json!("x")]);
    let vertex = request("gemini-2.5-flash", &messages)
        .config(VERTEX)
        .request::<Gemini>();
    assert_eq!(ids(vertex.json()), [Value::Null, Value::Null]);
}

#[test]
fn results_without_a_call_are_told_apart_by_name_or_order_or_refused() {
    let named = json!({"role": "tool", "name": "g", "content": "1"});
    let nameless = json!({"role": "tool", "content": "2"});
    let turns = contents(&json!([
        calls(&[call("", "f", "{}"), call("", "g", "{}")]),
        named,
        nameless
    ]));
    let names: Vec<&Value> = turns[2]["parts"]
        .as_array()
        .expect("results")
        .iter()
        .map(|part| &part["functionResponse"]["name"])
        .collect();
    assert_eq!(names, ["f", "g"]);
    assert_eq!(
        refused_for(&json!({"messages": [result("lost", "x")]})),
        "messages[0].tool_call_id"
    );
}

#[test]
fn a_failed_tool_and_images_of_a_tool_are_told() {
    let failed = json!({"role": "tool", "tool_call_id": "a", "content": "Boom", "is_error": true});
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}});
    let seen = json!({"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "Look"}, image]});
    let messages = json!({"messages": [calls(&[call("a", "f", "{}"), call("b", "g", "{}")]), failed, seen]});
    let data = json!({"inlineData": {"mimeType": "image/png", "data": "AA"}});
    let older = sent(&messages)["contents"][2]["parts"].take();
    assert_eq!(older[0]["functionResponse"]["response"], json!({"error": "Boom"}));
    assert_eq!(older[1]["functionResponse"]["response"], json!({"output": "Look"}));
    assert_eq!(older[2], data);
    let newer = sent_to("gemini-3-flash-preview", &messages)["contents"][2]["parts"].take();
    assert_eq!(newer[1]["functionResponse"]["parts"], json!([data]));
}

#[test]
fn several_texts_of_a_result_stay_apart() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let response = |content: Value, failed: bool| {
        let result = json!({"role": "tool", "tool_call_id": "a", "content": content, "is_error": failed});
        let contents = contents(&json!([calls(&[call("a", "f", "{}")]), result]));
        contents[2]["parts"][0]["functionResponse"]["response"].clone()
    };
    let both = || json!([text("First"), text(""), text("Se\"cond")]);
    assert_eq!(response(both(), false), json!({"output": ["First", "Se\"cond"]}));
    assert_eq!(response(both(), true), json!({"error": ["First", "Se\"cond"]}));
    assert_eq!(response(json!([text("{\"x\": 1}")]), false), json!({"x": 1}));
    assert_eq!(response(json!([text("")]), false), json!({"output": ""}));
    assert_eq!(response(json!([]), false), json!({"output": ""}));
}

#[test]
fn signatures_go_back_to_their_parts() {
    let mut signed = call("a", "f", "{}");
    signed["extra_content"] = json!({"google": {"thought_signature": "U2ln"}});
    let message = json!({"role": "assistant", "content": "Hello", "tool_calls": [signed, call("b", "g", "{}")],
        "extra_content": {"google": {"thought_signature": "VGV4dA==", "signed_text": "lo"}}});
    let body = sent_to("gemini-3-pro-preview", &json!({"messages": [message]}));
    assert_eq!(
        body["contents"][1]["parts"],
        json!([{"text": "Hel"}, {"text": "lo", "thoughtSignature": "VGV4dA=="},
            {"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "U2ln"},
            {"functionCall": {"id": "b", "name": "g", "args": {}}}])
    );
}

#[test]
fn calls_of_other_models_are_marked_where_a_signature_is_demanded() {
    let messages = json!({"messages": [calls(&[call("a", "f", "{}"), call("b", "g", "{}")])]});
    let signature = |model: &str| {
        let parts = sent_to(model, &messages)["contents"][1]["parts"].take();
        [0, 1].map(|at| parts[at]["thoughtSignature"].clone())
    };
    assert_eq!(
        signature("gemini-3-pro-preview"),
        [json!("skip_thought_signature_validator"), Value::Null]
    );
    assert_eq!(signature("gemini-2.5-pro"), [Value::Null, Value::Null]);
}

#[test]
fn kept_parts_are_sent_only_while_the_message_says_the_same() {
    let parts = json!([{"executableCode": {"code": "1"}}, {"text": "Done", "thoughtSignature": "U2ln"}]);
    let message =
        |text: &str| json!({"role": "assistant", "content": text, "extra_content": {"google": {"parts": parts}}});
    assert_eq!(contents(&json!([message("Done")]))[1]["parts"], parts);
    assert_eq!(
        contents(&json!([message("Changed")]))[1]["parts"],
        json!([{"text": "Changed"}])
    );
    let signed = json!({"role": "assistant", "content": "Other",
        "extra_content": {"google": {"thought_signature": "U2ln", "signed_text": "Hello"}}});
    assert_eq!(contents(&json!([signed]))[1]["parts"], json!([{"text": "Other"}]));
}
