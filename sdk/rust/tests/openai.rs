//! What clients and servers send survives being read and written.

use witgate_sdk::openai::{
    ChatChunk, ChatRequest, ChatResponse, CompletionRequest, EmbeddingsInput, EmbeddingsRequest, Message, ToolCall,
    parse,
};

/// Reads and writes; what comes out is compared as text, so order and digits count.
fn round_trip(body: &str) -> String {
    serde_json::to_string(&ChatRequest::parse(body).expect("the request is valid")).expect("it is JSON")
}

#[test]
fn unknown_fields_keep_their_place_value_and_order_at_every_level() {
    let body = concat!(
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a","z":{"y":[1, 2]}}],"x":1,"a":null}],"#,
        r#""tools":[{"type":"function","function":{"name":"f","parameters":{"b":1,"a":2},"new":true}}],"top_k":40,"best_of":"x"}"#
    );
    assert_eq!(round_trip(body), body);
}

#[test]
fn numbers_keep_every_digit() {
    let body = r#"{"model":"m","messages":[],"temperature":0.70,"top_p":1e-9,"seed":123456789012345678901234567890}"#;
    assert_eq!(round_trip(body), body);
}

#[test]
fn null_is_the_same_as_absent() {
    let body = r#"{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":null}],"stop":null,"tools":null,"n":null}"#;
    assert_eq!(round_trip(body), r#"{"model":"m","messages":[{"role":"assistant"}]}"#);
}

#[test]
fn content_stop_and_tool_choice_come_in_both_forms() {
    let request = ChatRequest::parse(
        r#"{"messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"b"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"text","text":"c"}]}],
            "stop":["x","y"],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
    )
    .unwrap();
    let texts: Vec<_> = request.messages.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["a", "bc"]);
    assert_eq!(request.messages[0].content.as_ref().unwrap().parts().count(), 1);
    assert_eq!(request.stop.unwrap().as_slice().len(), 2);
    assert_eq!(request.tool_choice.unwrap().function(), Some("f"));
    let short = ChatRequest::parse(r#"{"stop":"x","tool_choice":"auto"}"#).unwrap();
    assert_eq!(short.stop.unwrap().as_slice(), ["x"]);
    assert_eq!(short.tool_choice.unwrap().function(), None);
}

#[test]
fn text_without_escapes_is_not_copied_and_escapes_are_undone() {
    let body = r#"{"messages":[{"role":"user","content":"plain"},{"role":"us\u0065r","content":"\ud83d\ude00\n"}]}"#;
    let request = ChatRequest::parse(body).unwrap();
    let plain = request.messages[0].text();
    assert!(
        body.as_bytes().as_ptr_range().contains(&plain.as_ptr()),
        "it borrows from the body"
    );
    assert_eq!(request.messages[1].text(), "😀\n");
    assert_eq!(request.messages[1].role, "user");
}

#[test]
fn a_wrong_type_is_the_clients_mistake_and_says_where() {
    let failure = ChatRequest::parse("{\"model\":\"m\",\n\"messages\":[{\"role\":3}]}").unwrap_err();
    assert_eq!(failure.kind().as_str(), "invalid-request");
    assert!(failure.message().contains("line 2"), "{failure}");
    for wrong in [
        "",
        "[]",
        "{\"messages\":1}",
        "{\"temperature\":\"hot\",\"messages\":[]}",
        "{\"messages\":[{\"content\":1}]}",
    ] {
        assert!(ChatRequest::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn answers_and_chunks_of_other_servers_are_read() {
    let chunk: ChatChunk<'_> = parse(
        r#"{"id":"","choices":[{"delta":{"content":"","reasoning":"r"},"index":0,"finish_reason":null}],"usage":null}"#,
    )
    .unwrap();
    assert_eq!(
        chunk.choices[0].delta.rest.get("reasoning").unwrap().as_str().unwrap(),
        "r"
    );
    assert_eq!(chunk.usage, None);
    let answer: ChatResponse<'_> =
        parse(r#"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1,"cost":0.1}}"#).unwrap();
    assert_eq!(answer.usage.unwrap().rest.get("cost").unwrap().get(), "0.1");
}

#[test]
fn inputs_of_embeddings_come_in_four_forms() {
    let input = |text: &'static str| parse::<EmbeddingsRequest<'_>>(text).unwrap().input;
    assert_eq!(input(r#"{"input":"a"}"#).texts().unwrap(), ["a"]);
    assert_eq!(input(r#"{"input":["a","b\n"]}"#).texts().unwrap(), ["a", "b\n"]);
    assert_eq!(input(r#"{"input":[]}"#).texts().unwrap().len(), 0);
    assert!(matches!(input(r#"{"input":[1,2]}"#), EmbeddingsInput::Tokens(_)));
    assert_eq!(
        input(r#"{"input":[[1],[2]]}"#).texts().unwrap_err().kind().as_str(),
        "unsupported"
    );
    assert!(parse::<EmbeddingsRequest<'_>>(r#"{"input":["a",1]}"#).is_err());
    let prompt = parse::<CompletionRequest<'_>>(r#"{"prompt":"Once","echo":true}"#).unwrap();
    assert_eq!(prompt.prompt.texts().unwrap(), ["Once"]);
}

#[test]
fn an_answer_that_only_calls_says_null() {
    let written = |message: &Message<'_>| serde_json::to_string(message).expect("it is JSON");
    let call = || vec![ToolCall::new("c", "f", "{}")];
    let calls = r#""tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]"#;
    assert_eq!(
        written(&Message::answer("", call())),
        format!(r#"{{"role":"assistant",{calls},"content":null}}"#)
    );
    assert_eq!(
        written(&Message::answer("a", call())),
        format!(r#"{{"role":"assistant","content":"a",{calls}}}"#)
    );
    assert_eq!(
        written(&Message::answer("", Vec::new())),
        r#"{"role":"assistant","content":""}"#
    );
}
