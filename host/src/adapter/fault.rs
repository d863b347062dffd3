//! What went wrong inside a guest, in the gateway's words.

use std::{sync::Arc, time::Duration};

use wasmtime::Trap;

use super::{limits::Limits, sandbox::Sandbox};
use crate::error::Error;

/// What a fault is called, and the limits it names.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) adapter: Arc<str>,
    pub(super) cpu: Duration,
    memory: usize,
    output: usize,
}

impl Rules {
    pub(super) fn new(limits: &Limits, adapter: Arc<str>) -> Self {
        Self {
            adapter,
            cpu: limits.cpu,
            memory: limits.memory,
            output: limits.output,
        }
    }

    /// What went wrong in a guest, in the gateway's words. Where it went wrong goes to the log: it is for the adapter's author.
    pub(super) fn fault(&self, error: &wasmtime::Error, sandbox: Option<&Sandbox>) -> Error {
        let adapter = self.adapter.to_string();
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return Error::Busy("every adapter instance is in use; raise the limit or try again");
        }
        let trap = error.downcast_ref::<Trap>();
        let stderr = sandbox.map(Sandbox::stderr).unwrap_or_default();
        tracing::warn!(
            adapter = &*self.adapter,
            stderr = stderr.as_str(),
            "adapter failed: {error:?}"
        );
        if trap == Some(&Trap::Interrupt) {
            return Error::AdapterTimeout {
                adapter,
                limit: self.cpu,
            };
        }
        if sandbox.is_some_and(|sandbox| sandbox.meter.refused) {
            return Error::AdapterMemory {
                adapter,
                limit: self.memory,
            };
        }
        if trap.is_some() || error.is::<wasmtime::WasmBacktrace>() || error.is::<wasmtime_wasi::I32Exit>() {
            return Error::AdapterTrap { adapter };
        }
        let what = if error.to_string().contains("hostcalls") {
            format!("more than {} bytes in one step", self.output)
        } else {
            "a value that does not fit its type".to_owned()
        };
        Error::AdapterOutput { adapter, what }
    }
}
