//! An HTTP request for the host to send.

use serde::Serialize;

use crate::bindings::base::witgate::adapter::types as wit;
use crate::{Chunks, Failure, Result, Step, url};

/// A request to plan. It ends in [`send`](Self::send), or in [`then`](Self::then) where something must be known when the reply
/// comes; in `async` functions, in [`Http::fetch`](crate::Http::fetch).
///
/// The host adds credentials, `host`, `content-length` and `accept-encoding`. The URL's host must be the base URL's, or one that
/// the manifest's permissions name.
///
/// ```
/// # use witgate_sdk::{Context, Request, Result, Step};
/// # #[derive(serde::Serialize)] struct Prompt<'a> { prompt: &'a str }
/// # fn example(ctx: &Context) -> Result<Step> {
/// Request::post(ctx.url("/generate")).json(&Prompt { prompt: "Hi" }).send()
/// # }
/// ```
#[must_use = "a request is sent only if it is returned"]
#[derive(Clone, Debug)]
pub struct Request {
    fetch: wit::Fetch,
    failure: Option<Failure>,
}

impl Request {
    /// A request with this method.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        let request = wit::HttpRequest {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: wit::Body::Empty,
            framing: "buffered".to_owned(),
            timeout_ms: None,
            idempotent: matches!(method, "GET" | "HEAD" | "PUT" | "DELETE"),
            ext: Vec::new(),
        };
        Self {
            fetch: wit::Fetch {
                emit: Vec::new(),
                delay_ms: 0,
                request,
                state: String::new(),
            },
            failure: None,
        }
    }

    /// `GET`, which may be repeated.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// `POST`, which is not repeated once it may have arrived, unless it is [`idempotent`](Self::idempotent).
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fetch
            .request
            .headers
            .push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Adds `authorization: Bearer TOKEN`. The provider's key needs no such line: [`Auth`](crate::Auth) has the host add it. This is
    /// for a token exchange, and other secrets of [`Context::secret`](crate::Context::secret).
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// The body is `value` as JSON: a struct that is `Serialize`, or [`json!`](crate::json!) and what you write in it.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        match serde_json::to_string(value) {
            Ok(text) => self.json_text(text),
            Err(error) => Self {
                failure: Some(error.into()),
                ..self
            },
        }
    }

    /// The body is JSON that you have as text.
    pub fn json_text(self, text: impl Into<String>) -> Self {
        self.text("application/json", text)
    }

    /// The body is text of this media type.
    pub fn text(self, content_type: &str, text: impl Into<String>) -> Self {
        self.header("content-type", content_type)
            .body(wit::Body::Text(text.into()))
    }

    /// The body is bytes of this media type.
    pub fn bytes(self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", content_type)
            .body(wit::Body::Bytes(bytes.into()))
    }

    /// The body is a form, percent-encoded.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        self.text("application/x-www-form-urlencoded", url::query(fields))
    }

    /// The body is `multipart/form-data`; the host makes the boundary.
    pub fn multipart(self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.body(wit::Body::Multipart(parts.into_iter().map(|part| part.0).collect()))
    }

    /// The body is a file that the client sent, by its id.
    pub fn upload(self, id: impl Into<String>) -> Self {
        self.body(wit::Body::Upload(id.into()))
    }

    fn body(mut self, body: wit::Body) -> Self {
        self.fetch.request.body = body;
        self
    }

    /// The reply is a stream of server-sent events, for [`Adapter::open_stream`](crate::Adapter::open_stream).
    pub fn sse(self) -> Self {
        self.framing("sse")
    }

    /// The reply is a stream of JSON lines, for [`Adapter::open_stream`](crate::Adapter::open_stream).
    pub fn ndjson(self) -> Self {
        self.framing("ndjson")
    }

    /// The reply is a stream of AWS's binary messages, for [`Adapter::open_stream`](crate::Adapter::open_stream).
    pub fn aws_events(self) -> Self {
        self.framing("aws-eventstream")
    }

    /// A reply of status 2xx goes to the client as it is.
    pub fn relay(self) -> Self {
        self.framing("relay")
    }

    /// How the reply is read, as a word of the contract: `raw`, …
    pub fn framing(mut self, framing: &str) -> Self {
        framing.clone_into(&mut self.fetch.request.framing);
        self
    }

    /// May be sent twice without harm, so the host may repeat it after a broken connection or a passing failure.
    pub fn idempotent(mut self) -> Self {
        self.fetch.request.idempotent = true;
        self
    }

    /// The longest that the reply may take, in milliseconds; it can only lower the operator's limit.
    pub fn timeout(mut self, ms: u32) -> Self {
        self.fetch.request.timeout_ms = Some(ms);
        self
    }

    /// Is it to carry the provider's credentials? By default it does if it goes where the base URL goes.
    pub fn credentials(self, include: bool) -> Self {
        self.ext("credentials", if include { "include" } else { "omit" })
    }

    /// It carries the provider's credentials, and a key of the provider's own as a bearer, in whatever header that usually goes: for
    /// services that tell keys and access tokens apart.
    pub fn key_as_bearer(self) -> Self {
        self.ext("credentials", "bearer")
    }

    /// A further word for the host: `("compress", "gzip")`, …
    pub fn ext(mut self, key: &str, value: &str) -> Self {
        self.fetch.request.ext.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Fields of the client's request that this one leaves out, as paths without indices: `messages.name`. The host tells the
    /// client, or refuses the request if the operator wants it so. Whether there is anything inside of other fields the host looks
    /// itself, so such a path can be said of every request. What is always left out is said once, by
    /// [`Manifest::drops`](crate::Manifest::drops).
    pub fn dropped<T: AsRef<str>>(self, fields: impl IntoIterator<Item = T>) -> Self {
        let mut paths = String::new();
        for field in fields {
            if !paths.is_empty() {
                paths.push(',');
            }
            paths.push_str(field.as_ref());
        }
        if paths.is_empty() {
            self
        } else {
            self.ext("dropped", &paths)
        }
    }

    /// Wait this many milliseconds first: polling.
    pub fn delay(mut self, ms: u32) -> Self {
        self.fetch.delay_ms = ms;
        self
    }

    /// Give the client these chunks first.
    pub fn emit(mut self, chunks: Chunks) -> Self {
        match chunks.into_list() {
            Ok(list) => self.fetch.emit = list,
            Err(failure) => self.failure = Some(failure),
        }
        self
    }

    /// Have it sent; [`Response::state`](crate::Response::state) will be "".
    ///
    /// # Errors
    /// If its body or its chunks could not be written as JSON.
    pub fn send(self) -> Result<Step> {
        self.then("")
    }

    /// Have it sent; `state` comes back with the reply, unread. Any text will do, also JSON.
    ///
    /// Polling, and whatever else takes more than one request, is made of it:
    ///
    /// ```
    /// # use witgate_sdk::{Context, Request, Response, Result, Step, openai::ChatResponse};
    /// # #[derive(serde::Deserialize)] struct Job { id: String, text: Option<String> }
    /// fn transform_response(ctx: &Context, reply: Response) -> Result<Step> {
    ///     let job: Job = reply.ok()?.json()?;
    ///     match job.text {
    ///         Some(text) => Step::done(&ChatResponse::text(text, "stop")),
    ///         None => Request::get(ctx.url(&format!("/jobs/{}", job.id))).delay(500).then(job.id),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// If its body or its chunks could not be written as JSON.
    pub fn then(mut self, state: impl Into<String>) -> Result<Step> {
        self.fetch.state = state.into();
        self.into_wit().map(Step::fetch)
    }

    pub(crate) fn into_wit(self) -> Result<wit::Fetch> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.fetch),
        }
    }
}

