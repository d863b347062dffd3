//! Adapters made on the spot: a few hundred bytes, a manifest and an answer of the test's choice, compiled in milliseconds. They are
//! core modules with component-type metadata, as a Rust build makes them.

use std::fmt::Write as _;

use serde_json::Value;
use wit_component::StringEncoding;
use wit_parser::Resolve;

/// Where the data begins in the guest's memory; below it are the return areas.
const DATA: usize = 1024;
/// What is left for arguments after the data.
const HEAP: usize = 1 << 20;

/// An adapter that describes itself with `manifest` and answers every request with `answer`, without asking a provider.
pub fn answering(manifest: &Value, answer: &Value) -> Vec<u8> {
    module(&manifest.to_string(), &answer.to_string())
}

/// The smallest manifest.
pub fn manifest(name: &str, version: &str) -> Value {
    serde_json::json!({ "name": name, "version": version, "types": [name], "operations": ["chat.completions"] })
}

/// A chat answer that says `text`.
pub fn chat(text: &str) -> Value {
    let message = serde_json::json!({ "role": "assistant", "content": text });
    serde_json::json!({
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 },
    })
}

fn module(manifest: &str, answer: &str) -> Vec<u8> {
    let answer_at = DATA + manifest.len();
    let heap = (answer_at + answer.len()).next_multiple_of(16);
    let pages = (heap + HEAP).div_ceil(1 << 16);
    let contract = "witgate:adapter";
    // A context and a body are 16 flat arguments, the eighth of them a u64.
    let request = "i32 ".repeat(7) + "i64 " + &"i32 ".repeat(8);
    let text = format!(
        r#"(module
  (memory (export "memory") {pages})
  (global $free (mut i32) (i32.const {heap}))
  (data (i32.const 16) "{describe}")
  (data (i32.const 32) "{done}")
  (data (i32.const {DATA}) "{manifest}{answer}")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get 3))))
  (func (export "{contract}/meta@0.1.0#describe") (result i32) (i32.const 16))
  (func (export "{contract}/transform@0.1.0#transform-request") (param {request}) (result i32) (i32.const 32))
  (func (export "{contract}/transform@0.1.0#transform-response") (param i32) (result i32) (unreachable)))"#,
        describe = words(&[DATA, manifest.len()]),
        // ok, of it `done`, of it the text
        done = words(&[0, 1, answer_at, answer.len()]),
        manifest = escaped(manifest.as_bytes()),
        answer = escaped(answer.as_bytes()),
    );
    let mut module = wat::parse_str(&text).expect("the text is a module");
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(crate::root().join("wit"))
        .expect("the contract can be read");
    let world = resolve
        .select_world(&[package], Some("adapter-unary"))
        .expect("the contract has this world");
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .expect("metadata can be added to a module");
    module
}

fn words(values: &[usize]) -> String {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| u32::try_from(*value).expect("it is small").to_le_bytes())
        .collect();
    escaped(&bytes)
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}
