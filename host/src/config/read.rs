//! Reading a table key by key. Asking for a key is what makes it a known one, so the schema is written once: where it is read. A key
//! is found in either spelling, `base_url` or `baseUrl`; what is left when all keys were asked for is a mistake, and reported with
//! the nearest known key.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    Note, later,
    node::{Field, Node, Text, Value},
    report::Report,
    spelling::{is_like, nearest, snake},
};
use crate::secret::Secret;

/// A table being read.
pub(super) struct Table<'n> {
    /// Its full path; empty for the file itself.
    pub(super) path: String,
    /// The path without what the operator chose: no numbers of list items, no ids.
    schema: String,
    pub(super) line: usize,
    fields: &'n [Field],
    known: Vec<&'static str>,
}

/// A key that was found.
pub(super) struct Found<'n> {
    /// Its full path.
    pub(super) path: String,
    schema: String,
    /// The value's line.
    pub(super) line: usize,
    pub(super) node: &'n Node,
}

impl<'n> Table<'n> {
    /// The whole file.
    pub(super) fn file(node: &'n Node, report: &mut Report<'_>) -> Option<Self> {
        let (path, schema, line) = (String::new(), String::new(), node.line);
        Found {
            path,
            schema,
            line,
            node,
        }
        .table(report)
    }

