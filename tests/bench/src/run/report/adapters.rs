//! The adapters beside each other: what each costs, and how many times what Anthropic's costs.

use super::super::{Measurement, Visit, scenario::Kind};
use crate::load::quantile;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What the others are compared with, and how many times its cost one may have.
const MEASURE: &str = "anthropic";
const AIM: f64 = 1.5;

/// The table; empty if adapters were not measured.
pub(super) fn table(visits: &[Visit]) -> String {
    let all: Vec<&Measurement> = visits.iter().flat_map(|visit| &visit.measurements).collect();
    let adapters: BTreeSet<&str> = all.iter().filter_map(|one| one.adapter.as_deref()).collect();
    if adapters.is_empty() {
        return String::new();
    }
    let mut table = format!(
        "\n## Adapters\n\nThe same request and the same text through each adapter; ratios are to `{MEASURE}`, the aim is {AIM} ×. \
         Bedrock's requests are signed, its frames checked; Replicate's wait for their answer (`prefer: wait`), its streams are begun and then read.\n\n\
         | adapter | CPU µs per request | CPU µs per event |\n|---|--:|--:|\n"
    );
    for adapter in adapters {
        let _ = write!(table, "| `{adapter}` |");
        for kind in [Kind::Chat, Kind::Stream] {
            let _ = match (cost(&all, adapter, kind), cost(&all, MEASURE, kind)) {
                (Some(cost), Some(measure)) => write!(table, " {cost:.1} ({:.2} ×) |", cost / measure),
                (Some(cost), None) => write!(table, " {cost:.1} |"),
                _ => write!(table, " |"),
            };
        }
        table.push('\n');
    }
    table
}

/// The median of the rounds: processor time of a request, or of an event.
fn cost(all: &[&Measurement], adapter: &str, kind: Kind) -> Option<f64> {
    let of = all
        .iter()
        .filter(|one| one.adapter.as_deref() == Some(adapter) && one.scenario.kind == kind);
    let costs = of.filter(|one| one.load.errors == 0).filter_map(|one| {
        let events = if kind.streams() {
            one.load.events_per_answer.max(1.0)
        } else {
            1.0
        };
        Some(one.processor_us? / events)
    });
    let mut costs: Vec<f64> = costs.collect();
    (!costs.is_empty()).then(|| quantile(&mut costs, 0.5))
}
