//! From a file to an [`Adapter`]: look at it, compile it, ask it who it is. The steps are separate, since compiling is slow (a
//! Python component takes ten seconds) and can be remembered: [`Runtime::compile`] and [`Compiled::serialize`], then
//! [`Runtime::restore`] the next time, and [`Runtime::probe`] always.

use std::{path::Path, sync::Arc};

use tokio::sync::Semaphore;
use wasmtime::component::{Component, InstancePre};

use super::{
    contract::Exports,
    engine::{self, Runtime},
    guest::Guest,
    inspect::{self, Unfit},
    log::Logger,
    manifest::{Manifest, ManifestError},
    sandbox::Sandbox,
};
use crate::error::Error;

/// A component, ready to run.
pub struct Adapter {
    /// What it says about itself.
    pub manifest: Manifest,
    /// `name@version`, for the log and for errors.
    pub id: Arc<str>,
    pub(super) pre: InstancePre<Sandbox>,
    pub(super) exports: Exports,
    pub(super) logger: Arc<Logger>,
    /// The places its calls may take.
    pub(super) share: Arc<Semaphore>,
}

/// A component's machine code, for this machine and this build of the gateway.
pub struct Compiled {
    component: Component,
    concurrency: bool,
}

/// Why a file does not become an adapter.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is not an adapter.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The compiler refuses it.
    #[error("it cannot be compiled: {0}")]
    Compile(String),
    /// It does not fit the contract it claims.
    #[error("it does not fit the contract: {0}")]
    Contract(String),
    /// Its `describe` failed.
    #[error("its `describe` failed: {0}")]
    Describe(Error),
    /// Its `describe` says something that makes no sense.
    #[error("its `describe` is not a manifest: {0}")]
    Manifest(#[from] ManifestError),
    /// Remembered machine code that does not fit any more: compile again.
    #[error("the compiled code does not fit this gateway: {0}")]
    Stale(String),
}

impl Compiled {
    /// The machine code, to be kept where only this gateway can write. [`Runtime::cache_key`] names what it fits.
    pub fn serialize(&self) -> Result<Vec<u8>, LoadError> {
        self.component
            .serialize()
            .map_err(|e| LoadError::Compile(format!("{e:#}")))
    }
}

impl Runtime {
    /// Looks at a file and compiles it. Takes from milliseconds to many seconds of processor time: call it where that hurts nobody.
    pub fn compile(&self, bytes: &[u8]) -> Result<Compiled, LoadError> {
        let failed = |e: wasmtime::Error| LoadError::Compile(format!("{e:#}"));
        let found = inspect::inspect(bytes)?;
        let component = found.component.as_deref().unwrap_or(bytes);
        let code = engine::compiler(found.concurrency)
            .and_then(|compiler| compiler.precompile_component(component))
            .map_err(failed)?;
        let engine = &self.machine(found.concurrency).map_err(failed)?.engine;
        // SAFETY: the compiler has just made it.
        let component = unsafe { Component::deserialize(engine, code) }.map_err(failed)?;
        Ok(Compiled {
            component,
            concurrency: found.concurrency,
        })
    }

    /// What remembered code depends on beside the component's own bytes: wasmtime's version, its settings, this processor.
    pub fn cache_key(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        if let Ok(machine) = self.machine(false) {
            machine.engine.precompile_compatibility_hash().hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Takes back what [`Compiled::serialize`] gave. `file` begins with it and is mapped into memory, so that an idle adapter takes no
    /// more of it than what it has run.
    ///
    /// # Safety
    ///
    /// This is machine code, and it will be run: the file must begin with what `serialize` of a gateway of this user returned, byte
    /// for byte, lie where nobody else can write, and never be changed, only replaced or removed. Code of another version or another
    /// processor is refused; code that was tampered with is not.
    pub unsafe fn restore(&self, file: &Path) -> Result<Compiled, LoadError> {
        let restore = |concurrency| {
            let engine = &self.machine(concurrency)?.engine;
            // SAFETY: the caller promises that these are our own bytes, and that the file stays as it is; that is what it asks for.
            let component = unsafe { Component::deserialize_file(engine, file) }?;
            Ok(Compiled { component, concurrency })
        };
        // An engine refuses what another one's settings were for, before it looks at the code.
        restore(false)
            .or_else(|_| restore(true))
            .map_err(|e: wasmtime::Error| LoadError::Stale(format!("{e:#}")))
    }

    /// Finds the component's interfaces and asks it who it is, in an empty sandbox.
    pub async fn probe(&self, compiled: &Compiled) -> Result<Adapter, LoadError> {
        let contract = |e: wasmtime::Error| LoadError::Contract(format!("{e:#}"));
        let machine = self.machine(compiled.concurrency).map_err(contract)?;
        let pre = machine.linker.instantiate_pre(&compiled.component).map_err(contract)?;
        let exports = Exports::probe(&pre).map_err(contract)?;
        let described = Guest::describe(self, &pre, &exports)
            .await
            .map_err(LoadError::Describe)?;
        let manifest = Manifest::parse(&described)?;
        if manifest.auth.is_none() && exports.auth.is_none() {
            let missing = "its `auth.kind` is `custom`, and it does not export the `auth` interface";
            return Err(LoadError::Contract(missing.to_owned()));
        }
        let id: Arc<str> = manifest.id().into();
        let logger = Arc::new(Logger::new(Arc::clone(&id), self.limits().log));
        Ok(Adapter {
            manifest,
            id,
            pre,
            exports,
            logger,
            share: self.share(),
        })
    }

    /// All of it at once: [`compile`](Self::compile) on a thread for blocking work, then [`probe`](Self::probe).
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Adapter, LoadError> {
        let runtime = self.clone();
        let compiled = tokio::task::spawn_blocking(move || runtime.compile(&bytes)).await;
        self.probe(&compiled.map_err(|e| LoadError::Compile(e.to_string()))??)
            .await
    }
}

impl Adapter {
    /// The optional interfaces it has, by name.
    pub fn interfaces(&self) -> Vec<&'static str> {
        let all = [
            ("streaming", self.exports.streaming.is_some()),
            ("auth", self.exports.auth.is_some()),
            ("models", self.exports.models.is_some()),
            ("jobs", self.exports.jobs.is_some()),
        ];
        all.into_iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| name)
            .collect()
    }
}

impl std::fmt::Debug for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adapter").field("id", &self.id).finish_non_exhaustive()
    }
}
