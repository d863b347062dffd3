//! Embeddings: request and answer.

use std::fmt;

use serde::de::Visitor;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error as _, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Usage;
use crate::json::{Raw, Str};
use crate::object;

object! {
    /// A request for embeddings. `limits.embeddings-batch` of the manifest makes the host split large ones.
    pub struct EmbeddingsRequest<'a> {
        /// The model, as the provider names it.
        pub model: Str<'a>,
        /// What to embed.
        pub input: EmbeddingsInput<'a>,
        /// `float` or `base64`.
        pub encoding_format: Option<Str<'a>>,
        /// How many dimensions.
        pub dimensions: Option<u64>,
        /// The client's own user.
        pub user: Option<Str<'a>>,
    }

    /// Embeddings.
    pub struct EmbeddingsResponse<'a> {
        /// `list`; the host fills it in.
        pub object: Option<Str<'a>>,
        /// One for each input, in order.
        pub data: Vec<Embedding<'a>> [always],
        /// The model that answered.
        pub model: Option<Str<'a>>,
        /// What they used.
        pub usage: Option<Usage<'a>>,
    }

    /// One embedding.
    pub struct Embedding<'a> {
        /// `embedding`.
        pub object: Option<Str<'a>>,
        /// Which input's.
        pub index: u64,
        /// A list of numbers, or base64: copied, not read.
        pub embedding: Raw<'a>,
    }
}

/// What to embed.
#[derive(Clone, Debug, PartialEq)]
pub enum EmbeddingsInput<'a> {
    /// One text.
    Text(Str<'a>),
    /// Several texts.
    Texts(Vec<Str<'a>>),
    /// Token ids: of one input, or a list of such lists.
    Tokens(Vec<Raw<'a>>),
}

impl<'a> EmbeddingsInput<'a> {
    /// The texts.
    ///
    /// # Errors
    /// A failure of kind `unsupported` if the input is token ids.
    pub fn texts(&self) -> crate::Result<&[Str<'a>]> {
        match self {
            Self::Text(text) => Ok(std::slice::from_ref(text)),
            Self::Texts(texts) => Ok(texts),
            Self::Tokens(_) => Err(crate::Failure::new(
                crate::Kind::Unsupported,
                "this provider embeds text, it does not take token ids",
            )
            .param("input")),
        }
    }
}

/// No texts.
impl Default for EmbeddingsInput<'_> {
    fn default() -> Self {
        Self::Texts(Vec::new())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for EmbeddingsInput<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = EmbeddingsInput<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a list of strings, or token ids")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(EmbeddingsInput::Text(text.into()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(EmbeddingsInput::Text(text.to_owned().into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                let items = Vec::<Raw<'de>>::deserialize(SeqAccessDeserializer::new(items))?;
                if items.first().is_none_or(|item| !item.get().starts_with('"')) {
                    return Ok(EmbeddingsInput::Tokens(items).or_no_texts());
                }
                let texts: Option<Vec<_>> = items.iter().map(|item| item.as_str().map(Str::into_static)).collect();
                texts
                    .map(EmbeddingsInput::Texts)
                    .ok_or_else(|| A::Error::custom("expected only strings"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl EmbeddingsInput<'_> {
    /// An empty list is no token ids.
    fn or_no_texts(self) -> Self {
        if matches!(&self, Self::Tokens(tokens) if tokens.is_empty()) {
            Self::default()
        } else {
            self
        }
    }
}

impl Serialize for EmbeddingsInput<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Tokens(tokens) => tokens.serialize(serializer),
        }
    }
}

impl crate::json::Field for EmbeddingsInput<'_> {}

impl<'a> EmbeddingsResponse<'a> {
    /// An answer from the vectors alone, in the order of the inputs.
    #[must_use]
    pub fn new(vectors: impl IntoIterator<Item = Raw<'a>>) -> Self {
        let embed = |(index, embedding)| Embedding {
            object: Some("embedding".into()),
            index,
            embedding,
            ..Embedding::default()
        };
        Self {
            data: (0..).zip(vectors).map(embed).collect(),
            ..Self::default()
        }
    }
}
