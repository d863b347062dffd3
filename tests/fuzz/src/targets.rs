//! The targets: one file each, one row each in [`ALL`]. A target takes any bytes, gives them to a parser, and panics if the parser
//! does not keep what it promises. Not to panic itself is a promise of each.

pub mod aws;
pub mod call;
pub mod chunk;
pub mod config;
pub mod egress;
pub mod form;
pub mod frame;
pub mod inspect;
pub mod manifest;
pub mod object;
pub mod passthrough;
pub mod tokens;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use witgate::transport::frame::{Cutter, Framing, LIMIT};

/// A target and where its inputs come from.
#[derive(Debug)]
pub struct Target {
    /// Its name: of its file, its libFuzzer program, its folders in `seeds/` and `crashes/`.
    pub name: &'static str,
    /// What it promises.
    pub about: &'static str,
    /// The folders of `tests/fixtures`, or else of the project, that hold what is like its inputs.
    pub like: &'static [&'static str],
    /// Runs it.
    pub run: fn(&[u8]),
}

/// Recordings of providers that speak OpenAI's API, each in its own way.
const OPENAI: &[&str] = &[
    "openai",
    "drift",
    "azure",
    "groq",
    "mistral",
    "openrouter",
    "llamacpp",
    "perplexity",
    "together",
    "zai",
];

/// All of them.
pub const ALL: &[Target] = &[
    Target {
        name: "call",
        about: "a client's request is taken or refused, and edited without harm",
        like: &["anthropic", "replicate"],
        run: call::target,
    },
    Target {
        name: "form",
        about: "the model of a form is found however it comes, can be replaced, and nothing else is looked at",
        like: &[],
        run: form::target,
    },
    Target {
        name: "object",
        about: "the fields of a JSON object are found and replaced, and nothing else changes",
        like: &["anthropic", "replicate"],
        run: object::target,
    },
    Target {
        name: "frame",
        about: "a stream gives the same frames however it is cut, in bounded memory",
        like: &["sse", "anthropic", "replicate"],
        run: frame::target,
    },
    Target {
        name: "aws",
        about: "AWS's messages are read to the byte or refused, the same however they are cut, in bounded memory",
        like: &["aws-eventstream"],
        run: aws::target,
    },
    Target {
        name: "chunk",
        about: "chunks and answers reach the client as valid events and JSON",
        like: OPENAI,
        run: chunk::target,
    },
    Target {
        name: "passthrough",
        about: "a provider's stream reaches the client as whole, valid events, however it is cut",
        like: OPENAI,
        run: passthrough::target,
    },
    Target {
        name: "config",
        about: "a configuration is taken or refused, and no secret shows in why",
        like: &["seeds", "../../examples"],
        run: config::target,
    },
    Target {
        name: "manifest",
        about: "what an adapter says about itself is taken or refused",
        like: &[],
        run: manifest::target,
    },
    Target {
        name: "inspect",
        about: "any file is called what it is before anything of it is compiled",
        // Built before this runs in CI; without them the seeds have to do.
        like: &["../guests/target/wasm32-unknown-unknown/release"],
        run: inspect::target,
    },
    Target {
        name: "egress",
        about: "requests go to the provider, to public hosts that were named, and nowhere else",
        like: &[],
        run: egress::target,
    },
    Target {
        name: "tokens",
        about: "a secret stands where its token stood and breaks out of no place",
        like: &[],
        run: tokens::target,
    },
];

/// The members of a JSON object as serde_json reads them, each value as its text; of a key that comes twice the last counts.
fn members(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

/// True for valid JSON, nested as deep as it may be.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The data of the events in `bytes`, as text.
fn events(bytes: &[u8]) -> Vec<String> {
    let mut cutter = Cutter::new(Framing::Sse, LIMIT);
    cutter.feed(Bytes::copy_from_slice(bytes));
    let mut found = Vec::new();
    while let Ok(Some(frame)) = cutter.cut() {
        found.push(String::from_utf8_lossy(&frame.data).into_owned());
    }
    found
}

/// An event without the ids that the gateway made up for tool calls: they are never the same.
fn without_made_ids(event: &str) -> String {
    let mut parts = event.split("call_");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        out.push_str("call_");
        out.push_str(part.get(if digits == 24 { 24 } else { 0 }..).unwrap_or_default());
    }
    out
}
