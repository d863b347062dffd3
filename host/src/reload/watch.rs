//! Hearing of changes. The system tells of changes in the adapter directory and in its parent, so that a directory that was removed
//! and made again is noticed; a rescan now and then covers what nobody tells of (network file systems, the far end of a link).

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::SystemTime,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

/// What tells one directory from another that has its name later: device, inode, time of birth.
type Identity = (u64, u64, Option<SystemTime>);

/// A watch on one directory. It ends when it is dropped.
pub(super) struct Watch {
    dir: PathBuf,
    system: Option<RecommendedWatcher>,
    /// Which directory the system watches under that name.
    watched: Option<Identity>,
}

impl Watch {
    /// Watches `dir`, which need not be there; `changed` is called, on a thread of the watcher's, for each change that may matter.
    /// A system that cannot watch leaves it to the rescan.
    pub(super) fn new(dir: &Path, changed: impl Fn() + Send + 'static) -> Self {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let name = dir.file_name().map(OsString::from);
        let heard = move |event: notify::Result<Event>| {
            if event.map_or(true, |event| concerns(&event, name.as_ref())) {
                changed();
            }
        };
        let system = notify::recommended_watcher(heard)
            .inspect_err(|error| tracing::warn!(%error, "file changes are not announced here: directories are looked at instead"))
            .ok();
        let mut watch = Self {
            dir,
            system,
            watched: None,
        };
        if let (Some(system), Some(parent)) = (&mut watch.system, watch.dir.parent())
            && let Err(error) = system.watch(parent, RecursiveMode::NonRecursive)
        {
            tracing::debug!(%error, dir = %parent.display(), "the parent of the adapter directory cannot be watched");
        }
        watch.renew();
        watch
    }

    /// Watches the directory that has the name now, if it is another one than before.
    pub(super) fn renew(&mut self) {
        let current = which(&self.dir);
        if current == self.watched {
            return;
        }
        let Some(system) = &mut self.system else { return };
        if self.watched.is_some() {
            // The system dropped it by itself if the directory was removed, but not if it was renamed.
            let _ = system.unwatch(&self.dir);
        }
        self.watched = current.filter(|_| {
            let result = system.watch(&self.dir, RecursiveMode::NonRecursive);
            result
                .inspect_err(|error| tracing::debug!(%error, "the adapter directory cannot be watched"))
                .is_ok()
        });
    }
}

/// Whether an event is about the directory called `name`, or about something in it. The parent may be a busy place.
fn concerns(event: &Event, name: Option<&OsString>) -> bool {
    // Our own reading is no change.
    let a_change = !event.kind.is_access() || is_close_after_write(event);
    let named = |path: &Path| path.file_name() == name.map(OsString::as_os_str);
    a_change
        && (event.need_rescan()
            || event.paths.is_empty()
            || event
                .paths
                .iter()
                .any(|path| named(path) || path.parent().is_some_and(named)))
}

fn is_close_after_write(event: &Event) -> bool {
    use notify::event::{AccessKind, AccessMode, EventKind};
    matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)))
}

#[cfg(unix)]
fn which(dir: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    // Inode numbers are given out again, so the time of birth belongs to it.
    std::fs::metadata(dir)
        .ok()
        .map(|meta| (meta.dev(), meta.ino(), meta.created().ok()))
}

#[cfg(not(unix))]
fn which(dir: &Path) -> Option<Identity> {
    std::fs::metadata(dir).ok().map(|meta| (0, 0, meta.created().ok()))
}
