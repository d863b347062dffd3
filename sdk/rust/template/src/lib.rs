//! An adapter for a provider that takes a prompt and answers with a text. Change it into what your provider takes and answers.

use serde::Deserialize;
use witgate_sdk::openai::{ChatRequest, ChatResponse};
use witgate_sdk::{
    Adapter, Chunks, Context, Decoder, Flow, Frame, Manifest, Request, Response, Result, Step, StreamHead, json,
};

/// The adapter.
pub struct MyAdapter;

/// What the provider answers, and what each event of its stream holds.
#[derive(Deserialize)]
struct Answer {
    text: String,
}

impl Adapter for MyAdapter {
    /// The name is also the provider `type` that it serves.
    fn describe() -> Manifest {
        Manifest::new("my-adapter", env!("CARGO_PKG_VERSION"))
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let chat = ChatRequest::parse(body)?;
        let mut prompt = json!({ "model": ctx.model(), "prompt": chat.texts().join("\n"), "stream": ctx.streaming() });
        if let Some(temperature) = &chat.temperature {
            prompt["temperature"] = json!(temperature);
        }
        let request = Request::post(ctx.url("/generate")).json(&prompt);
        if ctx.streaming() {
            request.sse().send() // the reply's events go to `open_stream`
        } else {
            request.send() // the reply goes to `transform_response`
        }
    }

    fn transform_response(_ctx: &Context, reply: Response) -> Result<Step> {
        let answer: Answer = reply.ok()?.json()?;
        Step::done(&ChatResponse::text(answer.text, "stop"))
    }

    fn open_stream(_ctx: &Context, _head: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Stream))
    }
}

/// One stream of the provider's: events with a text each, then an event `done`.
struct Stream;

impl Decoder for Stream {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        if frame.event() == "done" {
            out.finish("stop");
            return Ok(Flow::Ended);
        }
        let answer: Answer = frame.json()?;
        out.content(&answer.text);
        Ok(Flow::More)
    }
}

witgate_sdk::export!(MyAdapter: streaming);
