//! Where a provider's key comes from: `api_key`, else the variable `api_key_env` names, else `ID_API_KEY`, else the variable that the
//! provider's type usually has it in. The source can be shown, the key never.

use std::fmt;

use super::{Environment, read::Table, report::Report};
use crate::secret::Secret;

/// A provider's key and where it came from.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key; `None` for a server that wants none, and where none was found.
    pub secret: Option<Secret>,
    /// Where it came from.
    pub source: KeySource,
}

/// Where a key came from, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// It is written in the file.
    File,
    /// An environment variable the file names.
    Variable(String),
    /// The variable named after the provider.
    Default(String),
    /// The operator said that the server wants none.
    Keyless,
    /// No variable is set; the first one that was looked for.
    Missing {
        /// Its name.
        variable: String,
        /// The file names it, so that its absence is likely a mistake.
        named: bool,
    },
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("in the file"),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Default(name) => write!(f, "${name} (default)"),
            Self::Keyless => f.write_str("none wanted"),
            Self::Missing { variable, named: true } => write!(f, "${variable} (not set)"),
            Self::Missing { variable, named: false } => write!(f, "${variable} (default, not set)"),
        }
    }
}

impl Key {
    pub(super) fn read(id: &str, usual: Option<&str>, table: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let direct = table.take("api_key", report).and_then(|found| {
            let text = found.text(report)?;
            let source = text.variable.clone().map_or(KeySource::File, KeySource::Variable);
            Some((text.text.clone(), source))
        });
        let named = table.word("api_key_env", report);
        let key = Self::resolve(id, usual, direct, named, report.environment);
        if let KeySource::Missing { variable, named: true } = &key.source {
            let path = table.path("api_key_env");
            let message = format!("{variable} is not set: requests go out without a key");
            report.warn(table.line, &path, message);
        }
        key
    }

    /// The key of the provider `id`: `direct` as it stands in the file, else the variable `named`, else the one named after it, else
    /// the `usual` one of its type.
    pub(super) fn resolve(
        id: &str,
        usual: Option<&str>,
        direct: Option<(String, KeySource)>,
        named: Option<String>,
        environment: Environment<'_>,
    ) -> Self {
        if let Some((text, source)) = direct {
            return Self::of(&text, source);
        }
        if let Some(name) = &named
            && let Some(text) = environment(name)
        {
            return Self::of(&text, KeySource::Variable(name.clone()));
        }
        let default = variable_for(id);
        for variable in std::iter::once(default.as_str()).chain(usual) {
            if let Some(text) = environment(variable) {
                return Self::of(&text, KeySource::Default(variable.to_owned()));
            }
        }
        let (variable, named) = named.map_or((default, false), |name| (name, true));
        Self {
            secret: None,
            source: KeySource::Missing { variable, named },
        }
    }

    pub(super) fn of(text: &str, source: KeySource) -> Self {
        if keyless(text) {
            Self {
                secret: None,
                source: KeySource::Keyless,
            }
        } else {
            // Line ends come along when a key is read out of a file into a variable.
            Self {
                secret: Some(Secret::new(text.trim())),
                source,
            }
        }
    }
}

/// True for what people write where a program insists on a key and the server wants none.
fn keyless(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || ["none", "not-needed", "not_needed"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

/// `vllm-local` to `VLLM_LOCAL_API_KEY`.
fn variable_for(id: &str) -> String {
    let name: String = id
        .trim()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("{name}_API_KEY")
}
