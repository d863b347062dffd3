//! Adapters come, change and go while requests run. A [`Reload`] watches the adapter directory; what is good goes into service, what
//! is not is shown with the reason, and the last good version goes on serving.
//!
//! A file's way: `watch` hears of a change → `scan` sees which files there are and waits until one is quiet → `load` reads it, checks
//! it, compiles it (or finds the code in `cache`), asks it who it is, holds the live configuration against its schema (`fit`) and
//! plays its own tests (`selftest`) → `keeper` puts it into service and lets the old version drain. Requests hold what they began
//! with, so nothing waits for them; a version is freed when its last request is over.

mod cache;
pub mod catalogue;
pub mod fit;
mod keeper;
pub mod load;
pub mod scan;
pub mod selftest;
mod state;
mod watch;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::watch as channel;

use crate::{
    adapter::{Adapter, Runtime},
    telemetry::Telemetry,
};
use cache::Cache;
use fit::Need;
use keeper::{Keeper, Message};
use load::Loader;
pub use state::{State, Status, Version};

/// The adapters in service, by id.
pub type Map = HashMap<String, Arc<Adapter>>;

/// What there is to see of adapters: those in service, and the state of every file.
#[derive(Debug, Default)]
pub struct Adapters {
    current: ArcSwap<Map>,
    states: channel::Sender<Arc<Vec<State>>>,
}

impl Adapters {
    /// The adapters in service.
    pub fn current(&self) -> Arc<Map> {
        self.current.load_full()
    }

    /// One entry for each adapter file, by path.
    pub fn states(&self) -> Arc<Vec<State>> {
        self.states.borrow().clone()
    }

    /// Tells of every change of [`Adapters::states`]. A version that is shown there as serving does take calls.
    pub fn subscribe(&self) -> channel::Receiver<Arc<Vec<State>>> {
        self.states.subscribe()
    }
}

/// Where adapters come from, and who needs them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The adapter directory. It need not be there.
    pub dir: PathBuf,
    /// Where compiled code is kept; without it every start compiles.
    pub cache: Option<PathBuf>,
    /// The providers that may need an adapter.
    pub needs: Vec<Need>,
    /// How patient to be.
    pub pace: Pace,
}

/// How patient to be with files.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A file that has not changed for this long is read.
    pub settle: Duration,
    /// A file that is no adapter, but changed less than this ago, may be one that is still being written: it is not refused yet.
    pub patience: Duration,
    /// Changes that come within this time are looked at together.
    pub debounce: Duration,
    /// How often to look without having heard of a change.
    pub rescan: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(50),
            patience: Duration::from_secs(2),
            debounce: Duration::from_millis(20),
            rescan: Duration::from_secs(1),
        }
    }
}

/// The adapter directory, read once and not watched yet.
pub struct Reload {
    keeper: Keeper,
}

impl Reload {
    /// Loads every adapter in the directory, several at a time, and returns when each is in service or refused; `adapters` shows how
    /// far it is. Blocks: with a cold cache, and large adapters, for many seconds.
    pub fn open(settings: Settings, adapters: Arc<Adapters>, runtime: Runtime, telemetry: Arc<Telemetry>) -> Self {
        let cache = settings.cache.as_ref().and_then(|dir| {
            Cache::open(dir, format!("{:016x}", runtime.cache_key()))
                .inspect_err(|error| tracing::warn!(%error, dir = %dir.display(), "there is no compile cache: every start compiles"))
                .ok()
        });
        let loader = Loader::new(runtime, cache, settings.needs.clone());
        let mut keeper = Keeper::new(settings, loader, adapters, telemetry);
        keeper.open();
        Self { keeper }
    }

    /// Watches the directory from now on. `changed` is called with the adapters in service whenever they change, before anybody is
    /// told of it: it puts them into the gateway's snapshot.
    pub fn watch(mut self, changed: impl Fn(&Arc<Map>) + Send + 'static) -> std::io::Result<Watching> {
        self.keeper.on_change(Box::new(changed));
        let messages = self.keeper.messages();
        let thread = std::thread::Builder::new()
            .name("adapter-reload".to_owned())
            .spawn(move || self.keeper.run())?;
        Ok(Watching {
            messages,
            thread: Some(thread),
        })
    }
}

/// The thread that watches. It ends when this is dropped; a compile under way is not waited for.
pub struct Watching {
    messages: mpsc::Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        // If nobody listens the thread has ended already.
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
