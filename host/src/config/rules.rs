//! Rules about a provider: how safe the way to it must be, and how much may be asked of it.

use std::path::PathBuf;

use super::{read::Table, report::Report};

/// `security`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// `tls_version = "1.3"`: 1.2 is not enough.
    pub only_tls_1_3: bool,
    /// `certificate_validation`
    pub certificate_validation: bool,
    /// `allow_insecure`: plain HTTP to another machine is meant.
    pub allow_insecure: bool,
    /// `ca_file`: a PEM bundle of further authorities.
    pub ca_file: Option<PathBuf>,
    /// `allow_hosts`: of the hosts its adapter asks for, those that may also be private or plain HTTP. A host, or `*.` and a suffix.
    pub allow_hosts: Vec<String>,
    /// `deny_hosts`: out of reach whatever its adapter asks for.
    pub deny_hosts: Vec<String>,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            only_tls_1_3: false,
            certificate_validation: true,
            allow_insecure: false,
            ca_file: None,
            allow_hosts: Vec::new(),
            deny_hosts: Vec::new(),
        }
    }
}

/// `rate_limit`; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// `rpm`: requests a minute.
    pub rpm: Option<u64>,
    /// `rph`: requests an hour.
    pub rph: Option<u64>,
    /// `concurrent`: at the same time.
    pub concurrent: Option<u64>,
}

/// `budget`; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// `daily` in USD.
    pub daily: Option<f64>,
    /// `monthly` in USD.
    pub monthly: Option<f64>,
    /// `alert_threshold`, 0 to 1.
    pub alert_threshold: Option<f64>,
}

/// `cache.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// What the client and the provider say about caching goes through.
    #[default]
    Respect,
    /// Answers are cached.
    Force,
    /// Nothing is cached.
    Disable,
}

impl Security {
    pub(super) fn read(provider: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let mut security = Self::default();
        let Some(mut table) = provider.table("security", report) else {
            return security;
        };
        let versions = &[("1.2", false), ("TLSv1.2", false), ("1.3", true), ("TLSv1.3", true)];
        security.only_tls_1_3 = table.choice("tls_version", versions, report).unwrap_or(false);
        security.certificate_validation = table.flag("certificate_validation", report).unwrap_or(true);
        security.allow_insecure = table.flag("allow_insecure", report).unwrap_or(false);
        security.ca_file = table.word("ca_file", report).map(PathBuf::from);
        security.allow_hosts = table.words("allow_hosts", report);
        security.deny_hosts = table.words("deny_hosts", report);
        table.end(report);
        security
    }
}

impl RateLimit {
    pub(super) fn read(provider: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let Some(mut table) = provider.table("rate_limit", report) else {
            return Self::default();
        };
        let mut one = |key| table.whole(key, 1..=1_000_000_000, report);
        let limit = Self {
            rpm: one("rpm"),
            rph: one("rph"),
            concurrent: one("concurrent"),
        };
        table.end(report);
        limit
    }
}

impl Budget {
    pub(super) fn read(provider: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let Some(mut table) = provider.table("budget", report) else {
            return Self::default();
        };
        let budget = Self {
            daily: table.number("daily", 0.0..=1e9, report),
            monthly: table.number("monthly", 0.0..=1e9, report),
            alert_threshold: table.number("alert_threshold", 0.0..=1.0, report),
        };
        table.end(report);
        budget
    }
}

impl CacheMode {
    const WORDS: &[(&str, Self)] = &[
        ("respect", Self::Respect),
        ("force", Self::Force),
        ("disable", Self::Disable),
    ];

    pub(super) fn read(provider: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let Some(mut table) = provider.table("cache", report) else {
            return Self::default();
        };
        let mode = table.choice("mode", Self::WORDS, report).unwrap_or_default();
        table.end(report);
        mode
    }
}
