//! JSON Schemas in the form Gemini takes: OpenAPI's, with a fixed set of keywords. References are written out; what cannot be said
//! in a keyword is said in the description. A schema that this cannot express (one that refers to itself, maps, tuples) goes to the
//! newer field that takes JSON Schema.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{Object, push_comma, push_field, push_string, string};

/// Keywords that are copied.
const COPIED: [&str; 12] = [
    "title",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "nullable",
    "propertyOrdering",
];
/// Keywords that are said in words, in the description of what they constrain.
const SAID_IN_WORDS: [&str; 8] = [
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "uniqueItems",
    "default",
    "examples",
    "contains",
    "not",
];
/// Nesting beyond this is no schema a person or a library wrote.
const MAX_DEPTH: usize = 48;
/// How much longer a schema may become when its references are written out.
const MAX_GROWTH: usize = 64 << 10;

/// A schema for Gemini.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Translated<'a> {
    /// It says nothing.
    Nothing,
    /// in OpenAPI's form
    OpenApi(String),
    /// as it is, for the field that takes JSON Schema
    Json(&'a str),
}

/// Translates a schema.
pub(super) fn translate(schema: &str) -> Translated<'_> {
    let Some(root) = Object::parse(schema) else {
        return Translated::Nothing;
    };
    let empty = |key| {
        root.get(key)
            .is_none_or(|value| Object::parse(value).is_some_and(|object| object.0.is_empty()))
    };
    let says_nothing = empty("properties")
        && root.0.iter().all(|(key, _)| {
            matches!(
                &**key,
                "type"
                    | "properties"
                    | "required"
                    | "additionalProperties"
                    | "$schema"
                    | "title"
                    | "description"
                    | "strict"
            )
        });
    if says_nothing && root.text("type").is_none_or(|word| word == "object") {
        return Translated::Nothing;
    }
    let mut cleaner = Cleaner {
        root: &root,
        open: Vec::new(),
        out: String::with_capacity(schema.len() + 64),
        limit: schema.len() * 2 + MAX_GROWTH,
    };
    match cleaner.push(schema, None) {
        Some(()) => Translated::OpenApi(cleaner.out),
        None => Translated::Json(schema),
    }
}

/// Writes the schema anew. Its functions give up with `None` where OpenAPI's form cannot say the same.
struct Cleaner<'a, 'r> {
    root: &'r Object<'a>,
    /// the references that are being written out
    open: Vec<String>,
    out: String,
    limit: usize,
}

/// What a keyword of one schema adds to its description.
#[derive(Default)]
struct Said {
    description: Option<String>,
    words: Vec<String>,
}

