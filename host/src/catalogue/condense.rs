//! The public list of prices made into our table. It is LiteLLM's `model_prices_and_context_window.json` (MIT licence): an object of
//! models with hundreds of keys, of which this takes what the gateway uses. Prices there are USD for one token as decimal numbers.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{
    names::{self, Named},
    row::Line,
};
use crate::price::Price;

/// The list's keys for prices, and the line each is the rate of.
const RATES: &[(&str, &str)] = &[
    ("input_cost_per_token", "input"),
    ("cache_read_input_token_cost", "cached"),
    ("cache_creation_input_token_cost", "cache_written"),
    ("cache_creation_input_token_cost_above_1hr", "cache_written_hour"),
    ("input_cost_per_audio_token", "audio_input"),
    ("input_cost_per_image_token", "image_input"),
    ("output_cost_per_token", "output"),
    ("output_cost_per_reasoning_token", "reasoning"),
    ("output_cost_per_audio_token", "audio_output"),
    ("output_cost_per_image_token", "image_output"),
    ("input_cost_per_query", "requests"),
    ("input_cost_per_second", "seconds"),
];

/// The list's keys for what a model can do, and our words.
const CAPABILITIES: &[(&str, &str)] = &[
    ("supports_function_calling", "tools"),
    ("supports_parallel_function_calling", "parallel_tools"),
    ("supports_vision", "images"),
    ("supports_pdf_input", "documents"),
    ("supports_audio_input", "audio"),
    ("supports_video_input", "video"),
    ("supports_audio_output", "speech"),
    ("supports_reasoning", "reasoning"),
    ("supports_response_schema", "structured_output"),
    ("supports_prompt_caching", "caching"),
    ("supports_web_search", "web_search"),
    ("supports_computer_use", "computer_use"),
];

/// The list's words for what a model is for, and ours; and the paths it gives instead.
const MODES: &[(&str, &str)] = &[
    ("chat", "chat"),
    ("/v1/chat/completions", "chat"),
    ("responses", "responses"),
    ("/v1/responses", "responses"),
    ("completion", "completion"),
    ("/v1/completions", "completion"),
    ("embedding", "embedding"),
    ("/v1/embeddings", "embedding"),
    ("image_generation", "image_generation"),
    ("/v1/images/generations", "image_generation"),
    ("image_edit", "image_edit"),
    ("/v1/images/edits", "image_edit"),
    ("audio_transcription", "transcription"),
    ("/v1/audio/transcriptions", "transcription"),
    ("audio_speech", "speech"),
    ("/v1/audio/speech", "speech"),
    ("realtime", "realtime"),
    ("moderation", "moderation"),
    ("rerank", "rerank"),
    ("video_generation", "video_generation"),
    ("ocr", "ocr"),
];

/// Makes the table of the list's text. The error says what is wrong with it.
pub fn condense(list: &str) -> Result<String, String> {
    let Table(rows) = serde_json::from_str(list).map_err(|error| format!("it is not a price list: {error}"))?;
    let mut table = String::from(
        "# Facts about models: provider, id, what for, longest prompt, longest answer, what it can, deprecated from, prices in USD\n\
         # (per million tokens; requests and seconds each). Made of LiteLLM's price list, MIT licence, Copyright (c) 2023 Berri AI.\n",
    );
    for (key, line) in rows {
        table.push_str(&format!("{key}\t{line}\n"));
    }
    Ok(table)
}

/// The list, read model by model: it is large, and most of it is not needed.
struct Table(BTreeMap<String, Line>);

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
        struct Models;
        impl<'de> Visitor<'de> for Models {
            type Value = Table;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of models")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut models: A) -> Result<Table, A::Error> {
                let mut rows = BTreeMap::new();
                while let Some((id, facts)) = models.next_entry::<String, Value>()? {
                    if let Some((key, line)) = facts.as_object().and_then(|facts| row(&id, facts)) {
                        rows.entry(key).or_insert(line);
                    }
                }
                Ok(Table(rows))
            }
        }
        list.deserialize_map(Models)
    }
}

