//! A configuration file as a tree in which every key and value knows its line. TOML and JSON are read into the same tree, so that
//! nothing after this knows which it was.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use super::error::Problem;

/// How deep tables and lists may nest.
const DEPTH: usize = 32;

/// A value and where it stands. It has no `Debug`: it may be a secret.
pub(super) struct Node {
    /// The line, counted from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A value.
pub(super) enum Value {
    Null,
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(Text),
    List(Vec<Node>),
    Table(Vec<Field>),
    Date,
}

/// A string, and the environment variable it came from if it was nothing but one.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) variable: Option<String>,
}

/// A key with its value.
pub(super) struct Field {
    pub(super) key: String,
    /// The key's line.
    pub(super) line: usize,
    pub(super) node: Node,
}

/// How the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TOML 1.1.
    Toml,
    /// JSON.
    Json,
}

impl Value {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(Text {
            text: text.into(),
            variable: None,
        })
    }

    /// What it is, for a message. Never the value itself.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Whole(_) | Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Date => "a date",
        }
    }

    /// The value as JSON, for what is handed on unread.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null | Self::Date => serde_json::Value::Null,
            Self::Flag(flag) => (*flag).into(),
            Self::Whole(number) => (*number).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.text.clone().into(),
            Self::List(nodes) => nodes.iter().map(|node| node.value.to_json()).collect(),
            Self::Table(fields) => {
                let pairs = fields.iter().map(|f| (f.key.clone(), f.node.value.to_json()));
                serde_json::Value::Object(pairs.collect())
            }
        }
    }
}

/// Reads `text`. On a mistake of syntax what could be read is returned beside the problems.
pub(super) fn parse(text: &str, format: Format) -> (Node, Vec<Problem>) {
    match format {
        Format::Toml => Toml { lines: Lines::of(text) }.parse(text),
        Format::Json => Json {
            text,
            lines: Lines::of(text),
        }
        .parse(),
    }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

struct Toml {
    lines: Lines,
}

impl Toml {
    fn parse(&self, text: &str) -> (Node, Vec<Problem>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let problems = errors.iter().map(|error| Problem {
            line: error.span().map(|span| self.lines.at(span.start)),
            key: None,
            message: format!("this is not TOML: {}", error.message().replace('\n', ", ")),
            remedy: "put text in double quotes, and write each key once".to_owned(),
        });
        let mut problems: Vec<_> = problems.collect();
        let value = self.table(table.get_ref(), DEPTH, &mut problems);
        (Node { line: 1, value }, problems)
    }

    fn table(&self, table: &DeTable<'_>, depth: usize, problems: &mut Vec<Problem>) -> Value {
        let mut fields: Vec<Field> = Vec::with_capacity(table.len());
        for (key, value) in table {
            let line = self.lines.at(key.span().start);
            let value_line = self.lines.at(value.span().start);
            let value = self.value(value.get_ref(), value_line, depth, problems);
            fields.push(Field {
                key: key.get_ref().clone().into_owned(),
                line,
                node: Node {
                    line: value_line,
                    value,
                },
            });
        }
        // The parser sorts by name; problems and providers are wanted as the file has them.
        fields.sort_by_key(|field| field.line);
        Value::Table(fields)
    }

    fn value(&self, value: &DeValue<'_>, line: usize, depth: usize, problems: &mut Vec<Problem>) -> Value {
        if depth == 0 {
            problems.push(too_deep(line));
            return Value::Null;
        }
        match value {
            DeValue::String(text) => Value::text(text.clone()),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Whole(number),
                Err(_) => Value::Number(f64::INFINITY),
            },
            DeValue::Float(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Table(table) => self.table(table, depth - 1, problems),
            DeValue::Array(items) => Value::List(
                items
                    .iter()
                    .map(|item| {
                        let line = self.lines.at(item.span().start);
                        let value = self.value(item.get_ref(), line, depth - 1, problems);
                        Node { line, value }
                    })
                    .collect(),
            ),
        }
    }
}

struct Json<'t> {
    text: &'t str,
    lines: Lines,
}

impl Json<'_> {
    fn parse(&self) -> (Node, Vec<Problem>) {
        let mut problems = Vec::new();
        let node = match serde_json::from_str::<&RawValue>(self.text) {
            Ok(raw) => self.node(raw, DEPTH, &mut problems),
            Err(error) => {
                problems.push(Problem {
                    line: Some(error.line()),
                    key: None,
                    message: format!("this is not JSON: {error}"),
                    remedy: "JSON has no comments and no comma after the last item".to_owned(),
                });
                Node {
                    line: 1,
                    value: Value::Table(Vec::new()),
                }
            }
        };
        (node, problems)
    }

    fn node(&self, raw: &RawValue, depth: usize, problems: &mut Vec<Problem>) -> Node {
        let line = self.line(raw.get());
        if depth == 0 {
            problems.push(too_deep(line));
            return Node {
                line,
                value: Value::Null,
            };
        }
        let value = match raw.get().as_bytes().first() {
            Some(b'{') => {
                let fields: Fields<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
                let field = |(key, raw): (Cow<'_, str>, &RawValue)| Field {
                    line: match &key {
                        Cow::Borrowed(key) => self.line(key),
                        Cow::Owned(_) => self.line(raw.get()),
                    },
                    key: key.into_owned(),
                    node: self.node(raw, depth - 1, problems),
                };
                Value::Table(fields.0.into_iter().map(field).collect())
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                Value::List(
                    items
                        .into_iter()
                        .map(|item| self.node(item, depth - 1, problems))
                        .collect(),
                )
            }
            _ => scalar(raw.get()),
        };
        Node { line, value }
    }

    /// The line of a piece of our own text.
    fn line(&self, piece: &str) -> usize {
        let offset = (piece.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.lines.at(offset)
    }
}

fn scalar(json: &str) -> Value {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::Bool(flag)) => Value::Flag(flag),
        Ok(serde_json::Value::String(text)) => Value::text(text),
        Ok(serde_json::Value::Number(number)) => match number.as_i64() {
            Some(whole) => Value::Whole(whole),
            None => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        },
        _ => Value::Null,
    }
}

fn too_deep(line: usize) -> Problem {
    Problem {
        line: Some(line),
        key: None,
        message: format!("tables and lists are nested deeper than {DEPTH} levels"),
        remedy: "flatten them".to_owned(),
    }
}

/// The fields of a JSON object, in order, doubles included.
#[derive(Default)]
struct Fields<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);
