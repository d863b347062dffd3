//! `[catalogue]`: where newer facts about models come from than those the program was built with.

use std::{path::PathBuf, time::Duration};

use url::Url;

use super::{is_loopback, read::Table, report::Report};

/// `[catalogue]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// `file`: a list on this machine.
    pub file: Option<PathBuf>,
    /// `url`: a list elsewhere. What it says wins over `file`.
    pub url: Option<Url>,
    /// `interval`: how often they are read again.
    pub interval: Duration,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self {
            file: None,
            url: None,
            interval: Duration::from_hours(24),
        }
    }
}

impl Catalogue {
    pub(super) fn read(file: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let default = Self::default();
        let Some(mut table) = file.table("catalogue", report) else {
            return default;
        };
        let catalogue = Self {
            file: table.word("file", report).map(PathBuf::from),
            url: url(&mut table, report),
            interval: table.duration("interval", report).unwrap_or(default.interval),
        };
        table.end(report);
        catalogue
    }
}

/// Prices decide what is charged: they are not taken from whoever is on the way.
fn url(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<Url> {
    let found = table.take("url", report)?;
    let url = Url::parse(found.text(report)?.text.trim()).ok();
    let url = url.filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)));
    if url.is_none() {
        let remedy = "write \"https://…\"; plain http only to this machine";
        report.problem(found.line, &found.path, "is not a URL that can be used", remedy);
    }
    url
}
