//! What an answer says, put into items as it comes.

use super::{
    call::Call,
    message::{self, Message},
    reasoning::Reasoning,
    sink::{Items, Sink},
};
use crate::dialect::{
    chunk::{Fragment, Said},
    object::Object,
    responses::{memo::Memo, state::State},
    sources::Sources,
};

/// More calls than this are never open at once; one is the rule.
const MOST_OPEN: usize = 1024;

/// The output of one response.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) sink: Sink,
    pub(super) items: Items,
    pub(super) sources: Sources,
    /// The provider's own fields that are not out.
    state: State,
    reasoning: Option<Reasoning>,
    message: Option<Message>,
    calls: Vec<Call>,
    nameless: Vec<Nameless>,
}

/// A call whose name has not come: what it is to the client only that says.
#[derive(Debug)]
struct Nameless {
    index: u64,
    id: String,
    /// Escaped, without quotes.
    arguments: String,
}

impl Output {
    /// One without items.
    pub(super) fn new(sink: Sink) -> Self {
        Self {
            sink,
            items: Items::new(),
            sources: Sources::default(),
            state: State::default(),
            reasoning: None,
            message: None,
            calls: Vec::new(),
            nameless: Vec::new(),
        }
    }

    /// Takes what a delta, or a whole message, says. `logprobs`: those of its text.
    pub(super) fn say(&mut self, said: &Said<'_>, logprobs: &str, memo: &Memo) {
        self.keep(said);
        if let Some((key, text)) = said.reasoning.filter(|(_, text)| !text.is_empty()) {
            self.think(key, text);
        }
        for image in &said.images {
            self.show(image.get(), memo);
        }
        let cited = said.annotations.iter();
        let cited: Vec<String> = cited
            .filter_map(|annotation| message::annotation(annotation.get(), &mut self.sources))
            .collect();
        if said.speaks() || !cited.is_empty() {
            self.speak(said, logprobs, &cited, memo);
        }
        for fragment in said.calls.iter().chain(&said.old) {
            self.call(fragment, memo);
        }
    }

    /// Ends the items. `status`: of those that were being written.
    pub(super) fn close(&mut self, status: &str, memo: &Memo) {
        self.close_message(status);
        for call in std::mem::take(&mut self.calls) {
            call.close(status, &mut self.items, &mut self.sink);
        }
        let rest = message::rest(&mut self.sources);
        if !rest.is_empty() {
            self.speak(&Said::default(), "", &rest, memo);
            self.close_message(status);
        }
        self.settle(memo);
    }

    fn keep(&mut self, said: &Said<'_>) {
        for (key, value) in &said.own {
            self.state.keep(key, value);
        }
        for call in &said.calls {
            let known = self.calls.iter().find(|open| open.index == call.index).map(Call::id);
            let nameless = self.nameless.iter().find(|begun| begun.index == call.index);
            let id = known.or(nameless.map(|begun| &*begun.id)).unwrap_or(&call.id);
            for (key, value) in &call.own {
                self.state.keep_of_call(id, key, value);
            }
        }
    }

    fn think(&mut self, key: &str, text: &str) {
        self.close_message("completed");
        self.close_whole_calls();
        let (items, sink) = (&mut self.items, &mut self.sink);
        let reasoning = self.reasoning.get_or_insert_with(|| Reasoning::open(items, sink));
        reasoning.push(text, sink);
        self.state.reasoning = Some(key.to_owned());
    }

    /// `cited`: what it says of its sources.
    fn speak(&mut self, said: &Said<'_>, logprobs: &str, cited: &[String], memo: &Memo) {
        // A text that goes on is not cut by state: that follows it.
        if self.message.is_none() {
            self.settle(memo);
        }
        self.close_whole_calls();
        let (items, sink) = (&mut self.items, &mut self.sink);
        let message = self.message.get_or_insert_with(|| Message::open(items, sink));
        if let Some(text) = said.content.filter(|text| !text.is_empty()) {
            message.push(text, logprobs, sink);
        }
        for annotation in cited {
            message.cite(annotation, sink);
        }
        if let Some(refusal) = said.refusal.filter(|text| !text.is_empty()) {
            message.refuse(refusal, sink);
        }
    }

