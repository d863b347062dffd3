//! A model of a provider: its id, what it is called upstream, how much it takes and costs.

use super::{
    node::Value,
    read::{Found, Table},
    report::Report,
};
use crate::price::Price;

/// A model. In the file a table, or only its id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// `id`: what clients write.
    pub id: String,
    /// `name`: for people.
    pub name: Option<String>,
    /// `deployment`: what the provider calls it, where that is not the id.
    pub deployment: Option<String>,
    /// `context_window` in tokens.
    pub context_window: Option<u64>,
    /// `max_output_tokens`
    pub max_output_tokens: Option<u64>,
    /// `input`: what it takes: `text`, `image`, …
    pub input: Vec<String>,
    /// `pricing` or `cost`; `None` is unknown, which is not the same as free.
    pub price: Option<Price>,
    /// `enabled`: false hides it.
    pub enabled: bool,
}

/// What a price is for: the number of tokens.
const UNITS: &[(&str, f64)] = &[("token", 1.0), ("1K", 1e3), ("1M", 1e6)];

impl Model {
    /// A model of which only the id is known.
    pub fn named(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            enabled: true,
            ..Self::default()
        }
    }

    /// What the provider calls it.
    pub fn upstream(&self) -> &str {
        self.deployment.as_deref().unwrap_or(&self.id)
    }

    /// All models of a provider: `models`, and what else `supported_models` lists.
    pub(super) fn read_all(provider: &mut Table<'_>, report: &mut Report<'_>) -> Vec<Self> {
        let mut models: Vec<Self> = Vec::new();
        if let Some(found) = provider.take("models", report) {
            if !matches!(found.node.value, Value::List(_)) {
                found.wrong::<()>("a list", "write [\"model-id\"] or [{ id = \"model-id\" }]", report);
            }
            for item in found.items() {
                let (line, path) = (item.line, item.path.clone());
                let Some(model) = Self::read(item, report) else {
                    continue;
                };
                if models.iter().any(|other| other.id.eq_ignore_ascii_case(&model.id)) {
                    report.problem(
                        line,
                        &path,
                        "has an id that another model of this provider has",
                        "keep one of them",
                    );
                }
                models.push(model);
            }
        }
        for id in provider.words("supported_models", report) {
            if !models.iter().any(|model| model.id.eq_ignore_ascii_case(id.trim())) {
                models.push(Self::named(id.trim()));
            }
        }
        models
    }

    fn read(item: Found<'_>, report: &mut Report<'_>) -> Option<Self> {
        if let Value::Text(text) = &item.node.value {
            let id = text.text.trim();
            if id.is_empty() {
                report.problem(item.line, &item.path, "is empty", "write the model's id");
                return None;
            }
            return Some(Self::named(id));
        }
        let mut table = item.table(report)?;
        let id = table.word("id", report);
        if id.is_none() {
            report.problem(
                table.line,
                &table.path,
                "has no `id`",
                "write the id that the provider's server expects",
            );
        }
        let model = Self {
            name: table.word("name", report),
            deployment: table.word("deployment", report),
            context_window: table.whole("context_window", 1..=1_000_000_000, report),
            max_output_tokens: table.whole("max_output_tokens", 1..=1_000_000_000, report),
            input: table.words("input", report),
            // The figures in use: what is called `pricing` is usually per thousand tokens, what is called `cost` per million.
            price: price("pricing", "1K", &mut table, report).or(price("cost", "1M", &mut table, report)),
            enabled: table.flag("enabled", report).unwrap_or(true),
            id: id.clone().unwrap_or_default(),
        };
        table.end(report);
        id.map(|_| model)
    }
}

/// What can have a price: the key, and the line of [`Usage::lines`](crate::reply::Usage::lines) it is the rate of.
const RATES: &[(&str, &str)] = &[
    ("input", "input"),
    ("output", "output"),
    ("cache_read", "cached"),
    ("cache_write", "cache_written"),
    ("cache_write_hour", "cache_written_hour"),
    ("reasoning", "reasoning"),
    ("audio_input", "audio_input"),
    ("audio_output", "audio_output"),
    ("image_input", "image_input"),
    ("image_output", "image_output"),
];

/// A price list in the file. `usual` is the unit of one that names none.
fn price(key: &'static str, usual: &str, model: &mut Table<'_>, report: &mut Report<'_>) -> Option<Price> {
    let mut table = model.table(key, report)?;
    let usual_size = UNITS
        .iter()
        .find(|(unit, _)| *unit == usual)
        .map_or(1e6, |(_, size)| *size);
    let named = table.choice("unit", UNITS, report);
    let mut price = Price::default();
    let mut costs = false;
    for (key, line) in RATES.iter().copied() {
        if let Some(dollars) = table.number(key, 0.0..=1e6, report) {
            let per_token = dollars / named.unwrap_or(usual_size);
            price.set(line, (per_token * 1e12).round() as u64);
            costs |= dollars > 0.0;
        }
    }
    if named.is_none() && costs {
        let message = format!("names no unit: read as USD per {usual} tokens; say `unit = \"{usual}\"` to be sure");
        report.warn(table.line, &table.path, message);
    }
    table.end(report);
    (!price.is_empty()).then_some(price)
}
