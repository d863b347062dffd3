//! The settings of the gateway itself: where it listens, who may administrate it, what adapters and clients may use.

use std::{path::PathBuf, time::Duration};

use super::{read::Table, report::Report};
use crate::secret::Secret;

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `listen`: host and port.
    pub listen: String,
    /// `tls`: without it the gateway speaks plain HTTP.
    pub tls: Option<Tls>,
    /// `shutdown_grace_ms`: how long requests under way may take to end after SIGTERM.
    pub shutdown_grace: Duration,
}

/// `[server.tls]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// A PEM file with the certificate and its chain.
    pub cert: PathBuf,
    /// A PEM file with its private key.
    pub key: PathBuf,
    /// Where the file says so.
    pub line: usize,
}

/// `[admin]`
#[derive(Clone, Debug, Default)]
pub struct Admin {
    /// `key`, or what `key_env` names. Without it there is no admin API.
    pub key: Option<Secret>,
}

/// `[adapters]`: where adapters lie, and what one call may use of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapters {
    /// `dir`: the drop directory.
    pub dir: PathBuf,
    /// `instances`: calls in adapters at the same time, streams included.
    pub instances: u32,
    /// `calls_per_instance`: calls that one instance may serve, one after another.
    pub calls_per_instance: u32,
    /// `queue_ms`: how long a call waits for an instance.
    pub queue: Duration,
    /// `cpu_ms`: processor time of one step.
    pub cpu: Duration,
    /// `wall_ms`: one exchange, polling and streaming included.
    pub wall_clock: Duration,
    /// `memory_bytes`: of one call.
    pub memory_bytes: usize,
    /// `output_bytes`: of one step.
    pub output_bytes: usize,
    /// `reply_bytes`: a provider's reply that is read whole.
    pub reply_bytes: usize,
    /// `log_bytes_per_s`: of one adapter; more is dropped.
    pub log_bytes_per_s: u32,
    /// `max_steps`: requests one exchange may make.
    pub max_steps: u32,
    /// `cancel_ms`: the work after a client has left.
    pub cancel: Duration,
    /// `state_ms`: how long is kept what a provider wants back and a client may drop.
    pub state: Duration,
    /// `state_bytes`: of all that is kept so.
    pub state_bytes: usize,
}

/// `[limits]`: what a client may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `body_bytes`: a request body.
    pub body_bytes: usize,
    /// `upload_bytes`: a form with files, which is not held but passed on.
    pub upload_bytes: usize,
    /// `header_bytes`: all headers of a request.
    pub header_bytes: usize,
    /// `json_depth`: how deep a body may nest.
    pub json_depth: usize,
    /// `read_timeout_ms`: until the head, and then the body, of a request has come.
    pub read_timeout: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:4000".to_owned(),
            tls: None,
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

impl Default for Adapters {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("adapters"),
            instances: 1000,
            calls_per_instance: 1,
            queue: Duration::from_secs(2),
            cpu: Duration::from_millis(200),
            wall_clock: Duration::from_mins(30),
            memory_bytes: 64 << 20,
            output_bytes: 16 << 20,
            reply_bytes: 32 << 20,
            log_bytes_per_s: 64 << 10,
            max_steps: 1000,
            cancel: Duration::from_secs(30),
            state: Duration::from_hours(1),
            state_bytes: 64 << 20,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 32 << 20,
            upload_bytes: 1 << 30,
            header_bytes: 64 << 10,
            json_depth: 64,
            read_timeout: Duration::from_secs(30),
        }
    }
}

impl Server {
    pub(super) fn read(file: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let mut server = Self::default();
        let Some(mut table) = file.table("server", report) else {
            return server;
        };
        if let Some(listen) = table.take("listen", report)
            && let Some(text) = listen.text(report)
        {
            match check_listen(&text.text) {
                Ok(address) => server.listen = address,
                Err(message) => report.problem(listen.line, &listen.path, message, "write \"127.0.0.1:4000\""),
            }
        }
        server.tls = table.table("tls", report).and_then(|table| Tls::read(table, report));
        millis(&mut table, "shutdown_grace_ms", 0, &mut server.shutdown_grace, report);
        table.end(report);
        server
    }
}

/// Checks that `text` is a host and a port.
pub fn check_listen(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("must be a host and a port"),
    }
}

impl Tls {
    fn read(mut table: Table<'_>, report: &mut Report<'_>) -> Option<Self> {
        let (table_line, cert, key) = (table.line, table.word("cert", report), table.word("key", report));
        if cert.is_none() || key.is_none() {
            let remedy = "give both `cert` and `key`, the paths of two PEM files";
            report.problem(table.line, &table.path, "is not complete", remedy);
        }
        table.end(report);
        Some(Self {
            cert: cert?.into(),
            key: key?.into(),
            line: table_line,
        })
    }
}

