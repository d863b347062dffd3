//! What happens when an exchange is broken off: the client left, the provider's stream broke, time was up. The request that is under
//! way is dropped at once, so that the provider stops; then the adapter may send what it has to send (a prediction must not run on,
//! the usage has to be read), bounded in time, while the record stays open so that all of it is accounted for.
//!
//! One request is not dropped: one that may have created a job and may not be sent twice. Without its reply nobody knows what to
//! cancel, so it is allowed to finish, and then cancelled. That is for adapters with the `jobs` interface; of others there is nothing
//! to cancel, and closing the connection is all a provider can be told.

use std::pin::Pin;

use tokio::time::{Instant, Sleep};

use super::{
    engine::Runtime,
    exchange::{At, Exchange, Turn},
    guest::Guest,
    output::Output,
    site::Site,
    task::{Role, Task},
};
use crate::{
    error::{Error, Result},
    record::Record,
};

/// Holds an exchange for a client. Dropped before the exchange is over, it winds it down.
pub(super) struct Held {
    exchange: Option<Box<Exchange>>,
    deadline: Pin<Box<Sleep>>,
}

impl Held {
    /// Begins an exchange for a client.
    pub(super) async fn begin(
        runtime: &Runtime,
        site: &std::sync::Arc<Site>,
        task: Task<'_>,
        record: &std::sync::Arc<Record>,
    ) -> Result<Self> {
        let mut deadline = Box::pin(tokio::time::sleep(runtime.limits().wall_clock));
        let begun = Exchange::begin(runtime, site, task, record);
        let exchange = tokio::select! {
            biased;
            begun = begun => begun?,
            () = &mut deadline => return Err(late(runtime, site)),
        };
        Ok(Self {
            exchange: Some(exchange),
            deadline,
        })
    }

    /// As [`Exchange::advance`], with an end to all patience.
    pub(super) async fn advance(&mut self) -> Result<Turn> {
        let Some(exchange) = &mut self.exchange else {
            return Ok(Turn::End);
        };
        tokio::select! {
            biased;
            turn = exchange.advance() => return turn,
            () = &mut self.deadline => {}
        }
        if let At::Stream(stream) = &mut exchange.at {
            stream.reason = "timeout";
        }
        Err(late(&exchange.runtime, &exchange.site))
    }

    /// The exchange, as long as it is held.
    pub(super) fn get(&mut self) -> Option<&mut Exchange> {
        self.exchange.as_deref_mut()
    }
}

fn late(runtime: &Runtime, site: &Site) -> Error {
    Error::AdapterTimeout {
        adapter: site.adapter.id.to_string(),
        limit: runtime.limits().wall_clock,
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut exchange) = self.exchange.take() else {
            return;
        };
        exchange.out.settle(&exchange.record);
        if !exchange.has_more_to_say() {
            exchange.retire();
            return;
        }
        let runtime = exchange.runtime.clone();
        runtime.wind_down(async move {
            let limit = exchange.runtime.limits().wind_down;
            let provider = exchange.site.upstream.id.clone();
            match tokio::time::timeout(limit, exchange.wind_down()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(provider, "after a client had left: {error}"),
                Err(_) => tracing::warn!(provider, "after a client had left: not done within {limit:?}"),
            }
            exchange.out.settle(&exchange.record);
        });
    }
}

/// What an exchange that is broken off has left behind.
enum Left {
    Nothing,
    /// An open decoder, to be told why it ends.
    Decoder(&'static str),
    /// A job of this state, to be cancelled.
    Job(String),
}

impl Exchange {
    fn has_more_to_say(&self) -> bool {
        let jobs = self.site.adapter.exports.jobs.is_some();
        match &self.at {
            _ if self.role != Role::Transform => false,
            At::Over => false,
            At::Fetch(_) => jobs,
            At::Stream(_) => jobs || self.guest.usable(),
        }
    }

    /// It came to its end: its instance may serve another call.
    fn retire(self) {
        if matches!(self.at, At::Over) && self.role == Role::Transform {
            self.guest.park(&self.runtime, &self.site);
        }
    }

    async fn wind_down(&mut self) -> Result<()> {
        self.out = Output::account(&self.out);
        // Whoever is broken off for asking too often may still say goodbye.
        self.requests = 0;
        self.deadline = Instant::now() + self.runtime.limits().wind_down;
        self.land().await?;
        let turn = match self.left() {
            Left::Nothing => return Ok(()),
            Left::Decoder(reason) => self.finish(reason).await?,
            Left::Job(state) => self.cancel(state).await?,
        };
        self.follow(turn).await
    }

    fn left(&self) -> Left {
        match &self.at {
            At::Over => Left::Nothing,
            At::Stream(stream) if self.guest.usable() => Left::Decoder(stream.reason),
            At::Stream(stream) => Left::Job(stream.state.clone()),
            At::Fetch(pending) => Left::Job(pending.state.clone()),
        }
    }

    /// Drops the request that is under way, or lets it finish if it may have begun something.
    async fn land(&mut self) -> Result<()> {
        let At::Fetch(pending) = &mut self.at else {
            return Ok(());
        };
        if pending.flight.is_none() || !self.guest.usable() {
            return Ok(());
        }
        if pending.ready.idempotent {
            pending.flight = None;
            return Ok(());
        }
        if let Some(turn) = self.fetch().await? {
            self.account(turn);
        }
        Ok(())
    }

    /// Asks the adapter how to call a job off; on a fresh instance, if the old one is broken.
    async fn cancel(&mut self, state: String) -> Result<Option<Turn>> {
        if !self.guest.usable() {
            let request = self.context.request_id.as_str().into();
            self.guest = Guest::new(&self.runtime, &self.site, &request).await?;
        }
        let planned = self.guest.cancel(&self.context, &state).await;
        let step = self.planned(planned)?;
        self.at = At::Over;
        self.take(step, None)
    }

    /// Goes on to the end; what comes out is for the account only.
    async fn follow(&mut self, first: Option<Turn>) -> Result<()> {
        let mut turn = first;
        loop {
            match turn.take() {
                Some(over @ (Turn::Answer(_) | Turn::End | Turn::Relay(_))) => {
                    self.account(over);
                    return Ok(());
                }
                Some(Turn::Chunks) | None => turn = Some(self.advance().await?),
            }
        }
    }

    fn account(&mut self, turn: Turn) {
        if let Turn::Answer(json) = turn {
            self.out.count(&json);
        }
    }
}
