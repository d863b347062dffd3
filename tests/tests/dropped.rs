//! Nothing that a client asks for is dropped in silence: a parameter reaches the provider, or is refused by name, or is named in the
//! header `x-witgate-dropped`.

#[path = "dropped/targets.rs"]
mod targets;

use serde_json::{Map, Value, json};
use targets::{TARGETS, Target, inside, parameters, target};
use witgate_tests::program::Answer;
use witgate_tests::{Asked, Played, Provider, Witgate};

async fn start(target: &Target, more: &str) -> (Provider, Witgate) {
    let answer = target.answer;
    let provider = Provider::start(move |asked| Played::json(200, &answer(asked))).await;
    let config = format!(
        "[[providers]]\nid = \"p\"\ntype = \"{}\"\nbase_url = \"{}\"\napi_key = \"k\"\nmax_retries = 0\n{}{more}",
        target.type_, provider.url, target.more
    );
    let gateway = Witgate::start(&config, &[target.adapter]).await;
    (provider, gateway)
}

/// What the provider was asked for a chat with these fields, and what the client got.
async fn ask(target: &Target, gateway: &Witgate, provider: &Provider, fields: &[&Value]) -> (Vec<Asked>, Answer) {
    let messages = json!([{ "role": "user", "content": "Say hello." }]);
    let mut body = Map::from_iter([
        ("model".to_owned(), json!(format!("p/{}", target.model))),
        ("messages".to_owned(), messages),
    ]);
    for more in fields {
        body.extend(more.as_object().expect("an object").clone());
    }
    let before = provider.asked().len();
    let answer = gateway.post("/v1/chat/completions", &Value::Object(body)).await;
    (provider.asked().split_off(before), answer)
}

fn dropped(answer: &Answer) -> Vec<&str> {
    let header = answer.headers.get("x-witgate-dropped");
    let text = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(", ").collect()
}

/// Whether a field reached the provider, or changed the answer, or was refused or dropped by name: from what the provider was asked
/// and the client got without it, and with it.
fn is_told(path: &str, without: &(Vec<Asked>, Answer), with: &(Vec<Asked>, Answer)) -> bool {
    let sent = |asked: &[Asked]| -> Vec<_> { asked.iter().map(|one| (one.path.clone(), one.json())).collect() };
    let seen = |answer: &Answer| answer.json()["choices"].clone();
    let (asked, answer) = with;
    match answer.status {
        200 => dropped(answer).contains(&path) || sent(asked) != sent(&without.0) || seen(answer) != seen(&without.1),
        400 => {
            let param = answer.json()["error"]["param"].as_str().map(way).unwrap_or_default();
            param.starts_with(path) || without.1.status == 400
        }
        status => panic!("{path}: {status} {}", answer.text),
    }
}

/// `messages[1].name` as `messages.name`.
fn way(param: &str) -> String {
    param
        .split('[')
        .map(|piece| piece.split_once(']').map_or(piece, |(_, rest)| rest))
        .collect()
}

#[tokio::test]
async fn every_parameter_is_sent_or_refused_by_name_or_named_in_the_header() {
    let mut silent = Vec::new();
    for target in TARGETS {
        let (provider, gateway) = start(target, "").await;
        for (name, value, around) in parameters() {
            let without = ask(target, &gateway, &provider, &[&around]).await;
            let with = ask(target, &gateway, &provider, &[&around, &json!({ name: value })]).await;
            if !is_told(name, &without, &with) {
                silent.push(format!("{} ({}): {name}", target.adapter, target.type_));
            }
        }
    }
    assert!(silent.is_empty(), "dropped in silence: {silent:?}");
}

#[tokio::test]
async fn every_field_inside_of_others_is_sent_or_refused_or_named_by_the_way_to_it() {
    let mut silent = Vec::new();
    for target in TARGETS {
        let (provider, gateway) = start(target, "").await;
        for (path, without, with) in inside() {
            let without = ask(target, &gateway, &provider, &[&without]).await;
            let with = ask(target, &gateway, &provider, &[&with]).await;
            if !is_told(path, &without, &with) {
                silent.push(format!("{} ({}): {path}", target.adapter, target.type_));
            }
        }
    }
    assert!(silent.is_empty(), "dropped in silence: {silent:#?}");
}

