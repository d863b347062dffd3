//! Stopping: what makes the gateway stop, and letting go of what is under way.

use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;

/// What ends a process by SIGINT, as shells tell it.
const INTERRUPTED: i32 = 130;

/// Ready when the process is told to stop: SIGTERM or Ctrl-C. A second signal ends it at once, with the exit code of that signal.
pub async fn stop_signal() {
    let Some(mut signals) = Signals::new() else {
        return std::future::pending().await;
    };
    signals.next().await;
    tracing::info!("stopping: no new connections, requests under way may end; a second signal ends them at once");
    tokio::spawn(async move {
        let code = signals.next().await;
        // The log is written by a thread that is not waited for any more.
        std::process::exit(code);
    });
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            terminate: signal(SignalKind::terminate()).ok()?,
            interrupt: signal(SignalKind::interrupt()).ok()?,
        })
    }

    /// The exit code of the next one.
    async fn next(&mut self) -> i32 {
        const TERMINATED: i32 = 143;
        tokio::select! {
            _ = self.terminate.recv() => TERMINATED,
            _ = self.interrupt.recv() => INTERRUPTED,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> i32 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPTED
    }
}

/// Waits for the connections to finish what they are at, at most `grace`.
pub(super) async fn finish(connections: GracefulShutdown, grace: Duration) {
    let open = connections.count();
    tokio::select! {
        () = connections.shutdown() => tracing::info!("all requests are answered"),
        () = tokio::time::sleep(grace) => tracing::warn!(open, ?grace, "requests were cut off: the grace period is over"),
    }
}
