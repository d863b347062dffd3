//! What a response says reaches a client of Chat Completions, and what the model wants back comes back.

use serde_json::{Value, json};
use witgate_openai_responses::OpenAiResponses;
use witgate_sdk::testing::{Call, Played, Reply};

fn response(output: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "status": "completed", "output": output,
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}})
}

fn whole(output: &Value) -> Value {
    let reply = Reply::json(response(output).to_string());
    Call::says("Hi").play::<OpenAiResponses>([reply]).answer()
}

/// The same answer as the shortest stream a server may make of it: whole items, and the end.
fn streamed(output: &Value) -> Played {
    let items = output.as_array().expect("items").iter().enumerate();
    let items = items.map(|(at, item)| json!({"type": "response.output_item.done", "output_index": at, "item": item}));
    let mut events: Vec<Value> = items.collect();
    events.push(json!({"type": "response.completed", "response": response(&json!([]))}));
    play(&events)
}

fn play(events: &[Value]) -> Played {
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    Call::says("Hi")
        .streaming()
        .play_cut_everywhere::<OpenAiResponses>([Reply::sse(text)])
}

/// A field of the deltas, the last there is.
fn last(played: &Played, field: &str) -> Value {
    let mut deltas = played
        .chunks()
        .iter()
        .map(|chunk| chunk["choices"][0]["delta"][field].clone());
    deltas.rfind(|value| !value.is_null()).unwrap_or_default()
}

fn thoughts() -> Value {
    json!({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}, {"type": "summary_text", "text": "so"}],
        "encrypted_content": "gAAA\u{e9}=="})
}

fn said(text: &str) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

fn called(id: &str) -> Value {
    json!({"id": format!("fc_{id}"), "type": "function_call", "call_id": id, "name": "f", "arguments": "{\"a\":1}"})
}

#[test]
fn encrypted_thoughts_come_back_in_their_places_byte_for_byte() {
    let output = json!([thoughts(), said("Let me see."), called("c1"), thoughts(), called("c2")]);
    let message = whole(&output)["choices"][0]["message"].take();
    assert_eq!(message["reasoning_content"], "Hm\n\nso\n\nHm\n\nso");
    let played = streamed(&output);
    assert_eq!(
        last(&played, "extra_content"),
        message["extra_content"],
        "the same in a stream"
    );
    let results = ["c1", "c2"].map(|id| json!({"role": "tool", "tool_call_id": id, "content": "ok"}));
    let [one, other] = results;
    let next = json!({"messages": [{"role": "user", "content": "Hi"}, message, one, other]});
    let sent = Call::chat(next.to_string()).request::<OpenAiResponses>();
    let items: Vec<String> = output.as_array().expect("items").iter().map(Value::to_string).collect();
    assert!(sent.text().contains(&items.join(",")), "{}", sent.text());
}

#[test]
fn a_provider_that_does_not_know_the_thoughts_is_asked_again_without_them() {
    let message = whole(&json!([thoughts(), said("One"), called("c1")]))["choices"][0]["message"].take();
    let result = json!({"role": "tool", "tool_call_id": "c1", "content": "ok"});
    let asked = json!({"messages": [{"role": "user", "content": "Hi"}, message, result]}).to_string();
    let refusal = |code: &str, message: &str| {
        let error =
            json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}});
        Reply::status(400).body(error.to_string())
    };
    for refused in [
        refusal(
            "invalid_encrypted_content",
            "The encrypted content gAAA...== could not be verified.",
        ),
        refusal("", "The encrypted content for item rs_1 could not be verified."),
    ] {
        let played = Call::chat(asked.clone())
            .play::<OpenAiResponses>([refused, Reply::json(response(&json!([said("Hi")])).to_string())]);
        assert_eq!(played.text(), "Hi");
        let kinds = |at: usize| {
            let input = played.requests()[at].json()["input"].take();
            input
                .as_array()
                .expect("items")
                .iter()
                .map(|item| item["type"].clone())
                .collect::<Vec<Value>>()
        };
        assert_eq!(
            kinds(0),
            [
                "message",
                "reasoning",
                "message",
                "function_call",
                "function_call_output"
            ]
        );
        assert_eq!(
            kinds(1),
            ["message", "message", "function_call", "function_call_output"]
        );
    }
    // Once, and only where there was something to leave out.
    let refused = || refusal("invalid_encrypted_content", "No.");
    assert!(
        Call::chat(asked)
            .play::<OpenAiResponses>([refused(), refused()])
            .is_failure()
    );
    assert!(Call::says("Hi").play::<OpenAiResponses>([refused()]).is_failure());
}

