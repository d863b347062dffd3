//! An adapter directory of a test's own, and what the gateway makes of it.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::sync::watch::Receiver;
use witgate::{
    adapter::{Limits, Runtime},
    reload::{Adapters, Pace, Reload, Settings, State, Status, Watching, fit::Need},
    telemetry::Telemetry,
};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A pace that gives a file all the time it needs, and finds nothing it was not told of.
pub fn patient() -> Pace {
    Pace {
        settle: Duration::from_millis(30),
        patience: Duration::from_secs(600),
        debounce: Duration::from_millis(5),
        rescan: Duration::from_secs(600),
    }
}

/// A pace that gives up on a file soon, and looks often without being told.
pub fn quick() -> Pace {
    Pace {
        patience: Duration::from_millis(200),
        rescan: Duration::from_millis(50),
        ..patient()
    }
}

/// An adapter directory.
pub struct Folder(TempDir);

/// The gateway's view of a directory.
pub struct Watched {
    /// What serves.
    pub adapters: Arc<Adapters>,
    /// How often the adapters in service changed since the start.
    pub changes: Arc<AtomicUsize>,
    states: Receiver<Arc<Vec<State>>>,
    seen: Arc<Mutex<Vec<Status>>>,
    _watching: Watching,
}

/// A directory that was read once.
pub struct Opened {
    /// What serves.
    pub adapters: Arc<Adapters>,
    reload: Reload,
}

impl Folder {
    /// An empty one. What is compiled is kept beside it.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("adapters")).expect("a folder can be made");
        Self(folder)
    }

    /// The directory.
    pub fn dir(&self) -> PathBuf {
        self.0.path().join("adapters")
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// The compile cache.
    pub fn cache(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    /// Writes a file as `cp` does: over what is there.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("a file can be written");
    }

    /// Writes on at the end of a file.
    pub fn append(&self, name: &str, bytes: &[u8]) {
        let file = fs::OpenOptions::new().append(true).open(self.path(name));
        file.and_then(|mut file| file.write_all(bytes))
            .expect("a file can be written");
    }

    /// Loads what is there.
    pub fn open(&self, pace: Pace, needs: &[Need]) -> Opened {
        let adapters = Arc::new(Adapters::default());
        let settings = Settings {
            dir: self.dir(),
            cache: Some(self.cache()),
            needs: needs.to_vec(),
            pace,
        };
        let limits = Limits {
            slots: 8,
            ..Limits::default()
        };
        let runtime = Runtime::new(&limits).expect("the runtime starts");
        let reload = Reload::open(settings, Arc::clone(&adapters), runtime, Arc::new(Telemetry::default()));
        Opened { adapters, reload }
    }

    /// Loads what is there and watches it.
    pub fn watch(&self, pace: Pace, needs: &[Need]) -> Watched {
        let Opened { adapters, reload } = self.open(pace, needs);
        let (changes, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let count = Arc::clone(&changes);
        let counting = move |_: &_| {
            count.fetch_add(1, Ordering::Relaxed);
        };
        Watched {
            states: adapters.subscribe(),
            _watching: reload.watch(counting).expect("a thread can be started"),
            adapters,
            changes,
            seen,
        }
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Watched {
    /// Waits until the states are as wanted, and returns what was found in them.
    pub async fn wait<T>(&mut self, what: &str, mut find: impl FnMut(&[State]) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let states = Arc::clone(&self.states.borrow_and_update());
                self.seen
                    .lock()
                    .expect("no test thread panicked")
                    .extend(states.iter().map(|state| state.status));
                if let Some(found) = find(&states) {
                    return found;
                }
                self.states.changed().await.expect("the watching thread runs");
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not happen; the states are {:#?}", self.adapters.states()),
        }
    }

    /// Waits until a file has a status.
    pub async fn until(&mut self, file: &str, status: Status) -> State {
        self.wait(&format!("{file} {}", status.as_str()), |states| {
            states
                .iter()
                .find(|state| state.file.ends_with(file) && state.status == status)
                .cloned()
        })
        .await
    }

    /// Waits until a file serves or is refused.
    pub async fn until_settled(&mut self, file: &str) -> State {
        self.wait(file, |states| {
            let settled = |status| matches!(status, Status::Serving | Status::Refused);
            states
                .iter()
                .find(|state| state.file.ends_with(file) && settled(state.status))
                .cloned()
        })
        .await
    }

    /// Waits until a file has a reason with these words in it.
    pub async fn until_reason(&mut self, file: &str, words: &str) -> State {
        self.wait(words, |states| {
            let said = |state: &&State| state.reason.as_ref().is_some_and(|reason| reason.contains(words));
            states
                .iter()
                .filter(|state| state.file.ends_with(file))
                .find(said)
                .cloned()
        })
        .await
    }

    /// Waits until an adapter serves in a version.
    pub async fn until_version(&mut self, id: &str, version: &str) {
        self.wait(&format!("{id} {version}"), |states| {
            let serves = |state: &State| state.serving.as_ref().is_some_and(|serving| serving.version == version);
            states
                .iter()
                .any(|state| state.id.as_deref() == Some(id) && serves(state))
                .then_some(())
        })
        .await;
        assert_eq!(
            self.version(id).as_deref(),
            Some(version),
            "what is shown as serving does serve"
        );
    }

    /// Waits until nothing is known of an adapter any more.
    pub async fn until_gone(&mut self, id: &str) {
        self.wait(id, |states| {
            states.iter().all(|state| state.id.as_deref() != Some(id)).then_some(())
        })
        .await;
    }

    /// The version of an adapter that serves now.
    pub fn version(&self, id: &str) -> Option<String> {
        self.adapters
            .current()
            .get(id)
            .map(|adapter| adapter.manifest.version.clone())
    }

    /// True if a file was seen in this status while the test waited.
    pub fn saw(&self, status: Status) -> bool {
        self.seen.lock().expect("no test thread panicked").contains(&status)
    }
}
