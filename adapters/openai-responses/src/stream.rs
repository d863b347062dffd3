//! A streamed answer: the events of a response to chunks. `response.completed`, or one that ends it otherwise, is the end.
//!
//! Texts and arguments go on as they come. When an item is whole, what of it was not streamed follows: servers differ in what they leave
//! out. Items are known by their place, since some servers change their ids from event to event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::{Chunks, Decoder, Flow, Frame, Result};

use crate::declared::Declared;
use crate::error;
use crate::json::{pieces, push_field};
use crate::output::{Item, Output, Said, logprobs};
use crate::places::{Kind, Places};
use crate::read;
use crate::response::Response;

/// More items than this no answer has.
const MAX_ITEMS: usize = 4096;

const CHUNK: &str = "{\"choices\":[{\"index\":0,\"delta\":{";
const CHUNK_END: &str = "}}]}";

/// The state of one stream.
#[derive(Debug, Default)]
pub struct Events {
    begun: bool,
    output: Output,
    /// of events that do not name them
    places: Places,
    items: Vec<Streamed>,
    /// calls told so far
    calls: u64,
    /// the part of the thoughts that is being told: of which item, of which kind, which of them
    thought: Option<(u64, bool, u64)>,
}

/// What was told of an item before it was whole.
#[derive(Debug)]
struct Streamed {
    place: u64,
    /// its number among the calls, and whether it has free-form input
    call: Option<(u64, bool)>,
    /// some of its text, thoughts or arguments
    told: bool,
    whole: bool,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    output_index: Option<u64>,
    summary_index: Option<u64>,
    content_index: Option<u64>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    logprobs: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Events {
    /// Of an answer to a request with these tools.
    pub(crate) fn of(declared: Declared) -> Self {
        Self {
            output: Output::of(declared),
            ..Self::default()
        }
    }

    fn event(&mut self, event: &Event<'_>, kind: &str, data: &str, out: &mut Chunks) -> Result<Flow> {
        let place = event.output_index.unwrap_or_else(|| self.place(event, kind));
        let delta = pieces(event.delta);
        match kind {
            "response.output_text.delta" => self.text(place, delta, event.logprobs.as_deref(), out),
            "response.refusal.delta" => {
                self.item(place).told = true;
                push_text(out, "refusal", delta);
            }
            "response.reasoning_summary_text.delta" => {
                self.think((place, true, event.summary_index.unwrap_or_default()), delta, out);
            }
            "response.reasoning_text.delta" => {
                self.think((place, false, event.content_index.unwrap_or_default()), delta, out);
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.arguments(place, delta, out);
            }
            "response.output_item.added" => self.begin(place, event.item, out),
            "response.output_item.done" => self.end_item(place, event.item, out),
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                let response = event.response.map_or("{}", RawValue::get);
                self.end(kind, response, out)?;
                return Ok(Flow::Ended);
            }
            "error" => return Err(error::told(data, 0)),
            "" if event.error.is_some() => return Err(error::told(data, 0)),
            // What only repeats, what the provider's own tools do, and what is invented tomorrow.
            _ => {}
        }
        Ok(Flow::More)
    }

