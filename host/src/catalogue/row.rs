//! One model of the table, and its line.

use std::fmt;

use crate::price::Price;

/// What is known of a model. On its line each field ends with a tab, and an empty one is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row<'t> {
    /// What it is for, with commas between: `chat`, `embedding`, …
    pub modes: &'t str,
    /// The longest prompt, in tokens.
    pub context_window: Option<u64>,
    /// The longest answer, in tokens.
    pub max_output_tokens: Option<u64>,
    /// What it can do, with commas between: `tools`, `images`, …
    pub capabilities: &'t str,
    /// The day (`2026-05-14`) from which its provider says not to count on it.
    pub deprecated: Option<&'t str>,
    price: &'t str,
}

impl<'t> Row<'t> {
    pub(super) fn parse(line: &'t str) -> Option<Self> {
        let mut fields = line.split('\t');
        let (_provider, _id) = (fields.next()?, fields.next()?);
        let modes = fields.next()?;
        let context_window = number(fields.next()?)?;
        let max_output_tokens = number(fields.next()?)?;
        let capabilities = fields.next()?;
        let deprecated = Some(fields.next()?).filter(|day| !day.is_empty());
        let price = fields.next()?;
        let sound = price.is_empty() || Price::parse(price).is_some();
        (sound && fields.next().is_none()).then_some(Self {
            modes,
            context_window,
            max_output_tokens,
            capabilities,
            deprecated,
            price,
        })
    }

    /// What it costs.
    pub fn price(&self) -> Option<Price> {
        Price::parse(self.price)
    }
}

/// A number or nothing; `None` if it is neither.
fn number(text: &str) -> Option<Option<u64>> {
    match text {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    }
}

/// A row being made.
pub(super) struct Line {
    pub(super) modes: Vec<&'static str>,
    pub(super) context_window: Option<u64>,
    pub(super) max_output_tokens: Option<u64>,
    pub(super) capabilities: Vec<&'static str>,
    pub(super) deprecated: Option<String>,
    pub(super) price: Price,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        write!(
            f,
            "{}\t{}\t{}\t{}\t{}\t{}",
            self.modes.join(","),
            number(self.context_window),
            number(self.max_output_tokens),
            self.capabilities.join(","),
            self.deprecated.as_deref().unwrap_or_default(),
            self.price
        )
    }
}
