//! Accepting connections, also while the machine is out of something: then the gateway waits a little, and says so now and then.

use std::{io, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};

/// How long it waits after a failure: file descriptors come back when requests end.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it says so at most.
const TOLD: Duration = Duration::from_secs(1);

/// A listener, and how it fares.
pub(super) struct Accepting {
    listener: TcpListener,
    /// Since it was last told of.
    failures: u32,
    told: Option<Instant>,
}

impl Accepting {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            failures: 0,
            told: None,
        }
    }

    /// The next connection. It can be dropped at any await.
    pub(super) async fn next(&mut self) -> TcpStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                // That client was gone at once; the others have nothing to do with it.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    self.failed(&error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.failures += 1;
        if self.told.is_none_or(|told| told.elapsed() >= TOLD) {
            tracing::warn!(%error, times = self.failures, "cannot accept connections");
            (self.failures, self.told) = (0, Some(Instant::now()));
        }
    }
}
