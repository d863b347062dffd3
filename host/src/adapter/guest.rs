//! The one place where guests are called: [`Guest`] is one instance of one adapter, for one exchange. It is fresh when the exchange
//! begins and gone when it ends, so nothing of one call can be seen by another, unless the operator wants it otherwise (`parked`);
//! after a trap it is dead.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use wasmtime::{
    Store, UpdateDeadline,
    component::{Instance, InstancePre, ResourceAny},
};

use super::{
    contract::{Context, Exports, Failure, Resumption, Step, streaming, transform, types::Pairs},
    engine::{Runtime, Slot, TICK},
    fault::Rules,
    limits::Limits,
    load::Adapter,
    log::Logger,
    sandbox::Sandbox,
    site::Site,
};
use crate::error::{Error, Result};

/// What a planning function returns: the outer error is the gateway's view of a broken guest, the inner one the adapter's own.
pub(super) type Planned = Result<Result<Step, Failure>>;

/// An instance of an adapter, for one exchange.
pub(super) struct Guest {
    live: Live,
    adapter: Arc<Adapter>,
    rules: Rules,
    condition: Condition,
    /// Its instance may serve another call after this one.
    goes_on: bool,
    spent: Spent,
    /// Held as long as the instance lives: the pool has a place for it.
    _slot: Slot,
}

/// An instance, and what it exports.
pub(super) struct Live {
    store: Store<Sandbox>,
    instance: Instance,
    transform: transform::Guest,
    streaming: Option<streaming::Guest>,
    /// The calls it was made or taken for.
    calls: u32,
    /// It holds a decoder.
    decodes: bool,
}

/// Whether an instance can be called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Idle,
    /// A call is under way; or it was, and its future was dropped in the middle.
    Inside,
    Dead,
}

/// What a guest has used since it was last asked.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) time: Duration,
    pub(super) calls: u32,
}

/// A stream's decoder inside the guest.
#[derive(Clone, Copy)]
pub(super) struct Decoder(ResourceAny);

impl Live {
    async fn new(runtime: &Runtime, site: &Arc<Site>, request: &Arc<str>, rules: &Rules) -> Result<Self> {
        let (adapter, limits) = (&site.adapter, runtime.limits());
        let logger = Arc::clone(&adapter.logger);
        let sandbox = Sandbox::new(limits, logger, Arc::clone(request), Some(Arc::clone(site)));
        let (mut store, instance) = instantiate(limits, &adapter.pre, sandbox)
            .await
            .map_err(|e| rules.fault(&e, None))?;
        let transform = adapter.exports.transform.load(&mut store, &instance);
        let transform = transform.map_err(|e| rules.fault(&e, Some(store.data())))?;
        Ok(Self {
            store,
            instance,
            transform,
            streaming: None,
            calls: 1,
            decodes: false,
        })
    }

    /// The same instance for another call.
    fn again(mut self, site: &Arc<Site>, request: &Arc<str>) -> Self {
        self.store.data_mut().enter(Arc::clone(site), Arc::clone(request));
        self.calls += 1;
        self
    }
}

impl Guest {
    /// An instance for one exchange with `site`: a fresh one, unless one is parked.
    pub(super) async fn new(runtime: &Runtime, site: &Arc<Site>, request: &Arc<str>) -> Result<Self> {
        let adapter = Arc::clone(&site.adapter);
        let slot = runtime.slot(Some(&adapter.share)).await?;
        let rules = Rules::new(runtime.limits(), Arc::clone(&adapter.id));
        let started = Instant::now();
        let live = match site.parked.take() {
            Some(live) => live.again(site, request),
            None => Live::new(runtime, site, request, &rules).await?,
        };
        let spent = Spent {
            time: started.elapsed(),
            calls: 0,
        };
        Ok(Self {
            goes_on: live.calls < runtime.limits().calls_per_instance,
            live,
            adapter,
            rules,
            condition: Condition::Idle,
            spent,
            _slot: slot,
        })
    }

