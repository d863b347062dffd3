//! A streamed answer: TGI's events, a token in each, to chunks. The last one has the whole text, too, and what is known of it.

use serde::Deserialize;
use witgate_sdk::json::{Raw, Str};
use witgate_sdk::{Chunks, Context, Decoder, Flow, Frame, Result};

use crate::answer::{Details, Shape, Token, logprobs, unreadable};
use crate::error;
use crate::request::State;
use crate::stops::Stops;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    token: Option<Token<'a>>,
    #[serde(borrow)]
    top_tokens: Option<Vec<Token<'a>>>,
    /// in the last event
    #[serde(borrow)]
    generated_text: Option<Str<'a>>,
    #[serde(borrow)]
    details: Option<Details<'a>>,
    #[serde(borrow)]
    error: Option<Raw<'a>>,
}

/// The state of one stream.
#[derive(Debug)]
pub struct Tokens {
    shape: Shape,
    begun: bool,
    /// some text was told
    told: bool,
    stops: Stops,
    logprobs: bool,
}

impl Tokens {
    /// The stream of this call; `state` is what its request left.
    #[must_use]
    pub fn new(ctx: &Context, state: &str) -> Self {
        let state: State = serde_json::from_str(state).unwrap_or_default();
        Self {
            shape: Shape::of(ctx),
            begun: false,
            told: false,
            stops: Stops::new(state.stops),
            logprobs: state.logprobs,
        }
    }

    fn event(&mut self, event: &Event<'_>, out: &mut Chunks) -> Flow {
        if !self.begun {
            self.begun = true;
            self.shape.begin(out);
        }
        if let Some(token) = event.token.as_ref().filter(|token| token.is_text()) {
            self.told |= !token.text.is_empty();
            let likely = self.logprobs.then(|| {
                let top = event.top_tokens.as_deref().unwrap_or_default();
                logprobs(&[(token, top)])
            });
            self.shape.text(&self.stops.push(&token.text), likely.flatten(), out);
        }
        let Some(text) = &event.generated_text else {
            return Flow::More;
        };
        let unknown = Details::default();
        let details = event.details.as_ref().unwrap_or(&unknown);
        if !self.told {
            // A server that told no tokens.
            let text = self.stops.push(text);
            self.shape.text(&text, None, out);
        }
        self.shape.text(&self.stops.end(details.met_stop()), None, out);
        self.shape.end(details.finish(), details.usage(None), out);
        Flow::Ended
    }
}

impl Decoder for Tokens {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        let text = frame.text()?;
        // A proxy in front may end the stream as OpenAI does.
        if text.trim() == "[DONE]" {
            return Ok(Flow::More);
        }
        let event: Event<'_> = serde_json::from_str(text).map_err(|_| unreadable(0, text))?;
        if event.error.as_ref().is_some_and(|error| !error.is_null()) {
            return Err(error::from_event(text));
        }
        Ok(self.event(&event, out))
    }
}
