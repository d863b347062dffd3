//! The books themselves: no threads and no waiting here, only what is so and what follows from it.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use crate::{
    adapter::Adapter,
    reload::{
        Map, Pace, State, Status, Version,
        load::{Finished, Loaded, Loader, Outcome, Refusal},
        scan::{Digest, Stamp},
        state::now_ms,
    },
    telemetry::Telemetry,
};

/// What is known.
pub(super) struct Books {
    pace: Pace,
    loader: Arc<Loader>,
    telemetry: Arc<Telemetry>,
    files: BTreeMap<PathBuf, Entry>,
    serving: BTreeMap<String, Serving>,
    /// Old versions that requests still hold.
    draining: Vec<(Arc<str>, Weak<Adapter>)>,
    /// Why the directory cannot be read, if it cannot.
    gone: Option<String>,
    changed: bool,
    /// In service, and not announced yet.
    arrived: Vec<Arrival>,
    refused: Vec<Refused>,
}

/// A file.
struct Entry {
    stamp: Stamp,
    /// Since when it has this stamp, as far as was looked.
    seen: Instant,
    work: Work,
    /// The adapter's name, once it was good.
    id: Option<String>,
    /// It was refused only because another file has its id.
    rival: bool,
    note: Note,
}

/// What there is to do about a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// To be loaded, but not before this time.
    Due(Option<Instant>),
    /// Being loaded.
    Loading,
    /// Nothing.
    Done,
}

/// What people are told.
struct Note {
    status: Status,
    reason: Option<String>,
    since: u64,
}

/// An adapter in service.
struct Serving {
    file: PathBuf,
    digest: Digest,
    adapter: Arc<Adapter>,
    /// Since when its file is missing.
    missing: Option<u64>,
}

/// What the log says of a version once it serves.
struct Arrival {
    adapter: Arc<str>,
    file: PathBuf,
    digest: String,
    took: Duration,
    cached: bool,
}

/// What the log says of a file that may not serve.
struct Refused {
    name: String,
    file: PathBuf,
    reason: String,
}

impl Note {
    fn new(status: Status, reason: Option<String>) -> Self {
        Self {
            status,
            reason,
            since: now_ms(),
        }
    }
}

