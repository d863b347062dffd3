//! A chat that is read as text: what an adapter passes on is the client's own bytes, and what is wrong is refused with its place.

use witgate_sdk::Failure;
use witgate_sdk::openai::text::{
    Allowed, Called, Chat, Content, Message, Part, Tool, ToolChoice, old_form, stops, whole_number,
};

fn message(chat: &str) -> Message<'_> {
    let chat = Chat::parse(chat).expect("the chat can be read");
    chat.messages.into_iter().next().expect("it has a message")
}

/// What the client is told, and about which field.
fn told(failure: Failure) -> (String, Option<String>) {
    let failure = failure.into_wit();
    assert_eq!(failure.kind, "invalid-request");
    (failure.message, failure.param)
}

#[test]
fn what_is_not_looked_at_is_borrowed_with_its_escapes_and_spaces() {
    let body = concat!(
        r#"{"model":"m","temperature":0.70,"messages":[{"role":"user","content":"a\u00e9\n"},{"role":"assistant","content":null,"#,
        r#""tool_calls":[{"id":"c1","type":"function","function":{"name":"f\u0031","arguments":"{ }"}}]}],"tools":[ {"a": 1} ],"stop":null}"#
    );
    let chat = Chat::parse(body).unwrap();
    assert_eq!(chat.messages[0].content.unwrap().get(), r#""a\u00e9\n""#);
    assert!(chat.messages[1].content.is_none());
    assert_eq!(chat.tools[0].get(), r#"{"a": 1}"#);
    let fields: Vec<_> = chat.fields.entries().collect();
    assert_eq!(fields, [("model", "\"m\""), ("temperature", "0.70")]);
    let call = &chat.messages[1].calls()[0];
    let function = call.function.as_ref().unwrap();
    assert_eq!(function.name.get(), r#""f\u0031""#);
    assert_eq!(function.name().unwrap(), "f1");
    let id = call.id.as_ref().unwrap();
    let place = body.as_bytes().as_ptr_range();
    assert!(
        place.contains(&id.as_ptr()) && place.contains(&chat.messages[0].role.as_ptr()),
        "no copy is made"
    );
}

#[test]
fn a_body_that_is_no_chat_is_refused_with_the_reason() {
    for (body, reason) in [
        ("[]", "invalid type"),
        (r#"{"messages":[{"content":"a"}]}"#, "missing field `role`"),
        (r#"{"messages":[{"role":7}]}"#, "expected a string"),
        (
            r#"{"messages":[{"role":"tool","tool_call_id":7}]}"#,
            "expected a string",
        ),
        (
            r#"{"messages":[{"role":"assistant","tool_calls":[{"function":{}}]}]}"#,
            "missing field `name`",
        ),
        (r#"{"messages":[]"#, "EOF"),
    ] {
        let (message, _) = told(Chat::parse(body).expect_err(body));
        assert!(
            message.starts_with("The request cannot be read: ") && message.contains(reason),
            "{message}"
        );
    }
    assert!(Chat::parse(r#"{"tools":null}"#).unwrap().tools.is_empty());
}

#[test]
fn a_content_is_one_text_or_a_list_of_parts() {
    let read = |chat: &'static str| Content::parse(message(chat).content, 3);
    let text = read(r#"{"messages":[{"role":"user","content":"a\n"}]}"#).unwrap();
    assert!(matches!(text, Content::Text(r#""a\n""#)));
    let none = read(r#"{"messages":[{"role":"user","content":null}]}"#).unwrap();
    assert!(matches!(none, Content::Parts(parts) if parts.is_empty()));
    let list = read(r#"{"messages":[{"role":"user","content":[{"type":"text","text":"b"},7]}]}"#).unwrap();
    let Content::Parts(parts) = list else {
        panic!("a list is parts");
    };
    assert_eq!(Part::parse(parts[0].get()).unwrap().kind.unwrap(), "text");
    assert!(Part::parse(parts[1].get()).is_none());
    let failure = read(r#"{"messages":[{"role":"user","content":{}}]}"#).unwrap_err();
    let text = "The content of a message is a string or a list of parts.";
    assert_eq!(told(failure), (text.to_owned(), Some("messages[3].content".to_owned())));
}

#[test]
fn an_image_has_its_url_in_an_object_or_is_the_url() {
    let url = |part| Part::url(Part::parse(part).unwrap().image_url).map(std::borrow::Cow::into_owned);
    assert_eq!(
        url(r#"{"type":"image_url","image_url":{"url":"https:\/\/a"}}"#).unwrap(),
        "https://a"
    );
    assert_eq!(
        url(r#"{"type":"image_url","image_url":"https://a"}"#).unwrap(),
        "https://a"
    );
    assert_eq!(url(r#"{"type":"image_url","image_url":{"detail":"low"}}"#), None);
    assert_eq!(url(r#"{"type":"image_url"}"#), None);
}

#[test]
fn what_a_message_says_is_its_text_in_both_forms() {
    let text = |content: &str| {
        message(&format!(r#"{{"messages":[{{"role":"user","content":{content}}}]}}"#))
            .text()
            .into_owned()
    };
    assert_eq!(text(r#""a\n""#), "a\n");
    assert_eq!(
        text(r#"[{"type":"text","text":"a"},{"type":"image_url"},{"type":"text","text":"\u0062"}]"#),
        "ab"
    );
    assert_eq!(text("null"), "");
}

#[test]
fn a_providers_own_comes_back_under_its_name() {
    let chat = r#"{"messages":[{"role":"assistant","extra_content":{"acme":{"content":[1, 2]},"other":3},
        "tool_calls":[{"id":"c","function":{"name":"f"},"extra_content":{"acme":{"signature":"s"}}}]}]}"#;
    let message = message(chat);
    assert_eq!(message.extra("acme").unwrap().get("content"), Some("[1, 2]"));
    assert_eq!(
        message.calls()[0].extra("acme").unwrap().text("signature").unwrap(),
        "s"
    );
    assert!(message.extra("other").is_none() && message.extra("nobody").is_none());
}

#[test]
fn arguments_are_an_object_whatever_the_model_wrote() {
    for (arguments, object) in [
        (r#""{\"a\": 1}""#, r#"{"a": 1}"#),
        (r#""  {} ""#, "{}"),
        (r#""""#, "{}"),
        (r#""null""#, "{}"),
        ("null", "{}"),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#""{\"a\": ""#, r#"{"arguments":"{\"a\":"}"#),
        (r#""[1]""#, r#"{"arguments":"[1]"}"#),
    ] {
        let called = format!(r#"{{"name":"f","arguments":{arguments}}}"#);
        let called: Called<'_> = serde_json::from_str(&called).unwrap();
        let mut out = String::new();
        called.push_arguments(&mut out);
        assert_eq!(out, object, "{arguments}");
    }
}

#[test]
fn a_tool_choice_is_read_in_openais_form_and_in_anthropics() {
    let tool = |name: &str| ToolChoice::Tool(name.to_owned());
    for (choice, read) in [
        (r#""auto""#, ToolChoice::Auto),
        (r#""none""#, ToolChoice::None),
        (r#""required""#, ToolChoice::Any),
        (r#"{"type":"any"}"#, ToolChoice::Any),
        (r#"{"type":"auto","disable_parallel_tool_use":true}"#, ToolChoice::Auto),
        (r#"{"type":"function","function":{"name":"f"}}"#, tool("f")),
        (r#"{"type":"tool","name":"f"}"#, tool("f")),
    ] {
        assert_eq!(
            ToolChoice::parse(Some(choice)).unwrap(),
            (read, Allowed(None)),
            "{choice}"
        );
    }
    assert_eq!(ToolChoice::parse(None).unwrap(), (ToolChoice::Unsaid, Allowed(None)));
    assert!(tool("f").forces() && ToolChoice::Any.forces() && !ToolChoice::Auto.forces());
}

#[test]
fn an_unknown_tool_choice_is_refused() {
    for choice in [
        r#""sometimes""#,
        "7",
        "{}",
        r#"{"type":"function","function":{}}"#,
        r#"{"type":"tool"}"#,
        r#"{"type":"allowed_tools","allowed_tools":{"mode":"sometimes","tools":[]}}"#,
        r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto"}}"#,
        r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"function":{}}]}}"#,
    ] {
        let failure = ToolChoice::parse(Some(choice)).expect_err(choice);
        let text = "This tool_choice is not known.";
        assert_eq!(told(failure), (text.to_owned(), Some("tool_choice".to_owned())));
    }
}

#[test]
fn allowed_tools_leave_the_others_out() {
    let choice = r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[
        {"type":"function","function":{"name":"\u0066"}},{"type":"mcp"}]}}"#;
    let (choice, allowed) = ToolChoice::parse(Some(choice)).unwrap();
    assert_eq!(
        (choice, &allowed),
        (ToolChoice::Any, &Allowed(Some(vec!["f".to_owned()])))
    );
    let chat = r#"{"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}"#;
    let chat = Chat::parse(chat).unwrap();
    let has =
        |at: usize, allowed: &Allowed| allowed.has(Tool::parse(chat.tools[at], at).unwrap().function.as_ref().unwrap());
    assert!(has(0, &allowed) && !has(1, &allowed));
    assert!(has(1, &Allowed(None)));
}

#[test]
fn a_tool_has_its_marker_in_either_place_and_is_refused_by_number() {
    let chat =
        r#"{"tools":[{"function":{"name":"f","cache_control":1}},{"custom":{},"cache_control":2},{"function":7}]}"#;
    let chat = Chat::parse(chat).unwrap();
    let tool = |at: usize| Tool::parse(chat.tools[at], at);
    assert_eq!(tool(0).unwrap().marker().unwrap().get(), "1");
    assert_eq!(tool(1).unwrap().marker().unwrap().get(), "2");
    let text = "This tool cannot be read.";
    assert_eq!(
        told(tool(2).unwrap_err()),
        (text.to_owned(), Some("tools[2]".to_owned()))
    );
}

#[test]
fn single_fields_are_read_or_refused_by_name() {
    assert_eq!(stops(r#"["a", "b"]"#), [r#""a""#, r#""b""#]);
    assert_eq!(stops(r#""a""#), [r#""a""#]);
    assert!(stops("7").is_empty());
    assert_eq!(whole_number("max_tokens", "7").unwrap(), 7);
    let (message, param) = told(whole_number("max_tokens", "7.5").unwrap_err());
    assert_eq!(
        (message.as_str(), param.as_deref()),
        ("max_tokens must be a whole number.", Some("max_tokens"))
    );
    assert_eq!(told(old_form("functions")).1.as_deref(), Some("functions"));
}
