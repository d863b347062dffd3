//! What is known of models that nobody configured: how much they take, what they can, what they cost, when they go.
//!
//! It is a table in text, one model a line, sorted (`built-in.tsv`). The one that is compiled in stays in the program's file until a
//! line of it is looked at; a newer one, from where `[catalogue]` says, takes its place as a whole. Both are made of the same public
//! list by `condense`. The operator's own entry for a model always wins, and what no one says is unknown.

mod condense;
mod names;
mod row;

use std::{borrow::Cow, fmt, sync::Arc};

use arc_swap::ArcSwap;

pub use condense::condense;
pub use row::Row;

/// The table that the program was built with.
const BUILT_IN: &str = include_str!("catalogue/built-in.tsv");

/// The table in use.
pub struct Catalogue(ArcSwap<Table>);

/// Models by provider and id.
#[derive(Default)]
pub struct Table(Cow<'static, str>);

impl Default for Catalogue {
    fn default() -> Self {
        Self(ArcSwap::from_pointee(Table(Cow::Borrowed(BUILT_IN))))
    }
}

impl Catalogue {
    /// What is known now.
    pub fn current(&self) -> Arc<Table> {
        self.0.load_full()
    }

    /// Puts another table in its place.
    pub fn replace(&self, table: Table) {
        self.0.store(Arc::new(table));
    }
}

impl Table {
    /// Reads a table, or makes one of the public list (JSON). The error says what is wrong with it.
    pub fn read(text: String) -> Result<Self, String> {
        let text = if text.trim_start().starts_with('{') {
            condense(&text)?
        } else {
            text
        };
        let table = Self(Cow::Owned(text));
        table.check()?;
        Ok(table)
    }

    /// A table that is not sorted would seem to lack half of its models.
    fn check(&self) -> Result<(), String> {
        let rows = || self.0.lines().filter(|line| !line.starts_with('#'));
        let keys = || rows().map(key);
        if let Some(line) = rows().find(|line| Row::parse(line).is_none()) {
            let line: String = line.chars().take(80).collect();
            return Err(format!("this line of it is no model: {line}"));
        }
        if !keys().zip(keys().skip(1)).all(|(one, next)| one < next) {
            return Err("its lines are not in order".to_owned());
        }
        keys().next().map(|_| ()).ok_or_else(|| "it has no models".to_owned())
    }

    /// The provider and id of every model.
    pub fn models(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| key(line).split_once('\t'))
    }

    /// A model by whose it is ([`provider`]) and any of the names that provider has for it.
    pub fn get(&self, provider: &str, model: &str) -> Option<Row<'_>> {
        let model = model.trim().to_ascii_lowercase();
        names::of_model(&model).find_map(|id| Row::parse(self.line(&format!("{provider}\t{id}"))?))
    }

    /// The line with this key: the text is halved until one is left, so that nothing need be built of it.
    fn line(&self, wanted: &str) -> Option<&str> {
        let mut rest = &*self.0;
        while !rest.is_empty() {
            let (before, after) = rest.as_bytes().split_at(rest.len() / 2);
            let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            let end = memchr::memchr(b'\n', after).map_or(rest.len(), |at| before.len() + at);
            let line = rest.get(start..end)?;
            match wanted.cmp(key(line)) {
                std::cmp::Ordering::Equal => return Some(line),
                std::cmp::Ordering::Less => rest = rest.get(..start)?,
                std::cmp::Ordering::Greater => rest = rest.get(end + 1..).unwrap_or_default(),
            }
        }
        None
    }
}

/// The name under which the table has the models of a provider, given what the provider is known as: a `type` of the configuration.
pub fn provider(known_as: &str) -> Option<&'static str> {
    names::of_type(known_as)
}

/// A line's provider and id.
fn key(line: &str) -> &str {
    let end = line.match_indices('\t').nth(1).map_or(line.len(), |(at, _)| at);
    line.get(..end).unwrap_or(line)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
