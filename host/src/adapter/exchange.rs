//! The step machine. An [`Exchange`] is one conversation with a provider through one instance of an adapter: the guest says what to do
//! next, the host does it, until there is an answer. [`Exchange::advance`] runs it to the next thing the client can have. Where an
//! exchange stands ([`At`]) is always written down before something is awaited, so that it can be wound up properly if the client
//! leaves at any await (`wind_down`).

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::Instant;

use super::{
    auth::{self, Credentials},
    body::Uploads,
    contract::{Context, Fetch, HttpResponse, Payload, Resumption, Step},
    decode::Decoding,
    engine::Runtime,
    failure,
    guest::{Guest, Planned},
    media,
    output::Output,
    request::{self, Reading, Ready, Surroundings},
    send::{LONGEST_PAUSE, Received, Sending},
    site::Site,
    task::{Role, Task, context, pairs, payload},
};
use crate::{
    call,
    error::{Error, Result},
    record::Record,
    transport::{http::Incoming, renewed::Held, tokens::Tokens},
};

/// How far an exchange has come.
pub(super) enum Turn {
    /// Chunks wait in the output.
    Chunks,
    /// The whole answer, in JSON. It is over.
    Answer(String),
    /// The end of an answer in chunks; the last ones may wait in the output. It is over.
    End,
    /// A 2xx reply whose body goes to the client untouched. It is over.
    Relay(Box<Incoming>),
}

/// One conversation with a provider.
pub(super) struct Exchange {
    pub(super) runtime: Runtime,
    pub(super) site: Arc<Site>,
    pub(super) record: Arc<Record>,
    pub(super) guest: Guest,
    pub(super) role: Role,
    /// The client's request, until a stream is opened.
    pub(super) asked: call::Body,
    pub(super) context: Context,
    pub(super) at: At,
    pub(super) out: Output,
    /// The provider's headers that the client may see, of the last reply.
    pub(super) exposed: HeaderMap,
    tokens: Tokens,
    uploads: Uploads,
    credentials: Option<Arc<Held<Credentials>>>,
    /// New credentials were fetched after a 401: that is done once.
    renewed: bool,
    pub(super) requests: u32,
    /// When it has to be over.
    pub(super) deadline: Instant,
    /// Went wrong after chunks that the client is to have first.
    late: Option<Error>,
}

/// Where an exchange stands.
pub(super) enum At {
    /// A request waits, or is under way.
    Fetch(Box<Pending>),
    /// A stream is being read.
    Stream(Box<Decoding>),
    /// Nothing is left to do.
    Over,
}

/// A request that waits, or is under way.
pub(super) struct Pending {
    pub(super) ready: Arc<Ready>,
    pub(super) state: String,
    /// Not before.
    until: Option<Instant>,
    /// Kept here and not in a future of ours: it can outlive its client.
    pub(super) flight: Option<Pin<Box<dyn Future<Output = Result<Received>> + Send>>>,
    /// Repeated since the guest said that the failure passes.
    repeats: u32,
}

impl Exchange {
    /// An instance, and its first step.
    pub(super) async fn begin(
        runtime: &Runtime,
        site: &Arc<Site>,
        mut task: Task<'_>,
        record: &Arc<Record>,
    ) -> Result<Box<Self>> {
        let credentials = match task.role {
            Role::Authenticate => None,
            Role::Transform | Role::Models => auth::credentials(runtime, site, record).await?,
        };
        let mut tokens = std::mem::take(&mut task.tokens);
        if site.adapter.manifest.media_inline && task.role == Role::Transform {
            task.body = Box::pin(media::inline(site, task.body, &mut tokens, record)).await?;
        }
        let body = String::from(std::mem::take(&mut task.body));
        let guest = Guest::new(runtime, site, &task.request).await?;
        let context = context(runtime, site, &task, credentials.as_deref(), &mut tokens)?;
        let (uploads, body) = if task.uploads.is_empty() {
            (Uploads::default(), body)
        } else {
            Uploads::keep(task.uploads, &body, &mut tokens)?
        };
        let mut exchange = Box::new(Self {
            runtime: runtime.clone(),
            site: Arc::clone(site),
            record: Arc::clone(record),
            guest,
            role: task.role,
            asked: task.asked,
            context,
            at: At::Over,
            out: task.out,
            exposed: HeaderMap::new(),
            tokens,
            uploads,
            credentials,
            renewed: false,
            requests: 0,
            deadline: Instant::now() + runtime.limits().wall_clock,
            late: None,
        });
        record.keep_step().await;
        exchange.plan(&body).await?;
        record.keep_step().await;
        Ok(exchange)
    }