impl Admin {
    pub(super) fn read(file: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let Some(mut table) = file.table("admin", report) else {
            return Self::default();
        };
        let direct = table
            .secret("key", report)
            .filter(|key| !key.expose().trim().is_empty());
        let named = table.take("key_env", report);
        let variable = named.as_ref().and_then(|named| named.text(report));
        let from_variable = variable
            .and_then(|name| (report.environment)(&name.text))
            .map(Secret::new);
        if let (Some(named), Some(variable), None) = (&named, variable, &from_variable)
            && direct.is_none()
        {
            let message = format!("names the environment variable {}, which is not set", variable.text);
            report.problem(
                named.line,
                &named.path,
                message,
                "set it, or leave `key_env` out: then there is no admin API",
            );
        }
        table.end(report);
        Self {
            key: direct.or(from_variable),
        }
    }
}

impl Adapters {
    pub(super) fn read(file: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let mut adapters = Self::default();
        let Some(mut table) = file.table("adapters", report) else {
            return adapters;
        };
        if let Some(dir) = table.word("dir", report) {
            adapters.dir = dir.into();
        }
        count(&mut table, "instances", 1, 100_000, &mut adapters.instances, report);
        count(
            &mut table,
            "calls_per_instance",
            1,
            1_000_000,
            &mut adapters.calls_per_instance,
            report,
        );
        millis(&mut table, "queue_ms", 0, &mut adapters.queue, report);
        millis(&mut table, "cpu_ms", 1, &mut adapters.cpu, report);
        millis(&mut table, "wall_ms", 1, &mut adapters.wall_clock, report);
        bytes(
            &mut table,
            "memory_bytes",
            1 << 20,
            4 << 30,
            &mut adapters.memory_bytes,
            report,
        );
        bytes(
            &mut table,
            "output_bytes",
            1 << 10,
            1 << 30,
            &mut adapters.output_bytes,
            report,
        );
        bytes(
            &mut table,
            "reply_bytes",
            1 << 10,
            1 << 30,
            &mut adapters.reply_bytes,
            report,
        );
        count(
            &mut table,
            "log_bytes_per_s",
            0,
            u32::MAX,
            &mut adapters.log_bytes_per_s,
            report,
        );
        count(&mut table, "max_steps", 1, 1_000_000, &mut adapters.max_steps, report);
        millis(&mut table, "cancel_ms", 0, &mut adapters.cancel, report);
        millis(&mut table, "state_ms", 0, &mut adapters.state, report);
        bytes(
            &mut table,
            "state_bytes",
            0,
            64 << 30,
            &mut adapters.state_bytes,
            report,
        );
        table.end(report);
        adapters
    }
}

impl Limits {
    pub(super) fn read(file: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let mut limits = Self::default();
        let Some(mut table) = file.table("limits", report) else {
            return limits;
        };
        bytes(
            &mut table,
            "body_bytes",
            1 << 10,
            4 << 30,
            &mut limits.body_bytes,
            report,
        );
        bytes(
            &mut table,
            "upload_bytes",
            1 << 10,
            1 << 40,
            &mut limits.upload_bytes,
            report,
        );
        bytes(
            &mut table,
            "header_bytes",
            8 << 10,
            1 << 20,
            &mut limits.header_bytes,
            report,
        );
        // Deeper than this a reader that recurses would need more stack than a task has.
        bytes(&mut table, "json_depth", 4, 120, &mut limits.json_depth, report);
        millis(&mut table, "read_timeout_ms", 100, &mut limits.read_timeout, report);
        table.end(report);
        limits
    }
}

/// Sets `to` to a number of milliseconds, at most a day.
fn millis(table: &mut Table<'_>, key: &'static str, least: u64, to: &mut Duration, report: &mut Report<'_>) {
    if let Some(number) = table.whole(key, least..=86_400_000, report) {
        *to = Duration::from_millis(number);
    }
}

fn bytes(table: &mut Table<'_>, key: &'static str, least: u64, most: u64, to: &mut usize, report: &mut Report<'_>) {
    if let Some(number) = table
        .whole(key, least..=most, report)
        .and_then(|n| usize::try_from(n).ok())
    {
        *to = number;
    }
}

fn count(table: &mut Table<'_>, key: &'static str, least: u32, most: u32, to: &mut u32, report: &mut Report<'_>) {
    let range = u64::from(least)..=u64::from(most);
    if let Some(number) = table.whole(key, range, report).and_then(|n| u32::try_from(n).ok()) {
        *to = number;
    }
}
