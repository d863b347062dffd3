//! How objects are read: where a key comes twice, the last counts, as it does for most readers of JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde_json::value::RawValue;

use crate::json::Object;

/// Reads an object; `None` for what is none of this type.
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str(text).ok().or_else(|| tidied(text))
}

/// serde's derived readers refuse a key that comes twice; so what they refuse is read once more, each key once.
#[cold]
fn tidied<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    let entries: BTreeMap<Cow<'a, str>, &'a RawValue> = Object::parse(text)?.0.into_iter().collect();
    T::deserialize(MapDeserializer::new(entries.into_iter())).ok()
}
