//! Whole answers and streams: what Gemini says reaches the client, exact to the event.

use serde_json::{Value, json};
use witgate_gemini::Gemini;
use witgate_sdk::testing::{Call, Played, Reply, manifest, self_tests};

fn event(parts: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}]})
}

fn last(reason: &str) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": []}, "finishReason": reason, "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}})
}

fn stream(events: &[Value]) -> Played {
    let wire: String = events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
    Call::says("Hi").streaming().play::<Gemini>([Reply::sse(wire)])
}

fn whole(answer: &Value) -> Value {
    Call::says("Hi")
        .play::<Gemini>([Reply::json(answer.to_string())])
        .answer()
}

/// The deltas of the client's chunks, without the first (the role) and the last two (finish reason, usage).
fn deltas(mut events: Vec<Value>, reason: &str) -> Vec<Value> {
    events.push(last(reason));
    let played = stream(&events);
    let middle = played.chunks().len() - 2;
    let chunks = &played.chunks()[1..middle];
    chunks
        .iter()
        .map(|chunk| chunk["choices"][0]["delta"].clone())
        .collect()
}

#[test]
fn the_manifest_is_complete_and_its_own_tests_pass() {
    assert_eq!(manifest::<Gemini>()["types"], json!(["gemini", "vertex-ai"]));
    self_tests::<Gemini>();
}

#[test]
fn a_stream_begins_with_the_role_and_ends_with_reason_then_usage() {
    let played = stream(&[
        event(&json!([{"text": "Grüß "}])),
        event(&json!([{"text": "\"dich\"\n"}])),
        last("STOP"),
    ]);
    let chunk =
        |delta: Value, reason: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": {"cached_tokens": 0}});
    assert_eq!(
        played.chunks(),
        [
            chunk(json!({"role": "assistant", "content": ""}), Value::Null),
            chunk(json!({"content": "Grüß "}), Value::Null),
            chunk(json!({"content": "\"dich\"\n"}), Value::Null),
            chunk(json!({}), json!("stop")),
            json!({"choices": [], "usage": usage}),
        ]
    );
}

#[test]
fn parallel_calls_get_numbers_and_ids_and_keep_their_signatures() {
    let call = |name: &str| json!({"functionCall": {"name": name, "args": {"a": "\"1\""}}});
    let mut signed = call("f");
    signed["thoughtSignature"] = json!("U2ln");
    let given = json!({"functionCall": {"id": "own", "name": "h"}});
    let deltas = deltas(vec![event(&json!([signed, call("g")])), event(&json!([given]))], "STOP");
    let calls: Vec<&Value> = deltas.iter().map(|delta| &delta["tool_calls"][0]).collect();
    assert_eq!(
        calls[0],
        &json!({"index": 0, "id": "gm_0001x0", "type": "function",
            "function": {"name": "f", "arguments": "{\"a\":\"\\\"1\\\"\"}"}, "extra_content": {"google": {"thought_signature": "U2ln"}}})
    );
    assert_eq!((&calls[1]["index"], &calls[1]["id"]), (&json!(1), &json!("gm_0001x1")));
    assert_eq!(
        calls[2],
        &json!({"index": 2, "id": "own", "type": "function", "function": {"name": "h", "arguments": "{}"}})
    );
}

#[test]
fn thoughts_are_reasoning_and_images_are_images() {
    let parts = json!([{"text": "Hm", "thought": true}, {"inlineData": {"mimeType": "image/png", "data": "AA"}}, {"text": "There"}]);
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}});
    assert_eq!(
        deltas(vec![event(&parts)], "STOP"),
        [
            json!({"reasoning_content": "Hm"}),
            json!({"images": [image]}),
            json!({"content": "There"})
        ]
    );
    let mut answer = event(&parts);
    answer["candidates"][0]["finishReason"] = json!("STOP");
    let message = whole(&answer)["choices"][0]["message"].take();
    assert_eq!(
        (&message["reasoning_content"], &message["content"]),
        (&json!("Hm"), &json!("There"))
    );
    assert_eq!(message["images"], json!([image]));
}

#[test]
fn a_signature_at_a_streams_end_comes_with_the_last_chunk() {
    let played = stream(&[
        event(&json!([{"text": "Hello"}])),
        event(&json!([{"text": "", "thoughtSignature": "U2ln"}])),
        last("STOP"),
    ]);
    let chunks = played.chunks();
    assert_eq!(
        chunks[chunks.len() - 2]["choices"][0]["delta"],
        json!({"extra_content": {"google": {"thought_signature": "U2ln", "signed_text": ""}}})
    );
}