#[test]
fn items_whose_text_or_calls_the_client_changed_do_not_come_back() {
    let mut message = whole(&json!([thoughts(), said("One"), called("c1")]))["choices"][0]["message"].take();
    message["content"] = json!("Other");
    let sent = Call::chat(json!({"messages": [message]}).to_string()).request::<OpenAiResponses>();
    assert_eq!(
        sent.json()["input"],
        json!([{"type": "message", "role": "assistant", "content": "Other"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}"}])
    );
}

#[test]
fn a_plain_answer_and_thoughts_that_nobody_knows_again_are_not_kept() {
    let mut forgotten = thoughts();
    forgotten["encrypted_content"] = Value::Null;
    for output in [json!([said("Hi"), called("c1")]), json!([forgotten, said("Hi")])] {
        let message = whole(&output)["choices"][0]["message"].take();
        assert!(message.get("extra_content").is_none(), "{message}");
    }
}

#[test]
fn what_a_server_did_not_stream_is_told_when_the_item_is_whole() {
    let played = streamed(&json!([thoughts(), said("Hi"), called("c1")]));
    assert_eq!(played.text(), "Hi");
    assert_eq!(last(&played, "reasoning_content"), "Hm\n\nso");
    assert_eq!(
        last(&played, "tool_calls"),
        json!([{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}])
    );
    // Nothing but the end, with all there is in it.
    let played = play(&[json!({"type": "response.completed", "response": response(&json!([said("Hi")]))})]);
    assert_eq!(played.text(), "Hi");
}

#[test]
fn parallel_calls_of_both_kinds_keep_their_numbers() {
    let custom = json!({"id": "ct", "type": "custom_tool_call", "call_id": "c2", "name": "sh", "input": "ls"});
    let answer = whole(&json!([called("c1"), custom]));
    assert_eq!(
        answer["choices"][0]["message"]["tool_calls"],
        json!([{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            {"id": "c2", "type": "custom", "custom": {"name": "sh", "input": "ls"}}])
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    let added = |at: u64, item: &Value| {
        let mut item = item.clone();
        for key in ["arguments", "input"] {
            if item.get(key).is_some() {
                item[key] = json!("");
            }
        }
        json!({"type": "response.output_item.added", "output_index": at, "item": item})
    };
    let piece = |kind: &str, at: u64, delta: &str| json!({"type": format!("response.{kind}.delta"), "output_index": at, "item_id": "x", "delta": delta});
    let played = play(&[
        added(0, &called("c1")),
        added(1, &custom),
        piece("custom_tool_call_input", 1, "l"),
        piece("function_call_arguments", 0, "{\"a\":1}"),
        piece("custom_tool_call_input", 1, "s"),
        json!({"type": "response.output_item.done", "output_index": 1, "item": custom}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": called("c1")}),
        json!({"type": "response.completed", "response": response(&json!([]))}),
    ]);
    let calls: Vec<Value> = played
        .chunks()
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].get(0).cloned())
        .collect();
    assert_eq!(calls.len(), 5);
    assert_eq!(
        calls[1],
        json!({"index": 1, "id": "c2", "type": "custom", "custom": {"name": "sh", "input": ""}})
    );
    assert_eq!(calls[3], json!({"index": 0, "function": {"arguments": "{\"a\":1}"}}));
    assert_eq!(calls[4], json!({"index": 1, "custom": {"input": "s"}}));
}

#[test]
fn citations_count_from_the_beginning_of_the_message_and_log_probabilities_have_their_bytes() {
    let note =
        json!({"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 2});
    let entry = json!({"token": "Hé", "logprob": -0.5, "top_logprobs": []});
    let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": [note], "logprobs": [entry]});
    let output = json!([{"type": "message", "role": "assistant", "content": [part("Hé!"), part("Yo")]}]);
    let choice = whole(&output)["choices"][0].take();
    let spans: Vec<(&Value, &Value)> = choice["message"]["annotations"]
        .as_array()
        .expect("annotations")
        .iter()
        .map(|note| (&note["url_citation"]["start_index"], &note["url_citation"]["end_index"]))
        .collect();
    assert_eq!(spans, [(&json!(0), &json!(2)), (&json!(3), &json!(5))]);
    let told = json!({"token": "Hé", "logprob": -0.5, "top_logprobs": [], "bytes": null});
    assert_eq!(choice["logprobs"]["content"], json!([told, told]));
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Hé", "logprobs": [entry]});
    let played = play(&[
        delta,
        json!({"type": "response.completed", "response": response(&output)}),
    ]);
    assert_eq!(played.chunks()[1]["choices"][0]["logprobs"]["content"], json!([told]));
    assert_eq!(last(&played, "annotations"), choice["message"]["annotations"]);
}

#[test]
fn images_and_searches_are_told() {
    let image = json!({"type": "image_generation_call", "id": "ig", "status": "completed", "result": "AA==", "output_format": "webp"});
    let output = json!([image, said("Here.")]);
    let expected = json!([{"type": "image_url", "image_url": {"url": "data:image/webp;base64,AA=="}}]);
    assert_eq!(whole(&output)["choices"][0]["message"]["images"], expected);
    assert_eq!(last(&streamed(&output), "images"), expected);
    let mut searched = response(&output);
    searched["tool_usage"] = json!({"web_search": {"num_requests": 2}});
    searched["service_tier"] = json!("default");
    let answer = Call::says("Hi")
        .play::<OpenAiResponses>([Reply::json(searched.to_string())])
        .answer();
    assert_eq!(answer["usage"]["server_tool_use"], json!({"web_search_requests": 2}));
    assert_eq!(answer["service_tier"], "default");
}

#[test]
fn an_answer_that_did_not_end_well_says_why() {
    let of = |status: &str, more: Value| {
        let mut body = response(&json!([said("Hi")]));
        body["status"] = json!(status);
        for (key, value) in more.as_object().expect("fields") {
            body[key] = value.clone();
        }
        Call::says("Hi").play::<OpenAiResponses>([Reply::json(body.to_string())])
    };
    for (reason, word) in [("max_output_tokens", "length"), ("content_filter", "content_filter")] {
        let played = of("incomplete", json!({"incomplete_details": {"reason": reason}}));
        assert_eq!(played.answer()["choices"][0]["finish_reason"], word);
    }
    for (code, kind) in [
        ("server_error", "upstream"),
        ("rate_limit_exceeded", "rate-limit"),
        ("insufficient_quota", "quota"),
        ("context_length_exceeded", "context-length"),
        ("invalid_prompt", "invalid-request"),
        ("image_content_policy_violation", "content-filter"),
    ] {
        let played = of("failed", json!({"error": {"code": code, "message": "No."}}));
        assert_eq!(
            (played.failure().kind.as_str(), played.failure().message.as_str()),
            (kind, "No."),
            "{code}"
        );
    }
    assert_eq!(of("queued", json!({})).failure().kind, "upstream");
}

#[test]
fn a_failure_in_a_stream_comes_after_what_was_said_and_counted() {
    let mut failed = response(&json!([]));
    failed["status"] = json!("failed");
    failed["error"] = json!({"code": "server_error", "message": "Broken."});
    let played = play(&[
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"}),
        json!({"type": "response.failed", "response": failed}),
    ]);
    assert_eq!(played.failure().message, "Broken.");
    let told = |at: usize| played.chunks()[at].clone();
    assert_eq!(told(1)["choices"][0]["delta"]["content"], "Hi");
    assert_eq!(told(2)["usage"]["prompt_tokens"], 3);
}

#[test]
fn a_failure_before_the_first_word_leaves_room_for_another_try() {
    let mut failed = response(&json!([]));
    failed["status"] = json!("failed");
    failed["error"] = json!({"code": "server_is_overloaded", "message": "Busy."});
    let played = play(&[
        json!({"type": "response.created", "response": response(&json!([]))}),
        json!({"type": "response.in_progress", "response": response(&json!([]))}),
        json!({"type": "response.failed", "response": failed}),
    ]);
    assert_eq!(
        (played.failure().kind.as_str(), played.chunks().len()),
        ("overloaded", 0)
    );
}

#[test]
fn what_is_no_response_is_a_failure() {
    for body in [
        "{}",
        "[]",
        "<html>",
        r#"{"object":"response"}"#,
        r#"{"error":{"message":"No."}}"#,
    ] {
        let played = Call::says("Hi").play::<OpenAiResponses>([Reply::json(body)]);
        assert_eq!(played.failure().kind, "upstream", "{body}");
    }
    let played = Call::says("Hi")
        .streaming()
        .play::<OpenAiResponses>([Reply::sse("data: {\n\n")]);
    assert_eq!(played.failure().kind, "upstream");
}

#[test]
fn the_adapter_passes_the_tests_it_brings_along() {
    witgate_sdk::testing::self_tests::<OpenAiResponses>();
}

#[test]
fn the_model_list_is_openais() {
    let list =
        json!({"object": "list", "data": [{"id": "gpt-5", "object": "model", "created": 1, "owned_by": "openai"}]});
    let call = Call::new("models", "{}").base_url("https://a.example/v1");
    let played = call.get_models::<OpenAiResponses>([Reply::json(list.to_string())]);
    assert_eq!(played.requests()[0].url, "https://a.example/v1/models");
    assert_eq!(played.answer()["data"][0]["id"], "gpt-5");
}
