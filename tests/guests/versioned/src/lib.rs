//! Says in everything it does which version it is, so that an answer made by two versions shows. The hot-reload tests put other
//! digits into the built file, which makes another version of it without another build.

mod contract {
    wit_bindgen::generate!({ path: "../../../wit", world: "adapter-chat" });
}

use std::cell::Cell;

use contract::exports::witgate::adapter::{
    meta,
    streaming::{self, Decoder, Frame, Output},
    transform,
};
use contract::witgate::adapter::types::{Body, Context, Failure, Fetch, HttpRequest, Pairs, Resumption, Step};

/// Not a constant the compiler may fold: the digits are read from memory, where tests change them.
static VERSION: &str = "version-0000";

fn version() -> &'static str {
    std::hint::black_box(VERSION)
}

struct Versioned;
contract::export!(Versioned with_types_in contract);

impl meta::Guest for Versioned {
    fn describe() -> String {
        format!(
            r#"{{"name": "versioned", "version": "{}", "operations": ["chat.completions"]}}"#,
            version()
        )
    }
}

impl transform::Guest for Versioned {
    fn transform_request(ctx: Context, _: String) -> Result<Step, Failure> {
        let request = HttpRequest {
            method: "POST".into(),
            url: format!("{}/{}", ctx.base_url, if ctx.streaming { "stream" } else { "whole" }),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Body::Text("{}".into()),
            framing: if ctx.streaming { "sse" } else { "buffered" }.into(),
            timeout_ms: None,
            idempotent: false,
            ext: vec![],
        };
        Ok(Step::Fetch(Fetch {
            emit: vec![],
            delay_ms: 0,
            request,
            state: version().into(),
        }))
    }

    fn transform_response(_: Context, reply: Resumption) -> Result<Step, Failure> {
        let text = format!("{} {}", reply.state, version());
        Ok(Step::Done(format!(
            r#"{{"choices": [{{"index": 0, "message": {{"role": "assistant", "content": "{text}"}}, "finish_reason": "stop"}}]}}"#
        )))
    }
}

/// A stream: how many frames it had.
struct Frames(Cell<usize>);

impl streaming::Guest for Versioned {
    type Decoder = Frames;

    fn open(_: Context, _: String, _: u16, _: Pairs) -> Result<Decoder, Failure> {
        Ok(Decoder::new(Frames(Cell::new(0))))
    }
}

impl streaming::GuestDecoder for Frames {
    fn push(&self, frames: Vec<Frame>) -> Result<Output, Failure> {
        self.0.set(self.0.get() + frames.len());
        let chunk = format!(
            r#"{{"choices": [{{"index": 0, "delta": {{"content": "{} "}}, "finish_reason": null}}]}}"#,
            version()
        );
        Ok(Output {
            emit: frames.iter().map(|_| chunk.clone()).collect(),
            ended: false,
        })
    }

    fn finish(&self, _: String) -> Result<Step, Failure> {
        let text = format!("{} after {}", version(), self.0.get());
        Ok(Step::End(vec![format!(
            r#"{{"choices": [{{"index": 0, "delta": {{"content": "{text}"}}, "finish_reason": "stop"}}]}}"#
        )]))
    }
}