    /// Parks the instance for another call, if it may serve one more. For an exchange that came to its end.
    pub(super) fn park(self, runtime: &Runtime, site: &Site) {
        let Self {
            mut live,
            condition,
            goes_on,
            ..
        } = self;
        if goes_on && condition == Condition::Idle && !live.decodes {
            let bytes = live.store.data_mut().leave();
            site.parked.keep(live, runtime.parking(), bytes);
        }
    }

    /// Asks a component who it is; nothing is known about it yet.
    pub(super) async fn describe(runtime: &Runtime, pre: &InstancePre<Sandbox>, exports: &Exports) -> Result<String> {
        let _slot = runtime.slot(None).await?;
        let limits = runtime.limits();
        let rules = Rules::new(limits, "new".into());
        let logger = Arc::new(Logger::new("new".into(), limits.log));
        let sandbox = Sandbox::new(limits, logger, "".into(), None);
        let (mut store, instance) = instantiate(limits, pre, sandbox)
            .await
            .map_err(|e| rules.fault(&e, None))?;
        let meta = exports
            .meta
            .load(&mut store, &instance)
            .map_err(|e| rules.fault(&e, None))?;
        allow(&mut store, rules.cpu);
        let described = meta.call_describe(&mut store).await;
        described.map_err(|e| rules.fault(&e, Some(store.data())))
    }

    // `&String` is what the generated code wants of an aliased string.
    pub(super) async fn transform_request(&mut self, context: &Context, body: &String) -> Planned {
        let started = self.begin()?;
        let planned = self
            .live
            .transform
            .call_transform_request(&mut self.live.store, context, body)
            .await;
        self.end(started, planned)
    }

    pub(super) async fn transform_response(&mut self, context: &Context, reply: &Resumption) -> Planned {
        let started = self.begin()?;
        let planned = self
            .live
            .transform
            .call_transform_response(&mut self.live.store, context, reply)
            .await;
        self.end(started, planned)
    }

    pub(super) async fn authenticate(&mut self, context: &Context, reply: Option<&Resumption>) -> Planned {
        let auth = self.adapter.exports.auth.clone().ok_or_else(|| self.lacks("auth"))?;
        let auth = auth.load(&mut self.live.store, &self.live.instance);
        let auth = auth.map_err(|e| self.rules.fault(&e, None))?;
        let started = self.begin()?;
        let planned = auth.call_authenticate(&mut self.live.store, context, reply).await;
        self.end(started, planned)
    }

    pub(super) async fn get_models(&mut self, context: &Context, reply: Option<&Resumption>) -> Planned {
        let models = self
            .adapter
            .exports
            .models
            .clone()
            .ok_or_else(|| self.lacks("models"))?;
        let models = models.load(&mut self.live.store, &self.live.instance);
        let models = models.map_err(|e| self.rules.fault(&e, None))?;
        let started = self.begin()?;
        let planned = models.call_get_models(&mut self.live.store, context, reply).await;
        self.end(started, planned)
    }

    pub(super) async fn cancel(&mut self, context: &Context, state: &str) -> Planned {
        let jobs = self.adapter.exports.jobs.clone().ok_or_else(|| self.lacks("jobs"))?;
        let jobs = jobs.load(&mut self.live.store, &self.live.instance);
        let jobs = jobs.map_err(|e| self.rules.fault(&e, None))?;
        let started = self.begin()?;
        let planned = jobs.call_cancel(&mut self.live.store, context, state).await;
        self.end(started, planned)
    }

    /// Opens a decoder for a stream whose head has come.
    pub(super) async fn open(
        &mut self,
        context: &Context,
        state: &str,
        status: u16,
        headers: &Pairs,
    ) -> Result<Result<Decoder, Failure>> {
        if self.live.streaming.is_none() {
            let streaming = self
                .adapter
                .exports
                .streaming
                .clone()
                .ok_or_else(|| self.lacks("streaming"))?;
            let streaming = streaming.load(&mut self.live.store, &self.live.instance);
            self.live.streaming = Some(streaming.map_err(|e| self.rules.fault(&e, None))?);
        }
        let started = self.begin()?;
        let opened = match &self.live.streaming {
            Some(streaming) => {
                streaming
                    .call_open(&mut self.live.store, context, state, status, headers)
                    .await
            }
            None => return Err(Error::Internal("a stream without its interface")),
        };
        let opened = self.end(started, opened)?.map(Decoder);
        self.live.decodes = opened.is_ok();
        Ok(opened)
    }

