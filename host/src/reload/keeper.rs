//! Keeps the books: which files there are, which of them are loaded, which adapter serves. One thread owns all of it; loads run on
//! threads of their own and report back, so that a large adapter does not hold up a small one.

mod books;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use super::{
    Adapters, Map, Settings,
    load::{Finished, Loader, Outcome},
    scan::{self, Stamp},
    watch::Watch,
};
use crate::telemetry::Telemetry;
use books::Books;

/// How many adapters are loaded at the same time.
const LOADS: usize = 4;

/// Puts the adapters in service into the gateway's snapshot.
pub(super) type Changed = Box<dyn Fn(&Arc<Map>) + Send>;

/// What the keeper is told.
pub(super) enum Message {
    /// Something may have changed.
    Look,
    /// A load is over.
    Finished(Box<Finished>),
    /// Enough.
    Stop,
}

/// Owner of the adapter directory's books.
pub(super) struct Keeper {
    settings: Settings,
    loader: Arc<Loader>,
    adapters: Arc<Adapters>,
    changed: Option<Changed>,
    messages: mpsc::Sender<Message>,
    inbox: mpsc::Receiver<Message>,
    /// A `Look` is in the inbox: a flood of events is one.
    called: Arc<AtomicBool>,
    watch: Watch,
    books: Books,
    loading: usize,
    /// Something was loaded since memory was last given back.
    used_memory: bool,
}

impl Keeper {
    pub(super) fn new(settings: Settings, loader: Loader, adapters: Arc<Adapters>, telemetry: Arc<Telemetry>) -> Self {
        let (messages, inbox) = mpsc::channel();
        let called = Arc::new(AtomicBool::new(false));
        let (call, bell) = (Arc::clone(&called), messages.clone());
        // Watching begins before the first look, so that nothing is missed between the two.
        let watch = Watch::new(&settings.dir, move || {
            if !call.swap(true, Ordering::AcqRel) {
                // Nobody listens any more: the keeper has stopped.
                let _ = bell.send(Message::Look);
            }
        });
        let loader = Arc::new(loader);
        Self {
            books: Books::new(settings.pace, Arc::clone(&loader), telemetry),
            settings,
            loader,
            adapters,
            changed: None,
            messages,
            inbox,
            called,
            watch,
            loading: 0,
            used_memory: false,
        }
    }

    pub(super) fn on_change(&mut self, changed: Changed) {
        self.changed = Some(changed);
    }

    pub(super) fn messages(&self) -> mpsc::Sender<Message> {
        self.messages.clone()
    }

    /// Loads all there is. What finishes first does not serve first: of two files with one id the first by name is to win, at every
    /// start. A file that is being written is waited for, but not for long.
    pub(super) fn open(&mut self) {
        let pace = self.settings.pace;
        let patience = Instant::now() + pace.patience.max(pace.settle * 4);
        loop {
            self.look();
            if self.loading == 0 && (!self.books.unread() || Instant::now() >= patience) {
                return;
            }
            let mut finished = Vec::new();
            while self.loading > 0 {
                match self.inbox.recv() {
                    Ok(Message::Finished(load)) => {
                        self.loading -= 1;
                        finished.push(load);
                    }
                    Ok(Message::Look) => self.called.store(false, Ordering::Release),
                    Ok(Message::Stop) | Err(_) => return,
                }
            }
            finished.sort_by(|a, b| a.path.cmp(&b.path));
            let nothing_to_do = finished.is_empty();
            finished.into_iter().for_each(|load| self.books.finished(*load));
            self.publish();
            if nothing_to_do {
                self.pause();
            }
        }
    }

    /// Waits for a file to settle.
    fn pause(&self) {
        if let Ok(Message::Look) = self.inbox.recv_timeout(self.settings.pace.settle) {
            self.called.store(false, Ordering::Release);
        }
    }

    /// Keeps the directory and the books the same until told to stop.
    pub(super) fn run(mut self) {
        let mut next = Instant::now();
        loop {
            let now = Instant::now();
            if now >= next {
                self.look();
                next = now + self.until_next_look();
            }
            match self.inbox.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Message::Look) => next = next.min(Instant::now() + self.settings.pace.debounce),
                Ok(Message::Finished(load)) => {
                    self.loading -= 1;
                    self.books.finished(*load);
                    self.publish();
                    // It may have made room for another load, or an heir of another file.
                    next = Instant::now();
                }
                Ok(Message::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => self.rest(),
            }
        }
    }

    /// Nothing happens: the threads that loaded have ended, and their memory can go.
    fn rest(&mut self) {
        if self.loading == 0 && std::mem::take(&mut self.used_memory) {
            crate::memory::give_back();
        }
    }

    fn until_next_look(&self) -> Duration {
        let pace = self.settings.pace;
        if self.books.unread() {
            pace.settle.min(pace.rescan)
        } else {
            pace.rescan
        }
    }

    /// Brings the books up to date with the directory and starts what loads are due.
    fn look(&mut self) {
        // Before the listing: what changes from here on calls again.
        self.called.store(false, Ordering::Release);
        self.watch.renew();
        self.books.update(scan::list(&self.settings.dir));
        while self.loading < LOADS
            && let Some((path, stamp)) = self.books.next_due()
        {
            self.start(path, stamp);
        }
        self.books.free_drained();
        self.publish();
    }

    fn start(&mut self, path: PathBuf, stamp: Stamp) {
        let (loader, messages) = (Arc::clone(&self.loader), self.messages.clone());
        let (known, serving) = (self.books.digests(), self.books.map());
        let subject = path.clone();
        let work = move || {
            let outcome = loader.load(&path, &stamp, &known, &serving);
            drop(serving);
            // If nobody listens, nobody wants it.
            let _ = messages.send(Message::Finished(Box::new(Finished { path, stamp, outcome })));
        };
        // The thread is not joined: a compile cannot be broken off, and the end of the process must not wait for it.
        match std::thread::Builder::new().name("adapter-load".to_owned()).spawn(work) {
            Ok(_) => {
                self.loading += 1;
                self.used_memory = true;
            }
            Err(error) => {
                tracing::warn!(%error, "no thread to load an adapter with; it is tried again");
                self.books.finished(Finished {
                    path: subject,
                    stamp,
                    outcome: Outcome::Again,
                });
            }
        }
    }

    /// First the gateway, then those who look on.
    fn publish(&mut self) {
        if let Some(map) = self.books.take_change() {
            self.adapters.current.store(Arc::clone(&map));
            if let Some(changed) = &self.changed {
                changed(&map);
            }
        }
        let states = self.books.states();
        self.adapters.states.send_if_modified(|shown| {
            let changed = **shown != states;
            if changed {
                *shown = Arc::new(states);
            }
            changed
        });
        self.books.announce();
    }
}
