//! Sending one request of an adapter's, again if that is harmless, and reading the reply as the adapter wants it.

use std::{sync::Arc, time::Duration};

use backon::BackoffBuilder as _;
use bytes::Bytes;
use http::HeaderMap;

use super::{
    auth::Credentials,
    request::{Reading, Ready},
    site::Site,
};
use crate::{
    error::{Error, Result},
    passthrough::is_whole,
    record::Record,
    transport::{frame::Framing, http::Incoming, renewed::Held, signer::Signed},
};

/// A provider that asks for a longer pause than this gets no second try in this call.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A reply.
pub(super) enum Received {
    /// Read whole.
    Whole {
        status: u16,
        headers: HeaderMap,
        body: Bytes,
    },
    /// A 2xx reply whose body is still to come.
    Flowing(Box<Incoming>),
}

/// Everything a sending needs, owned: it goes on when the client that wanted it has left.
pub(super) struct Sending {
    pub(super) ready: Arc<Ready>,
    pub(super) site: Arc<Site>,
    pub(super) credentials: Option<Arc<Held<Credentials>>>,
    pub(super) record: Arc<Record>,
    /// How large a reply may be that is read whole.
    pub(super) limit: usize,
    /// Each time it is sent is a try at the client's call: it is the call's first request, not a poll or a fetch of credentials.
    pub(super) tries: bool,
}

impl Sending {
    /// Sends, and repeats the request after a broken connection or a failure of a passing kind: if it is idempotent, or certainly
    /// was not worked on.
    pub(super) async fn run(self) -> Result<Received> {
        let mut pauses = backon::ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(self.site.upstream.retries as usize)
            .build();
        let mut expired = false;
        loop {
            let mut signed = None;
            let received = self.once(&mut signed).await;
            // The keys were good for a while only, and it is over: the request was not worked on.
            if !expired && self.expired(signed.as_ref(), &received) {
                expired = true;
                continue;
            }
            let Some(asked) = self.worth_repeating(&received) else {
                return received;
            };
            match pauses.next() {
                Some(pause) if asked <= LONGEST_PAUSE => self.record.wait(pause.max(asked)).await,
                _ => return received,
            }
        }
    }

    /// Sends once. `signed` is then what the host signed the request with.
    async fn once(&self, signed: &mut Option<Signed>) -> Result<Received> {
        let mut outgoing = self.ready.outgoing(&self.site, self.credentials.as_deref());
        if let Some(signer) = self.site.signer.as_ref().filter(|_| self.ready.credentialed) {
            *signed = signer.sign(&mut outgoing).await?;
        }
        self.record.note(|entry| entry.attempts += u32::from(self.tries));
        let mut incoming = self.site.upstream.send(outgoing, &self.record).await?;
        let flows = self.ready.reading != Reading::Whole && (200..300).contains(&incoming.status);
        if flows && !self.is_one_value(&mut incoming).await? {
            return Ok(Received::Flowing(Box::new(incoming)));
        }
        let Incoming { status, headers, body } = incoming;
        let body = body.whole(self.limit).await?;
        Ok(Received::Whole { status, headers, body })
    }

    /// True if what should be events is one JSON value.
    async fn is_one_value(&self, incoming: &mut Incoming) -> Result<bool> {
        if self.ready.reading != Reading::Frames(Framing::Sse) {
            return Ok(false);
        }
        let first = incoming.body.peek().await?;
        Ok(is_whole(first, &incoming.headers))
    }

    /// True if the provider does not take the credentials any more that were found for it, and there may be newer ones.
    fn expired(&self, signed: Option<&Signed>, received: &Result<Received>) -> bool {
        match (&self.site.signer, signed, received) {
            (Some(signer), Some(signed), Ok(Received::Whole { status, headers, .. })) => {
                signer.refused(signed, *status, headers)
            }
            _ => false,
        }
    }

    /// The pause the provider asks for, if another try can help and does no harm.
    fn worth_repeating(&self, received: &Result<Received>) -> Option<Duration> {
        match received {
            Err(Error::Connection { unsent: true, .. }) => Some(Duration::ZERO),
            Err(error) if self.ready.idempotent && error.retryable() => Some(Duration::ZERO),
            Ok(Received::Whole { status, headers, .. }) if self.ready.idempotent && passing(*status) => {
                Some(retry_after(headers).unwrap_or_default())
            }
            _ => None,
        }
    }
}

/// Statuses that say "not now".
const fn passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 529)
}

/// `retry-after-ms`, or `retry-after` in seconds. A date is left to the back-off.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let read = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = read("retry-after-ms")
        .map(|ms| ms / 1000.0)
        .or_else(|| read("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_a_provider_asks_for_is_read_in_both_spellings() {
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, http::HeaderValue::from_static(value));
            retry_after(&headers)
        };
        assert_eq!(with("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(with("retry-after-ms", "50"), Some(Duration::from_millis(50)));
        assert_eq!(with("retry-after", "-1"), None);
        assert_eq!(with("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"), None);
    }
}
