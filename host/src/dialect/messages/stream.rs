//! A chat's chunks as the events of a message: `message_start`, each block in its turn with a rising index, `message_delta`,
//! `message_stop`. No block is open beside another, and none is empty but a text that only has sources.

mod calls;
mod cited;
mod delta;

use bytes::{BufMut as _, BytesMut};
use serde_json::value::RawValue;

use super::{
    Memo,
    answer::{push_head, without_number},
    block, error,
    stop::{End, Stop},
    usage,
};
use crate::{
    dialect::{
        self,
        json::{self, inside, push_comma, quoted},
        old,
    },
    error::Error,
};
use calls::Calls;
use cited::Cited;
use delta::{Choice, Chunk, Delta, Fragment, Function};

/// More words than this, in bytes, are not held for a call that is not whole: no model says as much inside of one.
const MOST_HELD: usize = 1 << 20;

/// Writes the events of one message.
#[derive(Debug)]
pub struct Writer {
    memo: Memo,
    begun: bool,
    open: Open,
    /// The number of the next block.
    next: u64,
    calls: Calls,
    /// What came between two pieces of a call, and is said after it.
    later: Vec<Words>,
    /// The bytes of what is to be said later.
    held: usize,
    stop: Stop,
    /// `usage` of the chat, as JSON text.
    counted: String,
    /// What the provider wants back beside its reasoning: items of a list.
    details: String,
    /// State of the message.
    extra: Option<String>,
    /// `reasoning_opaque` of the message, a JSON string.
    opaque: Option<String>,
    cited: Cited,
}

/// The block that is open.
#[derive(Debug, Default)]
enum Open {
    #[default]
    None,
    Text,
    /// The name that the provider has for its thoughts.
    Thinking(&'static str),
    /// A call, by its number in the chat.
    Call(u64),
}

/// Words of an answer.
#[derive(Debug)]
enum Words {
    /// A JSON string.
    Text(String),
    /// The name that the provider has for its thoughts, and a JSON string.
    Thoughts(&'static str, String),
    /// A thought that may be signed: a block.
    Signed(String),
}

impl Words {
    const fn len(&self) -> usize {
        match self {
            Self::Text(text) | Self::Thoughts(_, text) | Self::Signed(text) => text.len(),
        }
    }
}

impl Writer {
    /// For the answer to the request that `memo` is of.
    pub fn new(memo: Memo) -> Self {
        Self {
            memo,
            begun: false,
            open: Open::None,
            next: 0,
            calls: Calls::default(),
            later: Vec::new(),
            held: 0,
            stop: Stop::default(),
            counted: String::new(),
            details: String::new(),
            extra: None,
            opaque: None,
            cited: Cited::default(),
        }
    }

    fn begin(&mut self, model: Option<&str>, out: &mut BytesMut) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let mut message = String::from("{");
        push_head(&mut message, model, &self.memo);
        // What the prompt cost most providers know at the end: `message_delta` says it.
        let usage = usage::of_chat(&self.counted);
        message.push_str(",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":");
        message.push_str(&usage);
        message.push('}');
        event("message_start", &format!(",\"message\":{message}"), out);
    }

    fn delta(&mut self, delta: &Delta<'_>, out: &mut BytesMut) {
        for details in delta.reasoning_details.iter().flatten() {
            push_comma(&mut self.details);
            self.details.push_str(details.get());
        }
        let thoughts = [
            ("reasoning_content", delta.reasoning_content),
            ("reasoning", delta.reasoning),
            ("reasoning_text", delta.reasoning_text),
        ];
        let shown = thoughts.into_iter().find_map(|(name, text)| Some((name, said(text)?)));
        if let Some((name, text)) = shown {
            self.words(Words::Thoughts(name, text.to_owned()), out);
        }
        for block in delta.thinking_blocks.iter().flatten() {
            // LiteLLM tells the same piece of a thought twice, and its signature at the end.
            let piece = thought(block.get());
            if !(shown.is_some() && piece.is_some()) {
                self.words(piece.unwrap_or_else(|| Words::Signed(block.get().to_owned())), out);
            }
        }
        self.cited.take(delta);
        for text in [delta.content, delta.refusal].into_iter().filter_map(said) {
            self.words(Words::Text(text.to_owned()), out);
        }
        if matches!(self.open, Open::Text) {
            self.cite(out);
        }
        for fragment in delta.tool_calls.iter().flatten() {
            self.call(fragment, out);
        }
        if let Some(function) = delta.old_call() {
            self.old_call(function, out);
        }
        if !self.calls.is_amid() {
            self.say_later(out);
        }
        if let Some(extra) = delta.extra_content {
            self.extra = Some(extra.get().to_owned());
        }
        if let Some(opaque) = said(delta.reasoning_opaque) {
            self.opaque = Some(opaque.to_owned());
        }
    }

    /// Says something, now or after the call that is being made: a block is not left before it is whole.
    fn words(&mut self, words: Words, out: &mut BytesMut) {
        if self.calls.is_amid() {
            self.held += words.len();
            return self.later.push(words);
        }
        match words {
            Words::Text(text) => self.say(&text, out),
            Words::Thoughts(name, text) => self.think(name, &text, out),
            Words::Signed(block) => self.signed(&block, out),
        }
    }

