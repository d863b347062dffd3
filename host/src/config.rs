//! The configuration: one file in TOML or JSON, read and checked whole before anything else happens. Every mistake in it is reported
//! at once, with its line and what to do; keys may be written `base_url` or `baseUrl`.
//!
//! A file becomes a tree that knows its lines (`node`), `${NAME}` is filled in (`interpolate`), and the tree is read key by key
//! (`read`) into the structs of `settings`, `provider` and `model`: what they ask for is the schema.

mod auth;
mod base_url;
mod catalogue;
pub mod discover;
mod drop_params;
mod error;
mod interpolate;
mod key;
mod known;
mod later;
mod model;
mod node;
mod provider;
mod read;
mod report;
mod rules;
mod settings;
mod spelling;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

pub use auth::{Auth, Issuer};
pub use base_url::is_loopback;
pub use catalogue::Catalogue;
pub use drop_params::DropParams;
pub use error::{ConfigError, Problem};
pub use key::{Key, KeySource};
pub use later::LATER;
pub use model::Model;
pub use node::Format;
pub use provider::{Api, Provider, Settings, Via};
pub use rules::{Budget, CacheMode, RateLimit, Security};
pub use settings::{Adapters, Admin, Limits, Server, Tls, check_listen};

use crate::secret::Secret;
use node::{Node, Value};
use read::{Found, Table};
use report::Report;

/// The largest file that is read.
const LARGEST_FILE: u64 = 4 << 20;

/// Looks up an environment variable.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A remark about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The line in the file, counted from 1.
    pub line: Option<usize>,
    /// The key's full path.
    pub key: String,
    /// The remark.
    pub message: String,
}

/// A configuration that was read and checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `server`
    pub server: Server,
    /// `admin`
    pub admin: Admin,
    /// `api_keys`: a client has to show one of them; empty: anybody may call.
    pub api_keys: Vec<Secret>,
    /// `adapters`
    pub adapters: Adapters,
    /// `limits`
    pub limits: Limits,
    /// `catalogue`
    pub catalogue: Catalogue,
    /// `discover`: look for local servers, and for providers whose usual key variables are set.
    pub discover: bool,
    /// `providers`, in the order of the file.
    pub providers: Vec<Arc<Provider>>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Note>,
    /// Keys of the file that act in a later capability, which the message names.
    pub later: Vec<Note>,
}

impl Config {
    /// Reads and checks a file, `.json` as JSON and anything else as TOML, with this process's environment.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let is = |word: &str| {
            path.extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case(word))
        };
        if is("yaml") || is("yml") {
            let problem = Problem {
                line: None,
                key: None,
                message: "is YAML, which is not read".to_owned(),
                remedy: "write it as TOML (`.toml`) or JSON (`.json`)".to_owned(),
            };
            return Err(ConfigError {
                file,
                problems: vec![problem],
            });
        }
        let text = read_file(path).map_err(|message| ConfigError {
            file: file.clone(),
            problems: vec![Problem {
                line: None,
                key: None,
                message,
                remedy: "give the path of a TOML or JSON file".to_owned(),
            }],
        })?;
        let format = if is("json") { Format::Json } else { Format::Toml };
        Self::parse(&text, format, &file, &|name| std::env::var(name).ok())
    }

    /// Reads and checks `text`. `file` is its name in messages.
    pub fn parse(text: &str, format: Format, file: &str, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let (config, mut report) = Self::read(text, format, environment);
        if report.problems.is_empty() {
            return Ok(Self {
                warnings: report.warnings,
                later: report.later,
                ..config
            });
        }
        report.problems.sort_by_key(|problem| problem.line);
        Err(ConfigError {
            file: file.to_owned(),
            problems: report.problems,
        })
    }

    fn read<'e>(text: &str, format: Format, environment: Environment<'e>) -> (Self, Report<'e>) {
        let (mut tree, problems) = node::parse(text, format);
        let mut report = Report::new(format, environment, problems);
        // What could be read of a broken file would only lead to problems that are not there.
        if !report.problems.is_empty() {
            return (Self::default(), report);
        }
        interpolate::fill(&mut tree, "", &mut report);
        let config = Self::read_tree(&tree, &mut report);
        (config, report)
    }

    fn read_tree(tree: &Node, report: &mut Report<'_>) -> Self {
        let Some(mut file) = Table::file(tree, report) else {
            return Self::default();
        };
        let config = Self {
            server: Server::read(&mut file, report),
            admin: Admin::read(&mut file, report),
            api_keys: api_keys(&mut file, report),
            adapters: Adapters::read(&mut file, report),
            limits: Limits::read(&mut file, report),
            catalogue: Catalogue::read(&mut file, report),
            discover: file.flag("discover", report).unwrap_or(false),
            providers: providers(&mut file, report),
            ..Self::default()
        };
        file.end(report);
        config
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path)
        .map_err(|error| format!("it cannot be read: {error}"))?
        .len();
    if size > LARGEST_FILE {
        return Err(format!("it is larger than {LARGEST_FILE} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"))
}

fn api_keys(file: &mut Table<'_>, report: &mut Report<'_>) -> Vec<Secret> {
    let Some(found) = file.take("api_keys", report) else {
        return Vec::new();
    };
    if !matches!(found.node.value, Value::List(_)) {
        found.wrong::<()>("a list of texts", "write [\"key\"]", report);
    }
    let mut keys = Vec::new();
    for item in found.items() {
        let Some(text) = item.text(report) else { continue };
        if text.text.trim().is_empty() {
            // An empty key would let everybody in who shows an empty one.
            report.problem(
                item.line,
                &item.path,
                "is empty",
                "write a key, or take it off the list",
            );
        }
        keys.push(Secret::new(text.text.trim()));
    }
    keys
}

/// `[[providers]]`, or a `providers` table whose keys are the ids.
fn providers(file: &mut Table<'_>, report: &mut Report<'_>) -> Vec<Arc<Provider>> {
    let Some(found) = file.take("providers", report) else {
        return Vec::new();
    };
    let entries: Vec<(Option<&str>, Found<'_>)> = match &found.node.value {
        Value::List(_) => found.items().map(|item| (None, item)).collect(),
        Value::Table(_) => found.fields().map(|(id, item)| (Some(id), item)).collect(),
        _ => {
            found.wrong::<()>("a list or a table of providers", "write [[providers]]", report);
            return Vec::new();
        }
    };
    let mut providers: Vec<Arc<Provider>> = Vec::new();
    for (id, entry) in entries {
        let (line, path) = (entry.line, entry.path.clone());
        let Some(table) = entry.table(report) else { continue };
        let Some(provider) = Provider::read(id, table, report) else {
            continue;
        };
        if let Some(other) = providers
            .iter()
            .find(|other| other.is_called(&provider.id) || other.is_called(&provider.name))
        {
            let message = format!("is called like the provider `{}`", other.id);
            report.problem(
                line,
                &path,
                message,
                "give each its own id and name; case does not count",
            );
        }
        providers.push(Arc::new(provider));
    }
    providers
}
