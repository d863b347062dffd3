//! The body of a create call: the inputs of a model, each under its own name, a later value replacing an earlier one.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// The inputs, in the order they were first set.
#[derive(Debug, Default)]
pub(crate) struct Input<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// An input's value.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    /// JSON as it came
    Raw(&'a RawValue),
    /// a string
    Text(Cow<'a, str>),
    /// a list of strings
    Texts(Vec<&'a str>),
}

impl<'a> Input<'a> {
    /// Sets an input.
    pub(crate) fn set(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The body that creates a prediction with these inputs, of a version where one is named.
    pub(crate) fn body(&self, version: Option<&str>) -> String {
        #[derive(serde::Serialize)]
        struct Body<'b, 'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            version: Option<&'b str>,
            input: &'b Input<'a>,
        }
        serde_json::to_string(&Body { version, input: self }).expect("strings and JSON text can always be written")
    }
}

impl Serialize for Input<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            match value {
                Value::Raw(json) => map.serialize_entry(&**name, json)?,
                Value::Text(text) => map.serialize_entry(&**name, &**text)?,
                Value::Texts(texts) => map.serialize_entry(&**name, texts)?,
            }
        }
        map.end()
    }
}
