//! What a call may know.

use std::cell::Cell;

use serde::Deserialize;

use crate::bindings::base::witgate::adapter::types as wit;
use crate::json::Str;
use crate::{Failure, Kind, Result};

/// All that a call may know, the request itself aside. The same context gives the same result.
#[derive(Clone, Debug)]
pub struct Context {
    raw: wit::Context,
    ids: Cell<u32>,
}

impl Context {
    /// What the client asks for: `chat.completions`, `embeddings`, … It fixes the shape of body, chunks and answer.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.raw.operation
    }

    /// The provider's model id, "" where there is none.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.raw.model
    }

    /// Does the client want chunks?
    #[must_use]
    pub fn streaming(&self) -> bool {
        self.raw.streaming
    }

    /// Unique per request and the same in a retry: what an idempotency key should be.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.raw.request_id
    }

    /// Now, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now_unix_ms(&self) -> u64 {
        self.raw.now_unix_ms
    }

    /// Now, in seconds since 1970-01-01 UTC: OpenAI's `created`.
    #[must_use]
    pub fn now_unix(&self) -> u64 {
        self.raw.now_unix_ms / 1000
    }

    /// The provider's base URL, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.raw.base_url
    }

    /// The base URL and `path`, which begins with a slash. [`url::segment`](crate::url::segment) escapes what you put into it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        [&self.raw.base_url, path].concat()
    }

    /// The provider's settings, `adapter_config` in the gateway's configuration, as the schema of the manifest has them: read what you
    /// need into a struct of your own, which may borrow. Secrets in it are opaque tokens; put such a token where the secret belongs, and
    /// the host puts the secret there.
    ///
    /// ```
    /// # use witgate_sdk::{Context, Request, Result, Step};
    /// #[derive(serde::Deserialize)]
    /// struct Settings {
    ///     region: Option<String>,
    /// }
    ///
    /// fn transform_request(ctx: &Context, body: &str) -> Result<Step> {
    ///     let region = ctx.config::<Settings>()?.region.unwrap_or("eu".to_owned());
    ///     Request::post(ctx.url(&format!("/{region}/generate"))).json_text(body).send()
    /// }
    /// ```
    ///
    /// # Errors
    /// Of kind `config` if the settings do not fit `T`.
    pub fn config<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_str(&self.raw.config).map_err(|error| {
            Failure::new(
                Kind::Config,
                format!("the provider's settings do not fit its adapter: {error}"),
            )
        })
    }

    /// One setting's text, such as the token that stands for a secret. The provider's key is `api_key`; for other secrets name the
    /// setting in [`Manifest::secrets`](crate::Manifest::secrets).
    ///
    /// # Errors
    /// Of kind `config` if the setting is missing or no text.
    pub fn secret(&self, name: &str) -> Result<String> {
        let settings: std::collections::BTreeMap<Str<'_>, crate::json::Raw<'_>> = self.config()?;
        settings
            .get(&Str::from(name))
            .and_then(|value| value.as_str().map(Str::into_string))
            .ok_or_else(|| Failure::new(Kind::Config, format!("the provider has no `{name}`")))
    }

    /// A further value: `attempt`, `deadline-unix-ms`, `header.NAME` (client headers that the manifest asked for), `auth.KEY` (what
    /// [`Credentials::var`](crate::Credentials::var) left).
    ///
    /// ```
    /// # use witgate_sdk::{Context, Request};
    /// # fn example(ctx: &Context, request: Request) -> Request {
    /// request.header("x-project", ctx.ext("auth.project").unwrap_or("default"))
    /// # }
    /// ```
    #[must_use]
    pub fn ext(&self, key: &str) -> Option<&str> {
        self.raw
            .ext
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// An id for what the provider gave none, such as a tool call: `prefix`, letters and digits of the request's id, and a number
    /// that grows with each one this context has made. A context that is cloned counts on its own.
    #[must_use]
    pub fn id(&self, prefix: &str) -> String {
        let number = self.ids.get();
        self.ids.set(number.wrapping_add(1));
        let mut id = String::with_capacity(prefix.len() + self.raw.request_id.len() + 4);
        id.push_str(prefix);
        id.extend(self.raw.request_id.chars().filter(char::is_ascii_alphanumeric));
        id.push('x');
        id.push_str(&number.to_string());
        id
    }
}

impl From<wit::Context> for Context {
    fn from(raw: wit::Context) -> Self {
        Self { raw, ids: Cell::new(0) }
    }
}