/// A model's key in the table and what the list says of it, if it is of a provider we know.
fn row(id: &str, facts: &Map<String, Value>) -> Option<(String, Line)> {
    let listed = facts.get("litellm_provider")?.as_str()?;
    let named = names::of_listed(listed)?;
    let id = own_id(id, &named)?;
    let words = |keys: &mut dyn Iterator<Item = &str>| {
        let mut words: Vec<_> = keys
            .filter_map(|key| Some(MODES.iter().find(|(theirs, _)| *theirs == key)?.1))
            .collect();
        words.sort_unstable();
        words.dedup();
        words
    };
    let endpoints = facts.get("supported_endpoints").and_then(Value::as_array);
    let endpoints = endpoints.into_iter().flatten().filter_map(Value::as_str);
    let mode = facts.get("mode").and_then(Value::as_str);
    let can = |key: &str| facts.get(key).and_then(Value::as_bool) == Some(true);
    let line = Line {
        modes: words(&mut mode.into_iter().chain(endpoints)),
        context_window: tokens(facts, "max_input_tokens"),
        max_output_tokens: tokens(facts, "max_output_tokens"),
        capabilities: CAPABILITIES
            .iter()
            .filter(|(key, _)| can(key))
            .map(|(_, word)| *word)
            .collect(),
        deprecated: facts
            .get("deprecation_date")
            .and_then(Value::as_str)
            .filter(|day| is_day(day))
            .map(str::to_owned),
        price: price(facts),
    };
    Some((format!("{}\t{id}", named.name), line))
}

/// The id without the provider in front of it, in lower case.
fn own_id(id: &str, named: &Named) -> Option<String> {
    let own = match id.split_once('/') {
        Some((first, rest)) if names::of_listed(first).is_some_and(|of| of.name == named.name) => rest,
        _ => id,
    };
    let sound = !own.is_empty() && !own.contains(|c: char| c.is_control() || c == '#');
    (sound && !(named.flat && own.contains('/'))).then(|| own.to_ascii_lowercase())
}

fn tokens(facts: &Map<String, Value>, key: &str) -> Option<u64> {
    let number = facts.get(key)?;
    let whole = number.as_u64().or_else(|| number.as_str()?.trim().parse().ok());
    whole.filter(|number| *number > 0)
}

fn is_day(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}

fn price(facts: &Map<String, Value>) -> Price {
    let mut price = Price::default();
    for (key, line) in RATES {
        if let Some(pico) = facts.get(*key).and_then(pico) {
            price.set(line, pico);
        }
    }
    if price.rate("requests").is_none()
        && let Some(pico) = per_search(facts)
    {
        price.set("requests", pico);
    }
    tiers(facts, &mut price);
    price
}

/// What a search costs, where that does not depend on how much of what it found is read.
fn per_search(facts: &Map<String, Value>) -> Option<u64> {
    let sizes = facts.get("search_context_cost_per_query")?.as_object()?;
    let mut costs = sizes.values().map(pico);
    let first = costs.next()??;
    costs.all(|cost| cost == Some(first)).then_some(first)
}

/// The list has tiers in two ways: keys that end so, and ranges.
fn tiers(facts: &Map<String, Value>, price: &mut Price) {
    for (key, value) in facts {
        let tier = key.strip_suffix("k_tokens").and_then(|key| key.rsplit_once("_above_"));
        let Some((above, line)) = tier.and_then(|(key, thousands)| Some((thousands.parse::<u64>().ok()?, line(key)?)))
        else {
            continue;
        };
        if let Some(pico) = pico(value) {
            price.set_above(above * 1000, line, pico);
        }
    }
    let ranges = facts.get("tiered_pricing").and_then(Value::as_array);
    for range in ranges.into_iter().flatten() {
        let from = range
            .get("range")
            .and_then(|range| range.get(0))
            .and_then(Value::as_f64);
        let (Some(from), Some(rates)) = (from, range.as_object()) else {
            continue;
        };
        for (line, pico) in rates.iter().filter_map(|(key, value)| Some((line(key)?, pico(value)?))) {
            match from {
                0.0 => price.set(line, pico),
                from => price.set_above(from as u64, line, pico),
            }
        }
    }
}

fn line(key: &str) -> Option<&'static str> {
    RATES.iter().find(|(theirs, _)| *theirs == key).map(|(_, line)| *line)
}

/// USD in picodollars. A decimal of so few digits survives being a float, and the sum is never one.
fn pico(dollars: &Value) -> Option<u64> {
    let dollars = dollars.as_f64().filter(|dollars| (0.0..1e6).contains(dollars))?;
    Some((dollars * 1e12).round() as u64)
}
