//! The adapter runtime: calls to providers whose API only an adapter knows, a WebAssembly component from an untrusted hand.
//!
//! To read in this order: `load` (from a file to an [`Adapter`]: `inspect`, `manifest`), [`engine`](Runtime) (the engines, the pool,
//! the clock), `guest` (the one place where a guest is called, inside a `sandbox` with its `limits`), `parked`, `exchange` (the step
//! machine), and what it uses: `media`, `files`, `request`, `body` and `send` on the way out, `decode` and `output` on the way back,
//! `auth` for credentials an adapter finds out by itself, `wind_down` for clients that leave. `contract` is the generated bindings.
//!
//! A guest sees nothing but its arguments. It has no secret (`transport::tokens`), no clock, no network; it says what to send and the
//! host sends it, if the egress policy lets it. What it may use is bounded, and whatever it does costs its own call and no other.

mod answer;
mod auth;
mod body;
mod completion;
mod contract;
mod decode;
mod engine;
mod exchange;
mod failure;
mod fault;
mod files;
mod guest;
mod inspect;
mod limits;
mod load;
mod log;
pub mod manifest;
mod media;
mod output;
mod parked;
mod request;
mod sandbox;
mod send;
mod site;
mod split;
mod task;
mod wind_down;

use std::sync::Arc;

use bytestring::ByteString;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::HeaderMap;

use self::{
    answer::Answered,
    exchange::Turn,
    output::Output,
    task::{Role, Task},
    wind_down::Held,
};
pub use self::{
    body::Upload,
    engine::{Runtime, StartError},
    inspect::{Found, Unfit, inspect},
    limits::Limits,
    load::{Adapter, Compiled, LoadError},
    manifest::Manifest,
    site::Site,
};
use crate::{
    call::{Call, Operation, object::Object},
    chunk::{self, Stamp},
    error::{Error, Failure, Kind, Result},
    passthrough,
    record::Record,
    reply::{Body, Reply},
    transport::{http::Incoming, tokens::Tokens},
};

/// Answers `call` through the adapter of `site`. `model` is the provider's name for the model, `attempt` counts the tries, the first
/// is 1. An error means that nothing has reached the client, so another provider may be tried.
///
/// Dropping the future, or later the reply's events, tells the provider to stop; what remains to be done then (cancel a job, read its
/// usage) goes on by itself and holds on to `record` until it is done.
pub async fn call(
    runtime: &Runtime,
    site: &Arc<Site>,
    call: &Call,
    model: &str,
    attempt: u32,
    record: &Arc<Record>,
) -> Result<Reply> {
    call_with_files(runtime, site, call, model, attempt, Vec::new(), record).await
}

/// The same for a call that came with files: each takes the place of its field in the body.
pub async fn call_with_files(
    runtime: &Runtime,
    site: &Arc<Site>,
    call: &Call,
    model: &str,
    attempt: u32,
    files: Vec<Upload>,
    record: &Arc<Record>,
) -> Result<Reply> {
    record.note(|entry| entry.adapter = Some(Arc::clone(&site.adapter.id)));
    let mut tokens = Tokens::default();
    let held = files::hold(call, &mut tokens)?;
    let call = held.as_ref().unwrap_or(call);
    // So that a provider of OpenAI's API counts at a stream's end; the client gets it if it asked, too.
    let wish = call.streaming && !call.include_usage;
    let (operation, body) = asked(site, call, model, wish)?;
    let asking = Asking {
        runtime,
        site,
        call,
        model,
        attempt,
        operation,
        tokens,
        record,
    };
    let pieces = if files.is_empty() {
        let default = |field: &str| site.upstream.defaults.iter().find(|(key, _)| key == field);
        let asked = |field: &str| {
            let default = default(field).map(|(_, value)| value.as_str());
            call.field(field).or(default)
        };
        split::bodies(&site.adapter.manifest, operation, &body, asked)?
    } else {
        Vec::new()
    };
    let reply = if pieces.is_empty() {
        match asking.once(body, files, call.streaming).await {
            // Some servers do not know the one field that we add.
            Err(Error::Refused(failure)) if wish && failure.upstream_says("stream_options") => {
                let (_, body) = asked(site, call, model, false)?;
                asking.once(body, Vec::new(), call.streaming).await?
            }
            reply => reply?,
        }
    } else {
        asking.in_pieces(pieces).await?
    };
    if operation == call.operation {
        Ok(reply)
    } else {
        completion::tell(reply, &site.upstream.id)
    }
}

/// A call, and who is asked what.
struct Asking<'a> {
    runtime: &'a Runtime,
    site: &'a Arc<Site>,
    call: &'a Call,
    model: &'a str,
    attempt: u32,
    operation: Operation,
    tokens: Tokens,
    record: &'a Arc<Record>,
}