    fn call(&mut self, fragment: &Fragment<'_>, memo: &Memo) {
        let at = match self.calls.iter().position(|open| open.index == fragment.index) {
            Some(at) => at,
            None if fragment.name.is_empty() => return self.wait(fragment),
            None if self.calls.len() >= MOST_OPEN => return,
            None => {
                self.settle(memo);
                self.close_message("completed");
                self.close_whole_calls();
                let begun = self.nameless.iter().position(|begun| begun.index == fragment.index);
                let begun = begun.map(|at| self.nameless.swap_remove(at));
                let id = begun.as_ref().map_or(&*fragment.id, |begun| &begun.id);
                let mut call = Call::open(id, fragment, memo, &mut self.items, &mut self.sink);
                if let Some(begun) = &begun {
                    call.push(&begun.arguments, &mut self.sink);
                }
                self.calls.push(call);
                self.calls.len() - 1
            }
        };
        if let Some(call) = self.calls.get_mut(at) {
            call.push(fragment.arguments, &mut self.sink);
        }
    }

    /// Keeps what came of a call before its name. What has no id either is the rest of one that was whole already.
    fn wait(&mut self, fragment: &Fragment<'_>) {
        if let Some(begun) = self.nameless.iter_mut().find(|begun| begun.index == fragment.index) {
            begun.arguments.push_str(fragment.arguments);
        } else if !fragment.id.is_empty() && self.nameless.len() < MOST_OPEN {
            self.nameless.push(Nameless {
                index: fragment.index,
                id: fragment.id.to_string(),
                arguments: fragment.arguments.to_owned(),
            });
        }
    }

    /// An image that the model made, as one of OpenAI's own tool would be. One that is not in the answer itself is the provider's
    /// own affair.
    fn show(&mut self, image: &str, memo: &Memo) {
        let url = Object::parse(image)
            .and_then(|image| Object::parse(image.get("image_url")?)?.text("url"))
            .unwrap_or_default();
        let data = url.strip_prefix("data:").and_then(|url| url.split_once(";base64,"));
        let Some((_, data)) = data.filter(|(_, data)| data.bytes().all(|byte| byte != b'"' && byte != b'\\')) else {
            self.state.keep("images", &["[", image, "]"].concat());
            return;
        };
        self.settle(memo);
        self.close_message("completed");
        let place = self.items.open("ig");
        let item = |status: &str, result: &str| {
            let id = &place.id;
            format!(
                "{{\"id\":\"{id}\",\"type\":\"image_generation_call\",\"status\":\"{status}\",\"result\":{result}}}"
            )
        };
        Items::added(&place, &item("in_progress", "null"), &mut self.sink);
        let names = place.fields();
        self.sink
            .event("response.image_generation_call.completed", format_args!("{names}"));
        let done = item("completed", &["\"", data, "\""].concat());
        self.items.done(&place, done, &mut self.sink);
    }

    /// Ends the thoughts, and lets the provider's own fields go out with them, or with an item of their own.
    fn settle(&mut self, memo: &Memo) {
        let open = self.reasoning.take();
        if open.is_none() && self.state.is_empty() {
            return;
        }
        let reasoning = open.unwrap_or_else(|| Reasoning::open(&mut self.items, &mut self.sink));
        let state = std::mem::take(&mut self.state);
        reasoning.close(&state, &memo.provider, &mut self.items, &mut self.sink);
    }

    fn close_message(&mut self, status: &str) {
        if let Some(mut message) = self.message.take() {
            for annotation in message::rest(&mut self.sources) {
                message.cite(&annotation, &mut self.sink);
            }
            message.close(status, &mut self.items, &mut self.sink);
        }
    }

    /// Ends the calls that say all they have to. (Pieces of calls may come in turn.)
    fn close_whole_calls(&mut self) {
        let open = std::mem::take(&mut self.calls);
        for call in open {
            match call.is_whole() {
                true => call.close("completed", &mut self.items, &mut self.sink),
                false => self.calls.push(call),
            }
        }
    }
}
