//! A client's request, read once: [`Call`]. It keeps the client's own bytes; what the gateway has to know is looked up in spans over
//! them, and what it has to change is spliced in as the request leaves.

mod asks;
mod body;
pub(crate) mod edits;
mod form;
pub mod object;
mod unreadable;
mod upload;
mod validate;

use bytes::Bytes;
use bytestring::ByteString;
use hyper::HeaderMap;

use crate::{
    error::{Error, Problem, Result},
    scan::Scan,
    transport::pieces::Pieces,
};
pub(crate) use body::Body;
use edits::Edits;
pub use form::{Adding, Form, Seen};
use object::Object;
pub use upload::{Abandoned, Rest, Upload};

/// What a client can ask for. The words are the contract's (`context.operation` in `wit/adapter.wit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST /v1/chat/completions`
    Chat,
    /// `POST /v1/completions`
    Completions,
    /// `POST /v1/embeddings`
    Embeddings,
    /// `GET /v1/models` of a provider
    Models,
    /// `POST /v1/messages`
    Messages,
    /// `POST /v1/messages/count_tokens`
    CountTokens,
    /// `POST /v1/responses`
    Responses,
    /// `POST /v1/images/generations`
    Images,
    /// `POST /v1/audio/speech`
    Speech,
    /// `POST /v1/moderations`
    Moderations,
    /// `POST /v1/rerank`
    Rerank,
    /// `POST /v1/images/edits`
    ImageEdits,
    /// `POST /v1/images/variations`
    ImageVariations,
    /// `POST /v1/audio/transcriptions`
    Transcriptions,
    /// `POST /v1/audio/translations`
    Translations,
}

impl Operation {
    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat.completions",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Models => "models",
            Self::Messages => "messages",
            Self::CountTokens => "count_tokens",
            Self::Responses => "responses",
            Self::Images => "images.generations",
            Self::Speech => "audio.speech",
            Self::Moderations => "moderations",
            Self::Rerank => "rerank",
            Self::ImageEdits => "images.edits",
            Self::ImageVariations => "images.variations",
            Self::Transcriptions => "audio.transcriptions",
            Self::Translations => "audio.translations",
        }
    }

    /// The path below a provider's base URL where it has the API itself.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Completions => "/completions",
            Self::Embeddings => "/embeddings",
            Self::Models => "/models",
            Self::Messages => "/messages",
            Self::CountTokens => "/messages/count_tokens",
            Self::Responses => "/responses",
            Self::Images => "/images/generations",
            Self::Speech => "/audio/speech",
            Self::Moderations => "/moderations",
            Self::Rerank => "/rerank",
            Self::ImageEdits => "/images/edits",
            Self::ImageVariations => "/images/variations",
            Self::Transcriptions => "/audio/transcriptions",
            Self::Translations => "/audio/translations",
        }
    }

    /// True for what passes as it is: the gateway knows of the request its model, and of the answer its usage.
    pub const fn is_plain(self) -> bool {
        self.is_form() || matches!(self, Self::Images | Self::Speech | Self::Moderations | Self::Rerank)
    }

    /// True for what clients send as a form with files in it.
    pub const fn is_form(self) -> bool {
        matches!(
            self,
            Self::ImageEdits | Self::ImageVariations | Self::Transcriptions | Self::Translations
        )
    }
}

/// A client's request.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub operation: Operation,
    /// `x-request-id`: the client's if it sent a usable one, else ours.
    pub id: String,
    /// The model as the client wrote it.
    pub model: String,
    /// The client wants chunks.
    pub streaming: bool,
    /// The client asked for the usage chunk at a stream's end.
    pub include_usage: bool,
    /// The client wants embeddings in base64.
    pub base64: bool,
    /// How long the answer may be, in tokens.
    pub max_tokens: Option<u64>,
    /// The client's headers.
    pub headers: HeaderMap,
    /// The form that it came as; the body then has the model only.
    pub upload: Option<Upload>,
    body: Body,
}

impl Call {
    /// Reads a request body of `operation` and checks it: valid JSON, not nested deeper than `depth`, the fields of the right type.
    /// All that is wrong is in the error.
    pub fn parse(operation: Operation, id: String, headers: HeaderMap, body: Bytes, depth: usize) -> Result<Self> {
        let body = ByteString::try_from(body).map_err(|e| {
            Error::invalid(
                format!(
                    "The body is not valid UTF-8: the byte at offset {} is wrong.",
                    e.valid_up_to()
                ),
                None,
            )
        })?;
        let Some(body) = Body::read(&body, Scan::strict(&body, depth)) else {
            return Err(unreadable::why(&body, depth));
        };
        let problems = validate::check(operation, &body);
        if !problems.is_empty() {
            return Err(Error::Invalid { problems });
        }
        let (fields, text) = (body.fields(), body.text());
        let read = |key| fields.get(text, key).and_then(|value| serde_json::from_str(value).ok());
        let include_usage = fields
            .get(text, "stream_options")
            .and_then(|value| Some(Object::parse(value).ok()?.get(value, "include_usage")? == "true"))
            .unwrap_or(false);
        let max_tokens = fields
            .get(text, "max_completion_tokens")
            .or_else(|| fields.get(text, "max_tokens"))
            .or_else(|| fields.get(text, "max_output_tokens"));
        Ok(Self {
            operation,
            id,
            model: fields
                .get(text, "model")
                .and_then(|m| serde_json::from_str(m).ok())
                .unwrap_or_default(),
            streaming: read("stream").unwrap_or(false),
            include_usage,
            base64: fields.get(text, "encoding_format") == Some("\"base64\""),
            max_tokens: max_tokens.and_then(|n| n.parse().ok()),
            headers,
            upload: None,
            body,
        })
    }

