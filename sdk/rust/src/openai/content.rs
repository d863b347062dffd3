//! A message's content: text, or a list of parts.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{Raw, Str};
use crate::object;

/// A message's content.
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'a> {
    /// Plain text.
    Text(Str<'a>),
    /// Parts, of which some may be text.
    Parts(Vec<ContentPart<'a>>),
}

impl Content<'_> {
    /// The text of it: all text parts, joined as they stand. Borrowed if there is no need to join.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Parts(parts) => {
                let mut texts = parts.iter().filter_map(|part| part.text.as_deref());
                let first = texts.next().unwrap_or_default();
                texts.fold(Cow::Borrowed(first), |joined, text| joined + text)
            }
        }
    }

    /// The parts; plain text is one part of type `text`.
    pub fn parts(&self) -> impl Iterator<Item = Cow<'_, ContentPart<'_>>> {
        let (text, parts) = match self {
            Self::Text(text) => (Some(Cow::Owned(ContentPart::text(text.reborrow()))), [].as_slice()),
            Self::Parts(parts) => (None, parts.as_slice()),
        };
        text.into_iter().chain(parts.iter().map(Cow::Borrowed))
    }
}

/// Empty text.
impl Default for Content<'_> {
    fn default() -> Self {
        Self::Text(Str::default())
    }
}

impl<'a, T: Into<Str<'a>>> From<T> for Content<'a> {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Content<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of parts")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(text.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(text.to_owned().into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(parts)).map(Content::Parts)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}

object! {
    /// One part of a message. `kind` says which of the other fields is there.
    pub struct ContentPart<'a> {
        /// `text`, `image_url`, `input_audio`, `file`, `refusal`, … : an open set.
        pub kind: Str<'a> = "type",
        /// For `text`.
        pub text: Option<Str<'a>>,
        /// For `image_url`.
        pub image_url: Option<ImageUrl<'a>>,
        /// For `input_audio`.
        pub input_audio: Option<InputAudio<'a>>,
        /// For `file`.
        pub file: Option<FilePart<'a>>,
        /// For `refusal`.
        pub refusal: Option<Str<'a>>,
        /// A marker of prompt caching, as Anthropic's API has it.
        pub cache_control: Option<Raw<'a>>,
    }

    /// An image: an `https:` or a `data:` URL.
    pub struct ImageUrl<'a> {
        /// The URL.
        pub url: Str<'a>,
        /// `auto`, `low` or `high`.
        pub detail: Option<Str<'a>>,
    }

    /// Sound.
    pub struct InputAudio<'a> {
        /// Base64, or a token for it: copy it, do not decode it.
        pub data: Str<'a>,
        /// `wav`, `mp3`, …
        pub format: Str<'a>,
    }

    /// A file, in the request or uploaded before.
    pub struct FilePart<'a> {
        /// Its name.
        pub filename: Option<Str<'a>>,
        /// A `data:` URL, or base64.
        pub file_data: Option<Str<'a>>,
        /// The id of an uploaded file.
        pub file_id: Option<Str<'a>>,
    }
}

impl<'a> ContentPart<'a> {
    /// A part of text.
    #[must_use]
    pub fn text(text: impl Into<Str<'a>>) -> Self {
        Self {
            kind: "text".into(),
            text: Some(text.into()),
            ..Self::default()
        }
    }
}

impl ImageUrl<'_> {
    /// Media type and base64 text, if this is a `data:` URL in base64. The text may be a token: copy it, do not decode it.
    ///
    /// ```
    /// # use witgate_sdk::openai::ImageUrl;
    /// let image = ImageUrl { url: "data:image/png;base64,iVBORw0".into(), ..ImageUrl::default() };
    /// assert_eq!(image.data(), Some(("image/png", "iVBORw0")));
    /// ```
    #[must_use]
    pub fn data(&self) -> Option<(&str, &str)> {
        data_url(&self.url)
    }
}

impl FilePart<'_> {
    /// Media type and base64 text, if [`file_data`](Self::file_data) is a `data:` URL in base64.
    #[must_use]
    pub fn data(&self) -> Option<(&str, &str)> {
        data_url(self.file_data.as_deref()?)
    }
}

/// The media type, without parameters, and the base64 text of a `data:` URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media = head.strip_suffix(";base64")?;
    Some((media.split(';').next().unwrap_or(media), data))
}
