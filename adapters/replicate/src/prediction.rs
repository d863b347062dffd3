//! What Replicate says of a prediction: its state, its output as text, its metrics.
//!
//! Every reply of the predictions API, whatever the verb, is this one object; the rest of the adapter asks it questions.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use witgate_sdk::json::Str;

/// A prediction, borrowed from the reply. Fields the adapter does not use are not looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Prediction<'a> {
    /// 26 letters and digits
    #[serde(borrow, default)]
    pub(crate) id: Option<Str<'a>>,
    /// the word as sent; see [`Prediction::state`]
    #[serde(borrow, default)]
    status: Option<Str<'a>>,
    /// nothing, a string, a list of strings, or what else the model makes
    #[serde(borrow, default)]
    pub(crate) output: Option<&'a RawValue>,
    /// a string on failure
    #[serde(borrow, default)]
    pub(crate) error: Option<&'a RawValue>,
    /// where to ask again, to read along, to stop it
    #[serde(borrow, default)]
    urls: Option<Urls<'a>>,
    /// seconds and tokens, once it is over
    #[serde(borrow, default)]
    pub(crate) metrics: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Urls<'a> {
    #[serde(borrow, default)]
    get: Option<Str<'a>>,
    #[serde(borrow, default)]
    cancel: Option<Str<'a>>,
    #[serde(borrow, default)]
    stream: Option<Str<'a>>,
}

/// Where a prediction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// starting, processing, or a word of the future: ask again
    Pending,
    /// the output is whole
    Succeeded,
    /// the model failed; `error` says why
    Failed,
    /// somebody stopped it
    Canceled,
    /// it was ended before it began
    Aborted,
}

impl<'a> Prediction<'a> {
    /// Reads a reply's body. `None` if it is not a prediction.
    pub(crate) fn parse(body: &'a str) -> Option<Self> {
        let prediction: Self = serde_json::from_str(body).ok()?;
        prediction.status.is_some().then_some(prediction)
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> State {
        match self.status.as_deref() {
            Some("succeeded") => State::Succeeded,
            Some("failed") => State::Failed,
            Some("canceled") => State::Canceled,
            Some("aborted") => State::Aborted,
            _ => State::Pending,
        }
    }

    /// The URL to poll, as sent.
    pub(crate) fn get_url(&self) -> Option<&str> {
        self.urls.as_ref()?.get.as_deref()
    }

    /// The URL that stops it, as sent.
    pub(crate) fn cancel_url(&self) -> Option<&str> {
        self.urls.as_ref()?.cancel.as_deref()
    }

    /// The URL of its event stream: absent if the model cannot stream.
    pub(crate) fn stream_url(&self) -> Option<&str> {
        self.urls.as_ref()?.stream.as_deref()
    }

    /// The output so far, as the text of an answer.
    pub(crate) fn text(&self) -> String {
        self.output.map(output_text).unwrap_or_default()
    }

    /// Input and output tokens, where the model counts them.
    pub(crate) fn tokens(&self) -> Option<Tokens> {
        let tokens: Tokens = serde_json::from_str(self.metrics?.get()).ok()?;
        (tokens.input.is_some() || tokens.output.is_some()).then_some(tokens)
    }
}

/// The token counts among a prediction's metrics.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// tokens of the prompt
    #[serde(rename = "input_token_count", default)]
    pub(crate) input: Option<u64>,
    /// tokens of the answer
    #[serde(rename = "output_token_count", default)]
    pub(crate) output: Option<u64>,
}

/// An output as text: a string is itself, a list of strings is joined (pieces of text as they are, URLs of files one a line), nothing
/// is nothing, and anything else is shown as the JSON it is.
fn output_text(output: &RawValue) -> String {
    serde_json::from_str::<Joined>(output.get()).map_or_else(|_| output.get().to_owned(), |joined| joined.0)
}

/// The text of an output that is nothing, a string or a list of strings.
struct Joined(String);

impl<'de> Deserialize<'de> for Joined {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Joined;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a list of strings, or null")
            }

            fn visit_unit<E>(self) -> Result<Joined, E> {
                Ok(Joined(String::new()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Joined, E> {
                Ok(Joined(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Joined, A::Error> {
                let mut text = String::new();
                let mut files = true;
                while let Some(piece) = list.next_element::<Str<'de>>()? {
                    files = files && is_file(&piece);
                    if files && !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(&piece);
                }
                Ok(Joined(text))
            }
        }
        deserializer.deserialize_any(Shapes)
    }
}

/// Models that make pictures or sound answer with the URLs of files.
pub(crate) fn is_file(piece: &str) -> bool {
    ["https://", "http://", "data:"]
        .iter()
        .any(|scheme| piece.starts_with(scheme))
}
