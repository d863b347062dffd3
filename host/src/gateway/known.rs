//! What is known of a model: the operator's entry for it, and where that is silent the catalogue's.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;

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

/// So many models have their terms remembered. A model has many names: what stands before `models/` does not count.
const MOST: usize = 1024;

/// What a call has to know of a model.
#[derive(Clone, Default)]
pub struct Terms {
    /// The most tokens that can be asked for.
    pub most_tokens: Option<u64>,
    /// What it costs.
    pub price: Option<Arc<Price>>,
}

/// Terms that calls have asked for. The catalogue is a text that is searched, and its prices are read: of a short call that would be a
/// good part.
#[derive(Default)]
pub(super) struct Remembered(ArcSwap<Found>);

#[derive(Clone, Default)]
struct Found {
    /// Where they were found.
    catalogue: Arc<Table>,
    /// By model.
    terms: HashMap<String, Terms>,
}

impl Provider {
    /// What a call has to know of `model`, by the provider's name for it or the client's.
    pub fn terms(&self, catalogue: &Arc<Table>, model: &str) -> Terms {
        let found = self.remembered.0.load();
        let fresh = Arc::ptr_eq(&found.catalogue, catalogue);
        if let Some(terms) = found.terms.get(model).filter(|_| fresh) {
            return terms.clone();
        }
        let known = self.known(catalogue, model);
        let terms = Terms {
            most_tokens: known.most_tokens(),
            price: known.price(),
        };
        if known.entry.is_some() || known.row.is_some() {
            let kept = Some(&found.terms).filter(|kept| fresh && kept.len() < MOST);
            let mut found = Found {
                catalogue: Arc::clone(catalogue),
                terms: kept.cloned().unwrap_or_default(),
            };
            found.terms.insert(model.to_owned(), terms.clone());
            // Of two that do this at the same time one will be looked up again.
            self.remembered.0.store(Arc::new(found));
        }
        terms
    }

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
