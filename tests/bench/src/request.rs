//! What is asked: one chat request of about a kilobyte, as OpenAI's clients write it; and the same as those of other APIs do.

use serde_json::{Value, json};

/// A mark in every answer of the mock, also in the first event of a stream: an answer without it is none.
pub(crate) const MARK: &str = "BENCHMARK";

const INSTRUCTIONS: &str = "You help the members of a mountaineering club to plan tours. Answer in plain English, name the map sheet \
    you rely on, and say so when the route notes do not cover the question. Never make up a hut, never promise good weather, and \
    stay below two hundred words.";

const QUESTION: &str = "Route notes: the north path leaves the valley station at 1,180 m and reaches the old customs hut after three \
    hours; the last forty minutes are secured with cables and are closed after rain. The south path is two hours longer, has water \
    at two places and no exposed parts. The hut opens on 20 June and takes bookings for groups of up to eight. Question: we are \
    five, one of us is not free from giddiness, and we can start on 24 June at nine in the morning. It rained until last night. \
    Which path should we take, when will we be at the hut, and what must we do before we leave?";

/// How much is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// a kilobyte: two messages
    Small,
    /// 200 KB: what an agent has done so far, tools and their results
    History,
    /// a megabyte: the same with pictures in it
    Megabyte,
}

/// The request's JSON for a model, streamed (with usage asked for) or not.
pub(crate) fn body(model: &str, stream: bool, size: Size) -> Vec<u8> {
    let mut messages = vec![
        json!({"role": "system", "content": INSTRUCTIONS}),
        json!({"role": "user", "content": QUESTION}),
    ];
    if size != Size::Small {
        (0..HISTORY).for_each(|turn| messages.extend(worked(turn)));
        messages.push(json!({"role": "user", "content": "Go on."}));
    }
    if size == Size::Megabyte {
        messages.push(json!({"role": "user", "content": (0..PICTURES).map(|_| picture()).collect::<Vec<_>>()}));
    }
    let mut body = json!({"model": model, "messages": messages, "temperature": 0.2, "max_tokens": 256});
    if size != Size::Small {
        let function = json!({"name": TOOL, "description": "Reads a file.", "parameters": parameters()});
        body["tools"] = json!([{"type": "function", "function": function}]);
    }
    if stream {
        body["stream"] = Value::Bool(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body.to_string().into_bytes()
}

/// The same as a client of Anthropic's Messages writes it, small or a history.
pub(crate) fn messages(model: &str, stream: bool, size: Size) -> Vec<u8> {
    let mut messages = vec![json!({"role": "user", "content": QUESTION})];
    if size != Size::Small {
        messages.extend((0..HISTORY).flat_map(|turn| {
            let (id, input, result) = work(turn);
            [
                json!({"role": "assistant", "content": [{"type": "text", "text": SAID},
                    {"type": "tool_use", "id": id, "name": TOOL, "input": input}]}),
                json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": result}]}),
            ]
        }));
    }
    let mut body =
        json!({"model": model, "system": INSTRUCTIONS, "messages": messages, "max_tokens": 256, "stream": stream});
    if size != Size::Small {
        body["tools"] = json!([{"name": TOOL, "description": "Reads a file.", "input_schema": parameters()}]);
    }
    body.to_string().into_bytes()
}

/// The same as a client of OpenAI's Responses writes it, small or a history.
pub(crate) fn responses(model: &str, stream: bool, size: Size) -> Vec<u8> {
    let mut input = vec![json!({"role": "user", "content": [{"type": "input_text", "text": QUESTION}]})];
    if size != Size::Small {
        input.extend((0..HISTORY).flat_map(|turn| {
            let (id, arguments, result) = work(turn);
            [
                json!({"type": "function_call", "call_id": id, "name": TOOL, "arguments": arguments.to_string()}),
                json!({"type": "function_call_output", "call_id": id, "output": result}),
            ]
        }));
    }
    let mut body = json!({"model": model, "instructions": INSTRUCTIONS, "input": input, "max_output_tokens": 256,
        "store": false, "stream": stream});
    if size != Size::Small {
        body["tools"] =
            json!([{"type": "function", "name": TOOL, "description": "Reads a file.", "parameters": parameters()}]);
    }
    body.to_string().into_bytes()
}

/// Turns of a history, and pictures: so many make the size that the tables name.
const HISTORY: usize = 94;
const PICTURES: usize = 4;
const PICTURE: usize = 200_000;
const TOOL: &str = "read_file";
const SAID: &str = "I read the next file.";

/// One turn of an agent as a chat has it.
fn worked(turn: usize) -> [Value; 2] {
    let (id, arguments, result) = work(turn);
    let call = json!({"id": id, "type": "function", "function": {"name": TOOL, "arguments": arguments.to_string()}});
    [
        json!({"role": "assistant", "content": SAID, "tool_calls": [call]}),
        json!({"role": "tool", "tool_call_id": id, "content": result}),
    ]
}

/// A call's id, its arguments, and a result of two kilobytes with the quotes and line ends of source code.
fn work(turn: usize) -> (String, Value, String) {
    let line = "    let title = map.get(\"title\").ok_or(\"no title\")?;\n";
    let arguments = json!({"path": format!("src/part_{turn}.rs")});
    (format!("call_{turn:09}"), arguments, line.repeat(31))
}

fn parameters() -> Value {
    json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]})
}

fn picture() -> Value {
    let url = format!("data:image/png;base64,iVBORw0KGgo{}", "A".repeat(PICTURE - 11));
    json!({"type": "image_url", "image_url": {"url": url}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_size_that_the_tables_name() {
        let table = [
            (Size::Small, 900..1200),
            (Size::History, 190_000..210_000),
            (Size::Megabyte, 990_000..1_048_576),
        ];
        for (size, expected) in table {
            let bytes = body("gpt-4o-mini", false, size).len();
            assert!(expected.contains(&bytes), "{bytes} bytes");
        }
    }
}