#[tokio::test]
async fn where_a_schema_does_not_bind_its_strict_is_told() {
    let asked = |schema: Value, more: Value| {
        let mut fields = json!({ "response_format": { "type": "json_schema", "json_schema": schema } });
        fields
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        fields
    };
    let schema = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    let tools = json!({ "tools": [{ "type": "function", "function": { "name": "f", "parameters": schema } }] });
    let path = "response_format.json_schema.strict";
    for (adapter, model, more, told) in [
        ("anthropic", "claude-sonnet-4-5", json!({}), false),
        ("anthropic", "claude-3-haiku-20240307", json!({}), true),
        ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", json!({}), true),
        ("bedrock", "meta.llama3-8b-instruct-v1:0", json!({}), true),
        ("gemini", "gemini-2.5-flash", json!({}), false),
        ("gemini", "gemini-2.5-flash", tools, true),
    ] {
        let target = Target {
            model,
            ..*target(adapter)
        };
        let (provider, gateway) = start(&target, "").await;
        let strict = asked(json!({ "name": "n", "schema": schema, "strict": true }), more.clone());
        let (_, answer) = ask(&target, &gateway, &provider, &[&strict]).await;
        assert_eq!(
            (answer.status, dropped(&answer).contains(&path)),
            (200, told),
            "{adapter} {model}: {}",
            answer.text
        );
        let loose = asked(json!({ "name": "n", "schema": schema }), more);
        let (_, answer) = ask(&target, &gateway, &provider, &[&loose]).await;
        assert!(!dropped(&answer).contains(&path), "{adapter} {model}");
    }
}

#[tokio::test]
async fn the_operator_has_the_last_word_on_what_is_dropped() {
    let target = target("anthropic");
    let rules = "[providers.drop_params]\nrefuse = [\"seed\"]\ndrop = [\"user\"]\n";
    let (provider, mut gateway) = start(target, rules).await;
    let (asked, answer) = ask(target, &gateway, &provider, &[&json!({ "seed": 7 })]).await;
    assert_eq!((asked.len(), answer.status), (0, 400), "{}", answer.text);
    assert_eq!(answer.json()["error"]["param"], "seed");
    let fields = json!({ "user": "u", "verbosity": "low", "store": false });
    let (asked, answer) = ask(target, &gateway, &provider, &[&fields]).await;
    assert_eq!((asked.len(), answer.status), (1, 200), "{}", answer.text);
    assert_eq!(
        dropped(&answer),
        ["user", "verbosity"],
        "what asks for nothing is not dropped"
    );
    assert_eq!(asked[0].json()["metadata"], Value::Null);
    let line = gateway.line_with("status=200").await;
    assert!(line.contains("dropped=\"user verbosity\""), "{line}");
}

#[tokio::test]
async fn what_an_adapter_drops_of_some_requests_only_is_told_and_can_be_refused() {
    let target = target("anthropic");
    // This model takes one of the two.
    let fields = json!({ "temperature": 0.5, "top_p": 0.5 });
    let (provider, gateway) = start(target, "").await;
    let (_, answer) = ask(target, &gateway, &provider, &[&fields]).await;
    assert_eq!(
        (answer.status, dropped(&answer)),
        (200, vec!["top_p"]),
        "{}",
        answer.text
    );
    let (provider, gateway) = start(target, "[providers.drop_params]\nrefuse = [\"*\"]\n").await;
    let (asked, answer) = ask(target, &gateway, &provider, &[&fields]).await;
    assert_eq!((asked.len(), answer.status), (0, 400), "{}", answer.text);
    assert_eq!(answer.json()["error"]["param"], "top_p");
}

#[tokio::test]
async fn what_claude_takes_on_vertex_ai_is_not_called_dropped_because_gemini_has_nothing_like_it() {
    let fields = json!({ "user": "u", "service_tier": "default", "store": true });
    for (type_, told) in [
        ("vertex-ai", vec!["store"]),
        ("gemini", vec!["service_tier", "store", "user"]),
    ] {
        let target = TARGETS.iter().find(|target| target.type_ == type_).expect("a target");
        let (provider, gateway) = start(target, "").await;
        let (asked, answer) = ask(target, &gateway, &provider, &[&fields]).await;
        let mut dropped = dropped(&answer);
        dropped.sort_unstable();
        assert_eq!((answer.status, dropped), (200, told), "{type_}: {}", answer.text);
        let sent = asked[0].json()["metadata"]["user_id"].clone();
        assert_eq!(sent, if type_ == "vertex-ai" { json!("u") } else { Value::Null });
    }
}

