//! The tests that travel in a manifest, played here before a host plays them.

use serde_json::Value;

use super::{Call, Reply, rules};
use crate::Adapter;
use crate::bindings::base::exports::witgate::adapter::meta::Guest as _;
use crate::glue::Export;

/// What `describe` tells the host.
///
/// # Panics
/// If it lacks a name, a version, a type or an operation.
#[must_use]
pub fn manifest<A: Adapter>() -> Value {
    let manifest = rules::object("the manifest", &Export::<A>::describe());
    for key in ["name", "version"] {
        assert!(
            manifest[key].as_str().is_some_and(|text| !text.is_empty()),
            "the manifest has no {key}"
        );
    }
    for key in ["types", "operations"] {
        assert!(
            manifest[key].as_array().is_some_and(|list| !list.is_empty()),
            "the manifest has no {key}"
        );
    }
    manifest
}

/// Plays all tests of the manifest, as the host does before it puts a version into service: `self_tests::<Acme>()` in a `#[test]`.
///
/// # Panics
/// If one fails.
pub fn self_tests<A: Adapter>() {
    for test in manifest::<A>()["tests"].as_array().into_iter().flatten() {
        let name = test["name"].as_str().unwrap_or_default();
        let mut call = Call::new(test["operation"].as_str().unwrap_or_default(), test["body"].to_string());
        if let Some(config) = test.get("config") {
            call = call.config(&config.to_string());
        }
        let played = call.play::<A>(test["replies"].as_array().into_iter().flatten().map(reply));
        for (what, expected) in test["expect"].as_object().into_iter().flatten() {
            let actual = match what.as_str() {
                "answer" => played.answer(),
                "chunks" => played.chunks().into(),
                _ => failure(played.failure()),
            };
            assert!(
                covers(&actual, expected),
                "self-test {name}: the {what} is {actual}, not {expected}"
            );
        }
    }
}

fn reply(script: &Value) -> Reply {
    let status = script["status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok())
        .unwrap_or_default();
    let body = script["body"]
        .as_str()
        .map_or_else(|| script["body"].to_string(), str::to_owned);
    let headers = script["headers"].as_object().into_iter().flatten();
    headers.fold(Reply::status(status).body(body), |reply, (name, value)| {
        reply.header(name, value.as_str().unwrap_or_default())
    })
}

fn failure(failed: &super::Failed) -> Value {
    serde_json::json!({
        "kind": failed.kind, "status": failed.status, "message": failed.message, "code": failed.code, "param": failed.param,
    })
}

/// Has `actual` all that is expected? It may have further keys.
fn covers(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| actual.get(key).is_some_and(|actual| covers(actual, value))),
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len()
                && actual
                    .iter()
                    .zip(expected)
                    .all(|(actual, expected)| covers(actual, expected))
        }
        _ => actual == expected,
    }
}
