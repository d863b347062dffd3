//! Calls of tools: functions, those with free-form input, those of a group, the shell.

use serde_json::{Value, json};

use super::{Writer, asked, delta, end, kinds, memo, plain, play, response};

#[test]
fn calls_that_come_in_turn_are_kept_apart() {
    let fragment = |index: u64, id: &str, name: &str, arguments: &str| match id {
        "" => json!({"index": index, "function": {"arguments": arguments}}),
        _ => json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}),
    };
    let events = play(
        plain(),
        &[
            delta(json!({"tool_calls": [fragment(0, "a", "f", "{\"x\":")]})),
            delta(json!({"tool_calls": [fragment(1, "b", "g", "{\"y\":")]})),
            delta(json!({"tool_calls": [fragment(0, "", "", "1}")]})),
            delta(json!({"tool_calls": [fragment(1, "", "", "2}")]})),
            delta(json!({"tool_calls": [fragment(2, "c", "h", "")]})),
            end("tool_calls"),
        ],
    );
    let output = response(&events)["output"].clone();
    let said = |at: usize| {
        (
            output[at]["call_id"].as_str().unwrap_or(""),
            output[at]["arguments"].as_str().unwrap_or(""),
        )
    };
    assert_eq!(
        [said(0), said(1), said(2)],
        [("a", "{\"x\":1}"), ("b", "{\"y\":2}"), ("c", "{}")]
    );
}

#[test]
fn a_call_ends_before_the_next_begins() {
    let call =
        |index: u64| json!({"index": index, "id": format!("c{index}"), "function": {"name": "f", "arguments": "{}"}});
    let events = play(
        plain(),
        &[
            delta(json!({"tool_calls": [call(0)]})),
            delta(json!({"tool_calls": [call(1)]})),
            end("tool_calls"),
        ],
    );
    let places = kinds(&events);
    let done = places
        .iter()
        .position(|kind| *kind == "output_item.done")
        .expect("is done");
    let second = places
        .iter()
        .rposition(|kind| *kind == "output_item.added")
        .expect("is added");
    assert!(done < second, "{places:?}");
}

#[test]
fn a_call_is_begun_when_its_name_has_come() {
    let extra = json!({"google": {"thought_signature": "CiQ="}});
    let events = play(
        plain(),
        &[
            delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "", "arguments": "{\"x\""}}]})),
            delta(
                json!({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ":1"}, "extra_content": extra}]}),
            ),
            delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]})),
            delta(json!({"tool_calls": [{"index": 1, "id": "b"}]})),
            end("tool_calls"),
        ],
    );
    let output = response(&events)["output"].as_array().expect("items").clone();
    let kinds: Vec<_> = output.iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["reasoning", "function_call"], "and what is never named is none");
    let item = &output[1];
    assert_eq!(
        (&item["call_id"], &item["name"], &item["arguments"]),
        (&json!("a"), &json!("f"), &json!("{\"x\":1}"))
    );
    let (_, chat) = asked(&json!({"model": "m", "input": output}), true);
    assert_eq!(chat["messages"][0]["tool_calls"][0]["extra_content"], extra);
}

#[test]
fn a_call_as_chats_had_it_once_has_an_id_of_the_requests() {
    let call = json!({"name": "f", "arguments": "{\"x\":1}"});
    let events = play(
        plain(),
        &[
            delta(json!({"function_call": {"name": "f", "arguments": "{\"x\""}})),
            delta(json!({"function_call": {"arguments": ":1}"}})),
            end("function_call"),
        ],
    );
    let answer = json!({"choices": [{"index": 0, "message": {"content": null, "function_call": call}, "finish_reason": "function_call"}]});
    let whole = Writer::whole(&answer.to_string(), &plain()).expect("an answer");
    let whole: Value = serde_json::from_str(&whole).expect("JSON");
    for response in [response(&events), &whole] {
        let item = &response["output"][0];
        assert_eq!(
            (
                &item["type"],
                &item["call_id"],
                &item["name"],
                &item["arguments"],
                &response["status"]
            ),
            (
                &json!("function_call"),
                &json!("call_1"),
                &call["name"],
                &call["arguments"],
                &json!("completed")
            )
        );
    }
}

