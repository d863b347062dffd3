//! Stopping: what makes the gateway stop, and letting go of what is under way.

use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;

/// Ready when the process is told to stop: SIGTERM or Ctrl-C. A second signal ends it at once, as usual.
pub async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    tracing::info!("stopping: no new connections, requests under way may end");
}

/// Waits for the connections to finish what they are at, at most `grace`.
pub(super) async fn finish(connections: GracefulShutdown, grace: Duration) {
    let open = connections.count();
    tokio::select! {
        () = connections.shutdown() => tracing::info!("all requests are answered"),
        () = tokio::time::sleep(grace) => tracing::warn!(open, ?grace, "requests were cut off: the grace period is over"),
    }
}
