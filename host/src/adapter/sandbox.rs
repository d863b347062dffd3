//! What surrounds a guest: the data of its store, and the few host functions it may import. WASI is there because language runtimes
//! import it, but it is empty: no files, no arguments, no environment, no network.

use std::sync::Arc;

use wasmtime::{
    Engine,
    component::{HasSelf, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, p2::pipe::MemoryOutputPipe};

use super::{
    contract::{host_crypto, host_log, types},
    limits::{Limits, Meter},
    log::Logger,
    site::Site,
};
use crate::crypto;

/// How much of a guest's standard error is kept: a traceback, not a novel.
const STDERR: usize = 8 << 10;

/// The data of one store.
pub(super) struct Sandbox {
    /// The provider that is served; none while a component is only looked at, or waits for a call.
    site: Option<Arc<Site>>,
    /// The request this is for, for the log.
    request: Arc<str>,
    logger: Arc<Logger>,
    pub(super) meter: Meter,
    /// Ticks of processor time the running step has left.
    pub(super) ticks: u64,
    /// Made when the guest first asks for anything of WASI: most never do.
    wasi: Option<Box<Wasi>>,
}

struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    stderr: MemoryOutputPipe,
}

impl Sandbox {
    pub(super) fn new(limits: &Limits, logger: Arc<Logger>, request: Arc<str>, site: Option<Arc<Site>>) -> Self {
        Self {
            site,
            request,
            logger,
            meter: Meter::new(limits.memory),
            ticks: 0,
            wasi: None,
        }
    }

    /// The request is over. Returns how many bytes of memory the guest holds.
    pub(super) fn leave(&mut self) -> usize {
        self.site = None;
        self.meter.memory()
    }

    /// Another request begins, of a provider that this guest has served before.
    pub(super) fn enter(&mut self, site: Arc<Site>, request: Arc<str>) {
        self.site = Some(site);
        self.request = request;
        self.meter.refused = false;
    }

    /// What the guest wrote to its standard error: a Python traceback, for one.
    pub(super) fn stderr(&self) -> String {
        let bytes = self.wasi.as_ref().map(|wasi| wasi.stderr.contents());
        bytes.map_or_else(String::new, |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.get_or_insert_with(|| {
            let stderr = MemoryOutputPipe::new(STDERR);
            let context = WasiCtx::builder().stderr(stderr.clone()).build();
            Box::new(Wasi {
                context,
                table: ResourceTable::new(),
                stderr,
            })
        });
        WasiCtxView {
            ctx: &mut wasi.context,
            table: &mut wasi.table,
        }
    }
}

impl types::Host for Sandbox {}

impl host_log::Host for Sandbox {
    fn log(&mut self, level: String, message: String, fields: types::Pairs) {
        let provider = self.site.as_ref().map_or("", |site| site.upstream.id.as_str());
        self.logger.write(provider, &self.request, &level, &message, &fields);
    }
}

impl host_crypto::Host for Sandbox {
    fn sign(&mut self, algorithm: String, secret: String, data: Vec<u8>) -> Result<Vec<u8>, String> {
        let site = self
            .site
            .as_ref()
            .ok_or("there are no secrets while an adapter is being loaded")?;
        let permissions = &site.adapter.manifest.permissions;
        if !permissions.crypto.contains(&algorithm) {
            return Err(format!("`{algorithm}` is not among permissions.crypto"));
        }
        let key = site
            .secret(&secret)
            .ok_or("no such secret in this provider's settings")?;
        crypto::sign(&algorithm, key, &data)
    }
}

/// Everything a guest may import.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    types::add_to_linker::<_, HasSelf<_>>(&mut linker, |sandbox: &mut Sandbox| sandbox)?;
    host_log::add_to_linker::<_, HasSelf<_>>(&mut linker, |sandbox: &mut Sandbox| sandbox)?;
    host_crypto::add_to_linker::<_, HasSelf<_>>(&mut linker, |sandbox: &mut Sandbox| sandbox)?;
    Ok(linker)
}