    pub(super) async fn push(
        &mut self,
        decoder: Decoder,
        frames: &[streaming::Frame],
    ) -> Result<Result<streaming::Output, Failure>> {
        let started = self.begin()?;
        let pushed = match &self.live.streaming {
            Some(streaming) => {
                streaming
                    .decoder()
                    .call_push(&mut self.live.store, decoder.0, frames)
                    .await
            }
            None => return Err(Error::Internal("a decoder without its interface")),
        };
        self.end(started, pushed)
    }

    pub(super) async fn finish(&mut self, decoder: Decoder, reason: &str) -> Planned {
        let started = self.begin()?;
        let finished = match &self.live.streaming {
            Some(streaming) => {
                streaming
                    .decoder()
                    .call_finish(&mut self.live.store, decoder.0, reason)
                    .await
            }
            None => return Err(Error::Internal("a decoder without its interface")),
        };
        let planned = self.end(started, finished)?;
        // In an instance that goes on it would stay for ever.
        if self.goes_on {
            self.condition = Condition::Inside;
            let dropped = decoder.0.resource_drop_async(&mut self.live.store).await;
            self.end(Instant::now(), dropped)?;
            self.live.decodes = false;
        }
        Ok(planned)
    }

    /// False after a trap, and if a call's future was dropped in the middle: then only a fresh instance can go on.
    pub(super) fn usable(&self) -> bool {
        self.condition == Condition::Idle
    }

    /// What was used since this was last asked.
    pub(super) fn spent(&mut self) -> Spent {
        std::mem::take(&mut self.spent)
    }

    fn begin(&mut self) -> Result<Instant> {
        if self.condition != Condition::Idle {
            return Err(Error::AdapterTrap {
                adapter: self.rules.adapter.to_string(),
            });
        }
        self.condition = Condition::Inside;
        self.spent.calls += 1;
        allow(&mut self.live.store, self.rules.cpu);
        Ok(Instant::now())
    }

    fn end<T>(&mut self, started: Instant, result: wasmtime::Result<T>) -> Result<T> {
        self.spent.time += started.elapsed();
        match result {
            Ok(value) => {
                self.condition = Condition::Idle;
                Ok(value)
            }
            Err(error) => {
                self.condition = Condition::Dead;
                Err(self.rules.fault(&error, Some(self.live.store.data())))
            }
        }
    }

    fn lacks(&self, interface: &str) -> Error {
        Error::AdapterOutput {
            adapter: self.rules.adapter.to_string(),
            what: format!("a step that needs the interface `{interface}`, which it does not export"),
        }
    }
}

/// A store with its bounds, and an instance in it. The guest's own initialisation counts as a step.
async fn instantiate(
    limits: &Limits,
    pre: &InstancePre<Sandbox>,
    sandbox: Sandbox,
) -> wasmtime::Result<(Store<Sandbox>, Instance)> {
    let mut store = Store::new(pre.engine(), sandbox);
    store.limiter(|sandbox| &mut sandbox.meter);
    store.set_hostcall_fuel(limits.output);
    // At every tick a running guest gives way to others, and pays for the tick. While it does not run it pays nothing.
    store.epoch_deadline_callback(|mut store| {
        let ticks = &mut store.data_mut().ticks;
        Ok(match ticks.checked_sub(1) {
            Some(left) => {
                *ticks = left;
                UpdateDeadline::Yield(1)
            }
            None => UpdateDeadline::Interrupt,
        })
    });
    allow(&mut store, limits.cpu);
    let instance = pre.instantiate_async(&mut store).await?;
    Ok((store, instance))
}

/// Gives the next step its processor time.
fn allow(store: &mut Store<Sandbox>, cpu: Duration) {
    let ticks = cpu.as_nanos().div_ceil(TICK.as_nanos());
    store.data_mut().ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
    store.set_epoch_deadline(1);
}
