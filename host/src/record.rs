//! The account of one request. Everybody who works on a request holds the same [`Record`]; when the last of them lets go (the answer
//! is out, the client has left, a provider's job is cancelled) it closes itself in `Drop`: one log line and one set of metrics,
//! whatever happened, exactly once.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use hyper::header::HeaderValue;

use crate::{
    error::{Error, Side},
    price::{Cost, Price},
    reply::Usage,
    telemetry::Telemetry,
};

/// How many dropped fields are noted, and how long the header gets that names them.
const MOST_DROPPED: usize = 64;
const LONGEST_HEADER: usize = 4 << 10;

/// What is known of a request. See the field docs of [`Entry`].
pub struct Record {
    telemetry: Arc<Telemetry>,
    started: Instant,
    entry: Mutex<Entry>,
}

/// What a closed record says.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// `x-request-id`.
    pub id: String,
    /// The contract's word, or the route of a request that is no call.
    pub operation: &'static str,
    /// As the client wrote it.
    pub model: String,
    /// The provider that answered, or was tried last.
    pub provider: Option<Arc<str>>,
    /// Its name for the model.
    pub upstream_model: Option<String>,
    /// `name@version` of the adapter that translated.
    pub adapter: Option<Arc<str>>,
    /// The client wanted chunks.
    pub streaming: bool,
    /// What the client saw; 499 if it left before that.
    pub status: u16,
    /// Whose fault an error was, and [`Error::word`].
    pub error: Option<(Side, &'static str)>,
    /// The provider's own words about its refusal. For the log only.
    pub upstream_error: Option<String>,
    /// What was counted.
    pub usage: Usage,
    /// What one of each costs, if that is known.
    pub price: Option<Arc<Price>>,
    /// The fields of the client's request that its provider did not get, as paths without indices.
    pub dropped: Vec<String>,
    /// Tries: how often providers were sent a request for this call, repeats and other providers included. What an adapter asks for
    /// after a try's first request (polls), and what is refused before any is sent, is none.
    pub attempts: u32,
    /// Time spent waiting: for providers, and before another try.
    pub upstream: Duration,
    /// Time in adapters' code, and the number of calls of it.
    pub adapter_cpu: Duration,
    /// Calls into the adapter.
    pub adapter_calls: u32,
    /// From the request's arrival to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// From the request's arrival to the last byte of the answer.
    pub total: Duration,
}

impl Entry {
    /// What the request cost, if that is known.
    pub fn cost(&self) -> Option<Cost> {
        self.price.as_ref()?.cost(&self.usage)
    }
}

impl Record {
    /// Opens the account of a request that has just arrived.
    pub fn open(telemetry: Arc<Telemetry>, id: String, operation: &'static str) -> Arc<Self> {
        telemetry.opened();
        let entry = Entry {
            id,
            operation,
            ..Entry::default()
        };
        Arc::new(Self {
            telemetry,
            started: Instant::now(),
            entry: Mutex::new(entry),
        })
    }

    /// Notes something.
    pub fn note(&self, change: impl FnOnce(&mut Entry)) {
        change(&mut self.lock());
    }

    /// Notes fields that the provider does not get. A path is noted once.
    pub fn dropped<'f>(&self, fields: impl IntoIterator<Item = &'f str>) {
        let mut entry = self.lock();
        for field in fields {
            if entry.dropped.len() < MOST_DROPPED && !entry.dropped.iter().any(|noted| noted == field) {
                entry.dropped.push(field.to_owned());
            }
        }
    }

    /// The fields that were dropped, for a header.
    pub fn told_dropped(&self) -> Option<HeaderValue> {
        let dropped = self.lock().dropped.join(", ");
        // A client may call its fields what it likes.
        let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
        let dropped: String = dropped.chars().map(plain).take(LONGEST_HEADER).collect();
        HeaderValue::try_from(dropped).ok().filter(|value| !value.is_empty())
    }

    /// Notes how a request failed.
    pub fn failed(&self, error: &Error) {
        let mut entry = self.lock();
        entry.status = error.status();
        entry.error = Some((error.side(), error.word()));
        if let Error::Refused(failure) = error {
            entry.upstream_error.clone_from(&failure.upstream);
        }
    }

    /// Waits, on purpose, and notes it.
    pub async fn wait(&self, pause: Duration) {
        let since = Instant::now();
        tokio::time::sleep(pause).await;
        self.note(|entry| entry.upstream += since.elapsed());
    }

    /// Lets other requests that are ready come as far as this one is, if there are others. The code of a whole request is larger than a
    /// processor's second-level cache: taken from end to end one after the other, each request fetches all of it anew from further
    /// away. Requests that take each step together (an instance, the guest's code, sending, the answer) find that step's code near.
    pub async fn keep_step(&self) {
        if self.telemetry.active() > 1 {
            tokio::task::yield_now().await;
        }
    }

    /// Notes that the first byte of the answer leaves now.
    pub fn first_byte(&self) {
        let elapsed = self.started.elapsed();
        self.lock().first_byte.get_or_insert(elapsed);
    }

    /// The status noted so far; 0 is none.
    pub fn status(&self) -> u16 {
        self.lock().status
    }

    fn lock(&self) -> MutexGuard<'_, Entry> {
        self.entry.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let total = self.started.elapsed();
        let entry = self.entry.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        entry.total = total;
        if entry.status == 0 {
            entry.status = 499;
            entry.error.get_or_insert((Side::Client, Error::ClientGone.word()));
        }
        self.telemetry.closed(std::mem::take(entry));
    }
}