impl<'a> Cleaner<'a, '_> {
    /// Writes one schema. `around`: a description for one that has none.
    fn push(&mut self, schema: &'a str, around: Option<&str>) -> Option<()> {
        let object = Object::parse(schema)?;
        self.push_object(object, around, false)
    }

    fn push_object(&mut self, object: Object<'a>, around: Option<&str>, nullable: bool) -> Option<()> {
        if self.open.len() > MAX_DEPTH || self.out.len() > self.limit {
            return None;
        }
        let depth = self.open.len();
        let object = self.resolve(object)?;
        let wrote = self.push_resolved(&object, around, nullable);
        self.open.truncate(depth);
        wrote
    }

    /// Follows `$ref` and an `allOf` of one; what stands beside them goes before what they name.
    fn resolve(&mut self, mut object: Object<'a>) -> Option<Object<'a>> {
        // Every level is remembered, so that nesting is bounded, too.
        self.open.push(String::new());
        loop {
            let target = if let Some(reference) = object.text("$ref") {
                if self.open.iter().any(|open| **open == *reference) {
                    return None;
                }
                self.open.push(reference.to_string());
                self.named(&reference)?
            } else if let Some(all) = object.get("allOf") {
                let all: Vec<&RawValue> = serde_json::from_str(all).ok()?;
                let [one] = all[..] else { return None };
                one.get()
            } else {
                return Some(object);
            };
            let beside = object.0.into_iter().filter(|(key, _)| key != "$ref" && key != "allOf");
            let mut merged: Vec<_> = beside.collect();
            let named = Object::parse(target)?.0.into_iter();
            let new: Vec<_> = named
                .filter(|(key, _)| merged.iter().all(|(own, _)| own != key))
                .collect();
            merged.extend(new);
            object = Object(merged);
        }
    }

    /// The schema that "#/$defs/NAME" means.
    fn named(&self, reference: &str) -> Option<&'a str> {
        let mut path = reference
            .strip_prefix("#/")?
            .split('/')
            .map(|step| step.replace("~1", "/").replace("~0", "~"));
        let mut at = self.root.get(&path.next()?)?;
        for step in path {
            at = Object::parse(at)?.get(&step)?;
        }
        Some(at)
    }

    fn push_resolved(&mut self, object: &Object<'a>, around: Option<&str>, nullable: bool) -> Option<()> {
        if let Some(list) = object.get("anyOf").or_else(|| object.get("oneOf")) {
            return self.push_any(object, list, around, nullable);
        }
        let types = types(object)?;
        let null = nullable || types.iter().any(|word| word == "null");
        let mut types = types.iter().filter(|word| *word != "null");
        let word = types.next()?;
        if types.next().is_some() {
            return self.push_types(object, around, null);
        }
        self.push_plain(object, word, around, null)
    }

    /// A schema of one type.
    fn push_plain(&mut self, object: &Object<'a>, word: &str, around: Option<&str>, nullable: bool) -> Option<()> {
        let mut said = Said {
            description: object
                .text("description")
                .map(Cow::into_owned)
                .or_else(|| around.map(str::to_owned)),
            words: Vec::new(),
        };
        self.out.push_str("{\"type\":");
        push_string(&mut self.out, word);
        if nullable && object.get("nullable").is_none() {
            push_field(&mut self.out, "nullable", "true");
        }
        for (key, value) in &object.0 {
            self.push_keyword(object, word, key, value.get(), &mut said)?;
        }
        if word == "object" && object.get("properties").is_none() || word == "array" && object.get("items").is_none() {
            return None;
        }
        said.push(&mut self.out);
        self.out.push('}');
        Some(())
    }

    fn push_keyword(
        &mut self,
        object: &Object<'a>,
        word: &str,
        key: &str,
        value: &'a str,
        said: &mut Said,
    ) -> Option<()> {
        match key {
            "properties" => self.push_properties(value)?,
            "items" => {
                self.open_field(key);
                self.push(value, None)?;
            }
            "required" => self.push_required(object, value),
            "enum" => self.push_enum(word, value, said),
            "const" => self.push_enum(word, &["[", value, "]"].concat(), said),
            "format" => {
                let known: &[&str] = match word {
                    "string" => &["date-time", "enum"],
                    "integer" => &["int32", "int64"],
                    "number" => &["float", "double"],
                    _ => &[],
                };
                let format = string(value).unwrap_or_default();
                if known.contains(&&*format) {
                    push_field(&mut self.out, key, value);
                } else {
                    said.words.push(format!("format: {format}"));
                }
            }
            "additionalProperties" => (matches!(value, "false" | "true")).then_some(())?,
            "prefixItems" | "patternProperties" => return None,
            _ if COPIED.contains(&key) => push_field(&mut self.out, key, value),
            _ if SAID_IN_WORDS.contains(&key) => said.words.push(format!("{key}: {value}")),
            // Notes for people and programs: $schema, $id, $comment, deprecated, …
            _ => {}
        }
        Some(())
    }

    fn open_field(&mut self, key: &str) {
        push_comma(&mut self.out);
        push_string(&mut self.out, key);
        self.out.push(':');
    }

    fn push_properties(&mut self, properties: &'a str) -> Option<()> {
        let properties = Object::parse(properties)?;
        // The API refuses objects without properties.
        (!properties.0.is_empty()).then_some(())?;
        self.open_field("properties");
        self.out.push('{');
        for (name, schema) in &properties.0 {
            self.open_field(name);
            self.push(schema.get(), None)?;
        }
        self.out.push('}');
        Some(())
    }

    /// The API refuses names that are no properties.
    fn push_required(&mut self, object: &Object<'_>, names: &str) {
        let properties = object.get("properties").and_then(Object::parse).unwrap_or_default();
        let names: Vec<Cow<'_, str>> = serde_json::from_str(names).unwrap_or_default();
        let mut list = String::from("[");
        for name in names
            .iter()
            .filter(|name| properties.0.iter().any(|(own, _)| own == *name))
        {
            push_comma(&mut list);
            push_string(&mut list, name);
        }
        list.push(']');
        if list != "[]" {
            push_field(&mut self.out, "required", &list);
        }
    }

    /// The API takes only texts, and no empty ones.
    fn push_enum(&mut self, word: &str, values: &str, said: &mut Said) {
        let values: Vec<&RawValue> = serde_json::from_str(values).unwrap_or_default();
        let values: Vec<&str> = values
            .iter()
            .map(|value| value.get())
            .filter(|value| *value != "null")
            .collect();
        let texts = word == "string" && values.iter().all(|value| value.starts_with('"') && *value != "\"\"");
        if texts && !values.is_empty() {
            push_field(&mut self.out, "enum", &["[", &values.join(","), "]"].concat());
        } else {
            said.words.push(format!("one of: {}", values.join(", ")));
        }
    }

    /// `anyOf`. The API wants nothing beside it, so what stands there goes into each of its schemas, and so does `null`.
    fn push_any(&mut self, object: &Object<'a>, list: &'a str, around: Option<&str>, nullable: bool) -> Option<()> {
        let list: Vec<&RawValue> = serde_json::from_str(list).ok()?;
        let is_null = |schema: &&&RawValue| {
            Object::parse(schema.get()).is_some_and(|object| object.text("type").as_deref() == Some("null"))
        };
        let nullable = nullable || list.iter().any(|schema| is_null(&schema));
        let schemas: Vec<_> = list.iter().filter(|schema| !is_null(schema)).collect();
        let description = object.text("description");
        let around = description.as_deref().or(around);
        // Beside an `anyOf`, properties would have to hold as well: a conjunction, which OpenAPI's form does not have.
        if ["properties", "items"].iter().any(|key| object.get(key).is_some()) {
            return None;
        }
        if let [one] = schemas[..] {
            return self.push_object(Object::parse(one.get())?, around, nullable);
        }
        self.out.push_str("{\"anyOf\":[");
        for schema in schemas {
            push_comma(&mut self.out);
            self.push_object(Object::parse(schema.get())?, around, nullable)?;
        }
        self.out.push_str("]}");
        Some(())
    }

    /// Several types: as many schemas, each with the keywords that are for it.
    fn push_types(&mut self, object: &Object<'a>, around: Option<&str>, nullable: bool) -> Option<()> {
        // Values of several types are no values of one of them.
        values(object)
            .is_none_or(|values| values.iter().all(|value| is_text_or_null(value)))
            .then_some(())?;
        self.out.push_str("{\"anyOf\":[");
        for word in types(object)?.iter().filter(|word| *word != "null") {
            push_comma(&mut self.out);
            let fits = |key: &str| match key {
                "properties" | "required" => word == "object",
                "items" => word == "array",
                "enum" | "format" => word == "string",
                _ => true,
            };
            let own = object.0.iter().filter(|(key, _)| fits(key));
            let own = Object(own.map(|(key, value)| (key.clone(), *value)).collect());
            self.push_plain(&own, word, around, nullable)?;
        }
        self.out.push_str("]}");
        Some(())
    }
}