    /// The place of the item that an event is about which does not name it.
    fn place(&mut self, event: &Event<'_>, kind: &str) -> u64 {
        let item = || event.item.and_then(|raw| Item::parse(raw.get()));
        let item = || item().map_or(Kind::Other, |item| Kind::of(&item.r#type));
        match kind {
            "response.output_text.delta" | "response.refusal.delta" => self.places.go_on(Kind::Message),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.places.go_on(Kind::Thoughts)
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.places.go_on(Kind::Call)
            }
            "response.output_item.added" => self.places.begin(item()),
            "response.output_item.done" => self.places.end(item()),
            _ => 0,
        }
    }

    /// What is known of the item of this place.
    fn item(&mut self, place: u64) -> &mut Streamed {
        let known = self.items.iter().rposition(|item| item.place == place);
        let at = known.unwrap_or_else(|| {
            if self.items.len() >= MAX_ITEMS {
                self.items.clear();
            }
            self.items.push(Streamed {
                place,
                call: None,
                told: false,
                whole: false,
            });
            self.items.len() - 1
        });
        &mut self.items[at]
    }

    fn text(&mut self, place: u64, delta: &str, found: Option<&[&RawValue]>, out: &mut Chunks) {
        self.item(place).told = true;
        let found = found.map(|list| logprobs(list.iter())).unwrap_or_default();
        if found.is_empty() {
            return push_text(out, "content", delta);
        }
        out.push_text(
            [
                CHUNK,
                "\"content\":\"",
                delta,
                "\"},\"logprobs\":{\"content\":[",
                &found,
                "],\"refusal\":null}}]}",
            ]
            .concat(),
        );
    }

    /// More of the thoughts. Their parts have a blank line between them; where an item has thoughts and a summary of them, what came
    /// first is told.
    fn think(&mut self, part: (u64, bool, u64), delta: &str, out: &mut Chunks) {
        let gap = match self.thought {
            Some((place, summary, _)) if place == part.0 && summary != part.1 => return,
            Some(last) if last != part => "\\n\\n",
            _ => "",
        };
        self.item(part.0).told = true;
        if !delta.is_empty() {
            self.thought = Some(part);
            push_text(out, "reasoning_content", &[gap, delta].concat());
        }
    }

    fn begin(&mut self, place: u64, raw: Option<&RawValue>, out: &mut Chunks) {
        let item = raw.and_then(|raw| Item::parse(raw.get()));
        let Some(call) = item.and_then(|item| self.output.call(&item)) else {
            return;
        };
        let number = self.calls;
        self.calls += 1;
        let item = self.item(place);
        item.call = Some((number, call.custom));
        item.told = !call.body.is_empty();
        let (number, fields) = (number.to_string(), call.fields(call.body));
        out.push_text(
            [
                CHUNK,
                "\"tool_calls\":[{\"index\":",
                &number,
                ",",
                &fields,
                "}]",
                CHUNK_END,
            ]
            .concat(),
        );
    }

    fn arguments(&mut self, place: u64, delta: &str, out: &mut Chunks) {
        let item = self.item(place);
        let (Some((number, custom)), false) = (item.call, delta.is_empty()) else {
            return;
        };
        item.told = true;
        let (kind, key) = if custom {
            ("custom", "input")
        } else {
            ("function", "arguments")
        };
        out.push_text(format!(
            "{CHUNK}\"tool_calls\":[{{\"index\":{number},\"{kind}\":{{\"{key}\":\"{delta}\"}}}}]{CHUNK_END}"
        ));
    }

    /// Takes an item that is whole, and tells what of it has not been told.
    fn end_item(&mut self, place: u64, raw: Option<&RawValue>, out: &mut Chunks) {
        let Some(raw) = raw else { return };
        let item = self.item(place);
        if std::mem::replace(&mut item.whole, true) {
            return;
        }
        let (told, call) = (item.told, item.call);
        match self.output.add(raw.get()) {
            Said::Message { text, refusal, .. } if !told => {
                push_text(out, "content", &text);
                push_text(out, "refusal", &refusal);
            }
            Said::Thoughts(text) if !told => self.think((place, true, 0), &text, out),
            Said::Call(_) if call.is_none() => self.begin(place, Some(raw), out),
            Said::Call(call) if !told => self.arguments(place, call.body, out),
            Said::Image(image) => out.push_text([CHUNK, "\"images\":[", &image, "]", CHUNK_END].concat()),
            _ => {}
        }
    }

    /// Adds the last chunks. `response`: the response as it is now, JSON text.
    fn end(&mut self, kind: &str, response: &str, out: &mut Chunks) -> Result<()> {
        let response = Response::ended(kind, response)
            .ok_or_else(|| error::unreadable(0, "The provider's last event cannot be read.", response))?;
        if self.output.items == 0 {
            for (place, raw) in response.output.iter().flatten().enumerate() {
                self.end_item(place as u64, Some(raw), out);
            }
        }
        let usage = response.usage();
        let finish = response.finish(self.calls > 0, 0);
        if let Ok(reason) = finish {
            let mut last = String::from(CHUNK);
            self.output.push_last(&mut last);
            for piece in ["},\"finish_reason\":\"", reason, "\"}]"] {
                last.push_str(piece);
            }
            response.push_tier(&mut last);
            last.push('}');
            out.push_text(last);
        }
        if let Some(usage) = usage.filter(|_| self.begun) {
            let mut chunk = String::from("{\"choices\":[]");
            push_field(&mut chunk, "usage", &usage);
            chunk.push('}');
            out.push_text(chunk);
        }
        finish.map(|_| ())
    }
}

/// Adds a chunk whose delta is one string field. `text` is escaped already.
fn push_text(out: &mut Chunks, key: &str, text: &str) {
    if !text.is_empty() {
        out.push_text([CHUNK, "\"", key, "\":\"", text, "\"", CHUNK_END].concat());
    }
}

/// True for events that say nothing that others do not say. Those by which a response begins are among them: while there is nothing
/// of the answer, a failure can still be answered by another try.
fn only_repeats(kind: &str) -> bool {
    let begins = ["response.created", "response.queued", "response.in_progress"];
    let parts = ["response.content_part.added", "response.content_part.done"];
    begins.contains(&kind) || parts.contains(&kind) || (kind.ends_with(".done") && kind != "response.output_item.done")
}

impl Decoder for Events {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        if only_repeats(frame.event()) {
            return Ok(Flow::More);
        }
        let data = frame.text()?.trim();
        if matches!(data, "" | "[DONE]") {
            return Ok(Flow::More);
        }
        let event: Event<'_> = read::object(data)
            .ok_or_else(|| error::unreadable(0, "The provider sent an event that cannot be read.", data))?;
        // Some servers leave the names of events out.
        let kind = event.r#type.as_deref().unwrap_or(frame.event());
        if only_repeats(kind) {
            return Ok(Flow::More);
        }
        let fails = matches!(kind, "error" | "response.failed" | "response.cancelled") || event.error.is_some();
        if !self.begun && !fails {
            self.begun = true;
            out.role();
        }
        self.event(&event, kind, data, out)
    }
}
