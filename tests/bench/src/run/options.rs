//! The options of a run.

use super::scenario::Scenario;
use std::path::PathBuf;

/// What `bench` was asked for.
pub(crate) struct Options {
    /// the nginx to compare with
    pub(crate) nginx: PathBuf,
    /// contenders by name; empty: all
    pub(crate) only: Vec<String>,
    /// how often each contender is started and measured; the tables show medians
    pub(crate) rounds: usize,
    /// the measured time of a scenario, in seconds
    pub(crate) seconds: f64,
    /// what is measured
    pub(crate) scenarios: Vec<Scenario>,
    /// compare the adapters
    pub(crate) adapters: bool,
    /// write the table to RESULTS.md
    pub(crate) keep: bool,
    /// what is measured of Witgate was trained, which the table says
    pub(crate) trained: bool,
}

const USAGE: &str = "\
options: --quick                 one short round without paced streams, sizes and adapters; the table is only shown
         --adapters              only Witgate's adapters beside each other; the table is only shown
         --trained               Witgate is as `cargo xtask build --trained` leaves it: the table says so
         --only A,B              these contenders (ratios need nginx among them); the table is only shown
         --rounds N              default 3
         --seconds S             measured time of each scenario, default 4
         --scenarios A:N,B:N     chat, stream, paced, history, megabyte, tools, each with `translated-` in front or not, and a number
                                 of connections
         --nginx FILE            the nginx to compare with";

const ALL: &str = "chat:1,chat:64,stream:16,paced:32,\
    translated-chat:1,translated-chat:64,translated-stream:16,translated-paced:32,\
    history:4,megabyte:4,tools:4,translated-history:4,translated-megabyte:4,translated-tools:4";
const OF_ADAPTERS: &str = "translated-chat:64,translated-stream:16";
const QUICK: &str = "chat:1,chat:64,stream:16,translated-chat:1,translated-chat:64,translated-stream:16";

impl Options {
    /// Reads the command line.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let quick = arguments.iter().any(|word| word == "--quick");
        let (rounds, seconds, scenarios) = if quick { (1, 1.5, QUICK) } else { (3, 4.0, ALL) };
        let mut options = Self {
            nginx: "/usr/sbin/nginx".into(),
            only: Vec::new(),
            rounds,
            seconds,
            scenarios: Scenario::list(scenarios)?,
            adapters: !quick,
            keep: !quick,
            trained: arguments.iter().any(|word| word == "--trained"),
        };
        if arguments.iter().any(|word| word == "--adapters") {
            (options.only, options.scenarios, options.keep) = (vec!["witgate".to_owned()], Vec::new(), false);
        }
        let mut words = arguments
            .iter()
            .filter(|word| !["--quick", "--adapters", "--trained"].contains(&word.as_str()));
        while let Some(word) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{word} is unknown, or lacks a value\n{USAGE}"))?;
            options.set(word, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let bad = || format!("{name} {value}: not understood\n{USAGE}");
        match name {
            "--nginx" => self.nginx = value.into(),
            "--only" => {
                self.only = value.split(',').map(str::to_owned).collect();
                self.keep = false;
            }
            "--rounds" => {
                self.rounds = value
                    .parse()
                    .ok()
                    .filter(|rounds| (1..=20).contains(rounds))
                    .ok_or_else(bad)?
            }
            "--seconds" => {
                self.seconds = value
                    .parse()
                    .ok()
                    .filter(|seconds| (0.2..=60.0).contains(seconds))
                    .ok_or_else(bad)?;
            }
            "--scenarios" => self.scenarios = Scenario::list(value).map_err(|reason| format!("{reason}\n{USAGE}"))?,
            _ => return Err(bad()),
        }
        Ok(())
    }

    /// What is measured of each adapter.
    pub(crate) fn of_adapters(&self) -> Vec<Scenario> {
        Scenario::list(OF_ADAPTERS).unwrap_or_default()
    }
}
