//! What a client asks, and the world it asks in.

use serde_json::{Value, json};

use super::host::Host;
use super::{Played, Reply, Sent};
use crate::Adapter;
use crate::bindings::base::witgate::adapter::types as wit;

/// The text that stands for the provider's key in a test, as an unguessable token does in the host.
pub(super) const KEY_TOKEN: &str = "token-for-api_key";

/// One call of a client, and what the adapter may know of it.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) context: wit::Context,
    pub(super) body: String,
}

impl Call {
    /// A call of this operation. The model and whether the client wants chunks are taken from `body`, which is JSON text.
    ///
    /// # Panics
    /// If `body` is not JSON.
    #[must_use]
    pub fn new(operation: &str, body: impl Into<String>) -> Self {
        let body = body.into();
        let value: Value = serde_json::from_str(&body).expect("the body of a call is JSON");
        let context = wit::Context {
            operation: operation.to_owned(),
            model: value["model"].as_str().unwrap_or_default().to_owned(),
            streaming: value["stream"].as_bool().unwrap_or_default(),
            request_id: "req-0001".to_owned(),
            now_unix_ms: 1_700_000_000_000,
            base_url: "https://api.example.com".to_owned(),
            config: json!({ "api_key": KEY_TOKEN }).to_string(),
            ext: vec![("attempt".to_owned(), "1".to_owned())],
        };
        Self { context, body }
    }

    /// A call of `chat.completions`.
    ///
    /// # Panics
    /// If `body` is not JSON.
    #[must_use]
    pub fn chat(body: impl Into<String>) -> Self {
        Self::new("chat.completions", body)
    }

    /// A chat of one user's text with the model `m`.
    #[must_use]
    pub fn says(text: &str) -> Self {
        Self::chat(json!({ "model": "m", "messages": [{ "role": "user", "content": text }] }).to_string())
    }

    /// These fields in the body too, or in place of its own: `Call::says("Go").with(&json!({"temperature": 0}))`.
    ///
    /// # Panics
    /// If `fields` or the body is no JSON object.
    #[must_use]
    pub fn with(mut self, fields: &Value) -> Self {
        let mut body: Value = serde_json::from_str(&self.body).expect("the body of a call is JSON");
        for (key, value) in fields.as_object().expect("fields are a JSON object") {
            body[key] = value.clone();
        }
        if let Some(model) = fields["model"].as_str() {
            model.clone_into(&mut self.context.model);
        }
        if let Some(streaming) = fields["stream"].as_bool() {
            self.context.streaming = streaming;
        }
        self.body = body.to_string();
        self
    }

    /// Another model than the body's.
    #[must_use]
    pub fn model(mut self, model: &str) -> Self {
        model.clone_into(&mut self.context.model);
        self
    }

    /// The client wants chunks.
    #[must_use]
    pub fn streaming(mut self) -> Self {
        self.context.streaming = true;
        self
    }

    /// The provider's settings, as a JSON object. `api_key` is added if it is not there.
    ///
    /// # Panics
    /// If `config` is no JSON object.
    #[must_use]
    pub fn config(mut self, config: &str) -> Self {
        let mut value: serde_json::Map<String, Value> =
            serde_json::from_str(config).expect("settings are a JSON object");
        value.entry("api_key").or_insert_with(|| KEY_TOKEN.into());
        self.context.config = Value::Object(value).to_string();
        self
    }

    /// The provider's base URL; `https://api.example.com` if not given.
    #[must_use]
    pub fn base_url(mut self, url: &str) -> Self {
        url.trim_end_matches('/').clone_into(&mut self.context.base_url);
        self
    }

    /// A further value of the context: `header.NAME`, `auth.KEY`, …
    #[must_use]
    pub fn ext(mut self, key: &str, value: &str) -> Self {
        self.context.ext.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Plays the call to its end.
    ///
    /// # Panics
    /// If the adapter breaks a rule of the host, or `replies` are not as many as its requests.
    #[must_use]
    pub fn play<A: Adapter>(&self, replies: impl IntoIterator<Item = Reply>) -> Played {
        Host::<A>::new(self, replies).chat()
    }

    /// Plays only the first step: the request that the adapter makes of the client's.
    ///
    /// # Panics
    /// If it plans none, or breaks a rule of the host.
    #[must_use]
    pub fn request<A: Adapter>(&self) -> Sent {
        Host::<A>::new(self, []).first_request()
    }

    /// Plays `authenticate`; [`Played::answer`] is the credentials.
    ///
    /// # Panics
    /// As [`play`](Self::play).
    #[must_use]
    pub fn authenticate<A: Adapter>(&self, replies: impl IntoIterator<Item = Reply>) -> Played {
        Host::<A>::new(self, replies).authenticate()
    }

    /// Plays `get_models`; [`Played::answer`] is the list.
    ///
    /// # Panics
    /// As [`play`](Self::play).
    #[must_use]
    pub fn get_models<A: Adapter>(&self, replies: impl IntoIterator<Item = Reply>) -> Played {
        Host::<A>::new(self, replies).get_models()
    }

    /// Plays the call once as scripted, and then with every streamed reply cut in two at every byte (at two thousand places if it is
    /// longer) and into single bytes. All must give the same; the first is returned.
    ///
    /// # Panics
    /// If a cut changes what comes of it, or as [`play`](Self::play).
    #[must_use]
    pub fn play_cut_everywhere<A: Adapter>(&self, replies: impl IntoIterator<Item = Reply>) -> Played {
        let replies: Vec<Reply> = replies.into_iter().collect();
        let whole = self.play::<A>(replies.clone());
        let longest = replies.iter().map(Reply::len).max().unwrap_or_default();
        for at in (1..longest).step_by(longest / 2000 + 1) {
            let cut = self.play::<A>(replies.iter().map(|reply| reply.clone().cut(&[at])));
            assert_eq!(cut, whole, "the stream cut at byte {at} gives something else");
        }
        let bytes = self.play::<A>(replies.iter().map(|reply| reply.clone().cut_every(1)));
        assert_eq!(bytes, whole, "the stream in single bytes gives something else");
        whole
    }
}