#[test]
fn parts_that_a_plain_message_cannot_tell_are_handed_out_whole_and_others_are_not() {
    let code = json!([{"executableCode": {"code": "1"}}, {"codeExecutionResult": {"output": "1"}}, {"text": "One"}]);
    let kept = |parts: &Value| whole(&event(parts))["choices"][0]["message"]["extra_content"].take();
    assert_eq!(kept(&code), json!({"google": {"parts": code}}));
    assert_eq!(
        kept(&json!([{"text": "One"}, {"text": "Two"}, {"functionCall": {"name": "f"}}])),
        Value::Null
    );
    let after_a_call = json!([{"functionCall": {"name": "f"}}, {"text": "One"}]);
    assert_eq!(kept(&after_a_call), json!({"google": {"parts": after_a_call}}));
}

#[test]
fn every_reason_has_its_word() {
    let choice = |reason: Value, parts: Value| {
        let mut answer = event(&parts);
        answer["candidates"][0]["finishReason"] = reason;
        answer["candidates"][0]["finishMessage"] = json!("Because.");
        whole(&answer)["choices"][0].take()
    };
    let call = json!([{"functionCall": {"name": "f"}}]);
    let cases = [
        (json!("STOP"), json!([]), "stop"),
        (json!("STOP"), call.clone(), "tool_calls"),
        (json!("MAX_TOKENS"), call, "length"),
        (json!("SAFETY"), json!([{"text": "x"}]), "content_filter"),
        (json!("PROHIBITED_CONTENT"), json!([]), "content_filter"),
        (json!("MALFORMED_FUNCTION_CALL"), json!([]), "stop"),
        (json!("BRAND_NEW"), json!([]), "stop"),
        (json!(2), json!([]), "length"),
        (json!(3), json!([]), "content_filter"),
        (json!(77), json!([]), "stop"),
    ];
    for (reason, parts, finish) in cases {
        assert_eq!(choice(reason.clone(), parts)["finish_reason"], finish, "{reason}");
    }
    let refused = choice(json!("SAFETY"), json!([]));
    assert_eq!(
        (&refused["message"]["refusal"], &refused["native_finish_reason"]),
        (&json!("Because."), &json!("SAFETY"))
    );
    let odd = choice(json!("MALFORMED_FUNCTION_CALL"), json!([]));
    assert_eq!(
        (&odd["finish_message"], &odd["message"]["refusal"]),
        (&json!("Because."), &Value::Null)
    );
}

#[test]
fn an_answer_that_ends_for_no_stated_reason_is_whole_streamed_or_not() {
    let unsaid = json!("FINISH_REASON_UNSPECIFIED");
    for reason in [unsaid.clone(), json!(0)] {
        let mut answer = event(&json!([{"text": "Hello"}]));
        answer["candidates"][0]["finishReason"] = reason;
        for answer in [whole(&answer), stream(&[answer]).answer()] {
            let choice = &answer["choices"][0];
            assert_eq!(
                (&choice["finish_reason"], &choice["native_finish_reason"]),
                (&json!("stop"), &unsaid)
            );
        }
    }
    // A reason that is stated goes before, wherever it comes.
    for reasons in [
        ["MAX_TOKENS", "FINISH_REASON_UNSPECIFIED"],
        ["FINISH_REASON_UNSPECIFIED", "MAX_TOKENS"],
    ] {
        let choice = stream(&reasons.map(last)).answer()["choices"][0].take();
        assert_eq!(choice["finish_reason"], "length");
    }
}

