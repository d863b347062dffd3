//! What a client may get wrong, in each of the three APIs and before each kind of provider. `tests/BAD_INPUT.md` says what becomes of it:
//! a refusal that names the mistake, or a request that goes to the provider, who decides. Never the gateway's own failure.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use serde_json::json;
use witgate_tests::{
    Played, Provider, Witgate,
    program::Answer,
    root,
    rows::{self, ROWS},
};

/// What may stand in a body between its braces beside the model: a chat, a message, a response.
struct Mistake {
    name: &'static str,
    chat: String,
    message: String,
    response: String,
}

const HELLO: &str = r#"[{"role":"user","content":"Hello"}]"#;
/// A table is to be read: what is said of an input is cut here.
const SHOWN: usize = 150;

/// The same wrong list of messages in all three APIs.
fn talk(name: &'static str, messages: &str) -> Mistake {
    Mistake {
        name,
        chat: format!(r#""messages":{messages}"#),
        message: format!(r#""max_tokens":9,"messages":{messages}"#),
        response: format!(r#""input":{messages}"#),
    }
}

/// The same wrong field beside a good list.
fn field(name: &'static str, field: &str) -> Mistake {
    Mistake {
        name,
        chat: format!(r#""messages":{HELLO},{field}"#),
        message: format!(r#""max_tokens":9,"messages":{HELLO},{field}"#),
        response: format!(r#""input":{HELLO},{field}"#),
    }
}

/// An image in each API's words.
fn image(name: &'static str, kind: &str, base64: &str) -> Mistake {
    let url = format!("data:{kind};base64,{base64}");
    let source = format!(r#"{{"type":"base64","media_type":"{kind}","data":"{base64}"}}"#);
    let user = |part: &str| format!(r#"[{{"role":"user","content":[{part}]}}]"#);
    Mistake {
        name,
        chat: format!(
            r#""messages":{}"#,
            user(&format!(r#"{{"type":"image_url","image_url":{{"url":"{url}"}}}}"#))
        ),
        message: format!(
            r#""max_tokens":9,"messages":{}"#,
            user(&format!(r#"{{"type":"image","source":{source}}}"#))
        ),
        response: format!(
            r#""input":{}"#,
            user(&format!(r#"{{"type":"input_image","image_url":"{url}"}}"#))
        ),
    }
}

/// A tool whose schema has this many levels.
fn nested(name: &'static str, levels: usize) -> Mistake {
    let open = r#"{"type":"object","properties":{"a":"#.repeat(levels / 2);
    let schema = format!("{open}{{}}{}", "}}".repeat(levels / 2));
    Mistake {
        name,
        chat: format!(
            r#""messages":{HELLO},"tools":[{{"type":"function","function":{{"name":"deep","parameters":{schema}}}}}]"#
        ),
        message: format!(r#""max_tokens":9,"messages":{HELLO},"tools":[{{"name":"deep","input_schema":{schema}}}]"#),
        response: format!(r#""input":{HELLO},"tools":[{{"type":"function","name":"deep","parameters":{schema}}}]"#),
    }
}

/// A call with arguments of this many levels. Where they are text they are no part of the request's own.
fn argued(name: &'static str, text: usize, object: usize) -> Mistake {
    let arguments = |levels: usize| format!("{}1{}", r#"{"a":["#.repeat(levels / 2), "]}".repeat(levels / 2));
    let (text, object) = (json!(arguments(text)), arguments(object));
    Mistake {
        name,
        chat: format!(
            r#""messages":[{{"role":"user","content":"a"}},{{"role":"assistant","content":null,"tool_calls":[{{"id":"c","type":"function","function":{{"name":"f","arguments":{text}}}}}]}},{{"role":"tool","tool_call_id":"c","content":"b"}}]"#
        ),
        message: format!(
            r#""max_tokens":9,"messages":[{{"role":"user","content":"a"}},{{"role":"assistant","content":[{{"type":"tool_use","id":"c","name":"f","input":{object}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"c","content":"b"}}]}}]"#
        ),
        response: format!(
            r#""input":[{{"role":"user","content":"a"}},{{"type":"function_call","call_id":"c","name":"f","arguments":{text}}},{{"type":"function_call_output","call_id":"c","output":"b"}}]"#
        ),
    }
}

fn mistakes() -> Vec<Mistake> {
    let result = Mistake {
        name: "a tool result without a call",
        chat: r#""messages":[{"role":"user","content":"a"},{"role":"tool","tool_call_id":"call_1","content":"b"}]"#.to_owned(),
        message: r#""max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"b"}]}]"#
            .to_owned(),
        response: r#""input":[{"role":"user","content":"a"},{"type":"function_call_output","call_id":"call_1","output":"b"}]"#.to_owned(),
    };
    let blank_stop = Mistake {
        name: "a stop sequence that is only white space",
        chat: format!(r#""messages":{HELLO},"stop":"\n""#),
        message: format!(r#""max_tokens":9,"messages":{HELLO},"stop_sequences":["\n"]"#),
        response: format!(r#""input":{HELLO},"stop":"\n""#),
    };
    vec![
        field("a wrong type: a number as text", r#""temperature":"hot""#),
        field("a wrong type: tools as an object", r#""tools":{}"#),
        talk("a wrong type: a message that is a number", "[7]"),
        talk("a wrong type: a role that is a number", r#"[{"role":7,"content":"a"}]"#),
        talk("an unknown role", r#"[{"role":"wizard","content":"a"}]"#),
        result,
        image("an image of 6 MB", "image/png", &"iVBORw0K".repeat(1_000_000)),
        image("an image that is no base64", "image/png", "@@@@"),
        image("an image of an unsupported type", "image/tiff", "SUkqAA=="),
        talk("no messages", "[]"),
        talk("an empty message", r#"[{"role":"user","content":""}]"#),
        field("NaN", r#""temperature":NaN"#),
        field("a key that comes twice", r#""temperature":0,"temperature":1"#),
        talk(
            "a key that comes twice, further in",
            r#"[{"role":"user","content":"a","content":"b"}]"#,
        ),
        blank_stop,
        talk("half a character", r#"[{"role":"user","content":"a\ud800b"}]"#),
        nested("54 levels", 54),
        argued("arguments of 120 levels, or of 50", 120, 50),
        nested("100 levels", 100),
        nested("500 levels", 500),
    ]
}

const FORM: &str = "multipart/form-data; boundary=b";

/// Forms that cannot be read: the mistake, the content type, the body.
fn forms() -> Vec<(&'static str, &'static str, String)> {
    let model = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nopenai/whisper-1";
    let long = "x-note: a\r\n".repeat(1000);
    vec![
        (
            "JSON in place of a form",
            "application/json",
            r#"{"model":"openai/whisper-1"}"#.to_owned(),
        ),
        ("no boundary", "multipart/form-data", format!("{model}\r\n--b--\r\n")),
        (
            "another boundary",
            FORM,
            format!("{model}\r\n--b--\r\n").replace("--b", "--bc"),
        ),
        (
            "no model",
            FORM,
            format!("{model}\r\n--b--\r\n").replace("model", "prompt"),
        ),
        ("an end in the middle of a part", FORM, model.to_owned()),
        (
            "a head of 10 KB",
            FORM,
            model.replace("\r\ncontent", &format!("\r\n{long}content")),
        ),
    ]
}

/// What a client is told of each, as a table.
async fn told_of_forms(provider: &Provider, gateway: &Witgate) -> String {
    let path = "/v1/audio/transcriptions";
    let mut page = "\n## a form that cannot be read\n| API | mistake | answer |\n|---|---|---|\n".to_owned();
    for (name, kind, body) in forms() {
        let before = provider.count();
        let request = gateway.client.post(format!("{}{path}", gateway.url)).body(body);
        let reply = request.header("content-type", kind).send().await.expect("an answer");
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let text = reply.text().await.expect("a whole body");
        let told = refusal(path, &Answer { status, headers, text }, provider.count() > before);
        writeln!(page, "| {path} | {name} | {told} |").expect("a string takes what is written");
    }
    page
}

#[tokio::test]
async fn every_mistake_is_named_or_left_to_the_provider() {
    let provider =
        Provider::start(|_| Played::json(400, &json!({ "error": { "message": "The provider says no." } }))).await;
    let gateway = rows::gateway(&provider, "").await;
    let mut page = "# Bad input\nWhat a client gets wrong, and what it is told, in each API and before each kind of provider: the refusal, or \
                    \"asked\" where the request goes to the provider, whose refusal the client then gets. Made by `tests/tests/bad_input.rs` \
                    (`WITGATE_GOLDEN=write`), which compares.\n"
        .to_owned();
    for Mistake {
        name,
        chat,
        message,
        response,
    } in mistakes()
    {
        write!(page, "\n## {name}\n| API | providers | answer |\n|---|---|---|\n")
            .expect("a string takes what is written");
        for (path, body) in [
            ("/v1/chat/completions", chat),
            ("/v1/messages", message),
            ("/v1/responses", response),
        ] {
            for (told, who) in told(&provider, &gateway, path, &body).await {
                let who = if who.len() == ROWS.len() {
                    "all".to_owned()
                } else {
                    who.join(", ")
                };
                writeln!(page, "| {path} | {who} | {told} |").expect("a string takes what is written");
            }
        }
    }
    page.push_str(&told_of_forms(&provider, &gateway).await);
    let file = root().join("tests/BAD_INPUT.md");
    if std::env::var("WITGATE_GOLDEN").is_ok_and(|how| how == "write") {
        fs::write(&file, &page).expect("a file can be written");
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    let changed: Vec<&str> = page
        .lines()
        .filter(|line| !there.lines().any(|other| other == *line))
        .collect();
    assert!(there == page, "not as in tests/BAD_INPUT.md:\n{}", changed.join("\n"));
}

/// What each kind of provider's client is told, with those who are told the same.
async fn told(provider: &Provider, gateway: &Witgate, path: &str, fields: &str) -> BTreeMap<String, Vec<&'static str>> {
    let mut told: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for row in ROWS {
        let body = format!(r#"{{"model":"{}/{}",{fields}}}"#, row.name, row.model);
        let before = provider.count();
        let answer = gateway.post_text(path, body, &[]).await;
        let asked = provider.count() > before;
        told.entry(refusal(path, &answer, asked)).or_default().push(row.name);
    }
    told
}

/// A refusal in the shape of the API that was asked, cut to be read.
fn refusal(path: &str, answer: &Answer, asked: bool) -> String {
    let said = answer.json();
    let message = said["error"]["message"].as_str().unwrap_or_default();
    assert_eq!(answer.status, 400, "{path}: {}", answer.text);
    if asked {
        assert!(message.contains("The provider says no."), "{path}: {said}");
        return "asked".to_owned();
    }
    assert_eq!(said["error"]["type"], "invalid_request_error", "{path}: {said}");
    assert_eq!(said["type"] == "error", path == "/v1/messages", "{path}: {said}");
    let param = said["error"]["param"]
        .as_str()
        .map(|param| format!(" (`{param}`)"))
        .unwrap_or_default();
    // Where in the body it stands depends on the length of the model's name.
    let message = message
        .split_inclusive("column ")
        .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    let message = message.collect::<String>().replace("column ", "column …");
    let short: String = message.chars().take(SHOWN).collect();
    format!(
        "{}: {}{param}",
        answer.status,
        short.replace('|', "\\|").replace('\n', " ")
    )
}