#[tokio::test]
async fn what_is_dropped_inside_a_message_is_named_by_its_path() {
    let target = target("mistral");
    let named = json!({ "messages": [{ "role": "user", "name": "Ann", "content": "Hi" }] });
    let (provider, gateway) = start(target, "").await;
    let (asked, answer) = ask(target, &gateway, &provider, &[&named]).await;
    assert_eq!(dropped(&answer), ["messages.name"], "{}", answer.text);
    assert_eq!(
        asked[0].json()["messages"],
        json!([{ "role": "user", "content": "Hi" }])
    );
    let (provider, gateway) = start(target, "[providers.drop_params]\nrefuse = [\"messages\"]\n").await;
    let (asked, answer) = ask(target, &gateway, &provider, &[&named]).await;
    assert_eq!((asked.len(), answer.status), (0, 400), "{}", answer.text);
    assert_eq!(answer.json()["error"]["param"], "messages.name");
}

#[tokio::test]
async fn stop_sequences_are_refused_where_there_are_none_until_the_operator_drops_them() {
    let target = target("openai-responses");
    let stop = json!({ "stop": ["END"] });
    let (provider, gateway) = start(target, "").await;
    let (asked, answer) = ask(target, &gateway, &provider, &[&stop]).await;
    assert_eq!((asked.len(), answer.status), (0, 400), "{}", answer.text);
    assert_eq!(answer.json()["error"]["param"], "stop");
    let (provider, gateway) = start(target, "[providers.drop_params]\ndrop = [\"stop\"]\n").await;
    let (asked, answer) = ask(target, &gateway, &provider, &[&stop]).await;
    assert_eq!(
        (answer.status, dropped(&answer)),
        (200, vec!["stop"]),
        "{}",
        answer.text
    );
    assert_eq!(asked[0].json()["stop"], Value::Null);
}

#[tokio::test]
async fn a_stop_sequence_that_is_only_white_space_is_left_out_for_claude_and_told() {
    for (adapter, place) in [
        ("anthropic", "/stop_sequences"),
        ("bedrock", "/inferenceConfig/stopSequences"),
    ] {
        let target = target(adapter);
        let (provider, gateway) = start(target, "").await;
        for (stop, sent, told) in [
            (json!(["\n\n", "END"]), json!(["END"]), "stop"),
            (json!(" "), Value::Null, "stop"),
            (json!(["END", ""]), json!(["END"]), ""),
        ] {
            let (asked, answer) = ask(target, &gateway, &provider, &[&json!({ "stop": stop })]).await;
            assert_eq!((answer.status, dropped(&answer)), (200, vec![told]), "{}", answer.text);
            let body = asked[0].json();
            assert_eq!(body.pointer(place).unwrap_or(&Value::Null), &sent, "{adapter}: {stop}");
        }
    }
}

#[tokio::test]
async fn a_server_of_openais_api_gets_everything_but_what_the_operator_drops() {
    let answer = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hi" }, "finish_reason": "stop" }]
    });
    let provider = Provider::start(move |_| Played::json(200, &answer)).await;
    let config = format!(
        "[[providers]]\nid = \"p\"\nbase_url = \"{}/v1\"\n[providers.drop_params]\ndrop = [\"user\", \"novel\"]\nrefuse = [\"*\"]",
        provider.url
    );
    let gateway = Witgate::start(&config, &[]).await;
    let body = json!({ "model": "p/m", "user": "u", "other": 1, "messages": [{ "role": "user", "content": "x" }] });
    let told = gateway.post("/v1/chat/completions", &body).await;
    assert_eq!((told.status, dropped(&told)), (200, vec!["user"]));
    let asked = provider.asked().pop().expect("a request").json();
    assert_eq!((&asked["user"], &asked["other"]), (&Value::Null, &json!(1)));
}