#[test]
fn a_blocked_prompt_is_an_answer_that_was_filtered() {
    let blocked = json!({"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "No."},
        "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4}});
    let answer = whole(&blocked);
    let choice = &answer["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["refusal"]),
        (&json!("content_filter"), &json!("No."))
    );
    assert_eq!(answer["usage"]["prompt_tokens"], 4);
    let played = stream(&[blocked]);
    assert_eq!(played.answer()["choices"][0]["finish_reason"], "content_filter");
}

#[test]
fn several_candidates_are_several_choices() {
    let candidate = |index: u64, text: &str| json!({"index": index, "content": {"parts": [{"text": text}]}, "finishReason": "STOP"});
    let both = json!({"candidates": [candidate(0, "A"), candidate(1, "B")]});
    for answer in [whole(&both), stream(&[both]).answer()] {
        let texts = [0, 1].map(|at| answer["choices"][at]["message"]["content"].clone());
        assert_eq!(texts, ["A", "B"]);
    }
}

#[test]
fn log_probabilities_are_told_with_the_tokens_that_might_have_been() {
    let token = |token: &str, probability: f64| json!({"token": token, "tokenId": 1, "logProbability": probability});
    let mut answer = event(&json!([{"text": "é"}]));
    answer["candidates"][0]["logprobsResult"] = json!({"chosenCandidates": [token("é", -0.1)],
        "topCandidates": [{"candidates": [token("é", -0.1), token("e", -2.5)]}]});
    answer["candidates"][0]["finishReason"] = json!("STOP");
    let entry =
        |token: &str, probability: f64| json!({"token": token, "logprob": probability, "bytes": token.as_bytes()});
    let mut chosen = entry("é", -0.1);
    chosen["top_logprobs"] = json!([entry("é", -0.1), entry("e", -2.5)]);
    let logprobs = json!({"content": [chosen], "refusal": null});
    assert_eq!(whole(&answer)["choices"][0]["logprobs"], logprobs);
    assert_eq!(stream(&[answer]).chunks()[1]["choices"][0]["logprobs"], logprobs);
}

#[test]
fn sources_become_annotations_in_characters() {
    let grounding = json!({"groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [{"segment": {"startIndex": 5, "endIndex": 9, "text": "Käs"}, "groundingChunkIndices": [0, 7]}]});
    let mut answer = event(&json!([{"text": "Süß Käse"}]));
    answer["candidates"][0]["groundingMetadata"] = grounding.clone();
    answer["candidates"][0]["finishReason"] = json!("STOP");
    let citation = json!({"url": "https://a.example", "title": "A", "start_index": 4, "end_index": 7});
    let annotations = json!([{"type": "url_citation", "url_citation": citation}]);
    let choice = whole(&answer)["choices"][0].take();
    assert_eq!(
        (&choice["message"]["annotations"], &choice["grounding_metadata"]),
        (&annotations, &grounding)
    );
    assert_eq!(
        stream(&[answer]).answer()["choices"][0]["message"]["annotations"],
        annotations
    );
}

#[test]
fn sources_that_were_found_are_not_taken_back_by_an_empty_word_later() {
    let mut found = event(&json!([{"text": "Cheese"}]));
    found["candidates"][0]["groundingMetadata"] = json!({"groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [{"segment": {"endIndex": 6, "text": "Cheese"}, "groundingChunkIndices": [0]}]});
    let mut empty = last("STOP");
    empty["candidates"][0]["groundingMetadata"] = json!({});
    let events = [found, empty];
    for answer in [stream(&events).answer(), whole(&json!(events))] {
        let annotations = &answer["choices"][0]["message"]["annotations"];
        assert_eq!(annotations[0]["url_citation"]["url"], "https://a.example");
    }
}

#[test]
fn errors_in_a_stream_and_a_stream_cut_short_are_failures_after_the_good_chunks() {
    let error = json!({"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}});
    let played = stream(&[event(&json!([{"text": "Hel"}])), error]);
    assert_eq!(played.chunks().len(), 2);
    assert_eq!(
        (played.failure().kind.as_str(), played.failure().message.as_str()),
        ("overloaded", "Overloaded")
    );
    let cut = stream(&[event(&json!([{"text": "Hel"}]))]);
    assert_eq!((cut.chunks().len(), cut.failure().kind.as_str()), (2, "upstream"));
    assert_eq!(stream(&[]).failure().kind, "upstream");
    assert_eq!(stream(&[json!({"candidates": 5})]).failure().kind, "upstream");
}

#[test]
fn what_a_client_that_left_has_used_is_told() {
    let mut begun = event(&json!([{"text": "Hel"}]));
    begun["usageMetadata"] = json!({"promptTokenCount": 17});
    let wire = format!("data: {begun}\n\n");
    let played = Call::says("Hi")
        .streaming()
        .play::<Gemini>([Reply::sse(wire).breaks_off("client-gone")]);
    let usage = played.chunks().last().expect("usage");
    assert_eq!(usage["usage"]["prompt_tokens"], 17);
}

#[test]
fn models_are_listed_page_by_page() {
    let page = |name: &str, next: &str| {
        let model =
            json!({"name": name, "displayName": "Gemini", "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536});
        Reply::json(json!({"models": [model], "nextPageToken": next}).to_string())
    };
    let pages = [page("models/gemini-a", "a b"), page("tunedModels/mine", "")];
    let played = Call::new("models", "{}").get_models::<Gemini>(pages);
    let urls: Vec<&str> = played.requests().iter().map(|sent| sent.url.as_str()).collect();
    let first = "https://api.example.com/v1beta/models?pageSize=1000";
    assert_eq!(urls, [first, &format!("{first}&pageToken=a%20b")]);
    let list = played.answer();
    assert_eq!(
        (&list["data"][0]["id"], &list["data"][1]["id"]),
        (&json!("gemini-a"), &json!("tunedModels/mine"))
    );
    assert_eq!(list["data"][0]["context_window"], 1_048_576);
    let vertex = Call::new("models", "{}").config(r#"{"project_id": "p"}"#);
    let reply = Reply::json(r#"{"publisherModels": [{"name": "publishers/google/models/gemini-b"}]}"#);
    let list = vertex.get_models::<Gemini>([reply]);
    assert_eq!(
        list.requests()[0].url,
        "https://api.example.com/v1beta1/publishers/google/models?pageSize=100"
    );
    assert_eq!(list.answer()["data"][0]["id"], "gemini-b");
}