    /// The first step.
    async fn plan(&mut self, body: &String) -> Result<()> {
        let planned = match self.role {
            Role::Transform => self.guest.transform_request(&self.context, body).await,
            Role::Authenticate => self.guest.authenticate(&self.context, None).await,
            Role::Models => self.guest.get_models(&self.context, None).await,
        };
        let step = self.planned(planned)?;
        if let Some(turn) = self.take(step, None)? {
            self.out.keep(turn);
        }
        Ok(())
    }

    /// Runs until there is something for the client. After an answer, an end, a relay or an error it is over.
    pub(super) async fn advance(&mut self) -> Result<Turn> {
        if let Some(error) = self.late.take() {
            return Err(error);
        }
        if let Some(turn) = self.out.kept() {
            return Ok(turn);
        }
        loop {
            if self.out.ready() {
                return Ok(Turn::Chunks);
            }
            let turned = match &self.at {
                At::Over => return Ok(Turn::End),
                At::Fetch(_) => self.fetch().await,
                At::Stream(_) => self.read().await,
            };
            match turned {
                Ok(Some(turn)) => return Ok(turn),
                Ok(None) => {}
                Err(error) if self.out.ready() => {
                    self.late = Some(error);
                    return Ok(Turn::Chunks);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends the pending request and shows the guest the reply.
    pub(super) async fn fetch(&mut self) -> Result<Option<Turn>> {
        match self.receive().await? {
            Received::Whole { status, headers, body } => self.respond(status, &headers, body).await,
            Received::Flowing(incoming) => {
                self.expose(&incoming.headers);
                let At::Fetch(pending) = &self.at else {
                    return Err(Error::Internal("a reply without a request"));
                };
                let (reading, state) = (pending.ready.reading, pending.state.clone());
                match reading {
                    Reading::Frames(framing) => self.open(*incoming, framing, state).await.map(|()| None),
                    Reading::Relay | Reading::Whole => {
                        self.at = At::Over;
                        Ok(Some(Turn::Relay(incoming)))
                    }
                }
            }
        }
    }

    /// Waits until it is time, then until the reply is there; with new credentials once, if the provider refuses the old.
    async fn receive(&mut self) -> Result<Received> {
        loop {
            let At::Fetch(pending) = &mut self.at else {
                return Err(Error::Internal("a reply without a request"));
            };
            if let Some(until) = pending.until {
                self.record.wait(until.saturating_duration_since(Instant::now())).await;
                pending.until = None;
            }
            let sending = || Sending {
                ready: Arc::clone(&pending.ready),
                site: Arc::clone(&self.site),
                credentials: self.credentials.clone(),
                record: Arc::clone(&self.record),
                limit: self.runtime.limits().reply,
                tries: self.role == Role::Transform && self.requests == 1,
            };
            let flight = pending.flight.get_or_insert_with(|| Box::pin(sending().run()));
            let received = flight.as_mut().await;
            pending.flight = None;
            let refused = matches!(&received, Ok(Received::Whole { status: 401, .. })) && pending.ready.credentialed;
            let Some(credentials) = self.credentials.as_ref().filter(|_| refused && !self.renewed) else {
                return received;
            };
            self.renewed = true;
            self.site.credentials.forget(credentials);
            self.credentials = auth::credentials(&self.runtime, &self.site, &self.record).await?;
        }
    }

    /// Shows the guest a reply that was read whole, and takes its next step.
    async fn respond(&mut self, status: u16, headers: &HeaderMap, body: Bytes) -> Result<Option<Turn>> {
        self.expose(headers);
        let At::Fetch(pending) = &self.at else {
            return Err(Error::Internal("a reply without a request"));
        };
        let relayed = pending.ready.reading == Reading::Relay;
        let reply = Resumption {
            state: pending.state.clone(),
            response: HttpResponse {
                status,
                headers: pairs(headers),
                body: payload(body, status, &self.tokens),
            },
        };
        let planned = match self.role {
            Role::Transform => self.guest.transform_response(&self.context, &reply).await,
            Role::Authenticate => self.guest.authenticate(&self.context, Some(&reply)).await,
            Role::Models => self.guest.get_models(&self.context, Some(&reply)).await,
        };
        self.record.keep_step().await;
        if self.passes(status, &planned) {
            return Ok(None);
        }
        let step = self.planned(planned).map_err(|error| match &reply.response.body {
            Payload::Text(text) if relayed => in_its_own_words(error, text),
            _ => error,
        })?;
        self.take(step, Some(status))
    }

    /// True if the guest found a failure that passes in a reply that did not look like one, and the request will be repeated. (By
    /// its status alone a reply is repeated before the guest sees it.)
    fn passes(&mut self, status: u16, planned: &Planned) -> bool {
        let (At::Fetch(pending), Ok(Err(failure))) = (&mut self.at, planned) else {
            return false;
        };
        let asked = Duration::from_millis(failure.retry_after_ms.unwrap_or(500).into());
        let again = self.role == Role::Transform
            && status < 400
            && pending.ready.idempotent
            && pending.repeats < self.site.upstream.retries
            && asked <= LONGEST_PAUSE
            && failure::passes(&failure.kind);
        if again {
            pending.repeats += 1;
            pending.until = Some(Instant::now() + asked);
        }
        again
    }

    /// Settles what a call of the guest's gave: what it cost, and whether it failed.
    pub(super) fn planned<T>(&mut self, planned: Result<Result<T, super::contract::Failure>>) -> Result<T> {
        let spent = self.guest.spent();
        self.record.note(|entry| {
            entry.adapter_cpu += spent.time;
            entry.adapter_calls += spent.calls;
        });
        planned?.map_err(|failure| {
            self.at = At::Over;
            failure::refused(failure)
        })
    }

    /// Takes the guest's next step. `status` is that of the reply it was shown.
    pub(super) fn take(&mut self, step: Step, status: Option<u16>) -> Result<Option<Turn>> {
        match step {
            Step::Fetch(fetch) => self.schedule(fetch).map(|()| None),
            Step::Done(answer) => {
                if status.is_some_and(|status| status >= 400) {
                    return Err(self.lie("an answer made of a reply that says it failed"));
                }
                if self.out.begun() {
                    return Err(self.lie("a whole answer after chunks of it"));
                }
                self.at = At::Over;
                Ok(Some(Turn::Answer(answer)))
            }
            Step::End(chunks) => {
                self.emit(chunks)?;
                self.at = At::Over;
                Ok(Some(Turn::End))
            }
        }
    }

    fn schedule(&mut self, fetch: Fetch) -> Result<()> {
        self.emit(fetch.emit)?;
        self.requests += 1;
        let most = self.runtime.limits().steps;
        if self.requests > most {
            return Err(self.lie(&format!("more than {most} requests for one call")));
        }
        self.note_dropped(&fetch.request.ext)?;
        let around = Surroundings {
            site: &self.site,
            tokens: &self.tokens,
            uploads: &self.uploads,
        };
        let ready = request::prepare(fetch.request, &around)?;
        let until = self.not_before(Duration::from_millis(fetch.delay_ms.into()))?;
        self.at = At::Fetch(Box::new(Pending {
            ready: Arc::new(ready),
            state: fetch.state,
            until,
            flight: None,
            repeats: 0,
        }));
        Ok(())
    }

    /// Notes what the guest says that this request leaves out of the client's, before it is sent. Of what is inside of other fields it
    /// need not know whether the client's has it.
    fn note_dropped(&self, ext: &[(String, String)]) -> Result<()> {
        let paths = ext
            .iter()
            .filter(|(key, _)| key == "dropped")
            .flat_map(|(_, paths)| paths.split(','));
        let dropped: Vec<&str> = paths
            .filter(|path| !path.contains('.') || self.asked.asks(path))
            .collect();
        self.site.drop_params.check(dropped.iter().copied())?;
        self.record.dropped(dropped);
        Ok(())
    }

    /// When a request is sent that is to wait: now, if nobody is there who would not be ready. A wait that nobody sees the end of is
    /// not begun.
    fn not_before(&self, wait: Duration) -> Result<Option<Instant>> {
        if wait.is_zero() || self.site.upstream.client.is_canned() {
            return Ok(None);
        }
        let until = Instant::now() + wait;
        if until > self.deadline {
            return Err(Error::AdapterTimeout {
                adapter: self.site.adapter.id.to_string(),
                limit: self.runtime.limits().wall_clock,
            });
        }
        Ok(Some(until))
    }

    /// Passes chunks on.
    pub(super) fn emit(&mut self, chunks: Vec<String>) -> Result<()> {
        for chunk in chunks {
            self.out.add(&chunk).map_err(|what| self.lie(what))?;
        }
        Ok(())
    }

    /// The tokens of this exchange.
    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The error for a guest that broke a rule; `what` is ours, never the guest's text.
    pub(super) fn lie(&self, what: &str) -> Error {
        Error::AdapterOutput {
            adapter: self.site.adapter.id.to_string(),
            what: what.to_owned(),
        }
    }

    pub(super) fn expose(&mut self, headers: &HeaderMap) {
        for (theirs, ours) in &self.site.adapter.manifest.expose_headers {
            if let Some(value) = headers.get(theirs) {
                self.exposed.insert(ours, value.clone());
            }
        }
    }
}

/// The refusal of a request whose answer would have gone to the client as it is: so does the refusal, if it is an envelope of an API.
fn in_its_own_words(error: Error, body: &str) -> Error {
    let Error::Refused(mut failure) = error else {
        return error;
    };
    let said: Option<serde_json::Value> = serde_json::from_str(body).ok();
    if said.is_some_and(|said| said["error"]["message"].is_string()) {
        failure.own = Some(Bytes::copy_from_slice(body.as_bytes()));
    }
    Error::Refused(failure)
}
