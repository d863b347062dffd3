//! Thoughts, and the state of the provider's that comes with them.

use serde_json::json;

use super::{asked, delta, end, kinds, plain, play, response};

#[test]
fn thoughts_come_before_the_text_with_the_providers_state() {
    let blocks = json!([{"index": 0, "type": "thinking", "thinking": "Hm", "signature": "Eq=="}]);
    let events = play(
        plain(),
        &[
            delta(json!({"reasoning_content": "H"})),
            delta(json!({"reasoning_content": "m"})),
            delta(json!({"thinking_blocks": blocks})),
            delta(json!({"content": "Yes"})),
            end("stop"),
        ],
    );
    assert_eq!(
        kinds(&events)[2..9],
        [
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done"
        ]
    );
    let output = response(&events)["output"].clone();
    assert_eq!(output[0]["summary"][0]["text"], "Hm");
    let back = json!([{"role": "user", "content": "Hi"}, output[0], output[1], {"role": "user", "content": "And?"}]);
    let (_, chat) = asked(&json!({"model": "m", "input": back}), true);
    assert_eq!(
        chat["messages"][1],
        json!({"role": "assistant", "content": "Yes", "reasoning_content": "Hm", "thinking_blocks": blocks})
    );
}

#[test]
fn a_signature_on_a_call_goes_before_it_and_comes_back_on_it() {
    let extra = json!({"google": {"thought_signature": "CiQ="}});
    let call = json!({"index": 0, "id": "call_1", "type": "function", "extra_content": extra,
        "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let events = play(plain(), &[delta(json!({"tool_calls": [call]})), end("tool_calls")]);
    let output = response(&events)["output"].clone();
    assert_eq!(
        (&output[0]["type"], &output[1]["type"]),
        (&json!("reasoning"), &json!("function_call"))
    );
    let result = json!({"type": "function_call_output", "call_id": "call_1", "output": "2"});
    let (_, chat) = asked(&json!({"model": "m", "input": [output[0], output[1], result]}), true);
    assert_eq!(chat["messages"][0]["tool_calls"][0]["extra_content"], extra);
    assert_eq!(
        chat["messages"][1],
        json!({"role": "tool", "tool_call_id": "call_1", "content": "2"})
    );
}

#[test]
fn state_that_comes_last_of_all_has_an_item_of_its_own() {
    let extra = json!({"anthropic": {"content": [{"type": "text", "text": "Yes"}]}});
    let events = play(
        plain(),
        &[
            delta(json!({"content": "Yes"})),
            delta(json!({"extra_content": extra})),
            end("stop"),
        ],
    );
    let output = response(&events)["output"].clone();
    assert_eq!(
        (&output[0]["type"], &output[1]["type"]),
        (&json!("message"), &json!("reasoning"))
    );
    let (_, chat) = asked(
        &json!({"model": "m", "input": [output[0], output[1], {"role": "user", "content": "?"}]}),
        true,
    );
    assert_eq!(chat["messages"][0]["extra_content"], extra);
}

#[test]
fn details_of_two_kinds_with_one_number_stay_two() {
    let summary = |text: &str| json!([{"type": "reasoning.summary", "summary": text, "index": 0}]);
    let sealed = json!([{"type": "reasoning.encrypted", "data": "gA==", "id": "rs_1", "index": 0}]);
    let events = play(
        plain(),
        &[
            delta(json!({"reasoning": "4", "reasoning_details": summary("4")})),
            delta(json!({"reasoning": "5", "reasoning_details": summary("5")})),
            delta(json!({"reasoning_details": sealed})),
            delta(json!({"content": "Yes"})),
            end("stop"),
        ],
    );
    let output = response(&events)["output"].clone();
    let back = json!([{"role": "user", "content": "Hi"}, output[0], output[1], {"role": "user", "content": "And?"}]);
    let (_, chat) = asked(&json!({"model": "m", "input": back}), true);
    let details = json!([{"type": "reasoning.summary", "summary": "45", "index": 0}, sealed[0]]);
    assert_eq!(chat["messages"][1]["reasoning_details"], details);
}

/// Groq's streams name the channel of each word and refuse a message that has one, Together's number them, Writer's have a graph.
#[test]
fn what_a_host_tells_of_each_word_is_no_state_that_goes_back() {
    let events = play(
        plain(),
        &[
            delta(json!({"reasoning": "H", "channel": "analysis", "token_id": 1})),
            delta(json!({"reasoning": "m", "channel": "analysis", "token_id": 2})),
            delta(json!({"content": "Y", "channel": "final", "index": 0, "graph_data": {"sources": null}})),
            delta(json!({"content": "es", "channel": "final", "index": 0, "graph_data": {"sources": null}})),
            delta(json!({"executed_tools": [{"type": "python"}], "provider_metadata": {"cost": "1"}, "padding": "ab"})),
            end("stop"),
        ],
    );
    let output = response(&events)["output"].clone();
    let types = output.as_array().expect("a list").iter().map(|item| &item["type"]);
    assert_eq!(types.collect::<Vec<_>>(), ["reasoning", "message"]);
    let (_, chat) = asked(
        &json!({"model": "m", "input": [output[0], output[1], {"role": "user", "content": "?"}]}),
        true,
    );
    assert_eq!(
        chat["messages"][0],
        json!({"role": "assistant", "content": "Yes", "reasoning": "Hm"})
    );
}

#[test]
fn state_amid_a_text_does_not_cut_it_and_follows_it_once() {
    let events = play(
        plain(),
        &[
            delta(json!({"content": "Y", "sealed": "a"})),
            delta(json!({"content": "e", "sealed": "b"})),
            delta(json!({"content": "s", "sealed": "c"})),
            end("stop"),
        ],
    );
    let output = response(&events)["output"].clone();
    let types = output.as_array().expect("a list").iter().map(|item| &item["type"]);
    assert_eq!(types.collect::<Vec<_>>(), ["reasoning", "message", "reasoning"]);
    let items = [&output[0], &output[1], &output[2]];
    let (_, chat) = asked(&json!({"model": "m", "input": items}), true);
    assert_eq!(chat["messages"][0]["content"], "Yes");
}
