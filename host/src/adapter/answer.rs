//! What a client gets of an exchange: a [`Reply`], whole or as events.

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;

use super::{exchange::Turn, wind_down::Held};
use crate::{
    error::{Error, Result},
    reply::{Body, Events, Reply},
    transport::http::Incoming,
};

const NO_EXCHANGE: Error = Error::Internal("an answer without an exchange");

/// What came of an exchange.
pub(super) enum Answered {
    /// A reply that the adapter made.
    Made(Reply),
    /// What the provider sent, for the client as it is, and the headers that the client may see.
    Relayed(HeaderMap, Box<Incoming>),
}

/// An answer for a client that wants it whole.
pub(super) async fn whole(mut held: Held) -> Result<Answered> {
    loop {
        let turn = held.advance().await?;
        let exchange = held.get().ok_or(NO_EXCHANGE)?;
        let body = match turn {
            Turn::Chunks => continue,
            Turn::Answer(json) => exchange.out.answer(json).map_err(|what| exchange.lie(what))?,
            Turn::End => exchange.out.end().map_err(|what| exchange.lie(what))?,
            Turn::Relay(incoming) => return Ok(Answered::Relayed(std::mem::take(&mut exchange.exposed), incoming)),
        };
        let headers = std::mem::take(&mut exchange.exposed);
        return Ok(Answered::Made(reply(headers, Body::Whole(body))));
    }
}

/// An answer for a client that wants chunks. It begins when the first of them are there: until then an error is an error, and another
/// provider may be tried.
pub(super) async fn events(mut held: Held) -> Result<Answered> {
    let first = next(&mut held).await?;
    let exchange = held.get().ok_or(NO_EXCHANGE)?;
    let headers = std::mem::take(&mut exchange.exposed);
    let events = match first {
        Next::Events(events) => stream_of(events, Some(held)),
        Next::Last(events) => stream_of(events, None),
        Next::Relay(incoming) => return Ok(Answered::Relayed(headers, incoming)),
    };
    Ok(Answered::Made(reply(headers, Body::Events(events))))
}

enum Next {
    Events(Bytes),
    Last(Bytes),
    Relay(Box<Incoming>),
}

async fn next(held: &mut Held) -> Result<Next> {
    let turn = held.advance().await?;
    let exchange = held.get().ok_or(NO_EXCHANGE)?;
    Ok(match turn {
        Turn::Chunks => Next::Events(exchange.out.events()),
        Turn::Answer(json) => Next::Last(exchange.out.answer(json).map_err(|what| exchange.lie(what))?),
        Turn::End => Next::Last(exchange.out.end().map_err(|what| exchange.lie(what))?),
        Turn::Relay(incoming) => Next::Relay(incoming),
    })
}

/// The events that are there, then those that `held` still gives.
fn stream_of(first: Bytes, held: Option<Held>) -> Events {
    Box::pin(stream::unfold((Some(first), held), async |(first, held)| {
        if let Some(first) = first {
            return Some((Ok(first), (None, held)));
        }
        let mut held = held?;
        Some(match next(&mut held).await {
            Ok(Next::Events(events)) => (Ok(events), (None, Some(held))),
            Ok(Next::Last(events)) => (Ok(events), (None, None)),
            Ok(Next::Relay(_)) => (Err(Error::Internal("a relay after chunks")), (None, None)),
            Err(error) => (Err(error), (None, None)),
        })
    }))
}

fn reply(headers: HeaderMap, body: Body) -> Reply {
    Reply {
        status: 200,
        headers,
        body,
    }
}
