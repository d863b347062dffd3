//! [`Renewed`]: something that serves for a while and is the same for everybody, like credentials or an access token. One caller fetches
//! it while the others wait; it is renewed before it expires, while it still serves; a failure is the answer for all who ask within a
//! moment, so that a crowd of callers does not ask a service that refuses one after the other.

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// A value is renewed when this much of its life is left, or a fifth of it if that is less.
const EARLY: Duration = Duration::from_mins(5);
/// How long a failure is the answer for everybody.
const FAILED: Duration = Duration::from_secs(1);

/// Keeps the newest value, and fetches the next one.
pub struct Renewed<T>(Arc<Inner<T>>);

struct Inner<T> {
    current: ArcSwapOption<Held<T>>,
    /// Held by whoever is fetching a new one.
    fetching: Arc<Semaphore>,
    failed: ArcSwapOption<(Instant, Error)>,
}

/// A value, and how long it serves.
pub struct Held<T> {
    value: T,
    renew: Option<Instant>,
    expire: Option<Instant>,
}

impl<T> Held<T> {
    /// A value that serves for `life`, or for ever.
    pub fn new(value: T, life: Option<Duration>) -> Self {
        let now = Instant::now();
        let after = |life: Duration| now.checked_add(life);
        Self {
            value,
            renew: life.and_then(|life| after(life - EARLY.min(life / 5))),
            expire: life.and_then(after),
        }
    }

    /// A value that never expires, but is looked up again `after` a while, since it may have changed.
    pub fn looked_up_again(value: T, after: Duration) -> Self {
        Self {
            value,
            renew: Instant::now().checked_add(after),
            expire: None,
        }
    }

    fn good(&self) -> bool {
        self.expire.is_none_or(|at| Instant::now() < at)
    }

    fn ripe(&self) -> bool {
        self.renew.is_some_and(|at| at <= Instant::now())
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Send + Sync + 'static> Renewed<T> {
    /// A good value: the one that is here, else a new one. `provider` is whose it is, for the log.
    ///
    /// # Errors
    /// What `fetch` gave, to whoever asks within a second of it. A renewal that fails is only logged: the old value still serves.
    pub async fn get<F>(&self, provider: &str, fetch: impl FnOnce() -> F) -> Result<Arc<Held<T>>>
    where
        F: Future<Output = Result<Held<T>>> + Send + 'static,
    {
        let inner = &self.0;
        if let Some(good) = inner.good() {
            if good.ripe() {
                self.renew(provider, fetch);
            }
            return Ok(good);
        }
        let fetching = inner.fetching.acquire().await;
        let _alone = fetching.map_err(|_| Error::Draining)?;
        if let Some(good) = inner.good() {
            return Ok(good);
        }
        if let Some((at, error)) = inner.failed.load().as_deref()
            && at.elapsed() < FAILED
        {
            return Err(error.clone());
        }
        let fetched = fetch().await;
        fetched.map(|held| inner.keep(held)).inspect_err(|error| {
            inner.failed.store(Some(Arc::new((Instant::now(), error.clone()))));
        })
    }

    /// Fetches a new value beside the caller that found the old one near its end; one at a time.
    fn renew<F>(&self, provider: &str, fetch: impl FnOnce() -> F)
    where
        F: Future<Output = Result<Held<T>>> + Send + 'static,
    {
        let Ok(alone) = Arc::clone(&self.0.fetching).try_acquire_owned() else {
            return;
        };
        let (inner, work, provider) = (Arc::clone(&self.0), fetch(), provider.to_owned());
        tokio::spawn(async move {
            let _alone = alone;
            match work.await {
                Ok(held) => drop(inner.keep(held)),
                Err(error) => tracing::warn!(provider, "its credentials could not be renewed: {error}"),
            }
        });
    }

    /// Forgets a value that was refused; but not what somebody has fetched since.
    pub fn forget(&self, refused: &Arc<Held<T>>) {
        let current = self.0.current.load_full();
        if let Some(current) = current.filter(|current| Arc::ptr_eq(current, refused)) {
            self.0.current.compare_and_swap(&current, None);
        }
    }
}

impl<T> Inner<T> {
    fn good(&self) -> Option<Arc<Held<T>>> {
        self.current.load_full().filter(|held| held.good())
    }

    fn keep(&self, held: Held<T>) -> Arc<Held<T>> {
        let held = Arc::new(held);
        self.current.store(Some(Arc::clone(&held)));
        held
    }
}

impl<T> Default for Renewed<T> {
    fn default() -> Self {
        Self(Arc::new(Inner {
            current: ArcSwapOption::empty(),
            fetching: Arc::new(Semaphore::new(1)),
            failed: ArcSwapOption::empty(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// Values that count how often one was fetched, and serve for `life`.
    struct Source {
        renewed: Renewed<u32>,
        fetched: Arc<AtomicU32>,
        life: Duration,
    }

    impl Source {
        fn new(life: Duration) -> Self {
            Self {
                renewed: Renewed::default(),
                fetched: Arc::default(),
                life,
            }
        }

        async fn get(&self) -> Arc<Held<u32>> {
            let (fetched, life) = (Arc::clone(&self.fetched), self.life);
            let fetch = || async move {
                tokio::task::yield_now().await;
                Ok(Held::new(fetched.fetch_add(1, Ordering::Relaxed) + 1, Some(life)))
            };
            self.renewed.get("p", fetch).await.unwrap()
        }
    }

    #[tokio::test]
    async fn a_crowd_fetches_once() {
        let source = Source::new(HOUR);
        let (a, b, c) = tokio::join!(source.get(), source.get(), source.get());
        assert_eq!((**a, **b, **c), (1, 1, 1));
    }

    #[tokio::test]
    async fn what_expired_is_fetched_again_and_what_is_refused_only_if_nobody_has() {
        let gone = Source::new(Duration::ZERO);
        assert_eq!((**gone.get().await, **gone.get().await), (1, 2));
        let source = Source::new(HOUR);
        let first = source.get().await;
        source.renewed.forget(&first);
        assert_eq!(**source.get().await, 2);
        source.renewed.forget(&first);
        assert_eq!(**source.get().await, 2, "the first was refused, and not the second");
    }

    #[tokio::test]
    async fn a_value_near_its_end_serves_while_the_next_is_fetched() {
        let renewed = Renewed::default();
        let fetch = |value| move || async move { Ok(Held::looked_up_again(value, Duration::ZERO)) };
        assert_eq!(**renewed.get("p", fetch(1)).await.unwrap(), 1);
        assert_eq!(**renewed.get("p", fetch(2)).await.unwrap(), 1);
        // The renewal was spawned before this, on the one thread that there is.
        tokio::task::yield_now().await;
        assert_eq!(**renewed.get("p", fetch(3)).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_failure_is_for_a_moment_the_answer_for_all() {
        let renewed = Renewed::<u32>::default();
        let failed = renewed.get("p", || async { Err(Error::Internal("no")) }).await;
        assert!(failed.is_err());
        let asked = renewed.get("p", || async { Ok(Held::new(1, None)) }).await;
        assert!(matches!(asked, Err(Error::Internal("no"))));
    }

    #[test]
    fn it_is_time_to_renew_before_it_is_over() {
        let hour = Held::new((), Some(HOUR));
        assert!(hour.expire.unwrap() - hour.renew.unwrap() == EARLY);
        let short = Held::new((), Some(Duration::from_secs(10)));
        assert!(short.expire.unwrap() - short.renew.unwrap() == Duration::from_secs(2));
        let forever = Held::new((), None);
        assert!(forever.good() && !forever.ripe());
    }
}
