//! What the gateway tells about itself: Prometheus metrics ([`Telemetry`]) and the request log, one line per closed
//! [`Record`](crate::record::Record).

mod dollars;
mod plain;

use std::{
    fmt, mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use tokio::sync::Notify;

use crate::record::Entry;
use dollars::Dollars;

/// How many requests that are over may wait for their lines; the next one writes them all.
const MOST_OVER: usize = 256;

/// All metrics, and the registry that prints them.
pub struct Telemetry {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<CallLabels, Histogram, Seconds>,
    first_byte: Family<CallLabels, Histogram, Seconds>,
    overhead: Family<CallLabels, Histogram, Seconds>,
    tokens: Family<TokenLabels, Counter>,
    cost: Family<ProviderLabels, Dollars>,
    unpriced: Family<ProviderLabels, Counter>,
    active: Gauge,
    adapter_calls: Family<AdapterLabels, Counter>,
    adapter_cpu: Family<AdapterLabels, Counter<f64, AtomicU64>>,
    adapter_faults: Family<FaultLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    over: Over,
}

/// Requests that are over, and not counted and logged yet: their answers leave first.
#[derive(Default)]
struct Over {
    /// Somebody takes them: [`Telemetry::keep`] runs.
    kept: AtomicBool,
    entries: Mutex<Vec<Entry>>,
    /// Those that somebody is counting. Locked meanwhile: who asks for the metrics waits for them.
    taken: Mutex<Vec<Entry>>,
    some: Notify,
}

impl Over {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all there are.
    fn take(&self) -> MutexGuard<'_, Vec<Entry>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut *taken, &mut *self.entries());
        taken
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    provider: String,
    status: u16,
    side: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    provider: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TokenLabels {
    provider: String,
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProviderLabels {
    provider: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AdapterLabels {
    adapter: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FaultLabels {
    adapter: String,
    fault: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReloadLabels {
    adapter: String,
    outcome: &'static str,
}

/// Histograms with the bounds of OpenTelemetry's `gen_ai.client.operation.duration`, and three finer ones below for the overhead.
#[derive(Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        const BOUNDS: [f64; 17] = [
            0.0001, 0.0005, 0.001, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96,
            81.92,
        ];
        Histogram::new(BOUNDS)
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        let mut all = Self {
            registry: Registry::with_prefix("witgate"),
            requests: Family::default(),
            latency: Family::new_with_constructor(Seconds),
            first_byte: Family::new_with_constructor(Seconds),
            overhead: Family::new_with_constructor(Seconds),
            tokens: Family::default(),
            cost: Family::default(),
            unpriced: Family::default(),
            active: Gauge::default(),
            adapter_calls: Family::default(),
            adapter_cpu: Family::default(),
            adapter_faults: Family::default(),
            reloads: Family::default(),
            over: Over::default(),
        };
        all.register();
        all
    }
}

impl Telemetry {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register(
            "requests",
            "Requests by operation, provider, status and whose fault an error was",
            self.requests.clone(),
        );
        let unit = Unit::Seconds;
        r.register_with_unit(
            "latency",
            "From a request's arrival to its last byte",
            unit.clone(),
            self.latency.clone(),
        );
        r.register_with_unit(
            "first_byte",
            "From a request's arrival to the first byte",
            unit.clone(),
            self.first_byte.clone(),
        );
        r.register_with_unit(
            "overhead",
            "Latency that is not waiting for a provider, nor before another try",
            unit.clone(),
            self.overhead.clone(),
        );
        r.register(
            "tokens",
            "Tokens by provider and kind; no kind holds another",
            self.tokens.clone(),
        );
        r.register(
            "cost_usd",
            "What answers cost, in USD, of those whose price is known",
            self.cost.clone(),
        );
        r.register(
            "unpriced_requests",
            "Requests that used something of which no price is known",
            self.unpriced.clone(),
        );
        r.register("active_requests", "Requests under way", self.active.clone());
        r.register("adapter_calls", "Calls into adapters", self.adapter_calls.clone());
        r.register_with_unit(
            "adapter_cpu",
            "Time spent in adapters' code",
            unit,
            self.adapter_cpu.clone(),
        );
        r.register(
            "adapter_faults",
            "Calls an adapter broke, by what went wrong",
            self.adapter_faults.clone(),
        );
        r.register(
            "adapter_reloads",
            "Versions of adapters that were put into service or refused",
            self.reloads.clone(),
        );
    }

    /// The metrics in Prometheus' text format (OpenMetrics 1.0).
    pub fn metrics(&self) -> String {
        self.settle();
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }

    /// A request has arrived.
    pub fn opened(&self) {
        self.active.inc();
    }

    /// Requests under way.
    pub fn active(&self) -> i64 {
        self.active.get()
    }

    /// A new version of an adapter went into service, or was refused.
    pub fn reloaded(&self, adapter: &str, ok: bool) {
        let outcome = if ok { "served" } else { "refused" };
        self.reloads
            .get_or_create(&ReloadLabels {
                adapter: adapter.to_owned(),
                outcome,
            })
            .inc();
    }

    /// A request is over. It is counted and logged soon, or now if nobody does that.
    pub fn closed(&self, entry: Entry) {
        self.active.dec();
        let mut over = self.over.entries();
        over.push(entry);
        let waiting = over.len();
        drop(over);
        if waiting >= MOST_OVER || !self.over.kept.load(Ordering::Acquire) {
            self.settle();
        } else if waiting == 1 {
            self.over.some.notify_one();
        }
    }

    /// Counts and logs requests that are over, for as long as it runs: after their answers have left, and those together that end
    /// together. Whoever stops it calls [`Telemetry::close`].
    pub async fn keep(&self) {
        self.over.kept.store(true, Ordering::Release);
        loop {
            self.over.some.notified().await;
            // Behind those that are ready to run: the answer goes out first, and more requests may be over then.
            tokio::task::yield_now().await;
            self.settle();
        }
    }

    /// From here on a request is counted and logged as it ends.
    pub fn close(&self) {
        self.over.kept.store(false, Ordering::Release);
        self.settle();
    }

    fn settle(&self) {
        for entry in self.over.take().drain(..) {
            self.count(&entry);
            log(&entry);
        }
    }

    fn count(&self, entry: &Entry) {
        let provider = entry.provider.as_deref().unwrap_or_default();
        let side = entry.error.map_or("", |(side, _)| side.as_str());
        let labels = RequestLabels {
            operation: entry.operation,
            provider: provider.to_owned(),
            status: entry.status,
            side,
        };
        self.requests.get_or_create(&labels).inc();
        if provider.is_empty() {
            return;
        }
        let call = CallLabels {
            operation: entry.operation,
            provider: provider.to_owned(),
        };
        self.latency.get_or_create(&call).observe(entry.total.as_secs_f64());
        self.overhead
            .get_or_create(&call)
            .observe(entry.total.saturating_sub(entry.upstream).as_secs_f64());
        if let Some(first) = entry.first_byte {
            self.first_byte.get_or_create(&call).observe(first.as_secs_f64());
        }
        self.count_tokens(provider, entry);
        self.count_cost(provider, entry);
        if let Some(adapter) = entry.adapter.as_deref() {
            self.count_adapter(adapter, entry);
        }
    }

    fn count_tokens(&self, provider: &str, entry: &Entry) {
        let tokens = entry
            .usage
            .lines()
            .filter(|(line, _)| !matches!(*line, "requests" | "seconds"));
        for (kind, count) in tokens {
            self.tokens
                .get_or_create(&TokenLabels {
                    provider: provider.to_owned(),
                    kind,
                })
                .inc_by(count);
        }
    }

    fn count_cost(&self, provider: &str, entry: &Entry) {
        let labels = ProviderLabels {
            provider: provider.to_owned(),
        };
        match entry.cost() {
            Some(cost) => self.cost.get_or_create(&labels).add(cost),
            None if entry.usage.lines().next().is_some() => {
                self.unpriced.get_or_create(&labels).inc();
            }
            None => {}
        }
    }

    fn count_adapter(&self, adapter: &str, entry: &Entry) {
        let labels = AdapterLabels {
            adapter: adapter.to_owned(),
        };
        self.adapter_calls
            .get_or_create(&labels)
            .inc_by(u64::from(entry.adapter_calls));
        self.adapter_cpu
            .get_or_create(&labels)
            .inc_by(entry.adapter_cpu.as_secs_f64());
        if let Some((crate::error::Side::Adapter, word)) = entry.error {
            self.adapter_faults
                .get_or_create(&FaultLabels {
                    adapter: adapter.to_owned(),
                    fault: word,
                })
                .inc();
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

/// The line of a request. Providers' words and adapters' names are data: the formatter escapes them.
fn log(entry: &Entry) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    tracing::info!(
        target: "witgate::request",
        id = entry.id,
        operation = entry.operation,
        status = entry.status,
        model = entry.model,
        provider = entry.provider.as_deref(),
        upstream_model = entry.upstream_model.as_deref(),
        adapter = entry.adapter.as_deref(),
        streaming = entry.streaming,
        ms = ms(entry.total),
        first_byte_ms = entry.first_byte.map(ms),
        upstream_ms = ms(entry.upstream),
        attempts = entry.attempts,
        input_tokens = entry.usage.input,
        cached_tokens = entry.usage.cached,
        output_tokens = entry.usage.output,
        reasoning_tokens = entry.usage.reasoning,
        cost_usd = entry.cost().map(tracing::field::display),
        dropped = (!entry.dropped.is_empty()).then(|| entry.dropped.join(" ")),
        side = entry.error.map(|(side, _)| side.as_str()),
        error = entry.error.map(|(_, word)| word),
        upstream_error = entry.upstream_error.as_deref(),
        "request"
    );
}

/// Sends the log to stderr, by a thread of its own so that a slow terminal or pipe never holds up a request. What does not fit its
/// queue is dropped. `RUST_LOG` sets what is logged; the default is `info`. Keep what this returns: dropping it writes what is left.
pub fn log_to_stderr(json: bool) -> tracing_appender::non_blocking::WorkerGuard {
    use std::io::IsTerminal as _;
    use tracing_subscriber::{EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

    // That thread flushes when its queue is empty: lines that come together are one write.
    let (writer, guard) =
        tracing_appender::non_blocking(std::io::BufWriter::with_capacity(64 << 10, std::io::stderr()));
    let lines = fmt::layer().with_writer(writer);
    let lines = if json {
        lines.json().flatten_event(true).boxed()
    } else if std::io::stderr().is_terminal() {
        lines.with_ansi(true).boxed()
    } else {
        lines.with_ansi(false).fmt_fields(plain::Plain).boxed()
    };
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    // A second call, in a test of the library, changes nothing.
    drop(tracing_subscriber::registry().with(filter).with(lines).try_init());
    guard
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Telemetry;
    use crate::record::Entry;

    const ONE: &str = "witgate_requests_total{operation=\"chat\",provider=\"\",status=\"200\",side=\"\"} 1\n";

    fn over(telemetry: &Telemetry) {
        telemetry.opened();
        telemetry.closed(Entry {
            operation: "chat",
            status: 200,
            ..Entry::default()
        });
    }

    #[tokio::test]
    async fn whoever_asks_sees_every_request_that_is_over() {
        let telemetry = Arc::new(Telemetry::default());
        let keeping = Arc::clone(&telemetry);
        let keeping = tokio::spawn(async move { keeping.keep().await });
        tokio::task::yield_now().await;
        over(&telemetry);
        assert_eq!(telemetry.over.entries().len(), 1, "it waits for its answer to leave");
        assert!(telemetry.metrics().contains(ONE), "{}", telemetry.metrics());
        keeping.abort();
    }

    #[tokio::test]
    async fn requests_that_end_after_the_gateway_are_told_at_once() {
        let telemetry = Telemetry::default();
        telemetry.close();
        over(&telemetry);
        assert!(telemetry.over.entries().is_empty());
        assert!(telemetry.metrics().contains(ONE), "{}", telemetry.metrics());
    }
}
