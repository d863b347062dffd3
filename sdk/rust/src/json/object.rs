//! The macro that makes a struct of a JSON object: borrowed, null as absent, unknown fields kept in order.
//!
//! serde's `flatten` would do the last part too, but it copies the whole object into a tree first.

use std::collections::BTreeMap;

use super::{Number, Raw, Str};

/// May this field be left out when it is written?
#[doc(hidden)]
pub trait Field {
    /// `true` for `None` and for an empty list.
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T> Field for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Field for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<K, V> Field for BTreeMap<K, V> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Field for Raw<'_> {
    fn is_absent(&self) -> bool {
        self.is_null()
    }
}

impl Field for Str<'_> {}
impl Field for Number<'_> {}
impl Field for String {}
impl Field for u64 {}
impl Field for u32 {}
impl Field for u16 {}
impl Field for i64 {}
impl Field for f64 {}
impl Field for bool {}

/// Makes a struct of a JSON object, to read and to write, for the SDK's types and for your provider's.
///
/// - Every field type has a `Default`: what is absent, or `null`, is the default.
/// - A key that the struct does not name is kept in `rest` (which you declare as a last, empty-typed field) and written again.
/// - `None`, an empty `Vec` and a null [`Raw`](crate::json::Raw) are not written, unless the field is marked `[always]`.
/// - `= "key"` gives a field another name in JSON.
///
/// ```
/// use witgate_sdk::json::{Number, Raw, Str};
/// witgate_sdk::object! {
///     /// A provider's answer.
///     pub struct Answer<'a> {
///         /// Its text.
///         pub text: Str<'a> = "generated_text",
///         /// Parts, if any.
///         pub parts: Vec<Raw<'a>> [always],
///         /// Its score.
///         pub score: Option<Number<'a>>,
///     }
/// }
/// let answer: Answer = serde_json::from_str(r#"{"generated_text":"Hi","score":null,"new":{"a":1}}"#).unwrap();
/// assert_eq!(answer.text, "Hi");
/// assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"generated_text":"Hi","parts":[],"new":{"a":1}}"#);
/// ```
#[macro_export]
macro_rules! object {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<'a> {
            $( $(#[$fmeta:meta])* $fvis:vis $field:ident : $ty:ty $(= $key:literal)? $([$always:ident])? ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $name<'a> {
            $( $(#[$fmeta])* $fvis $field: $ty, )*
            /// Fields that this type does not name, in their order.
            $vis rest: $crate::json::Rest<'a>,
        }

        impl $crate::json::Field for $name<'_> {}

        const _: () = {
            use $crate::__private::serde::{self, de, ser::SerializeMap};

            impl<'de: 'a, 'a> de::Deserialize<'de> for $name<'a> {
                fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                    struct Object<'a>(::core::marker::PhantomData<&'a ()>);
                    impl<'de: 'a, 'a> de::Visitor<'de> for Object<'a> {
                        type Value = $name<'a>;
                        fn expecting(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                            f.write_str("an object")
                        }
                        fn visit_map<A: de::MapAccess<'de>>(
                            self,
                            mut map: A,
                        ) -> ::core::result::Result<Self::Value, A::Error> {
                            let mut object = $name::default();
                            while let Some(key) = map.next_key::<$crate::json::Str<'a>>()? {
                                match key.as_str() {
                                    $( $crate::__key!($field $($key)?) =>
                                        if let Some(value) = map.next_value::<Option<$ty>>()? { object.$field = value; }, )*
                                    _ => object.rest.push(key, map.next_value::<$crate::json::Raw<'a>>()?),
                                }
                            }
                            Ok(object)
                        }
                    }
                    deserializer.deserialize_map(Object(::core::marker::PhantomData))
                }
            }

            impl serde::Serialize for $name<'_> {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                    let mut map = serializer.serialize_map(None)?;
                    $( if $crate::__always!($($always)?) || !$crate::json::Field::is_absent(&self.$field) {
                        map.serialize_entry($crate::__key!($field $($key)?), &self.$field)?;
                    } )*
                    for (key, value) in self.rest.iter() {
                        map.serialize_entry(key, value)?;
                    }
                    map.end()
                }
            }
        };
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __always {
    () => {
        false
    };
    (always) => {
        true
    };
}
