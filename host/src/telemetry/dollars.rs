//! A counter of money. It sums in whole picodollars, and is a number of dollars only when it is read: a sum of floats would drift.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, TypedMetric},
};

use crate::price::Cost;

/// USD. Up to 18 million of them: then it begins again at zero, as counters may.
#[derive(Clone, Debug, Default)]
pub(super) struct Dollars(Arc<AtomicU64>);

impl Dollars {
    pub(super) fn add(&self, cost: Cost) {
        self.0.fetch_add(cost.pico, Ordering::Relaxed);
    }
}

impl TypedMetric for Dollars {
    const TYPE: MetricType = MetricType::Counter;
}

impl EncodeMetric for Dollars {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let dollars = self.0.load(Ordering::Relaxed) as f64 / 1e12;
        encoder.encode_counter::<NoLabelSet, _, u64>(&dollars, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}
