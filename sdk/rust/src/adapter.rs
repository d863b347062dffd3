//! The trait that an adapter is.

use std::future::{Future, ready};

use crate::openai::Model;
use crate::{Context, Credentials, Decoder, Failure, Http, Kind, Manifest, Response, Step, StreamHead};

/// What every function of an adapter returns: `Err` is an expected failure, told to the client.
pub type Result<T, E = Failure> = core::result::Result<T, E>;

/// An adapter: how to speak with one provider.
///
/// ```text
/// transform_request ──► Request::send ──► the host sends it, and by the request's framing gives
///     the whole reply to            transform_response ──► Step::done, or one more Request
///     the frames of a 2xx reply to  open_stream ──► Decoder::push … ──► Decoder::finish
/// ```
///
/// None of the functions has a `self`, for an adapter has no state: what it may know comes as arguments, so that any call can be
/// recorded and replayed. What must live from a request to its reply travels in the request's state ([`Request::then`]), what
/// must live through a stream is in the [`Decoder`].
///
/// [`describe`](Self::describe), [`transform_request`](Self::transform_request) and
/// [`transform_response`](Self::transform_response) are required. Name those of the others that you write in
/// [`export!`](crate::export); what is not named there the host does without.
///
/// [`Request::then`]: crate::Request::then
pub trait Adapter: 'static {
    /// Who this adapter is and what it needs. Called when it is loaded.
    fn describe() -> Manifest;

    /// Makes the provider's request of the client's. `body` has the shape that [`Context::operation`] fixes, OpenAI's for most:
    /// see [`crate::openai`].
    ///
    /// # Errors
    /// What the request asks for and the provider cannot do.
    fn transform_request(ctx: &Context, body: &str) -> Result<Step>;

    /// Makes the client's answer of the provider's reply, or plans the next request. It sees replies of every status, so begin
    /// with [`Response::ok`].
    ///
    /// # Errors
    /// What the provider reported.
    fn transform_response(ctx: &Context, reply: Response) -> Result<Step>;

    /// `streaming`: begins to decode the stream that a request with [`sse`](crate::Request::sse),
    /// [`ndjson`](crate::Request::ndjson) or another framing has opened. `head` is its reply of status 2xx.
    ///
    /// # Errors
    /// If the reply is not the stream that was asked for.
    fn open_stream(ctx: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        let _ = (ctx, head);
        Err(unwritten("open_stream"))
    }

    /// `auth`: gets what requests must carry, where none of the kinds that [`Auth`](crate::Auth) can declare fits. It runs before
    /// `transform_request`; the host keeps the result until it expires or the provider answers 401.
    ///
    /// Write it as `async fn`. Each `http.fetch(request).await` is one request that the host sends. Declare
    /// [`Auth::custom`](crate::Auth::custom), or it is never asked.
    ///
    /// ```
    /// # use witgate_sdk::{Context, Credentials, Http, Request, Result};
    /// # #[derive(serde::Deserialize)] struct Token { access_token: String, expires_in: u64 }
    /// async fn authenticate(ctx: Context, http: Http) -> Result<Credentials> {
    ///     let request = Request::post(ctx.url("/token")).form(&[("key", &ctx.secret("api_key")?)]);
    ///     let token: Token = http.fetch(request).await?.ok()?.json()?;
    ///     Ok(Credentials::bearer(&token.access_token).expires_in(token.expires_in))
    /// }
    /// ```
    fn authenticate(ctx: Context, http: Http) -> impl Future<Output = Result<Credentials>> + 'static {
        let _ = (ctx, http);
        ready(Err(unwritten("authenticate")))
    }

    /// `models`: lists the provider's models. Write it as `async fn`, as [`authenticate`](Self::authenticate). Without it clients see
    /// the models of the configuration only.
    ///
    /// ```
    /// # use witgate_sdk::{Context, Http, Request, Result, openai::Model};
    /// # #[derive(serde::Deserialize)] struct Page { names: Vec<String>, next: Option<String> }
    /// async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
    ///     let (mut models, mut next) = (Vec::new(), Some(ctx.url("/models")));
    ///     while let Some(url) = next {
    ///         let page: Page = http.fetch(Request::get(url)).await?.ok()?.json()?;
    ///         models.extend(page.names.into_iter().map(Model::new));
    ///         next = page.next;
    ///     }
    ///     Ok(models)
    /// }
    /// ```
    fn get_models(ctx: Context, http: Http) -> impl Future<Output = Result<Vec<Model<'static>>>> + 'static {
        let _ = (ctx, http);
        ready(Err(unwritten("get_models")))
    }

    /// `jobs`: the client left, or time is up, while the request with this `state` was waiting or under way. Plan the request that
    /// stops the provider's work; nobody reads the answer. (If a stream is open, its decoder's `finish` is called instead.)
    ///
    /// ```
    /// # use witgate_sdk::{Context, Request, Result, Step};
    /// fn cancel(ctx: &Context, state: &str) -> Result<Step> {
    ///     Request::post(ctx.url(&format!("/jobs/{state}/cancel"))).send()
    /// }
    /// ```
    ///
    /// # Errors
    /// They are logged, and nothing else.
    fn cancel(ctx: &Context, state: &str) -> Result<Step> {
        let _ = (ctx, state);
        Err(unwritten("cancel"))
    }
}

fn unwritten(function: &str) -> Failure {
    Failure::new(
        Kind::Unsupported,
        format!("the adapter's `export!` promises `{function}`, which it does not have"),
    )
}
