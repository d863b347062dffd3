//! What is wrong with a configuration: all of it at once, each with its place and what to do.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line in the file, counted from 1.
    pub line: Option<usize>,
    /// The key's full path: `providers[0].models[1].id`.
    pub key: Option<String>,
    /// What is wrong. Never a value: it may be a secret.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// In the order of the file; at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    /// A line per problem: `FILE:LINE: what is wrong; what to do`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let break_before = if at == 0 { "" } else { "\n" };
            write!(f, "{break_before}{}", self.file)?;
            if let Some(line) = problem.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": {problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    /// `` `key` what is wrong; what to do ``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "`{key}` ")?;
        }
        write!(f, "{}; {}", self.message, self.remedy)
    }
}
