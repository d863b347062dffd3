//! What a list of models says about one beside its name. What is not known is not there.

use serde_json::{Map, Value, json};

use crate::{
    gateway::Known,
    price::{Amount, Price},
};

/// Adds what is known. What is there already stays: a provider knows its own models.
pub(super) fn add(fields: &mut Map<String, Value>, known: Known<'_>) {
    let row = known.row;
    let input = known.entry.map(|entry| &entry.input).filter(|input| !input.is_empty());
    let facts = [
        ("context_window", known.context_window().map(Value::from)),
        ("max_output_tokens", known.max_output_tokens().map(Value::from)),
        ("input", input.map(|input| json!(input))),
        ("modes", row.and_then(|row| words(row.modes))),
        ("capabilities", row.and_then(|row| words(row.capabilities))),
        ("deprecation_date", row.and_then(|row| row.deprecated).map(Value::from)),
        ("pricing", known.price().map(|price| pricing(&price))),
    ];
    for (key, value) in facts {
        if let Some(value) = value {
            fields.entry(key).or_insert(value);
        }
    }
}

/// The words of a list with commas between.
fn words(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| text.split(',').map(Value::from).collect())
}

/// A price list that says what its numbers are.
fn pricing(price: &Price) -> Value {
    let mut fields = Map::new();
    fields.insert("unit".to_owned(), json!("USD per 1M tokens; requests and seconds each"));
    fields.extend(price.dollars().map(number));
    let tiers: Vec<_> = price
        .tiers()
        .map(|(above, rates)| {
            let above = ("above_input_tokens".to_owned(), json!(above));
            Value::Object(std::iter::once(above).chain(rates.map(number)).collect())
        })
        .collect();
    if !tiers.is_empty() {
        fields.insert("tiers".to_owned(), tiers.into());
    }
    Value::Object(fields)
}

fn number((line, amount): (&'static str, Amount)) -> (String, Value) {
    // Of few digits, so that the float nearest to it shows as the same digits.
    (line.to_owned(), json!(amount.to_string().parse::<f64>().ok()))
}
