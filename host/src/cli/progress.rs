//! A sign of life for work that takes longer than one likes to wait in silence. It goes to stderr: results go to stdout.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Work that is over sooner says nothing.
const SILENCE: Duration = Duration::from_millis(500);

/// Does `work`; while it lasts, says `what` is being done.
pub(super) fn during<T>(what: impl Fn() -> String + Send, work: impl FnOnce() -> T) -> T {
    let (working, over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || show(&what, &over));
        let result = work();
        drop(working);
        result
    })
}

/// The same for work that waits for others.
pub(super) async fn meanwhile<T>(what: impl Into<String>, work: impl Future<Output = T>) -> T {
    let (what, (working, over)) = (what.into(), mpsc::channel::<()>());
    let showing = thread::spawn(move || show(&|| what.clone(), &over));
    let result = work.await;
    drop(working);
    // It does not panic; and if it did, nothing is lost with it.
    drop(showing.join());
    result
}

/// A line that counts seconds on a terminal, one plain line elsewhere.
fn show(what: &dyn Fn() -> String, over: &mpsc::Receiver<()>) {
    let started = Instant::now();
    let terminal = std::io::stderr().is_terminal();
    let mut stderr = std::io::stderr();
    let mut shown = false;
    while over.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
        // A closed stderr is no reason to fail.
        if terminal {
            let _ = write!(stderr, "\r\x1b[K{} … {} s", what(), started.elapsed().as_secs());
        } else if !shown {
            let _ = writeln!(stderr, "{} …", what());
        }
        shown = true;
    }
    if shown && terminal {
        let _ = write!(stderr, "\r\x1b[K");
    }
}
