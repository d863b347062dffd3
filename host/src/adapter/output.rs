//! What an exchange gives: events for a client that wants chunks, a whole answer for one that does not, whichever way the provider
//! answers; or only the usage, when nobody is there any more.

use bytes::{Bytes, BytesMut};

use super::exchange::Turn;
use crate::{
    call::{Operation, object::Object},
    chunk::{self, Assembler, Chunks, Flaw, Stamp},
    dialect,
    record::Record,
    reply::Usage,
};

/// Where chunks go.
pub(super) struct Output {
    to: To,
    usage: Option<Usage>,
    kept: Option<Turn>,
    begun: bool,
}

enum To {
    /// Only the usage is of interest.
    Account,
    Client(Box<Client>),
}

struct Client {
    stamp: Stamp,
    operation: Operation,
    wants: Wants,
}

enum Wants {
    Events {
        chunks: Chunks,
        ready: BytesMut,
    },
    Answer(Option<Assembler>),
    /// The events of an API that is not OpenAI's, as the adapter gives them.
    Own(BytesMut),
}

impl Output {
    /// For a client's call.
    pub(super) fn client(stamp: Stamp, operation: Operation, streaming: bool) -> Self {
        let wants = if streaming && dialect::speaks(operation) {
            Wants::Own(BytesMut::new())
        } else if streaming {
            Wants::Events {
                chunks: Chunks::new(stamp.clone(), operation),
                ready: BytesMut::new(),
            }
        } else {
            Wants::Answer(None)
        };
        Self::to(To::Client(Box::new(Client {
            stamp,
            operation,
            wants,
        })))
    }

    /// For exchanges that give no chunks.
    pub(super) fn none() -> Self {
        Self::to(To::Account)
    }

    /// For when the client is gone: what comes is counted on top of what `before` has counted.
    pub(super) fn account(before: &Self) -> Self {
        Self {
            usage: before.counted(),
            ..Self::none()
        }
    }

    fn to(to: To) -> Self {
        Self {
            to,
            usage: None,
            kept: None,
            begun: false,
        }
    }

    /// Takes a chunk. The error says what is wrong with it.
    pub(super) fn add(&mut self, chunk: &str) -> Result<(), &'static str> {
        self.begun = true;
        let To::Client(client) = &mut self.to else {
            self.count(chunk);
            return Ok(());
        };
        let added = match &mut client.wants {
            Wants::Events { chunks, ready } => chunks.add(chunk, ready),
            Wants::Own(ready) => return dialect::event(chunk, ready).ok_or("an event without its type"),
            Wants::Answer(_) if dialect::speaks(client.operation) => {
                return Err("events for a client that wants a whole answer");
            }
            Wants::Answer(assembler) => assembler
                .get_or_insert_with(|| Assembler::new(client.stamp.clone(), client.operation))
                .add(chunk),
        };
        added.map_err(|flaw| match flaw {
            Flaw::Malformed(_) => "a chunk that is not of OpenAI's shape",
            Flaw::Error(_) => "a chunk that says something went wrong: that is a failure",
        })
    }

    /// True if events wait for the client.
    pub(super) fn ready(&self) -> bool {
        match &self.to {
            To::Client(client) => match &client.wants {
                Wants::Events { ready, .. } | Wants::Own(ready) => !ready.is_empty(),
                Wants::Answer(_) => false,
            },
            To::Account => false,
        }
    }

    /// The events that wait.
    pub(super) fn events(&mut self) -> Bytes {
        match &mut self.to {
            To::Client(client) => match &mut client.wants {
                Wants::Events { ready, .. } | Wants::Own(ready) => ready.split().freeze(),
                Wants::Answer(_) => Bytes::new(),
            },
            To::Account => Bytes::new(),
        }
    }

    /// What the client gets at the end of an answer in chunks: the last events, or the answer put together.
    pub(super) fn end(&mut self) -> Result<Bytes, &'static str> {
        let To::Client(client) = &mut self.to else {
            return Ok(Bytes::new());
        };
        match &mut client.wants {
            Wants::Events { chunks, ready } => {
                chunks.end(ready);
                Ok(ready.split().freeze())
            }
            Wants::Own(ready) => Ok(ready.split().freeze()),
            Wants::Answer(assembler) => {
                let assembler = assembler.take().ok_or("an end without any chunk")?;
                let answer = assembler.finish().map_err(|_| "chunks that make no answer")?;
                self.usage = answer.usage.or(self.usage);
                Ok(answer.body)
            }
        }
    }

    /// What the client gets of a whole answer: itself, completed; or the events of a stream that says the same.
    pub(super) fn answer(&mut self, json: String) -> Result<Bytes, &'static str> {
        let To::Client(client) = &self.to else {
            self.count(&json);
            return Ok(json.into());
        };
        if dialect::speaks(client.operation) {
            return match client.wants {
                Wants::Answer(_) => Ok(json.into()),
                Wants::Events { .. } | Wants::Own(_) => Err("a whole answer for a client that wants this API's events"),
            };
        }
        let (stamp, operation) = (client.stamp.clone(), client.operation);
        let answered = match client.wants {
            Wants::Events { .. } | Wants::Own(_) => chunk::synthesise(stamp, operation, json.into()),
            Wants::Answer(_) => chunk::complete(stamp, operation, json.into()),
        };
        let answer = answered.map_err(|flaw| match flaw {
            Flaw::Malformed(_) => "an answer that is not of OpenAI's shape",
            Flaw::Error(_) => "an answer that says something went wrong: that is a failure",
        })?;
        self.usage = answer.usage.or(self.usage);
        Ok(answer.body)
    }

    /// True if chunks have come.
    pub(super) fn begun(&self) -> bool {
        self.begun
    }

    /// Keeps the end of an exchange that was over with its first step.
    pub(super) fn keep(&mut self, turn: Turn) {
        self.kept = Some(turn);
    }

    /// What was kept.
    pub(super) fn kept(&mut self) -> Option<Turn> {
        self.kept.take()
    }

    /// Reads the usage of a chunk or an answer.
    pub(super) fn count(&mut self, json: &str) {
        let usage = Object::parse(json)
            .ok()
            .and_then(|object| chunk::usage(object.get(json, "usage")?));
        self.usage = usage.or(self.usage);
    }

    fn counted(&self) -> Option<Usage> {
        let streamed = match &self.to {
            To::Client(client) => match &client.wants {
                Wants::Events { chunks, .. } => chunks.usage(),
                // Read where the reply goes by (`dialect::relay`).
                Wants::Answer(_) | Wants::Own(_) => None,
            },
            To::Account => None,
        };
        streamed.or(self.usage)
    }

    /// Puts what was counted into the record.
    pub(super) fn settle(&self, record: &Record) {
        if let Some(usage) = self.counted() {
            record.note(|entry| entry.usage = usage);
        }
    }
}
