//! What is known of a model: the operator's entry for it, and where that is silent the catalogue's.

use std::sync::Arc;

use super::Provider;
use crate::{
    catalogue::{Row, Table},
    config::Model,
    price::Price,
};

/// Facts about one model of one provider.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The operator's.
    pub entry: Option<&'a Model>,
    /// The catalogue's.
    pub row: Option<Row<'a>>,
}

impl Provider {
    /// What is known of `model`, by the provider's name for it or the client's.
    pub fn known<'a>(&'a self, catalogue: &'a Table, model: &str) -> Known<'a> {
        let entry = self.config.model(model);
        let row = self.listed_as.and_then(|listed_as| {
            let upstream = entry.map_or(model, Model::upstream);
            let named = || catalogue.get(listed_as, &entry?.id);
            catalogue.get(listed_as, upstream).or_else(named)
        });
        Known { entry, row }
    }
}

impl Known<'_> {
    /// The longest prompt, in tokens.
    pub fn context_window(&self) -> Option<u64> {
        let own = self.entry.and_then(|entry| entry.context_window);
        own.or(self.row.and_then(|row| row.context_window))
    }

    /// The longest answer, in tokens.
    pub fn max_output_tokens(&self) -> Option<u64> {
        let own = self.entry.and_then(|entry| entry.max_output_tokens);
        own.or(self.row.and_then(|row| row.max_output_tokens))
    }

    /// The most tokens that can be asked for. Some models have room for an answer beside that for the prompt, and the catalogue tells
    /// of the two.
    pub fn most_tokens(&self) -> Option<u64> {
        let own = self.entry.and_then(|entry| entry.context_window);
        own.or_else(|| {
            let row = self.row?;
            Some(row.context_window?.max(row.max_output_tokens.unwrap_or(0)))
        })
    }

    /// What it costs. An operator who names a price has named all of it.
    pub fn price(&self) -> Option<Arc<Price>> {
        let own = self.entry.and_then(|entry| entry.price.clone());
        own.or_else(|| self.row?.price()).map(Arc::new)
    }
}
