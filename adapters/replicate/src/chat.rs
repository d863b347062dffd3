//! A chat request as far as a prompt needs it: the messages taken apart, every other field as the JSON it came as.
//!
//! Read in one pass and borrowed, so a long conversation is not copied before it is written into the prompt.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use witgate_sdk::json::Str;

/// The body of a chat request.
#[derive(Debug, Default)]
pub(crate) struct Chat<'a> {
    pub(crate) messages: Vec<Message<'a>>,
    /// all other fields that are not null, in order
    pub(crate) fields: Vec<(Str<'a>, &'a RawValue)>,
}

/// One message.
#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) role: Str<'a>,
    #[serde(borrow, default)]
    content: Content<'a>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
}

/// A piece of a message.
pub(crate) enum Part<'a> {
    /// words
    Text(&'a str),
    /// the URL of an image, `data:` or other
    Image(&'a str),
    /// a type that has no place in a prompt
    Other(&'a str),
}

#[derive(Debug, Default)]
enum Content<'a> {
    #[default]
    Nothing,
    Text(Str<'a>),
    Parts(Vec<RawPart<'a>>),
}

#[derive(Debug, Deserialize)]
struct RawPart<'a> {
    #[serde(borrow, rename = "type")]
    kind: Str<'a>,
    #[serde(borrow, default, alias = "refusal")]
    text: Option<Str<'a>>,
    #[serde(borrow, default)]
    image_url: Option<ImageUrl<'a>>,
}

#[derive(Debug, Deserialize)]
struct ImageUrl<'a> {
    #[serde(borrow)]
    url: Str<'a>,
}

impl<'a> Message<'a> {
    /// Its pieces, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let (text, parts): (Option<&str>, &[RawPart<'a>]) = match &self.content {
            Content::Nothing => (None, &[]),
            Content::Text(text) => (Some(text), &[]),
            Content::Parts(parts) => (None, parts),
        };
        text.map(Part::Text).into_iter().chain(parts.iter().map(RawPart::part))
    }

    /// Whether the model asked for tools in it.
    pub(crate) fn calls_tools(&self) -> bool {
        self.tool_calls.is_some_and(|calls| calls.get() != "[]") || self.function_call.is_some()
    }
}

impl RawPart<'_> {
    fn part(&self) -> Part<'_> {
        match (&*self.kind, &self.text, &self.image_url) {
            ("text" | "refusal", Some(text), _) => Part::Text(text),
            ("image_url", _, Some(image)) => Part::Image(&image.url),
            (kind, ..) => Part::Other(kind),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Chat<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Chat<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a chat request")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Chat<'de>, A::Error> {
                let mut chat = Chat::default();
                while let Some(key) = map.next_key::<Str<'de>>()? {
                    if &*key == "messages" {
                        chat.messages = map.next_value()?;
                        continue;
                    }
                    let value: &RawValue = map.next_value()?;
                    if value.get() != "null" {
                        chat.fields.push((key, value));
                    }
                }
                Ok(chat)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Content<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a list of parts, or null")
            }

            fn visit_unit<E>(self) -> Result<Content<'de>, E> {
                Ok(Content::Nothing)
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Content<'de>, E> {
                Ok(Content::Text(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Content<'de>, E> {
                Ok(Content::Text(text.to_owned().into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content<'de>, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}
