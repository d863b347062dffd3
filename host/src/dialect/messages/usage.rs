//! What an answer cost, in this API's terms: `input_tokens` leave out what was read from, or written to, a cache; OpenAI's prompt
//! tokens hold all of it.

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error;
use crate::{
    call::object::Object,
    chunk,
    dialect::{self, Seen, json::push_member},
    error::Error,
    reply::Usage,
};

/// `usage` of a message, of `message_start`, or of `message_delta`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Counts<'a> {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens_details: Option<Details>,
    cache_creation: Option<Ages>,
    server_tool_use: Option<Requests>,
    #[serde(borrow)]
    iterations: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Details {
    thinking_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Ages {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Requests {
    web_search_requests: Option<u64>,
    web_fetch_requests: Option<u64>,
}

impl Requests {
    fn sum(self) -> Option<u64> {
        let both = [self.web_search_requests, self.web_fetch_requests];
        both.into_iter().flatten().reduce(u64::saturating_add)
    }
}

/// One pass of a request that took several. The counts beside the list leave compactions out.
#[derive(Debug, Deserialize)]
struct Pass {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: u64,
}

/// All that was counted so far; in a stream the last value of each counts.
#[derive(Debug, Default)]
struct Sum {
    input: Option<u64>,
    output: Option<u64>,
    read: Option<u64>,
    written: Option<u64>,
    written_hour: Option<u64>,
    thinking: Option<u64>,
    requests: Option<u64>,
    compacted: (u64, u64),
}

impl Sum {
    fn update(&mut self, counts: &Counts<'_>) {
        let newer = |old: &mut Option<u64>, new: Option<u64>| *old = new.or(*old);
        newer(&mut self.input, counts.input_tokens);
        newer(&mut self.output, counts.output_tokens);
        newer(&mut self.read, counts.cache_read_input_tokens);
        newer(&mut self.written, counts.cache_creation_input_tokens);
        newer(
            &mut self.written_hour,
            counts.cache_creation.and_then(|ages| ages.ephemeral_1h_input_tokens),
        );
        newer(&mut self.requests, counts.server_tool_use.and_then(Requests::sum));
        newer(
            &mut self.thinking,
            counts.output_tokens_details.and_then(|details| details.thinking_tokens),
        );
        if let Some(list) = counts.iterations {
            let passes: Vec<Pass> = serde_json::from_str(list.get()).unwrap_or_default();
            self.compacted =
                passes
                    .iter()
                    .filter(|pass| pass.r#type == "compaction")
                    .fold((0, 0), |(prompt, output), pass| {
                        let parts = [
                            pass.input_tokens,
                            pass.cache_read_input_tokens,
                            pass.cache_creation_input_tokens,
                        ];
                        let prompt = parts.into_iter().fold(prompt, u64::saturating_add);
                        (prompt, output.saturating_add(pass.output_tokens))
                    });
        }
    }

    /// In OpenAI's convention.
    fn usage(&self) -> Usage {
        let (prompt, output) = self.compacted;
        let cache = [self.read, self.written, Some(prompt)].into_iter().flatten();
        Usage {
            input: self.input.map(|input| cache.fold(input, u64::saturating_add)),
            cached: self.read,
            cache_written: self.written,
            cache_written_hour: self.written_hour,
            output: self.output.map(|counted| counted.saturating_add(output)),
            reasoning: self.thinking,
            requests: self.requests,
            ..Usage::default()
        }
    }
}

/// What a whole message cost; `None` if it is no message.
pub fn of_message(message: &str) -> Option<Usage> {
    #[derive(Deserialize)]
    struct Message<'a> {
        r#type: String,
        #[serde(borrow)]
        usage: Option<Counts<'a>>,
    }
    let message: Message<'_> = serde_json::from_str(message).ok()?;
    let mut sum = Sum::default();
    sum.update(&message.usage.unwrap_or_default());
    (message.r#type == "message").then(|| sum.usage())
}

/// Reads along while a provider's own stream goes by.
#[derive(Debug)]
pub struct Watch {
    id: String,
    sum: Sum,
}

impl Watch {
    /// For the request of this id.
    pub fn new(id: String) -> Self {
        Self {
            id,
            sum: Sum::default(),
        }
    }

    fn count(&mut self, data: &[u8]) {
        #[derive(Deserialize)]
        struct Event<'a> {
            #[serde(borrow)]
            usage: Option<Counts<'a>>,
            #[serde(borrow)]
            message: Option<Start<'a>>,
        }
        #[derive(Deserialize)]
        struct Start<'a> {
            #[serde(borrow)]
            usage: Option<Counts<'a>>,
        }
        if let Ok(event) = serde_json::from_slice::<Event<'_>>(data) {
            let started = event.message.and_then(|message| message.usage);
            for counts in [started, event.usage].into_iter().flatten() {
                self.sum.update(&counts);
            }
        }
    }
}

impl dialect::Watch for Watch {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Seen {
        #[derive(Deserialize)]
        struct Named {
            r#type: String,
        }
        // Some servers leave the names out.
        let read = name.is_empty().then(|| serde_json::from_slice::<Named>(data).ok());
        let read = read.flatten().map(|named| named.r#type);
        match read.as_deref().map_or(name, str::as_bytes) {
            b"message_start" | b"message_delta" => self.count(data),
            b"message_stop" => return Seen::End,
            b"error" => return Seen::Failure(error::read(data)),
            _ => {}
        }
        Seen::Event
    }

    fn usage(&self) -> Usage {
        self.sum.usage()
    }

    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        error::push_event(error, &self.id, out);
    }
}

/// The `usage` of a message for that of a chat, which is JSON text. What is not known is zero here: the API's clients want numbers.
pub(super) fn of_chat(counted: &str) -> String {
    let usage = chunk::usage(counted).unwrap_or_default();
    let (read, written) = (
        usage.cached.unwrap_or_default(),
        usage.cache_written.unwrap_or_default(),
    );
    let input = usage
        .input
        .unwrap_or_default()
        .saturating_sub(read)
        .saturating_sub(written);
    let mut out = format!(
        "{{\"input_tokens\":{input},\"cache_creation_input_tokens\":{written},\"cache_read_input_tokens\":{read},\"output_tokens\":{}",
        usage.output.unwrap_or_default()
    );
    if let Some(thinking) = usage.reasoning {
        push_member(
            &mut out,
            "output_tokens_details",
            &format!("{{\"thinking_tokens\":{thinking}}}"),
        );
    }
    let fields = Object::parse(counted).unwrap_or_default();
    for key in ["cache_creation", "server_tool_use", "service_tier"] {
        if let Some(value) = fields.get(counted, key) {
            push_member(&mut out, key, value);
        }
    }
    out.push('}');
    out
}
