//! An adapter for a provider that takes a prompt and answers with a text.

use serde::{Deserialize, Serialize};
use witgate_sdk::json::{Number, Str};
use witgate_sdk::openai::{ChatRequest, ChatResponse, Message};
use witgate_sdk::{
    Adapter, Chunks, Context, Decoder, Flow, Frame, Manifest, Request, Response, Result, Step, StreamHead,
};

/// The adapter.
pub struct MyAdapter;

/// What the provider takes.
#[derive(Serialize)]
struct Prompt<'a> {
    model: &'a str,
    prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Number<'a>>,
    stream: bool,
}

/// What it answers, and what each event of its stream holds.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    text: Str<'a>,
}

impl Adapter for MyAdapter {
    fn describe() -> Manifest {
        Manifest::new("my-adapter", env!("CARGO_PKG_VERSION"))
    }

    fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
        let chat = ChatRequest::parse(body)?;
        let lines: Vec<_> = chat.messages.iter().map(Message::text).collect();
        let stream = ctx.streaming();
        let prompt = Prompt {
            model: ctx.model(),
            prompt: lines.join("\n"),
            temperature: chat.temperature,
            stream,
        };
        let request = Request::post(ctx.url("/generate")).json(&prompt);
        if stream { request.sse().send() } else { request.send() }
    }

    fn transform_response(_ctx: &Context, reply: Response) -> Result<Step> {
        let reply = reply.ok()?;
        let answer: Answer = reply.json()?;
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
