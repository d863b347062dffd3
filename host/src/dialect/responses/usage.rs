//! What a response cost, in OpenAI's terms for it, read where a provider has this API itself.

use bytes::BytesMut;
use serde::Deserialize;

use super::error;
use crate::{
    chunk,
    dialect::{self, Seen},
    error::Error,
    reply::Usage,
};

/// `usage` of a response.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

impl Counts {
    fn usage(&self) -> Usage {
        let input = self.input_tokens_details.unwrap_or_default();
        let reasoning = self.output_tokens_details.and_then(|details| details.reasoning_tokens);
        // Where the total says that reasoning is left out of the output, it is put there.
        let beside = self.input_tokens.zip(self.output_tokens).zip(reasoning);
        let beside = beside.map(|((input, output), reasoning)| input.saturating_add(output).saturating_add(reasoning));
        let apart = reasoning.filter(|_| beside.is_some() && beside == self.total_tokens);
        Usage {
            input: self.input_tokens,
            cached: input.cached_tokens,
            cache_written: input.cache_write_tokens,
            output: self
                .output_tokens
                .map(|output| output.saturating_add(apart.unwrap_or(0))),
            reasoning,
            ..Usage::default()
        }
    }
}

/// A response, as far as the account goes.
#[derive(Deserialize)]
struct Response {
    object: Option<String>,
    usage: Option<Counts>,
}

/// What a whole response cost; `None` if it is no response.
pub fn of_response(response: &str) -> Option<Usage> {
    let response: Response = serde_json::from_str(response).ok()?;
    let counts = response.usage.unwrap_or_default();
    (response.object.as_deref() == Some("response")).then(|| counts.usage())
}

/// Reads along while a provider's own stream goes by.
#[derive(Debug, Default)]
pub struct Watch {
    usage: Usage,
    /// The number of the next event.
    next: u64,
}

impl Watch {
    fn count(&mut self, data: &[u8]) {
        #[derive(Deserialize)]
        struct Event {
            response: Response,
        }
        if let Ok(event) = serde_json::from_slice::<Event>(data)
            && let Some(counts) = event.response.usage
        {
            self.usage = counts.usage();
        }
    }
}

impl dialect::Watch for Watch {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Seen {
        #[derive(Deserialize)]
        struct Named {
            r#type: String,
        }
        self.next += 1;
        // Some servers leave the names out.
        let read = name.is_empty().then(|| serde_json::from_slice::<Named>(data).ok());
        let read = read.flatten().map(|named| named.r#type);
        match read.as_deref().map_or(name, str::as_bytes) {
            b"response.completed" | b"response.incomplete" => {
                self.count(data);
                Seen::End
            }
            b"response.failed" => {
                self.count(data);
                Seen::Failure(error::read(data))
            }
            b"error" => Seen::Failure(error::read(data)),
            _ => Seen::Event,
        }
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        error::push_event(error, self.next, out);
    }
}

/// The usage of a response for that of a chat, which is JSON text, if it counts both sides. What is not told of the details is none:
/// the API's clients want numbers.
pub(super) fn of_chat(counted: &str) -> Option<String> {
    let counted = chunk::usage(counted)?;
    let (input, output) = (counted.input?, counted.output?);
    let (cached, written) = (counted.cached.unwrap_or(0), counted.cache_written.unwrap_or(0));
    let (reasoning, total) = (counted.reasoning.unwrap_or(0), input.saturating_add(output));
    Some(format!(
        "{{\"input_tokens\":{input},\"input_tokens_details\":{{\"cached_tokens\":{cached},\"cache_write_tokens\":{written}}},\
         \"output_tokens\":{output},\"output_tokens_details\":{{\"reasoning_tokens\":{reasoning}}},\"total_tokens\":{total}}}"
    ))
}