    fn schema(&self, key: &str) -> String {
        if self.schema.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.schema)
        }
    }

    /// The full path of `key`.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The value of `key` (snake case), if it is there and not null.
    pub(super) fn take(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Found<'n>> {
        self.known.push(key);
        let schema = self.schema(key);
        #[cfg(test)]
        report.asked.insert(schema.clone());
        let mut found: Option<&Field> = None;
        for field in self.fields.iter().filter(|field| snake(&field.key) == key) {
            if found.is_some() {
                let path = self.path(&field.key);
                report.problem(field.line, &path, "is there twice", "keep one of them");
            }
            found = Some(field);
        }
        let field = found.filter(|field| !matches!(field.node.value, Value::Null))?;
        let path = self.path(&field.key);
        #[cfg(test)]
        report.found.insert(schema.clone());
        if let Some(capability) = later::acts_in(&schema) {
            report.later.push(Note {
                line: Some(field.line),
                key: path.clone(),
                message: capability.to_owned(),
            });
        }
        Some(Found {
            path,
            schema,
            line: field.node.line,
            node: &field.node,
        })
    }

    /// True if the file has neither `key` nor a slip of it, which is reported by itself. All keys have been asked for.
    pub(super) fn lacks(&self, key: &str) -> bool {
        !self.fields.iter().any(|field| {
            let name = snake(&field.key);
            name == key || (!self.known.contains(&name.as_str()) && is_like(&name, key))
        })
    }

    /// All keys were asked for: the others are unknown.
    pub(super) fn end(self, report: &mut Report<'_>) {
        for field in self.fields {
            let key = snake(&field.key);
            if !self.known.contains(&key.as_str()) {
                let path = self.path(&field.key);
                let remedy = nearest(&key, &self.known, report.format);
                report.problem(field.line, &path, "is not a key here", remedy);
            }
        }
    }

    /// Text.
    pub(super) fn text(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<String> {
        let found = self.take(key, report)?;
        found.text(report).map(|text| text.text.clone())
    }

    /// Text that is trimmed and not empty.
    pub(super) fn word(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<String> {
        let found = self.take(key, report)?;
        let text = found.text(report)?.text.trim();
        if text.is_empty() {
            report.problem(found.line, &found.path, "is empty", "fill it in, or leave the key out");
            return None;
        }
        Some(text.to_owned())
    }

    /// A secret.
    pub(super) fn secret(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Secret> {
        self.text(key, report).map(Secret::new)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<bool> {
        let found = self.take(key, report)?;
        match &found.node.value {
            Value::Flag(flag) => Some(*flag),
            _ => found.wrong("true or false", "write it without quotes", report),
        }
    }

    /// A whole number within `range`.
    pub(super) fn whole(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        report: &mut Report<'_>,
    ) -> Option<u64> {
        let found = self.take(key, report)?;
        let number = match &found.node.value {
            Value::Whole(number) => u64::try_from(*number).ok(),
            // JSON writers put 1e3 or 10.0.
            Value::Number(number) if number.fract() == 0.0 && (0.0..1e15).contains(number) => Some(*number as u64),
            Value::Number(_) => None,
            _ => return found.wrong("a whole number", "write it without quotes", report),
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => {
                let (low, high) = (range.start(), range.end());
                let remedy = format!("it can be {low} to {high}");
                report.problem(found.line, &found.path, "is out of range", remedy);
                None
            }
        }
    }

    /// A number within `range`.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
        report: &mut Report<'_>,
    ) -> Option<f64> {
        let found = self.take(key, report)?;
        let number = match &found.node.value {
            Value::Whole(number) => *number as f64,
            Value::Number(number) => *number,
            _ => return found.wrong("a number", "write it without quotes", report),
        };
        if !range.contains(&number) {
            let remedy = format!("it can be {} to {}", range.start(), range.end());
            report.problem(found.line, &found.path, "is out of range", remedy);
            return None;
        }
        Some(number)
    }

    /// A length of time: `"30s"`, `"1500ms"`, `"2m"`, or a plain number of milliseconds.
    pub(super) fn duration(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Duration> {
        const REMEDY: &str = "write it like \"30s\", \"1500ms\" or \"2m\", at least a second and at most a day";
        let found = self.take(key, report)?;
        let millis = match &found.node.value {
            Value::Whole(number) => u64::try_from(*number).ok(),
            Value::Text(text) => milliseconds(&text.text),
            _ => return found.wrong("a length of time", REMEDY, report),
        };
        match millis {
            Some(millis @ 1_000..=86_400_000) => Some(Duration::from_millis(millis)),
            // The unit is milliseconds, and `timeout = 30` is surely not meant so.
            Some(millis @ 1..1_000) if matches!(found.node.value, Value::Whole(_)) => {
                let message = format!("is {millis} milliseconds: a plain number is in milliseconds");
                report.problem(found.line, &found.path, message, REMEDY);
                None
            }
            _ => {
                report.problem(
                    found.line,
                    &found.path,
                    "is not a length of time that can be used",
                    REMEDY,
                );
                None
            }
        }
    }

    /// A list of words; a single one may stand without brackets.
    pub(super) fn words(&mut self, key: &'static str, report: &mut Report<'_>) -> Vec<String> {
        let Some(found) = self.take(key, report) else {
            return Vec::new();
        };
        match &found.node.value {
            Value::Text(text) => vec![text.text.clone()],
            Value::List(_) => found
                .items()
                .filter_map(|item| item.text(report).map(|text| text.text.clone()))
                .collect(),
            _ => found
                .wrong("a list of texts", "write [\"one\", \"two\"]", report)
                .unwrap_or_default(),
        }
    }

    /// One of `choices`, by its word in any case.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        report: &mut Report<'_>,
    ) -> Option<T> {
        let found = self.take(key, report)?;
        found.choice(choices, report)
    }

    /// Several of `choices`; a single one may stand without brackets.
    pub(super) fn choices<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        report: &mut Report<'_>,
    ) -> Vec<T> {
        let Some(found) = self.take(key, report) else {
            return Vec::new();
        };
        match &found.node.value {
            Value::List(_) => found.items().filter_map(|item| item.choice(choices, report)).collect(),
            _ => found.choice(choices, report).into_iter().collect(),
        }
    }
    /// A table below this one.
    pub(super) fn table(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Table<'n>> {
        self.take(key, report)?.table(report)
    }

    /// A table of free keys, as JSON.
    pub(super) fn object(
        &mut self,
        key: &'static str,
        report: &mut Report<'_>,
    ) -> serde_json::Map<String, serde_json::Value> {
        let Some(found) = self.take(key, report) else {
            return serde_json::Map::new();
        };
        match found.node.value.to_json() {
            serde_json::Value::Object(map) => map,
            _ => found
                .wrong("a table", "write `key = value` pairs in it", report)
                .unwrap_or_default(),
        }
    }
}

impl<'n> Found<'n> {
    /// It as a table; anything else is a problem.
    pub(super) fn table(self, report: &mut Report<'_>) -> Option<Table<'n>> {
        let Value::Table(fields) = &self.node.value else {
            return self.wrong("a table", "write `key = value` pairs in it", report);
        };
        Some(Table {
            path: self.path,
            schema: self.schema,
            line: self.line,
            fields,
            known: Vec::new(),
        })
    }

    /// It as text.
    pub(super) fn text(&self, report: &mut Report<'_>) -> Option<&'n Text> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            _ => self.wrong("text", "put it in double quotes", report),
        }
    }

    /// One of `choices`, by its word in any case.
    fn choice<T: Copy>(&self, choices: &[(&str, T)], report: &mut Report<'_>) -> Option<T> {
        let text = &self.text(report)?.text;
        let wanted = text.trim();
        if let Some((_, choice)) = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(wanted)) {
            return Some(*choice);
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let message = format!("is \"{}\", which is none of its values", wanted.escape_debug());
        report.problem(self.line, &self.path, message, format_args!("use {}", words.join(", ")));
        None
    }

    /// Its items, if it is a list.
    pub(super) fn items(&self) -> impl Iterator<Item = Found<'n>> + use<'n> {
        let (path, schema) = (self.path.clone(), self.schema.clone());
        let items: &[Node] = match &self.node.value {
            Value::List(items) => items,
            _ => &[],
        };
        items.iter().enumerate().map(move |(at, node)| Found {
            path: format!("{path}[{at}]"),
            schema: schema.clone(),
            line: node.line,
            node,
        })
    }

    /// Its fields, if it is a table of free keys.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'n str, Found<'n>)> + use<'n> {
        let (path, schema) = (self.path.clone(), self.schema.clone());
        let fields: &[Field] = match &self.node.value {
            Value::Table(fields) => fields,
            _ => &[],
        };
        fields.iter().map(move |field| {
            let found = Found {
                path: format!("{path}.{}", field.key),
                schema: schema.clone(),
                line: field.node.line,
                node: &field.node,
            };
            (field.key.as_str(), found)
        })
    }

    /// Reports that it must be `wanted`.
    pub(super) fn wrong<T>(&self, wanted: &str, remedy: &str, report: &mut Report<'_>) -> Option<T> {
        report.problem(self.line, &self.path, wrong(wanted, &self.node.value), remedy);
        None
    }
}

fn wrong(wanted: &str, is: &Value) -> String {
    format!("must be {wanted}, this is {}", is.kind())
}

fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}
