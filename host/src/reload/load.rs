//! From a file to an adapter that may serve, or to the reason why not: read → check → compile, or find the code in the cache →
//! `describe` → live settings against its schema → its own tests.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Map,
    cache::Cache,
    fit::{self, Need},
    scan::{self, Content, Digest, Stamp},
    selftest,
};
use crate::{
    adapter::{Adapter, Compiled, LoadError, Runtime},
    error::Error,
};

/// Loads adapters for one gateway.
pub(super) struct Loader {
    runtime: Runtime,
    cache: Option<Cache>,
    needs: Vec<Need>,
}

/// What became of a file.
pub(super) enum Outcome {
    /// It changed while it was read, or the gateway has no room to try it: once more.
    Again,
    /// An adapter in service was made from the very same bytes.
    Same(Digest),
    /// It may serve.
    Good(Loaded),
    /// It may not.
    Bad(Refusal),
}

/// An adapter that may serve.
pub(super) struct Loaded {
    pub(super) adapter: Arc<Adapter>,
    pub(super) digest: Digest,
    /// How long all of it took.
    pub(super) took: Duration,
    /// The code was in the cache.
    pub(super) cached: bool,
}

/// Why a file may not serve.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What is wrong, and what to do.
    pub(super) reason: String,
    /// The file may be one that is still being written.
    pub(super) unfinished: bool,
}

/// Why a load did not succeed.
enum Verdict {
    /// It may not serve.
    Refused(Refusal),
    /// All instances are in use, so it could not be tried.
    Busy,
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<LoadError> for Verdict {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Describe(Error::Busy(_)) => Self::Busy,
            error => Self::Refused(error.into()),
        }
    }
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            unfinished: false,
        }
    }
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        Self {
            unfinished: matches!(error, LoadError::Unfit(_)),
            reason: error.to_string(),
        }
    }
}

impl Loader {
    pub(super) fn new(runtime: Runtime, cache: Option<Cache>, needs: Vec<Need>) -> Self {
        Self { runtime, cache, needs }
    }

    /// The providers that need this adapter, by id.
    pub(super) fn needed_by(&self, adapter: &Adapter) -> Vec<&str> {
        self.needs
            .iter()
            .filter(|need| need.is_met_by(&adapter.manifest))
            .map(|need| need.provider.as_str())
            .collect()
    }

    /// Loads the file at `path`, which had this stamp. `known` are the files in service, `serving` the adapters.
    pub(super) fn load(&self, path: &Path, stamp: &Stamp, known: &[Digest], serving: &Map) -> Outcome {
        let content = match scan::read(path) {
            Ok(content) => content,
            Err(reason) => {
                return Outcome::Bad(Refusal {
                    reason,
                    unfinished: true,
                });
            }
        };
        if !scan::unchanged(path, stamp) {
            return Outcome::Again;
        }
        if known.contains(&content.digest) {
            return Outcome::Same(content.digest);
        }
        // Files are anybody's, and what reads them is large: a panic in there must not take the gateway's eyes.
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.check(&content, serving)));
        match checked {
            Ok(Ok(loaded)) => Outcome::Good(loaded),
            Ok(Err(Verdict::Busy)) => Outcome::Again,
            Ok(Err(Verdict::Refused(refusal))) => Outcome::Bad(refusal),
            Err(_) => Outcome::Bad(Refusal::new(
                "it makes the compiler crash; the gateway's log has the details",
            )),
        }
    }

    fn check(&self, content: &Content, serving: &Map) -> Result<Loaded, Verdict> {
        let started = Instant::now();
        let (compiled, cached) = self.compiled(content)?;
        let adapter = self.probe(&compiled)?;
        fit::check_schema(&adapter.manifest).map_err(Refusal::new)?;
        self.keeps_providers_working(&adapter, serving)?;
        self.passes_its_tests(&adapter)?;
        Ok(Loaded {
            adapter,
            digest: content.digest,
            took: started.elapsed(),
            cached,
        })
    }

    /// The code from the cache, or new code, which then is in the cache. What is in the cache has passed all checks of its bytes.
    fn compiled(&self, content: &Content) -> Result<(Compiled, bool), Refusal> {
        if let Some(kept) = self.kept(&content.digest) {
            return Ok((kept, true));
        }
        let compiled = at_low_priority(|| self.runtime.compile(&content.bytes))?;
        if let Some(cache) = &self.cache
            && let Ok(code) = compiled.serialize()
        {
            cache.put(&content.digest, &code);
        }
        // Mapped, an adapter takes the memory of what it runs. As the compiler left it, it lies scattered over all that compiling took.
        Ok((self.kept(&content.digest).unwrap_or(compiled), false))
    }

    fn kept(&self, digest: &Digest) -> Option<Compiled> {
        let code = self.cache.as_ref()?.get(digest)?;
        // SAFETY: the cache returns only what it authenticated with a key that none but this user can read, for the digest it was made
        // from and for an engine of the same `cache_key`. It never writes into a file that is there.
        unsafe { self.runtime.restore(&code) }
            .inspect_err(|error| tracing::warn!(%error, "cached code is compiled anew"))
            .ok()
    }

    fn probe(&self, compiled: &Compiled) -> Result<Arc<Adapter>, Verdict> {
        Ok(Arc::new(block_on(self.runtime.probe(compiled))??))
    }

    /// A new version must take the settings that the version in service takes. A provider whose settings that one refuses does not
    /// work now, and cannot be broken.
    fn keeps_providers_working(&self, adapter: &Adapter, serving: &Map) -> Result<(), Refusal> {
        let Some(old) = serving.get(&adapter.manifest.name) else {
            return Ok(());
        };
        let live = self.needs.iter().filter(|need| need.is_met_by(&old.manifest));
        for need in live.filter(|need| fit::check(&old.manifest, need).is_ok()) {
            let provider = &need.provider;
            if !need.is_met_by(&adapter.manifest) {
                return Err(Refusal::new(format!(
                    "provider `{provider}` needs it, and its type is no longer among its `types`"
                )));
            }
            fit::check(&adapter.manifest, need).map_err(|error| {
                Refusal::new(format!(
                    "the settings of provider `{provider}` do not fit its config-schema: {error}"
                ))
            })?;
        }
        Ok(())
    }

    fn passes_its_tests(&self, adapter: &Arc<Adapter>) -> Result<(), Verdict> {
        block_on(selftest::play_all(&self.runtime, adapter))?.map_err(|failed| match failed.busy {
            true => Verdict::Busy,
            false => Refusal::new(failed.to_string()).into(),
        })
    }
}

/// Compiles on threads that leave the processors to requests.
pub fn at_low_priority<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let threads = rayon::ThreadPoolBuilder::new()
        .thread_name(|_| "adapter-compile".to_owned())
        .start_handler(|_| lower_priority())
        .build();
    match threads {
        Ok(threads) => threads.install(work),
        // No thread to be had: late is better than never.
        Err(_) => work(),
    }
}

/// A third of the share of a thread that serves requests: they hardly notice, and a small adapter is compiled within a second even
/// when all processors are busy.
#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux this is about the calling thread alone. Without it compiling is only less polite.
    let _ = rustix::process::setpriority_process(None, 5);
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

/// Runs a guest's future here and now: a load has a thread of its own and may be called from anywhere.
fn block_on<F: Future>(future: F) -> Result<F::Output, Refusal> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map(|runtime| runtime.block_on(future))
        .map_err(|error| Refusal::new(format!("the gateway cannot run it now: {error}")))
}

/// What one load was about, and what came of it.
pub(super) struct Finished {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    pub(super) outcome: Outcome,
}
