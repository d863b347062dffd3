//! The engines that compile and run guests, and the thread that gives them their sense of time. One [`Runtime`] per process.
//!
//! Two engines, because what QuickJS components import of the component model's async needs `concurrency_support`, and that costs
//! every call of every guest 1 µs (a fresh instance even 7 µs). So there is a lean engine without it for all others, and a wide
//! one that is made when the first component needs it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, component::Linker};

use super::{
    limits::{CORE_INSTANCES, Limits, MEMORIES, TABLE_ELEMENTS, TABLES},
    parked::ROOM_MIB,
    sandbox::{self, Sandbox},
};
use crate::error::{Error, Result};

/// How often a running guest is looked at. Its processor time is counted in these.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Memory of a slot that stays resident after a call, so that the next one takes no page faults.
const KEEP_RESIDENT: usize = 1 << 20;

/// Runs adapters. Cheap to clone; the engines live as long as one clone, or one adapter's code, does.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    limits: Limits,
    lean: Machine,
    wide: OnceLock<Machine>,
    slots: Arc<Semaphore>,
    /// For instances that wait for another call, in MiB.
    parking: Arc<Semaphore>,
    wind_down: TaskTracker,
    ticker: Ticker,
}

/// A guest's place, given back when it is dropped.
pub(super) struct Slot {
    _share: Option<OwnedSemaphorePermit>,
    _place: OwnedSemaphorePermit,
}

/// An engine, and what guests on it may import.
pub(super) struct Machine {
    pub(super) engine: Engine,
    pub(super) linker: Linker<Sandbox>,
}

/// Why a runtime cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the adapter runtime cannot start: {0:#}")]
pub struct StartError(wasmtime::Error);

impl Runtime {
    /// Makes the lean engine and starts the tick. Fails where the machine has no room even for a few guests.
    pub fn new(limits: &Limits) -> Result<Self, StartError> {
        let lean = Machine::new(limits, false).map_err(StartError)?;
        let ticker = Ticker::start(&lean.engine).map_err(|error| StartError(error.into()))?;
        Ok(Self(Arc::new(Inner {
            limits: limits.clone(),
            lean,
            wide: OnceLock::new(),
            slots: Arc::new(Semaphore::new(limits.slots as usize)),
            parking: Arc::new(Semaphore::new(ROOM_MIB as usize)),
            wind_down: TaskTracker::new(),
            ticker,
        })))
    }

    /// What a call may use.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The engine for a component: the wide one if it `needs_concurrency`.
    pub(super) fn machine(&self, needs_concurrency: bool) -> wasmtime::Result<&Machine> {
        if !needs_concurrency {
            return Ok(&self.0.lean);
        }
        if let Some(wide) = self.0.wide.get() {
            return Ok(wide);
        }
        let wide = Machine::new(&self.0.limits, true)?;
        // Of two that arrive together one is dropped again.
        Ok(self.0.wide.get_or_init(|| {
            self.0.ticker.also(&wide.engine);
            wide
        }))
    }

    /// What one adapter may take of the places: half, so that one whose calls never end leaves room for the others.
    pub(super) fn share(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(self.0.limits.slots.div_ceil(2) as usize))
    }

    /// The room for parked instances, in MiB.
    pub(super) fn parking(&self) -> &Arc<Semaphore> {
        &self.0.parking
    }

    /// A place for one more guest, out of its adapter's `share` if it has one. A full pool answers with an error and does not wait,
    /// so the waiting is done here.
    pub(super) async fn slot(&self, share: Option<&Arc<Semaphore>>) -> Result<Slot> {
        let taken = async {
            let share = match share {
                Some(share) => Some(Arc::clone(share).acquire_owned().await?),
                None => None,
            };
            let place = Arc::clone(&self.0.slots).acquire_owned().await?;
            Ok::<_, AcquireError>(Slot {
                _share: share,
                _place: place,
            })
        };
        tokio::time::timeout(self.0.limits.queue, taken)
            .await
            .map_err(|_| Error::Busy("every adapter instance is in use; raise the limit or try again"))?
            .map_err(|_| Error::Draining)
    }

    /// Runs work that goes on after its client has left. [`Runtime::drain`] waits for it.
    pub(super) fn wind_down(&self, work: impl Future<Output = ()> + Send + 'static) {
        // Outside of a tokio runtime (a process that is being torn down) there is nothing to run it on.
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            self.0.wind_down.spawn_on(work, &handle);
        }
    }

    /// Waits until all that was left behind by clients who went away is done: jobs cancelled, usage counted. It takes at most
    /// [`Limits::wind_down`].
    pub async fn drain(&self) {
        self.0.wind_down.close();
        self.0.wind_down.wait().await;
        self.0.wind_down.reopen();
    }
}

impl Machine {
    fn new(limits: &Limits, concurrency: bool) -> wasmtime::Result<Self> {
        let engine = engine(limits, concurrency)?;
        let linker = sandbox::linker(&engine)?;
        Ok(Self { engine, linker })
    }
}

/// An engine with a pool of slots; with a smaller pool, then with none, where the address space is short (`ulimit -v`, small
/// virtual machines). The code is the same for all three, so compiled components fit whichever it became.
fn engine(limits: &Limits, concurrency: bool) -> wasmtime::Result<Engine> {
    let mut config = config(concurrency);
    let parked = if limits.calls_per_instance > 1 { ROOM_MIB } else { 0 };
    for slots in [limits.slots, limits.slots.min(64)] {
        let slots = slots.saturating_add(parked);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, slots)));
        match Engine::new(&config) {
            Ok(engine) => return Ok(engine),
            Err(error) => tracing::warn!(slots, "no room for the adapters' memory pool: {error:#}"),
        }
    }
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config)
}

/// An engine that compiles for those above, and runs nothing. It is for one component: a compiler keeps what it has ever needed, tens
/// of megabytes.
pub(super) fn compiler(concurrency: bool) -> wasmtime::Result<Engine> {
    Engine::new(&config(concurrency))
}

fn config(concurrency: bool) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true).concurrency_support(concurrency);
    config.epoch_interruption(true);
    // Where in a guest a trap happened is for its author, and goes to the log with the trap.
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    config
}

fn pool(limits: &Limits, slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    // Most components have one memory and one table, a few several: so twice as many as there are guests, shared by all.
    let shared = slots.saturating_mul(2);
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(4))
        .total_memories(shared)
        .total_tables(shared.saturating_mul(2))
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(limits.memory)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Advances the epoch of every engine; stops when it is dropped. A thread of the system's, since a tokio task could be held up by
/// the very guest that is to be interrupted.
struct Ticker {
    stopped: Arc<AtomicBool>,
    wide: Arc<OnceLock<Engine>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Without this thread a guest would run as long as it likes, so its absence is an error.
    fn start(lean: &Engine) -> std::io::Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let wide = Arc::new(OnceLock::<Engine>::new());
        let (lean, stop, more) = (lean.clone(), Arc::clone(&stopped), Arc::clone(&wide));
        let work = move || {
            while !stop.load(Ordering::Relaxed) {
                std::thread::park_timeout(TICK);
                lean.increment_epoch();
                if let Some(engine) = more.get() {
                    engine.increment_epoch();
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("adapter-ticks".to_owned())
            .spawn(work)?;
        Ok(Self {
            stopped,
            wide,
            thread: Some(thread),
        })
    }

    fn also(&self, engine: &Engine) {
        let _ = self.wide.set(engine.clone());
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