impl Books {
    pub(super) fn new(pace: Pace, loader: Arc<Loader>, telemetry: Arc<Telemetry>) -> Self {
        Self {
            pace,
            loader,
            telemetry,
            files: BTreeMap::new(),
            serving: BTreeMap::new(),
            draining: Vec::new(),
            gone: None,
            changed: false,
            arrived: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Takes in what files there are now. If the directory cannot be read, its adapters stay in service whether or not anybody needs
    /// them: it is more likely to come back than to be meant.
    pub(super) fn update(&mut self, listing: io::Result<BTreeMap<PathBuf, Stamp>>) {
        let (listing, gone) = match listing {
            Ok(listing) => (listing, None),
            Err(error) => {
                self.tell_gone(&error);
                (BTreeMap::new(), Some(error.to_string()))
            }
        };
        self.gone = gone;
        self.files.retain(|path, _| listing.contains_key(path));
        for (path, stamp) in listing {
            match self.files.get_mut(&path) {
                Some(entry) => entry.see(stamp),
                None => _ = self.files.insert(path, Entry::new(stamp)),
            }
        }
        self.settle_orphans();
    }

    /// Once, until the directory is back. At a first start it is no more than not there yet.
    fn tell_gone(&self, error: &io::Error) {
        if self.gone.is_some() {
            return;
        }
        if error.kind() == io::ErrorKind::NotFound && self.files.is_empty() {
            tracing::info!("there is no adapter directory yet: adapters that are put there will be taken into service");
        } else {
            tracing::warn!(%error, "the adapter directory cannot be read; what is in service stays");
        }
    }

    /// True while there is a file that will be loaded once it is quiet.
    pub(super) fn unread(&self) -> bool {
        self.files.values().any(|entry| entry.work == Work::Due(None))
    }

    /// A file to load now, marked as being loaded.
    pub(super) fn next_due(&mut self) -> Option<(PathBuf, Stamp)> {
        let settle = self.pace.settle;
        let (path, entry) = self.files.iter_mut().find(|(_, entry)| match entry.work {
            Work::Due(None) => entry.stamp.quiet_for(settle) || entry.seen.elapsed() >= settle,
            Work::Due(Some(time)) => Instant::now() >= time,
            Work::Loading | Work::Done => false,
        })?;
        entry.work = Work::Loading;
        entry.note = Note::new(Status::Compiling, None);
        Some((path.clone(), entry.stamp))
    }

    /// Takes in what came of a load.
    pub(super) fn finished(&mut self, load: Finished) {
        let Some(entry) = self.files.get_mut(&load.path) else {
            // The file went away meanwhile.
            return;
        };
        entry.work = Work::Done;
        if entry.stamp != load.stamp {
            // It changed meanwhile. If what was read is good it serves until the rest is.
            entry.work = Work::Due(None);
        }
        match load.outcome {
            Outcome::Same(digest) => self.adopt(&load.path, digest),
            Outcome::Good(loaded) => self.admit(&load.path, loaded),
            Outcome::Bad(refusal) if entry.work == Work::Done => self.judge(&load.path, refusal),
            Outcome::Bad(_) | Outcome::Again => {
                entry.work = Work::Due(None);
                entry.note = Note::new(Status::Waiting, None);
            }
        }
        self.settle_orphans();
    }

    /// A file that holds what is in service already: it was touched, renamed, or made again.
    fn adopt(&mut self, path: &Path, digest: Digest) {
        let Some((id, serving)) = self.serving.iter().find(|(_, serving)| serving.digest == digest) else {
            // It went out of service meanwhile.
            return self.again(path);
        };
        let (id, file) = (id.clone(), serving.file.clone());
        if self.has_rival(path, &id) {
            return self.refuse_rival(path, id, &file);
        }
        if let Some(serving) = self.serving.get_mut(&id) {
            path.clone_into(&mut serving.file);
            serving.missing = None;
        }
        self.serves(path, id);
    }

    /// Says which versions serve now, and which may not. For when that can be seen: who reads it may ask at once.
    pub(super) fn announce(&mut self) {
        for arrival in self.arrived.drain(..) {
            tracing::info!(
                adapter = &*arrival.adapter,
                file = %arrival.file.display(),
                digest = arrival.digest,
                ms = arrival.took.as_millis(),
                cached = arrival.cached,
                "adapter in service"
            );
        }
        for Refused { name, file, reason } in self.refused.drain(..) {
            tracing::warn!(adapter = name, file = %file.display(), reason, "adapter refused");
        }
    }

    /// A new version goes into service, unless another file has its id.
    fn admit(&mut self, path: &Path, loaded: Loaded) {
        let id = loaded.adapter.manifest.name.clone();
        if self.has_rival(path, &id) {
            let file = self
                .serving
                .get(&id)
                .map(|serving| serving.file.clone())
                .unwrap_or_default();
            return self.refuse_rival(path, id, &file);
        }
        self.arrived.push(Arrival {
            adapter: Arc::clone(&loaded.adapter.id),
            file: path.to_owned(),
            digest: loaded.digest.to_string(),
            took: loaded.took,
            cached: loaded.cached,
        });
        self.telemetry.reloaded(&id, true);
        let serving = Serving {
            file: path.to_owned(),
            digest: loaded.digest,
            adapter: loaded.adapter,
            missing: None,
        };
        if let Some(old) = self.serving.insert(id.clone(), serving) {
            self.retire(&old);
        }
        self.changed = true;
        self.serves(path, id);
    }

    /// A file that cannot serve: refused, or waited for if it may not be finished.
    fn judge(&mut self, path: &Path, refusal: Refusal) {
        let Some(entry) = self.files.get_mut(path) else { return };
        let patience = self.pace.patience;
        let over = entry.stamp.quiet_for(patience) || entry.seen.elapsed() >= patience;
        if refusal.unfinished && !over {
            entry.work = Work::Due(Some(entry.seen + patience));
            entry.note = Note::new(Status::Waiting, Some(refusal.reason));
            return;
        }
        self.refuse(path, refusal.reason);
    }

    fn refuse(&mut self, path: &Path, reason: String) {
        let Some(entry) = self.files.get_mut(path) else { return };
        let name = entry
            .id
            .clone()
            .unwrap_or_else(|| path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        self.telemetry.reloaded(&name, false);
        entry.note = Note::new(Status::Refused, Some(reason.clone()));
        let file = path.to_owned();
        self.refused.push(Refused { name, file, reason });
    }

    /// Whether another file that is there serves this id.
    fn has_rival(&self, path: &Path, id: &str) -> bool {
        self.serving
            .get(id)
            .is_some_and(|serving| serving.file != path && self.owned(id, serving))
    }

    /// Whether the file an adapter came from still is that adapter's.
    fn owned(&self, id: &str, serving: &Serving) -> bool {
        self.files
            .get(&serving.file)
            .is_some_and(|entry| entry.id.as_deref() == Some(id))
    }

    fn refuse_rival(&mut self, path: &Path, id: String, file: &Path) {
        self.refuse(
            path,
            format!(
                "`{}` serves the adapter `{id}` already: remove one of the two files, or rename the adapter",
                file.display()
            ),
        );
        if let Some(entry) = self.files.get_mut(path) {
            entry.rival = true;
            entry.id = Some(id);
        }
    }

    fn serves(&mut self, path: &Path, id: String) {
        if let Some(entry) = self.files.get_mut(path) {
            entry.id = Some(id);
            entry.rival = false;
            entry.note = Note::new(Status::Serving, None);
        }
    }

    fn again(&mut self, path: &Path) {
        if let Some(entry) = self.files.get_mut(path) {
            entry.work = Work::Due(None);
        }
    }

    /// Adapters whose file is gone: another file with the same id takes over; what no provider needs is unloaded; the rest stays.
    /// While files are still to be loaded nothing is unloaded: one of them may be the same adapter under another name.
    fn settle_orphans(&mut self) {
        let settled = self.gone.is_none() && self.files.values().all(|entry| entry.work == Work::Done);
        let orphans: Vec<_> = self
            .serving
            .iter()
            .filter(|(id, serving)| !self.owned(id, serving))
            .map(|(id, _)| id.clone())
            .collect();
        for id in orphans {
            let heir = self
                .files
                .values_mut()
                .find(|entry| entry.rival && entry.id.as_ref() == Some(&id));
            if let Some(heir) = heir {
                heir.rival = false;
                heir.work = Work::Due(None);
                continue;
            }
            let Some(serving) = self.serving.get_mut(&id) else {
                continue;
            };
            serving.missing.get_or_insert_with(now_ms);
            if settled && self.loader.needed_by(&serving.adapter).is_empty() {
                self.unload(&id);
            }
        }
    }

    fn unload(&mut self, id: &str) {
        if let Some(old) = self.serving.remove(id) {
            tracing::info!(
                adapter = &*old.adapter.id,
                "adapter unloaded: its file is gone and no provider needs it"
            );
            self.retire(&old);
            self.changed = true;
        }
    }

    fn retire(&mut self, old: &Serving) {
        self.draining
            .push((Arc::clone(&old.adapter.id), Arc::downgrade(&old.adapter)));
    }

    /// Notes which old versions have served their last request.
    pub(super) fn free_drained(&mut self) {
        self.draining.retain(|(id, adapter)| {
            let held = adapter.strong_count() > 0;
            if !held {
                tracing::info!(adapter = &**id, "old version of an adapter freed");
            }
            held
        });
    }

    /// The files in service.
    pub(super) fn digests(&self) -> Vec<Digest> {
        self.serving.values().map(|serving| serving.digest).collect()
    }

    /// The adapters in service.
    pub(super) fn map(&self) -> Arc<Map> {
        Arc::new(
            self.serving
                .iter()
                .map(|(id, serving)| (id.clone(), Arc::clone(&serving.adapter)))
                .collect(),
        )
    }

    /// The adapters in service, if they changed since this was last asked.
    pub(super) fn take_change(&mut self) -> Option<Arc<Map>> {
        std::mem::take(&mut self.changed).then(|| self.map())
    }

    /// What people are told, by path.
    pub(super) fn states(&self) -> Vec<State> {
        let mut states: Vec<_> = self.files.iter().map(|(path, entry)| self.state(path, entry)).collect();
        states.extend(
            self.serving
                .iter()
                .filter(|(id, serving)| !self.owned(id, serving))
                .map(|(id, serving)| self.orphan(id, serving)),
        );
        states.sort_by(|a, b| a.file.cmp(&b.file));
        states
    }

    fn state(&self, path: &Path, entry: &Entry) -> State {
        let serving = entry
            .id
            .as_ref()
            .and_then(|id| self.serving.get(id))
            .filter(|serving| serving.file == path);
        State {
            id: entry.id.clone(),
            file: path.display().to_string(),
            status: entry.note.status,
            reason: entry.note.reason.clone(),
            since_unix_ms: entry.note.since,
            serving: serving.map(Serving::version),
        }
    }

    fn orphan(&self, id: &str, serving: &Serving) -> State {
        let reason = match &self.gone {
            Some(error) => format!("the directory cannot be read: {error}"),
            None => format!(
                "the file is gone; it stays in service for {}",
                self.loader.needed_by(&serving.adapter).join(", ")
            ),
        };
        State {
            id: Some(id.to_owned()),
            file: serving.file.display().to_string(),
            status: Status::FileMissing,
            reason: Some(reason),
            since_unix_ms: serving.missing.unwrap_or_default(),
            serving: Some(serving.version()),
        }
    }
}

impl Entry {
    fn new(stamp: Stamp) -> Self {
        Self {
            stamp,
            seen: Instant::now(),
            work: Work::Due(None),
            id: None,
            rival: false,
            note: Note::new(Status::Waiting, None),
        }
    }

    /// Another stamp is another content, as long as nobody has looked.
    fn see(&mut self, stamp: Stamp) {
        if self.stamp == stamp {
            return;
        }
        self.stamp = stamp;
        self.seen = Instant::now();
        if self.work != Work::Loading {
            self.work = Work::Due(None);
            self.note = Note::new(Status::Waiting, None);
        }
    }
}

impl Serving {
    fn version(&self) -> Version {
        Version {
            version: self.adapter.manifest.version.clone(),
            digest: self.digest,
            types: self.adapter.manifest.types.clone(),
        }
    }
}
