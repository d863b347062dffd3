//! JSON that is parsed once and borrowed: text, exact numbers, raw values, and objects that keep what they do not know.
//!
//! An adapter's time goes into JSON. So the types here borrow from the text they were parsed from wherever that is possible
//! ([`Str`] copies only text with escapes in it), and what an adapter does not look at stays raw text ([`Raw`]) which is checked
//! and copied, never built up and torn down.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

mod number;
mod object;
pub(crate) mod read;
pub mod text;

pub use number::Number;
#[doc(hidden)]
pub use object::Field;

/// Text, borrowed from the JSON it was parsed from unless it had escapes in it.
///
/// It derefs to `str`. In a struct of your own that derives `Deserialize`, mark such a field `#[serde(borrow)]`; a `String` does as well,
/// and costs a copy.
///
/// ```
/// use witgate_sdk::json::Str;
/// #[derive(serde::Deserialize)]
/// struct Answer<'a> {
///     #[serde(borrow)]
///     text: Str<'a>,
/// }
/// let answer: Answer = serde_json::from_str(r#"{"text":"Hi"}"#).unwrap();
/// assert_eq!(answer.text, "Hi");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Str<'a>(Cow<'a, str>);

impl<'a> Str<'a> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as an owned `String`, without a copy if it already is one.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }

    /// The text with no tie to what it was parsed from.
    #[must_use]
    pub fn into_static(self) -> Str<'static> {
        Str(Cow::Owned(self.0.into_owned()))
    }

    /// The same text, borrowed from this one.
    #[must_use]
    pub fn reborrow(&self) -> Str<'_> {
        Str(Cow::Borrowed(&self.0))
    }
}

impl std::ops::Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Str<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> From<&'a str> for Str<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Str<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Str<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl PartialEq<str> for Str<'_> {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Str<'_> {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Str<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(text.into())
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(text.to_owned().into())
            }
            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Serialize for Str<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A JSON value as its text: valid, and otherwise not looked at. It is written as it was read.
///
/// ```
/// use witgate_sdk::json::Raw;
/// let schema = Raw::parse_text(r#"{"type":"object"}"#).unwrap();
/// assert_eq!(serde_json::to_string(&[schema]).unwrap(), r#"[{"type":"object"}]"#);
/// ```
#[derive(Clone)]
pub struct Raw<'a>(Cow<'a, RawValue>);

impl<'a> Raw<'a> {
    /// The value's text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// The text of `value`.
    ///
    /// # Errors
    /// If `value` cannot be JSON, as a map whose keys are no strings.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(|raw| Self(Cow::Owned(raw)))
    }

    /// `text` as one value, if it is valid JSON: what a tool call's `arguments` should hold.
    ///
    /// # Errors
    /// If `text` is not valid JSON.
    pub fn parse_text(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(|raw: &RawValue| Self(Cow::Borrowed(raw)))
    }

    /// Reads the value as `T`, which may borrow from it.
    ///
    /// # Errors
    /// If the value has another shape.
    pub fn parse<'b, T: Deserialize<'b>>(&'b self) -> serde_json::Result<T> {
        serde_json::from_str(self.get())
    }

    /// Reads the value as an owned `T`.
    ///
    /// # Errors
    /// If the value has another shape.
    pub fn parse_owned<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.get())
    }

    /// The value if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<Str<'_>> {
        self.parse().ok()
    }

    /// Is it `null`?
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }

    /// The value with no tie to what it was parsed from.
    #[must_use]
    pub fn into_static(self) -> Raw<'static> {
        Raw(Cow::Owned(self.0.into_owned()))
    }

    /// The same value, borrowed from this one.
    #[must_use]
    pub fn reborrow(&self) -> Raw<'_> {
        Raw(Cow::Borrowed(&self.0))
    }
}

/// `null`.
impl Default for Raw<'_> {
    fn default() -> Self {
        Self(Cow::Borrowed(RawValue::NULL))
    }
}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

/// Equal if the texts are.
impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<'a> From<&'a RawValue> for Raw<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self(Cow::Borrowed(raw))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The fields of an object that its type does not name, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest<'a>(Vec<(Str<'a>, Raw<'a>)>);

impl<'a> Rest<'a> {
    /// The value of `key`, unless it is absent or null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Raw<'a>> {
        self.0
            .iter()
            .find(|(name, value)| *name == key && !value.is_null())
            .map(|(_, value)| value)
    }

    /// Takes `key` out, so that it is not written again.
    pub fn take(&mut self, key: &str) -> Option<Raw<'a>> {
        let at = self.0.iter().position(|(name, _)| *name == key)?;
        Some(self.0.remove(at).1).filter(|value| !value.is_null())
    }

    /// Adds a field at the end; it is for the caller to see that `key` is not there yet.
    pub fn push(&mut self, key: impl Into<Str<'a>>, value: Raw<'a>) {
        self.0.push((key.into(), value));
    }

    /// The fields with no tie to what they were parsed from.
    #[must_use]
    pub fn into_static(self) -> Rest<'static> {
        Rest(
            self.0
                .into_iter()
                .map(|(key, value)| (key.into_static(), value.into_static()))
                .collect(),
        )
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Raw<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