#[test]
fn a_custom_tool_is_called_with_plain_text() {
    let tool = json!({"type": "custom", "name": "apply_patch", "description": "Patches.",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}});
    let (memo, chat) = asked(&json!({"model": "m", "input": "Hi", "tools": [tool]}), false);
    let function = &chat["tools"][0]["function"];
    assert_eq!(function["name"], "apply_patch");
    assert_eq!(function["parameters"]["required"], json!(["input"]));
    assert!(
        function["description"]
            .as_str()
            .is_some_and(|text| text.contains("lark") && text.contains("start: x"))
    );
    let call = json!({"index": 0, "id": "call_1", "function": {"name": "apply_patch", "arguments": "{\"input\": \"*** Begin\\n\\\"x\\\"\"}"}});
    let events = play(memo, &[delta(json!({"tool_calls": [call]})), end("tool_calls")]);
    assert_eq!(
        kinds(&events)[2..],
        [
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
            "completed"
        ]
    );
    let item = response(&events)["output"][0].clone();
    assert_eq!(
        (&item["type"], &item["input"]),
        (&json!("custom_tool_call"), &json!("*** Begin\n\"x\""))
    );
    let output = json!({"type": "custom_tool_call_output", "call_id": "call_1", "output": "done"});
    let (_, chat) = asked(&json!({"model": "m", "input": [item, output]}), false);
    let arguments = chat["messages"][0]["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .expect("text");
    assert_eq!(
        serde_json::from_str::<Value>(arguments).expect("JSON"),
        json!({"input": "*** Begin\n\"x\""})
    );
}

#[test]
fn a_tool_of_a_group_is_called_by_its_own_name() {
    let group = json!({"type": "namespace", "name": "agents", "description": "Agents.",
        "tools": [{"type": "function", "name": "wait", "parameters": {"type": "object"}, "strict": false}]});
    let (memo, chat) = asked(&json!({"model": "m", "input": "Hi", "tools": [group]}), false);
    assert_eq!(chat["tools"][0]["function"]["name"], "agents__wait");
    let call = json!({"index": 0, "id": "c", "function": {"name": "agents__wait", "arguments": "{}"}});
    let events = play(memo, &[delta(json!({"tool_calls": [call]})), end("tool_calls")]);
    let item = response(&events)["output"][0].clone();
    assert_eq!((&item["name"], &item["namespace"]), (&json!("wait"), &json!("agents")));
    let (_, chat) = asked(
        &json!({"model": "m", "input": [item, {"type": "function_call_output", "call_id": "c", "output": ""}]}),
        false,
    );
    assert_eq!(chat["messages"][0]["tool_calls"][0]["function"]["name"], "agents__wait");
}

#[test]
fn the_shell_is_told_what_to_run() {
    let memo = memo(&json!({"model": "m", "input": "Hi", "tools": [{"type": "local_shell"}]}));
    let call = json!({"index": 0, "id": "c", "function": {"name": "local_shell", "arguments": "{\"command\":[\"ls\"],\"timeout_ms\":5}"}});
    let events = play(memo, &[delta(json!({"tool_calls": [call]})), end("tool_calls")]);
    let item = &response(&events)["output"][0];
    assert_eq!(item["type"], "local_shell_call");
    assert_eq!(
        item["action"],
        json!({"type": "exec", "command": ["ls"], "env": {}, "timeout_ms": 5})
    );
}

#[test]
fn a_file_that_a_tool_gave_stands_behind_its_result_and_before_what_follows() {
    let call = |id: &str| json!({"type": "function_call", "call_id": id, "name": "look", "arguments": "{}"});
    let image = |url: &str| json!({"type": "input_image", "image_url": url});
    let given = |id: &str, output: Value| json!({"type": "function_call_output", "call_id": id, "output": output});
    let text = json!({"type": "input_text", "text": "R1"});
    let input = json!([
        {"role": "user", "content": "Hi"}, call("c1"), given("c1", json!([text, image("data:1")])),
        {"role": "assistant", "content": "I see"}, call("c2"), call("c3"), given("c2", json!([image("data:2")])), given("c3", json!("R3")),
        {"role": "user", "content": "And?"}
    ]);
    let (_, chat) = asked(&json!({"model": "m", "input": input}), false);
    let told: Vec<String> = chat["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| {
            let parts = message["content"].as_array().into_iter().flatten();
            let parts: String = parts
                .map(|part| part["image_url"]["url"].as_str().unwrap_or("text"))
                .collect();
            let content = message["content"].as_str().unwrap_or(&parts);
            format!("{}: {content}", message["role"].as_str().expect("a role"))
        })
        .collect();
    let file = "(The file is in the next message.)";
    assert_eq!(
        told,
        [
            "user: Hi",
            "assistant: ",
            &format!("tool: R1\n\n{file}"),
            "user: data:1",
            "assistant: I see",
            &format!("tool: {file}"),
            "tool: R3",
            "user: data:2",
            "user: And?"
        ]
    );
}
