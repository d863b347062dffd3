//! What a run tells: a line per measurement as it goes, then a table with ratios to nginx, and how Witgate stands to its aims.

mod adapters;
mod sizes;

use super::contender::{Contender, Places};
use super::options::Options;
use super::scenario::{Kind, Scenario};
use super::{Measurement, Visit, machine};
use crate::load::quantile;
use std::fmt::Write;
use std::fs;

/// A measurement in a line.
pub(super) fn line(measurement: &Measurement) -> String {
    let Measurement {
        scenario,
        load,
        processor_us,
        ..
    } = measurement;
    let mut line = format!(
        "{:<22}{:>9.0} answers/s   p50 {:>8.2} ms   p99 {:>8.2} ms",
        scenario.to_string(),
        load.answers_per_s,
        load.p50_us / 1e3,
        load.p99_us / 1e3
    );
    if let Some(used) = processor_us {
        let _ = write!(line, "   {used:>8.1} µs");
        if scenario.kind.streams() {
            let _ = write!(line, "   {:>6.2} µs/event", used / load.events_per_answer.max(1.0));
        }
    }
    if load.errors > 0 {
        let _ = write!(
            line,
            "   {} ERRORS: {}",
            load.errors,
            load.first_error.as_deref().unwrap_or_default()
        );
    }
    line
}

/// A column: what it says of one contender and one way to the provider.
struct Column {
    title: &'static str,
    /// digits after the point
    digits: usize,
    value: fn(&Results<'_>, bool) -> Option<f64>,
    /// how many times nginx's value Witgate may have: passed on, and through an adapter
    aims: Option<(f64, f64)>,
}

const COLUMNS: &[Column] = &[
    Column {
        title: "CPU µs per request",
        digits: 0,
        value: |of, way| of.processor(Kind::Chat, way),
        aims: Some((2.0, 3.0)),
    },
    Column {
        title: "CPU µs per event",
        digits: 1,
        value: |of, way| of.processor(Kind::Stream, way),
        aims: Some((1.3, 1.6)),
    },
    Column {
        title: "the same, paced",
        digits: 1,
        value: |of, way| of.processor(Kind::Paced, way),
        aims: Some((1.3, 1.6)),
    },
    Column {
        title: "one request, ms",
        digits: 2,
        value: |of, way| of.alone_ms(way),
        aims: Some((1.5, 1.5)),
    },
    Column {
        title: "requests/s",
        digits: 0,
        value: |of, way| of.rate(way),
        aims: None,
    },
    Column {
        title: "idle MB",
        digits: 0,
        value: |of, _| of.median(|visit| visit.idle_mb),
        aims: None,
    },
    Column {
        title: "ready ms",
        digits: 0,
        value: |of, _| of.median(|visit| visit.ready_ms),
        aims: None,
    },
];

/// All visits to one contender.
struct Results<'a> {
    contender: &'a Contender,
    visits: Vec<&'a Visit>,
}

impl Results<'_> {
    fn median(&self, value: impl Fn(&Visit) -> Option<f64>) -> Option<f64> {
        let mut values: Vec<f64> = self.visits.iter().filter_map(|visit| value(visit)).collect();
        (!values.is_empty()).then(|| quantile(&mut values, 0.5))
    }

    fn of(&self, matches: impl Fn(&Scenario) -> bool, value: impl Fn(&Measurement) -> Option<f64>) -> Option<f64> {
        self.median(|visit| {
            let measurement = visit
                .measurements
                .iter()
                .find(|measurement| measurement.adapter.is_none() && matches(&measurement.scenario))?;
            (measurement.load.answers > 0).then(|| value(measurement))?
        })
    }

    /// With many connections, where it is steadiest; per event if there are events.
    fn processor(&self, kind: Kind, translated: bool) -> Option<f64> {
        let matches = |scenario: &Scenario| {
            scenario.kind == kind && scenario.translated == translated && scenario.connections > 1
        };
        self.of(matches, |of| {
            Some(
                of.processor_us?
                    / if kind.streams() {
                        of.load.events_per_answer.max(1.0)
                    } else {
                        1.0
                    },
            )
        })
    }

    fn alone_ms(&self, translated: bool) -> Option<f64> {
        let matches = |scenario: &Scenario| {
            scenario.kind == Kind::Chat && scenario.translated == translated && scenario.connections == 1
        };
        self.of(matches, |of| Some(of.load.p50_us / 1e3))
    }

    fn rate(&self, translated: bool) -> Option<f64> {
        let matches = |scenario: &Scenario| {
            scenario.kind == Kind::Chat && scenario.translated == translated && scenario.connections > 1
        };
        self.of(matches, |of| Some(of.load.answers_per_s))
    }
}

