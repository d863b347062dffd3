//! What reading a file has brought to light so far.

use std::fmt::Display;

use super::{Environment, Note, error::Problem, node::Format};

/// What was found wrong, or worth saying, so far.
pub(super) struct Report<'e> {
    pub(super) format: Format,
    pub(super) environment: Environment<'e>,
    pub(super) problems: Vec<Problem>,
    /// Said by `witgate check` and in the log at start; nothing is wrong.
    pub(super) warnings: Vec<Note>,
    /// Keys that were read but act in a later capability.
    pub(super) later: Vec<Note>,
    /// Every key that was asked for: the schema, as far as this file led through it.
    #[cfg(test)]
    pub(super) asked: std::collections::BTreeSet<String>,
    /// Those of them that were there.
    #[cfg(test)]
    pub(super) found: std::collections::BTreeSet<String>,
}

impl<'e> Report<'e> {
    pub(super) fn new(format: Format, environment: Environment<'e>, problems: Vec<Problem>) -> Self {
        Self {
            format,
            environment,
            problems,
            warnings: Vec::new(),
            later: Vec::new(),
            #[cfg(test)]
            asked: std::collections::BTreeSet::new(),
            #[cfg(test)]
            found: std::collections::BTreeSet::new(),
        }
    }

    /// Something is wrong at `key`. The first problem of a key is the cause of any further one.
    pub(super) fn problem(&mut self, line: usize, key: &str, message: impl Display, remedy: impl Display) {
        if self.problems.iter().any(|problem| problem.key.as_deref() == Some(key)) {
            return;
        }
        self.problems.push(Problem {
            line: Some(line),
            key: Some(key.to_owned()),
            message: message.to_string(),
            remedy: remedy.to_string(),
        });
    }

    /// Something at `key` is allowed, and probably not meant.
    pub(super) fn warn(&mut self, line: usize, key: &str, message: impl Display) {
        self.warnings.push(Note {
            line: Some(line),
            key: key.to_owned(),
            message: message.to_string(),
        });
    }
}