    /// A call that came as a form, of which only the model is known.
    pub fn form(operation: Operation, id: String, headers: HeaderMap, model: &str, upload: Upload) -> Result<Self> {
        let body = serde_json::json!({ "model": model }).to_string();
        let call = Self::parse(operation, id, headers, body.into(), 2)?;
        Ok(Self {
            upload: Some(upload),
            ..call
        })
    }

    /// True if a part of it has gone to a provider and cannot be sent to another.
    pub fn is_spent(&self) -> bool {
        let rest = self.upload.as_ref().and_then(|upload| upload.rest.as_ref());
        rest.is_some_and(|rest| rest.moved().is_some())
    }

    /// The same call in the canonical form: `body` is the Chat Completions request that asks for what this one asks for. Usage is
    /// always wanted, since the other APIs always tell it.
    pub fn as_chat(&self, body: String) -> Result<Self> {
        let body = ByteString::from(body);
        let body = Body::read(&body, Scan::new(&body));
        Ok(Self {
            operation: Operation::Chat,
            id: self.id.clone(),
            model: self.model.clone(),
            streaming: self.streaming,
            include_usage: self.streaming,
            base64: false,
            max_tokens: self.max_tokens,
            headers: self.headers.clone(),
            upload: None,
            body: body.ok_or(Error::Internal("a translation that is no JSON object"))?,
        })
    }

    /// The same call with another value for a field that it has.
    pub fn with(&self, key: &str, value: &str) -> Result<Self> {
        let body = self.body.fields().with(self.text(), &[(key, value)]);
        Ok(Self {
            operation: self.operation,
            include_usage: self.include_usage,
            ..self.as_chat(body)?
        })
    }

    /// The same call without some of its fields, if it has any of them, and which those are.
    pub fn without<'k>(&self, keys: &'k [String]) -> Result<Option<(Self, Vec<&'k str>)>> {
        let given: Vec<&str> = keys
            .iter()
            .map(String::as_str)
            .filter(|key| self.body.fields().get(self.text(), key).is_some())
            .collect();
        if given.is_empty() {
            return Ok(None);
        }
        let call = Self {
            operation: self.operation,
            include_usage: self.include_usage,
            base64: self.base64,
            upload: self.upload.clone(),
            ..self.as_chat(self.body.fields().without(self.text(), &given))?
        };
        Ok(Some((call, given)))
    }

    /// The body as the client sent it.
    pub fn text(&self) -> &str {
        self.body.text()
    }

    /// The same, and where in it everything stands.
    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    /// The JSON text of each message; none if there is no list of them.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.body.messages()
    }

    /// The JSON text of a top-level field; `null` is none.
    pub fn field(&self, key: &str) -> Option<&str> {
        self.body.fields().get(self.text(), key)
    }

    /// The top-level fields and the JSON text of each, in order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.body.fields().iter(self.text())
    }

    /// The body with `changes` spliced in (a key, and the JSON text of its value), or the client's own bytes if there are none.
    pub fn body_with(&self, changes: &[(&str, &str)]) -> ByteString {
        if changes.is_empty() {
            self.body.text().clone()
        } else {
            self.body.fields().with(self.text(), changes).into()
        }
    }

    /// The same in pieces, of which most are the client's own bytes.
    pub fn pieces_with(&self, changes: &[(&str, &str)]) -> Pieces {
        self.body.fields().edits(self.text(), changes).pieces(self.body.text())
    }

    /// The same call with other texts in places of its body. What its fields are called, and which messages there are, stays.
    pub(crate) fn edited(&self, edits: &Edits<'_>) -> Self {
        Self {
            operation: self.operation,
            id: self.id.clone(),
            model: self.model.clone(),
            streaming: self.streaming,
            include_usage: self.include_usage,
            base64: self.base64,
            max_tokens: self.max_tokens,
            headers: self.headers.clone(),
            upload: self.upload.clone(),
            body: self.body.edited(edits),
        }
    }

    /// Those of `defaults` (a key, and the JSON text of its value) that the client left out. They are fields of OpenAI's; of other
    /// APIs' calls those are filled in that are the same there.
    pub fn left_out<'d>(&self, defaults: &'d [(String, String)]) -> impl Iterator<Item = (&'d str, &'d str)> {
        let known = |key: &str| match self.operation {
            Operation::Messages => matches!(key, "temperature" | "top_p" | "top_k"),
            Operation::CountTokens => false,
            Operation::Responses => matches!(key, "temperature" | "top_p" | "user" | "metadata"),
            _ => true,
        };
        defaults
            .iter()
            .filter(move |(key, _)| self.field(key).is_none() && known(key))
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Checks what can only be checked once the model is known.
    pub fn fits(&self, context_window: Option<u64>) -> Result<()> {
        match (self.max_tokens, context_window) {
            (Some(asked), Some(window)) if asked > window => Err(Error::Invalid {
                problems: vec![Problem {
                    message: format!(
                        "Token limit exceeds model context window: max_tokens is {asked}, the model takes {window}."
                    ),
                    param: Some(self.max_tokens_field().to_owned()),
                }],
            }),
            _ => Ok(()),
        }
    }

    fn max_tokens_field(&self) -> &'static str {
        if self.field("max_completion_tokens").is_some() {
            "max_completion_tokens"
        } else {
            "max_tokens"
        }
    }
}