impl Asking<'_> {
    async fn once(&self, body: ByteString, uploads: Vec<Upload>, streaming: bool) -> Result<Reply> {
        let inputs = match self.operation {
            Operation::Embeddings => inputs(&body),
            _ => 1,
        };
        let task = Task {
            role: Role::Transform,
            operation: self.operation.as_str(),
            model: self.model,
            streaming,
            asked: self.call.body().clone(),
            body,
            tokens: self.tokens.clone(),
            uploads,
            request: self.call.id.as_str().into(),
            attempt: self.attempt,
            headers: forwarded(self.site, self.call),
            out: Output::client(stamp(self.call), self.operation, streaming),
        };
        let held = Held::begin(self.runtime, self.site, task, self.record).await?;
        let answered = if streaming {
            answer::events(held).await?
        } else {
            answer::whole(held).await?
        };
        match answered {
            Answered::Made(reply) => Ok(reply),
            Answered::Relayed(headers, incoming) => self.relayed(headers, *incoming, streaming, inputs).await,
        }
    }

    /// What a provider sent for the client as it is: it speaks the API that was asked, so it is read as any other's that does.
    async fn relayed(&self, exposed: HeaderMap, incoming: Incoming, streaming: bool, inputs: usize) -> Result<Reply> {
        let asked = passthrough::Asked {
            upstream: &self.site.upstream,
            operation: self.operation,
            streaming,
            renamed: passthrough::renamed(self.call, self.model),
            stamp: stamp(self.call),
            inputs,
            limit: self.runtime.limits().reply,
            record: self.record,
        };
        let mut reply = asked.read(incoming).await?;
        reply.headers.extend(exposed);
        Ok(reply)
    }

    /// Several calls and one answer, of which a client that wants a stream gets one made.
    async fn in_pieces(&self, bodies: Vec<String>) -> Result<Reply> {
        let calls = bodies.into_iter().map(|body| self.once(body.into(), Vec::new(), false));
        let replies: Vec<Reply> = stream::iter(calls).buffered(split::AT_ONCE).try_collect().await?;
        let mut headers = HeaderMap::new();
        let mut answers = Vec::with_capacity(replies.len());
        for reply in replies {
            headers = reply.headers;
            if let Body::Whole(answer) = reply.body {
                answers.push(answer);
            }
        }
        let lie = || held_lie(self.site, "answers that cannot be joined to one");
        let joined = split::join(self.operation, &answers).ok_or_else(lie)?;
        let made = if self.call.streaming {
            chunk::synthesise(stamp(self.call), self.operation, joined)
        } else {
            chunk::complete(stamp(self.call), self.operation, joined)
        };
        let made = made.map_err(|_| lie())?;
        // Each of the calls has noted its own: the account is of all.
        if let Some(usage) = made.usage {
            self.record.note(|entry| entry.usage = usage);
        }
        let body = if self.call.streaming {
            Body::Events(Box::pin(stream::iter([Ok(made.body)])))
        } else {
            Body::Whole(made.body)
        };
        Ok(Reply {
            status: 200,
            headers,
            body,
        })
    }
}

/// What the adapter is asked: the client's request where it serves that, else one it serves that means the same.
/// `wish`: for usage at the end of a stream.
fn asked(site: &Site, call: &Call, model: &str, wish: bool) -> Result<(Operation, ByteString)> {
    let serves = |operation: Operation| site.adapter.manifest.serves(operation.as_str());
    let body = passthrough::body(call, model, &site.upstream.defaults, wish);
    if serves(call.operation) {
        return Ok((call.operation, body));
    }
    if call.operation == Operation::Completions && serves(Operation::Chat) {
        return Ok((Operation::Chat, completion::ask(call, &body)?.into()));
    }
    let (operation, id) = (call.operation.as_str(), &site.adapter.id);
    let message = format!("`{operation}` is not supported by the adapter `{id}`");
    Err(Error::Refused(Box::new(Failure::new(Kind::Unsupported, message))))
}

/// How many inputs the client's request for embeddings has, or a part of it.
fn inputs(body: &str) -> usize {
    let fields = Object::parse(body).ok();
    passthrough::inputs(fields.and_then(|fields| fields.get(body, "input")))
}

/// The models a provider lists, as OpenAI model objects; `None` if its adapter cannot list them.
pub async fn models(
    runtime: &Runtime,
    site: &Arc<Site>,
    record: &Arc<Record>,
) -> Result<Option<Vec<serde_json::Value>>> {
    if site.adapter.exports.models.is_none() {
        return Ok(None);
    }
    let mut held = Held::begin(runtime, site, Task::bare(Role::Models), record).await?;
    let turn = held.advance().await?;
    let lie = || held_lie(site, "a model list that is not {data: [{id}]}");
    let Turn::Answer(json) = turn else {
        return Err(lie());
    };
    let mut list: serde_json::Value = serde_json::from_str(&json).map_err(|_| lie())?;
    let serde_json::Value::Array(models) = list["data"].take() else {
        return Err(lie());
    };
    if models.iter().any(|model| !model["id"].is_string()) {
        return Err(lie());
    }
    Ok(Some(models))
}

/// What an answer is called that does not say so itself.
fn stamp(call: &Call) -> Stamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Stamp {
        id: format!("chatcmpl-{}", call.id),
        created: now.unwrap_or_default().as_secs(),
        model: call.model.clone(),
        include_usage: call.include_usage,
        base64: call.base64,
    }
}

fn held_lie(site: &Site, what: &str) -> Error {
    Error::AdapterOutput {
        adapter: site.adapter.id.to_string(),
        what: what.to_owned(),
    }
}

/// The client's headers that the adapter asked for.
fn forwarded(site: &Site, call: &Call) -> Vec<(String, String)> {
    let wanted = &site.adapter.manifest.forward_headers;
    let found = wanted.iter().filter_map(|name| {
        let value = call.headers.get(name)?.to_str().ok()?;
        Some((format!("header.{name}"), value.to_owned()))
    });
    found.collect()
}
