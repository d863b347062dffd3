//! The machine under the measurements: processors to pin to, and what a process and its children use, from /proc.

use rustix::process::{Pid, Signal, kill_process_group};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::process::{Child, Command};

const TO_END: Duration = Duration::from_secs(8);

/// Two processors: one for the contender, one for the mock, the load and ourselves.
pub(crate) struct Processors {
    /// the contender's
    contender: usize,
    /// everything else's
    rest: usize,
}

impl Processors {
    /// The first two we may use.
    pub(crate) fn choose() -> Result<Self, String> {
        let ours = sched_getaffinity(None).map_err(|error| error.to_string())?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|number| ours.is_set(*number));
        match (allowed.next(), allowed.next()) {
            (Some(contender), Some(rest)) => Ok(Self { contender, rest }),
            _ => Err("two processors are needed: one for the contender, one for the load".to_owned()),
        }
    }

    /// Starts a contender on its processor, as the head of a process group.
    pub(crate) fn start_contender(&self, command: &mut Command) -> Result<Child, String> {
        pin(self.contender)?;
        let child = command.process_group(0).kill_on_drop(true).spawn();
        pin(self.rest)?;
        child.map_err(|error| format!("not started: {error}"))
    }

    /// Pins ourselves, and with us what we start from now on, to the other one.
    pub(crate) fn take_the_rest(&self) -> Result<(), String> {
        pin(self.rest)
    }
}

fn pin(processor: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    set.set(processor);
    sched_setaffinity(None, &set).map_err(|error| format!("processor {processor}: {error}"))
}

/// Ends a process group: asks first, insists after a while.
pub(crate) async fn end(mut child: Child) {
    let group = child.id().and_then(|id| Pid::from_raw(id as i32));
    if let Some(group) = group {
        // It may have ended by itself in the meantime, which is what we want.
        let _ = kill_process_group(group, Signal::TERM);
        if tokio::time::timeout(TO_END, child.wait()).await.is_err() {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = child.wait().await;
        }
    }
}

/// Seconds of processor time that a process, its threads and its children have used.
pub(crate) fn processor_s(id: u32) -> f64 {
    let tasks = family(id)
        .into_iter()
        .flat_map(|id| numbers(&format!("/proc/{id}/task")).map(move |task| (id, task)));
    let run = tasks.filter_map(|(id, task)| {
        let text = fs::read_to_string(format!("/proc/{id}/task/{task}/schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    run.sum::<f64>() / 1e9
}

/// Megabytes of memory: what is shared with others counts by its share (PSS).
pub(crate) fn memory_mb(id: u32) -> f64 {
    let kilobytes = family(id).into_iter().filter_map(|id| {
        let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    });
    kilobytes.sum::<f64>() / 1024.0
}

/// A process and all below it.
fn family(id: u32) -> Vec<u32> {
    let mut family = vec![id];
    let mut next = 0;
    while let Some(id) = family.get(next).copied() {
        for task in numbers(&format!("/proc/{id}/task")) {
            let children = fs::read_to_string(format!("/proc/{id}/task/{task}/children")).unwrap_or_default();
            family.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
        next += 1;
    }
    family
}

fn numbers(folder: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = fs::read_dir(Path::new(folder)).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The processor's name and the kernel, for the table's foot.
pub(crate) fn describe() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.map_or("an unnamed processor", |(_, name)| name.trim());
    // The version, without what a distributor or a host appends.
    let version = kernel.trim().split('-').next().unwrap_or_default();
    format!("{model}, Linux {version}")
}
