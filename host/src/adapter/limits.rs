//! What a guest may use: [`Limits`], and [`Meter`], which wasmtime asks before it gives a guest memory.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What the runtime and one call of it may use. The defaults are such that an honest adapter never meets them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Calls that can be under way in adapters at the same time, streams included.
    pub slots: u32,
    /// How long a call waits for a slot before it is turned away with [`Error::Busy`](crate::error::Error::Busy).
    pub queue: Duration,
    /// Processor time of one step: one call of a function of the guest's.
    pub cpu: Duration,
    /// Memory of one call in bytes, all linear memories together.
    pub memory: usize,
    /// What one step may return, in bytes.
    pub output: usize,
    /// What one adapter may log, in bytes a second; more is dropped, and the log says so.
    pub log: u32,
    /// How long one exchange may take, polling and streaming included.
    pub wall_clock: Duration,
    /// How many requests one exchange may make.
    pub steps: u32,
    /// How large a reply may be that is read whole, in bytes.
    pub reply: usize,
    /// How long the work after a client has left may take.
    pub wind_down: Duration,
    /// How many calls of one provider an instance may serve, one after another. With 1 nothing of a call can be seen by another.
    pub calls_per_instance: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            slots: 1000,
            queue: Duration::from_secs(2),
            cpu: Duration::from_millis(200),
            memory: 64 << 20,
            output: 16 << 20,
            log: 64 << 10,
            wall_clock: Duration::from_mins(30),
            steps: 1000,
            reply: 32 << 20,
            wind_down: Duration::from_secs(30),
            calls_per_instance: 1,
        }
    }
}

/// Table elements of one call, over all tables: a CPython has some ten thousand.
pub(super) const TABLE_ELEMENTS: usize = 65_536;

/// Core instances of one component: language runtimes bring a handful of adapter modules.
pub(super) const CORE_INSTANCES: u32 = 24;

/// Linear memories of one component.
pub(super) const MEMORIES: u32 = 4;

/// Tables of one component.
pub(super) const TABLES: u32 = 8;

/// Counts what one store was given.
#[derive(Debug)]
pub(super) struct Meter {
    memory: usize,
    limit: usize,
    elements: usize,
    /// A guest wanted more than it may have. It may live with the refusal; if it traps after one, this is why.
    pub(super) refused: bool,
}

impl Meter {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            memory: 0,
            limit,
            elements: 0,
            refused: false,
        }
    }
}

impl Meter {
    /// Bytes that it was given.
    pub(super) const fn memory(&self) -> usize {
        self.memory
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limit {
            self.refused = true;
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS {
            self.refused = true;
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_summed_over_all_memories_of_a_guest() {
        let mut meter = Meter::new(100);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(!meter.memory_growing(40, 41, None).unwrap());
        assert!(meter.refused);
    }
}
