//! Reads a chat's answer as it goes by, and keeps what is its provider's own when it is complete.

use bytes::Bytes;
use futures_util::StreamExt as _;
use sha2::Sha256;

use super::{Kept, Named, Own, State, key};
use crate::{
    dialect::{
        chunk::{Chunk, Fragment, Said},
        fields::Fields,
    },
    reply::{Body, Reply},
    transport::frame::{Cutter, Framing, LIMIT},
};

/// More than this is not kept of one answer, in bytes.
const LONGEST: usize = 8 << 20;
/// Nor more calls.
const MOST_CALLS: usize = 1024;

/// The same reply, read along.
pub(super) fn watch(kept: Kept, mut reply: Reply, after: Sha256) -> Reply {
    let mut reading = Reading::new(kept, after);
    reply.body = match reply.body {
        Body::Whole(answer) => {
            reading.take(&answer);
            reading.end();
            Body::Whole(answer)
        }
        Body::Events(events) => {
            let mut cutter = Cutter::new(Framing::Sse, LIMIT);
            Body::Events(Box::pin(events.inspect(move |read| {
                if let Ok(read) = read {
                    reading.feed(&mut cutter, read.clone());
                }
            })))
        }
        Body::Raw(raw) => Body::Raw(raw),
    };
    reply
}

/// An answer as far as it has come.
struct Reading {
    kept: Kept,
    /// What the key begins with; `None` when there is nothing to keep any more.
    after: Option<Sha256>,
    own: Fields,
    /// Thoughts that are shown: the field they stand in, and the text, a piece of a JSON string.
    thoughts: Option<(&'static str, String)>,
    calls: Vec<Told>,
    length: usize,
}

/// A call as far as it has come.
struct Told {
    index: u64,
    id: String,
    name: String,
    arguments: String,
    own: Fields,
}

impl Reading {
    fn new(kept: Kept, after: Sha256) -> Self {
        Self {
            kept,
            after: Some(after),
            own: Fields::default(),
            thoughts: None,
            calls: Vec::new(),
            length: 0,
        }
    }

    fn feed(&mut self, cutter: &mut Cutter, read: Bytes) {
        cutter.feed(read);
        while self.after.is_some() {
            match cutter.cut() {
                Ok(Some(frame)) if frame.data == "[DONE]" => self.end(),
                Ok(Some(frame)) => self.take(&frame.data),
                Ok(None) => return,
                Err(_) => self.after = None,
            }
        }
    }

    /// Takes a chunk, or a whole answer.
    fn take(&mut self, text: &[u8]) {
        let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(text) else {
            return;
        };
        for choice in chunk.first() {
            if let Some(said) = chunk.said(choice) {
                self.say(&said);
            }
        }
        if self.length > LONGEST || self.calls.len() > MOST_CALLS {
            self.after = None;
        }
    }

    fn say(&mut self, said: &Said<'_>) {
        if let Some((field, text)) = said.reasoning.filter(|(_, text)| !text.is_empty()) {
            self.length += text.len();
            let (_, thoughts) = self.thoughts.get_or_insert_with(|| (field, String::new()));
            thoughts.push_str(text);
        }
        for (key, value) in &said.own {
            self.length += value.len();
            self.own.keep(key, value);
        }
        for call in &said.calls {
            self.call(call);
        }
    }

    fn call(&mut self, fragment: &Fragment<'_>) {
        let known = self.calls.iter().rposition(|call| call.index == fragment.index);
        let at = known.unwrap_or_else(|| {
            self.calls.push(Told {
                index: fragment.index,
                id: String::new(),
                name: String::new(),
                arguments: String::new(),
                own: Fields::default(),
            });
            self.calls.len() - 1
        });
        let Some(call) = self.calls.get_mut(at) else { return };
        for (place, value) in [(&mut call.id, &fragment.id), (&mut call.name, &fragment.name)] {
            if place.is_empty() {
                place.push_str(value);
            }
        }
        call.arguments.push_str(fragment.arguments);
        self.length += fragment.arguments.len();
        for (key, value) in &fragment.own {
            self.length += value.len();
            call.own.keep(key, value);
        }
    }

    /// Keeps what there is: the answer is complete.
    fn end(&mut self) {
        let Some(after) = self.after.take().filter(|_| !self.calls.is_empty()) else {
            return;
        };
        let mut state = State {
            message: own(&self.own),
            calls: Vec::new(),
        };
        if let Some((field, text)) = &self.thoughts {
            state
                .message
                .push(((*field).into(), ["\"", text, "\""].concat().into()));
        }
        let signed = self.calls.iter().filter(|call| !call.own.is_empty());
        state
            .calls
            .extend(signed.map(|call| (call.id.as_str().into(), own(&call.own))));
        if state.message.is_empty() && state.calls.is_empty() {
            return;
        }
        let calls = self.calls.iter().map(|call| Named {
            id: &call.id,
            name: &call.name,
            arguments: &call.arguments,
        });
        self.kept.put(key(after, calls), state);
    }
}

/// Fields with names that stand for themselves in JSON.
fn own(fields: &Fields) -> Own {
    let plain = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let kept = fields.iter().filter(|(key, _)| plain(key));
    kept.map(|(key, value)| (key.into(), value.into())).collect()
}