/// Prints the table and the aims; keeps the raw figures, and the table if it is a whole run.
pub(super) fn tell(
    options: &Options,
    places: &Places,
    contenders: &[Contender],
    visits: &[Visit],
) -> Result<(), String> {
    let results: Vec<Results<'_>> = contenders
        .iter()
        .map(|contender| {
            let visits = visits
                .iter()
                .filter(|visit| visit.contender == contender.name)
                .collect();
            Results { contender, visits }
        })
        .collect();
    let nginx = results.iter().find(|results| results.contender.name == "nginx");
    let mut table = table(&results, nginx) + &legend(contenders);
    table += &sizes::table(visits)?;
    table += &adapters::table(visits);
    println!("\n{table}\n{}", aims(&results, nginx));
    let raw = serde_json::to_string_pretty(visits).map_err(|error| error.to_string())?;
    let raw_file = places.work.join("last-run.json");
    fs::write(&raw_file, raw).map_err(|error| format!("{}: {error}", raw_file.display()))?;
    if options.keep {
        let file = places.repository.join("tests/bench/RESULTS.md");
        fs::write(&file, page(options, &table)).map_err(|error| format!("{}: {error}", file.display()))?;
        println!("written to {}", file.display());
    }
    let failures: Vec<String> = visits
        .iter()
        .filter_map(|visit| Some(format!("{}: {}", visit.contender, visit.failure.as_ref()?)))
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

fn table(results: &[Results<'_>], nginx: Option<&Results<'_>>) -> String {
    let mut table = String::from("| gateway |");
    COLUMNS
        .iter()
        .for_each(|column| table += &format!(" {} |", column.title));
    table += "\n|---|";
    COLUMNS.iter().for_each(|_| table += "--:|");
    for of in results {
        for translated in [false, true] {
            if of.contender.route(translated).is_some() {
                table += &row(of, translated, nginx);
            }
        }
    }
    table + "\n"
}

/// Who they are.
fn legend(contenders: &[Contender]) -> String {
    let rows = contenders
        .iter()
        .map(|contender| format!("- **{}**: {}\n", contender.name, contender.label));
    format!("\n{}", rows.collect::<String>())
}

fn row(of: &Results<'_>, translated: bool, nginx: Option<&Results<'_>>) -> String {
    let way = if translated {
        ", translating to Anthropic's API"
    } else {
        ""
    };
    let mut row = format!("\n| **{}**{way} |", of.contender.name);
    for column in COLUMNS {
        let Some(value) = (column.value)(of, translated) else {
            row += " |";
            continue;
        };
        let _ = write!(row, " {value:.*}", column.digits);
        let ratio = nginx
            .and_then(|nginx| ratio(column, of, translated, nginx))
            .filter(|_| column.aims.is_some());
        if let Some(ratio) = ratio.filter(|_| of.contender.name != "nginx") {
            let _ = write!(row, " ({ratio:.2} ×)");
        }
        row += " |";
    }
    row
}

/// nginx translates nothing: what it needs to pass a request on is the measure of both ways.
fn ratio(column: &Column, of: &Results<'_>, translated: bool, nginx: &Results<'_>) -> Option<f64> {
    Some((column.value)(of, translated)? / (column.value)(nginx, false)?)
}

fn aims(results: &[Results<'_>], nginx: Option<&Results<'_>>) -> String {
    let mut text = String::new();
    let witgate = results.iter().find(|results| results.contender.name == "witgate");
    let Some((witgate, nginx)) = witgate.zip(nginx) else {
        return text;
    };
    for column in COLUMNS {
        let Some((passed_on, adapted)) = column.aims else {
            continue;
        };
        for (translated, aim) in [(false, passed_on), (true, adapted)] {
            if let Some(ratio) = ratio(column, witgate, translated, nginx) {
                let way = if translated { "through an adapter" } else { "passed on" };
                let word = if ratio <= aim { "reached" } else { "MISSED" };
                let _ = writeln!(
                    text,
                    "{:<20} {way:<19} {ratio:>5.2} × nginx, aim {aim:.1} ×: {word}",
                    column.title
                );
            }
        }
    }
    text
}

fn page(options: &Options, table: &str) -> String {
    let trained = if options.trained { " --trained" } else { "" };
    format!(
        "# Benchmark results\n\nMade by `cargo xtask bench{trained}` on {}: medians of {} rounds of {} s. What the columns mean is told in \
         [README.md](README.md).\n\n{table}",
        machine::describe(),
        options.rounds,
        options.seconds
    )
}
