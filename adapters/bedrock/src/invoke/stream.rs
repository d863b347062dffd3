//! A model's own events, each in base64 in a message of AWS's, to chunks.

use std::borrow::Cow;

use serde::Deserialize;
use witgate_sdk::{Chunks, Decoder, End, Flow, Frame, Result, Step};

use super::said::Texts;
use super::{Form, guardrail, openai, unreadable};
use crate::json::Object;
use crate::{Events, base64, error, structured};

/// A message's payload. Beside the bytes there is padding, which says nothing.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    bytes: Cow<'a, str>,
}

/// The state of one stream.
pub(crate) struct Invoked {
    reader: Reader,
    /// a guardrail has intervened
    guarded: bool,
}

/// Who reads the events of the model's form.
enum Reader {
    Claude(Box<witgate_anthropic::Events>),
    /// Goes to the client as it is. The answer has ended, or not yet.
    Messages(bool),
    Nova(Box<Events>),
    /// The answer has ended, or not yet.
    OpenAi(bool),
    Text(Texts),
}

impl Invoked {
    /// `state`: what the request has left.
    pub(crate) fn new(form: Form, state: &str) -> Self {
        let reader = match form {
            Form::Claude => Reader::Claude(Box::new(witgate_anthropic::Events::new(state))),
            Form::Messages => Reader::Messages(false),
            Form::Nova => Reader::Nova(Box::new(Events::new(structured::is_state(state)))),
            Form::OpenAi => Reader::OpenAi(false),
            Form::Text(_) => Reader::Text(Texts::new(state)),
        };
        Self { reader, guarded: false }
    }
}

impl Decoder for Invoked {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        if frame.header(":message-type").is_some_and(|kind| kind != "event") {
            return Err(error::from_exception(frame));
        }
        let text = frame.text()?;
        let Ok(payload) = serde_json::from_str::<Payload<'_>>(text) else {
            return Err(unreadable(text));
        };
        let event = base64::decode(&payload.bytes).and_then(|bytes| String::from_utf8(bytes).ok());
        let event = event.ok_or_else(|| unreadable(text))?;
        self.guarded |= guardrail::intervened(&event);
        match &mut self.reader {
            Reader::Claude(events) => return events.event("", &event, out),
            Reader::Messages(ended) => {
                let kind = Object::parse(&event).ok_or_else(|| unreadable(&event))?;
                *ended |= kind.text("type").as_deref() == Some("message_stop");
                out.push_text(event);
            }
            Reader::Nova(events) => nova(events, &event, self.guarded, out)?,
            Reader::OpenAi(ended) => {
                let (chunk, ends) = openai::chunk(&event, self.guarded).ok_or_else(|| unreadable(&event))?;
                *ended |= ends;
                out.push_text(chunk);
            }
            Reader::Text(texts) => texts.event(&event, out)?,
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, end: End) -> Result<Step> {
        match &mut self.reader {
            Reader::Claude(events) => {
                if self.guarded {
                    let last = [
                        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":",
                        guardrail::REASON,
                        "}}",
                    ]
                    .concat();
                    events.event("", &last, &mut Chunks::new())?;
                }
                events.finish(end)
            }
            Reader::Nova(events) => events.finish(end),
            Reader::OpenAi(true) | Reader::Messages(true) => Ok(Step::end()),
            Reader::OpenAi(false) | Reader::Messages(false) => end.complete(),
            Reader::Text(texts) => texts.finish(end),
        }
    }
}

/// An event of Converse's, by its name; beside it may stand what the service adds. `guarded`: a guardrail has intervened, and the
/// model's own end gives way to that.
fn nova(events: &mut Events, event: &str, guarded: bool, out: &mut Chunks) -> Result<()> {
    let object = Object::parse(event).ok_or_else(|| unreadable(event))?;
    for (name, data) in object.0.iter().filter(|(name, _)| !name.starts_with("amazon-bedrock-")) {
        if guarded && matches!(&**name, "messageStop" | "metadata") {
            let stop = ["{\"stopReason\":", guardrail::REASON, "}"].concat();
            events.event("messageStop", &stop, out)?;
        }
        if !guarded || name != "messageStop" {
            events.event(name, data.get(), out)?;
        }
    }
    Ok(())
}