/// The types of a schema: said, or to be seen from its keywords.
fn types<'a>(object: &Object<'a>) -> Option<Vec<Cow<'a, str>>> {
    if let Some(said) = object.get("type") {
        return match string(said) {
            Some(word) => Some(vec![word]),
            None => serde_json::from_str(said).ok(),
        };
    }
    let seen = [("properties", "object"), ("items", "array"), ("pattern", "string")];
    let seen = seen.iter().find(|(key, _)| object.get(key).is_some());
    if let Some((_, word)) = seen {
        return Some(vec![Cow::Borrowed(word)]);
    }
    // Values of other types, or of several: OpenAPI's form allows only texts.
    let values = values(object)?;
    let text = values.iter().any(|value| value.starts_with('"'));
    let null = values.contains(&"null").then_some(Cow::Borrowed("null"));
    (text && values.iter().all(|value| is_text_or_null(value)))
        .then(|| [Cow::Borrowed("string")].into_iter().chain(null).collect())
}

/// The values that `enum` or `const` allows, as JSON text.
fn values<'a>(object: &Object<'a>) -> Option<Vec<&'a str>> {
    match object.get("enum") {
        Some(list) => {
            let list: Vec<&RawValue> = serde_json::from_str(list).ok()?;
            Some(list.into_iter().map(RawValue::get).collect())
        }
        None => object.get("const").map(|value| vec![value]),
    }
}

fn is_text_or_null(value: &str) -> bool {
    value.starts_with('"') || value == "null"
}

impl Said {
    fn push(&self, out: &mut String) {
        let words = self.words.join(", ");
        let text = match (&self.description, words.is_empty()) {
            (None, true) => return,
            (None, false) => format!("({words})"),
            (Some(text), true) => text.clone(),
            (Some(text), false) => format!("{text} ({words})"),
        };
        push_comma(out);
        out.push_str("\"description\":");
        push_string(out, &text);
    }
}
