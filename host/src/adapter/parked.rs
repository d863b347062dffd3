//! Instances that wait for another call, where the operator lets one instance serve several (`calls_per_instance`).
//!
//! By default there are none: each call has an instance of its own, and nothing of one call can be seen by another. A new instance
//! is a third of what a translated chat costs (`tests/bench/RESULTS.md`), so an operator who knows what he runs may trade: then calls
//! of one provider, one after another and never two at once, may share an instance, until it has served its number, or trapped, or was
//! left in the middle of something.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::guest::Live;

/// How much memory parked instances may hold on to, all adapters together. Each takes at least one of these MiB, so it is their
/// number at the most, too.
pub(super) const ROOM_MIB: u32 = 256;

/// The parked instances of one provider.
#[derive(Default)]
pub(super) struct Parked(Mutex<Vec<(Live, OwnedSemaphorePermit)>>);

impl Parked {
    /// One that may be called again: the last that was parked, whose memory is warm.
    pub(super) fn take(&self) -> Option<Live> {
        let mut parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parked.pop().map(|(live, _)| live)
    }

    /// Keeps one, if there is `room` for what it holds, in bytes.
    pub(super) fn keep(&self, live: Live, room: &Arc<Semaphore>, bytes: usize) {
        let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX).max(1);
        if let Ok(taken) = Arc::clone(room).try_acquire_many_owned(mib) {
            let mut parked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            parked.push((live, taken));
        }
    }
}
