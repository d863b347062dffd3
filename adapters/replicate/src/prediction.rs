//! What Replicate says of a prediction: its state, its output as text, its metrics.
//!
//! Every reply of the predictions API, whatever the verb, is this one object; the rest of the adapter asks it questions.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
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
    match serde_json::from_str::<Output>(output.get()) {
        Ok(Output::Text(text)) => text,
        Ok(Output::Nothing) => String::new(),
        Ok(Output::Other) | Err(_) => output.get().to_owned(),
    }
}

enum Output {
    Nothing,
    Text(String),
    Other,
}

impl<'de> Deserialize<'de> for Output {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OutputVisitor)
    }
}

struct OutputVisitor;

impl<'de> Visitor<'de> for OutputVisitor {
    type Value = Output;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a prediction's output")
    }

    fn visit_unit<E>(self) -> Result<Output, E> {
        Ok(Output::Nothing)
    }

    fn visit_str<E>(self, text: &str) -> Result<Output, E> {
        Ok(Output::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Output, E> {
        Ok(Output::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Output, E> {
        Ok(Output::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Output, E> {
        Ok(Output::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Output, E> {
        Ok(Output::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Output, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Output::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Output, A::Error> {
        let mut text = String::new();
        let mut files = true;
        // An item that is not a string ends in an error, and the caller then shows the whole output as JSON.
        while let Some(piece) = list.next_element::<Str<'de>>()? {
            files = files && is_file(&piece);
            if files && !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&piece);
        }
        Ok(Output::Text(text))
    }
}

/// Models that make pictures or sound answer with the URLs of files.
pub(crate) fn is_file(piece: &str) -> bool {
    ["https://", "http://", "data:"]
        .iter()
        .any(|scheme| piece.starts_with(scheme))
}
