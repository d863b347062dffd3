//! Numbers as the client wrote them: a temperature of 0.70 or an id of twenty digits is passed on unchanged.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Raw;

/// A JSON number with every digit it was written with.
///
/// ```
/// use witgate_sdk::json::Number;
/// let exact: Number = serde_json::from_str("12345678901234567890123").unwrap();
/// assert_eq!(serde_json::to_string(&exact).unwrap(), "12345678901234567890123");
/// assert_eq!(Number::from(0.7).as_f64(), 0.7);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Number<'a>(Raw<'a>);

impl Number<'_> {
    /// The nearest floating point number.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::MAX)
    }

    /// The number if it is a whole one from 0 to 2⁶⁴-1.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The number with no tie to what it was parsed from.
    #[must_use]
    pub fn into_static(self) -> Number<'static> {
        Number(self.0.into_static())
    }
}

/// 0.
impl Default for Number<'_> {
    fn default() -> Self {
        Self::from(0)
    }
}

/// Infinities and not-a-number, which JSON does not have, become 0.
impl From<f64> for Number<'_> {
    fn from(value: f64) -> Self {
        let value = if value.is_finite() { value } else { 0.0 };
        Self(Raw::of(&value).unwrap_or_default())
    }
}

impl From<u64> for Number<'_> {
    fn from(value: u64) -> Self {
        Self(Raw::of(&value).unwrap_or_default())
    }
}

impl From<i32> for Number<'_> {
    fn from(value: i32) -> Self {
        Self(Raw::of(&value).unwrap_or_default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Number<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        match raw.get().bytes().next() {
            Some(b'-' | b'0'..=b'9') => Ok(Self(raw)),
            _ => Err(D::Error::custom("expected a number")),
        }
    }
}

impl Serialize for Number<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
