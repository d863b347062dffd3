//! Requests and answers of unusual size, beside what serde_json needs to read the request once, and what nginx needs to pass it on.

use super::super::{Measurement, Visit, scenario::Kind};
use crate::{load::quantile, request};
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

const KINDS: [(Kind, &str); 3] = [
    (Kind::History, "a request of 200 KB: an agent's history"),
    (Kind::Megabyte, "a request of 1 MB: the same with four pictures"),
    (Kind::Tools, "a stream of 1,000 tool calls"),
];
const READINGS: usize = 31;

/// The table; empty if nothing of it was measured.
pub(super) fn table(visits: &[Visit]) -> Result<String, String> {
    let of = |name| {
        let of = visits.iter().filter(move |visit| visit.contender == name);
        of.flat_map(|visit| &visit.measurements).collect::<Vec<_>>()
    };
    let (all, nginx) = (of("witgate"), of("nginx"));
    let mut rows = String::new();
    for (kind, what) in KINDS {
        let costs = [false, true].map(|translated| cost(&all, kind, translated));
        if costs == [None, None] {
            continue;
        }
        let _ = write!(rows, "| {what} |");
        let reading = if kind.streams() { None } else { Some(reading_us(kind)?) };
        let _ = match reading {
            Some(reading) => write!(rows, " {reading:.0} |"),
            None => write!(rows, " |"),
        };
        for cost in [cost(&nginx, kind, false), costs[0], costs[1]] {
            let _ = match (cost, reading) {
                (Some(cost), Some(reading)) => write!(rows, " {cost:.0} ({:.2} ×) |", cost / reading),
                (Some(cost), None) => write!(rows, " {cost:.0} |"),
                (None, _) => write!(rows, " |"),
            };
        }
        rows.push('\n');
    }
    if rows.is_empty() {
        return Ok(rows);
    }
    Ok(format!(
        "\n## Sizes\n\nCPU µs for one. serde_json reads the request into a `Value` once, and ratios are to that; nginx moves the bytes in and \
         out and looks at none.\n\n\
         | | serde_json | nginx | passed on | through the Anthropic adapter |\n|---|--:|--:|--:|--:|\n{rows}"
    ))
}

fn cost(all: &[&Measurement], kind: Kind, translated: bool) -> Option<f64> {
    let of = all.iter().filter(|one| {
        let scenario = one.scenario;
        one.adapter.is_none() && scenario.kind == kind && scenario.translated == translated && one.load.errors == 0
    });
    let mut costs: Vec<f64> = of.filter_map(|one| one.processor_us).collect();
    (!costs.is_empty()).then(|| quantile(&mut costs, 0.5))
}

/// The median of some readings, in microseconds.
fn reading_us(kind: Kind) -> Result<f64, String> {
    let body = request::body("gpt-4o-mini", false, kind.size());
    let mut readings = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        let begin = Instant::now();
        let read: serde_json::Value = serde_json::from_slice(black_box(&body)).map_err(|error| error.to_string())?;
        black_box(read);
        readings.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    Ok(quantile(&mut readings, 0.5))
}