    fn say_later(&mut self, out: &mut BytesMut) {
        self.held = 0;
        for words in std::mem::take(&mut self.later) {
            self.words(words, out);
        }
    }

    /// Adds to the thoughts; `text` is a JSON string.
    fn think(&mut self, name: &'static str, text: &str, out: &mut BytesMut) {
        if !self.memo.thinking {
            return;
        }
        if !matches!(self.open, Open::Thinking(_)) {
            self.close(out);
            self.start(&block::thinking("\"\"", "\"\""), out);
            self.open = Open::Thinking(name);
        }
        self.piece("thinking_delta", "thinking", text, out);
    }

    /// Closes the thoughts with the signature that their provider gave. If they were not shown, the block comes whole.
    fn signed(&mut self, signed: &str, out: &mut BytesMut) {
        let whole = without_number(signed);
        let fields = crate::call::object::Object::parse(&whole).unwrap_or_default();
        let (thinking, signature) = (fields.get(&whole, "thinking"), fields.get(&whole, "signature"));
        if let (Open::Thinking(_), Some(_), Some(signature)) = (&self.open, thinking, signature) {
            self.piece("signature_delta", "signature", signature, out);
            return self.stop_block(out);
        }
        self.close(out);
        match (thinking, signature) {
            (Some(thinking), Some(signature)) => {
                self.start(&block::thinking("\"\"", "\"\""), out);
                if thinking != "\"\"" {
                    self.piece("thinking_delta", "thinking", thinking, out);
                }
                self.piece("signature_delta", "signature", signature, out);
            }
            _ => self.start(&whole, out),
        }
        self.stop_block(out);
    }

    /// Adds to the text; `text` is a JSON string.
    fn say(&mut self, text: &str, out: &mut BytesMut) {
        if !matches!(self.open, Open::Text) {
            self.open_text(out);
        }
        self.piece("text_delta", "text", text, out);
    }

    /// Begins a text with the sources that waited for it.
    fn open_text(&mut self, out: &mut BytesMut) {
        self.close(out);
        self.push_details(out);
        let citations = self.cited.waits().then_some("[]");
        self.start(&block::text("\"\"", citations), out);
        self.open = Open::Text;
        self.cite(out);
    }

    /// Tells the sources that have come, in the text that is open.
    fn cite(&mut self, out: &mut BytesMut) {
        while let Some(citation) = self.cited.next(&self.memo.provider) {
            self.piece("citations_delta", "citation", &citation, out);
        }
    }

    /// Adds to a call. One whose turn has not come yet waits until the open one is whole.
    fn call(&mut self, fragment: &Fragment<'_>, out: &mut BytesMut) {
        self.end_words(out);
        self.calls.add(fragment);
        self.flow(false, out);
    }

    /// Adds to the call of a server that has no list of them.
    fn old_call(&mut self, function: Function<'_>, out: &mut BytesMut) {
        if said(function.name).is_none() && !self.calls.has(old::NUMBER) {
            return;
        }
        let id = RawValue::from_string(quoted(&old::id(&self.memo.id))).ok();
        let fragment = Fragment {
            index: Some(old::NUMBER),
            id: id.as_deref(),
            function: Some(function),
            extra_content: None,
        };
        self.call(&fragment, out);
    }

    /// Writes what there is of calls, in order; all of it if nothing more comes for those that are begun.
    fn flow(&mut self, all: bool, out: &mut BytesMut) {
        while let Some(call) = self.calls.current(all) {
            if !matches!(self.open, Open::Call(number) if number == call.number) {
                self.push_details(out);
                if let Some(extra) = &call.extra {
                    let sealed = block::sealed_call(&self.memo.provider, &call.id, extra);
                    self.start(&block::redacted(&sealed), out);
                    self.stop_block(out);
                }
                self.start(&block::tool_use(&call.id, &call.name, "{}"), out);
                self.open = Open::Call(call.number);
            }
            let (text, over) = self.calls.take(call.number, all);
            if !text.is_empty() {
                self.piece("input_json_delta", "partial_json", &quoted(&text), out);
            }
            if !over {
                return;
            }
            self.stop_block(out);
        }
    }

    /// Ends the block that is open, and writes the calls that waited for it.
    fn close(&mut self, out: &mut BytesMut) {
        self.end_words(out);
        if self.calls.waiting() {
            self.flow(true, out);
        }
    }

    /// Ends the text or the thoughts that are open.
    fn end_words(&mut self, out: &mut BytesMut) {
        match self.open {
            Open::None | Open::Call(_) => {}
            Open::Text => {
                self.cited.end();
                self.cite(out);
                self.stop_block(out);
            }
            Open::Thinking(name) => {
                let details = std::mem::take(&mut self.details);
                let details = (!details.is_empty()).then(|| format!("[{details}]"));
                let signature = block::sealed_reasoning(&self.memo.provider, name, details.as_deref());
                self.piece("signature_delta", "signature", &quoted(&signature), out);
                self.stop_block(out);
            }
        }
    }