/// One part of a multipart body.
///
/// ```
/// # use witgate_sdk::{Context, Part, Request, Result, Step};
/// # fn example(ctx: &Context, upload: String) -> Result<Step> {
/// let file = Part::upload("file", upload).filename("speech.wav");
/// Request::post(ctx.url("/transcribe")).multipart([Part::text("model", ctx.model()), file]).send()
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Part(wit::Part);

impl Part {
    fn new(name: &str, data: wit::PartData) -> Self {
        Self(wit::Part {
            name: name.to_owned(),
            filename: None,
            content_type: None,
            data,
        })
    }

    /// A form field.
    #[must_use]
    pub fn text(name: &str, text: impl Into<String>) -> Self {
        Self::new(name, wit::PartData::Text(text.into()))
    }

    /// Bytes that you made.
    #[must_use]
    pub fn bytes(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(name, wit::PartData::Bytes(bytes.into()))
    }

    /// A file that the client sent, by its id.
    #[must_use]
    pub fn upload(name: &str, id: impl Into<String>) -> Self {
        Self::new(name, wit::PartData::Upload(id.into()))
    }

    /// Gives the part a file name.
    #[must_use]
    pub fn filename(mut self, name: impl Into<String>) -> Self {
        self.0.filename = Some(name.into());
        self
    }

    /// Gives the part a media type.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.0.content_type = Some(content_type.into());
        self
    }
}