    /// What the provider wants back beside thoughts that it did not show.
    fn push_details(&mut self, out: &mut BytesMut) {
        let details = std::mem::take(&mut self.details);
        if !details.is_empty() {
            self.seal("reasoning_details", &format!("[{details}]"), out);
        }
    }

    /// What the provider wants back of a message.
    fn push_state(&mut self, out: &mut BytesMut) {
        self.push_details(out);
        for (name, state) in [
            ("extra_content", self.extra.take()),
            ("reasoning_opaque", self.opaque.take()),
        ] {
            if let Some(state) = state {
                self.seal(name, &state, out);
            }
        }
    }

    /// Writes a block that nobody but the provider can read.
    fn seal(&mut self, name: &str, value: &str, out: &mut BytesMut) {
        let sealed = block::sealed_member(&self.memo.provider, name, value);
        self.start(&block::redacted(&sealed), out);
        self.stop_block(out);
    }

    fn start(&self, block: &str, out: &mut BytesMut) {
        let index = self.next;
        event(
            "content_block_start",
            &format!(",\"index\":{index},\"content_block\":{block}"),
            out,
        );
    }

    fn piece(&self, kind: &str, key: &str, text: &str, out: &mut BytesMut) {
        let index = self.next;
        event(
            "content_block_delta",
            &format!(",\"index\":{index},\"delta\":{{\"type\":\"{kind}\",\"{key}\":{text}}}"),
            out,
        );
    }

    fn stop_block(&mut self, out: &mut BytesMut) {
        event("content_block_stop", &format!(",\"index\":{}", self.next), out);
        self.next += 1;
        self.open = Open::None;
    }
}

impl dialect::Writer for Writer {
    fn push(&mut self, chunk: &str, out: &mut BytesMut) -> Result<(), &'static str> {
        const UNREADABLE: &str = "a chunk that is not of a chat completion";
        let (mut once, mut choice_once, mut end_once) = (String::new(), String::new(), String::new());
        let chunk: Chunk<'_> = json::read(chunk, &mut once).map_err(|_| UNREADABLE)?;
        if let Some(counted) = chunk.usage.map(RawValue::get).filter(|usage| usage.starts_with('{')) {
            counted.clone_into(&mut self.counted);
        }
        self.cited.find(&chunk);
        let Some(raw) = chunk.choices.first().map(|choice| choice.get()) else {
            return Ok(());
        };
        let choice: Choice<'_> = json::read(raw, &mut choice_once).map_err(|_| UNREADABLE)?;
        if choice.index.unwrap_or_default() != 0 {
            return Ok(());
        }
        self.begin(chunk.model.map(RawValue::get), out);
        if let Some(delta) = &choice.delta {
            self.delta(delta, out);
        }
        if choice.finish_reason.is_some_and(|reason| reason.get() != "null") {
            let end: End<'_> = json::read(raw, &mut end_once).map_err(|_| UNREADABLE)?;
            self.stop.update(&end, &self.memo);
        }
        if self.held > MOST_HELD {
            return Err("too many words amid the pieces of one call");
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut BytesMut) {
        self.begin(None, out);
        self.calls.end();
        self.say_later(out);
        if !matches!(self.open, Open::Text) {
            self.cited.end();
        }
        if self.cited.waits() && !self.memo.claude_code {
            self.open_text(out);
        }
        let in_words = matches!(self.open, Open::Text) && self.stop.is_plain() && !self.calls.any();
        self.close(out);
        if !(in_words && self.memo.claude_code) {
            self.push_state(out);
        }
        let mut end = String::from("{");
        self.stop.push(&mut end, self.calls.any());
        end.push('}');
        let usage = usage::of_chat(&self.counted);
        event("message_delta", &format!(",\"delta\":{end},\"usage\":{usage}"), out);
        event("message_stop", "", out);
    }

    fn fail(&mut self, error: &Error, out: &mut BytesMut) {
        error::push_event(error, &self.memo.id, out);
    }
}

/// Adds an event; `members` are those beside its type, each with a comma before it.
fn event(name: &str, members: &str, out: &mut BytesMut) {
    out.reserve(2 * name.len() + members.len() + 32);
    for piece in ["event: ", name, "\ndata: {\"type\":\"", name, "\"", members, "}\n\n"] {
        out.put_slice(piece.as_bytes());
    }
}

/// A piece of a thought whose signature is still to come. One with a number is whole, and of a provider that signs none.
fn thought(block: &str) -> Option<Words> {
    let fields = crate::call::object::Object::parse(block).ok()?;
    let text = fields.get(block, "thinking")?;
    if fields.get(block, "index").is_some() {
        return None;
    }
    let unsigned = fields
        .get(block, "signature")
        .is_none_or(|signature| signature == "\"\"");
    (unsigned && text != "\"\"").then(|| Words::Thoughts("reasoning_content", text.to_owned()))
}

/// A JSON string that says something.
fn said(text: Option<&RawValue>) -> Option<&str> {
    text.map(RawValue::get).filter(|text| !inside(text).is_empty())
}
