//! The adapter as the gateway calls it: through the contract's own types.

use witgate_sdk::bindings::base::exports::witgate::adapter::transform::Guest as _;
use witgate_sdk::bindings::jobs::exports::witgate::adapter::jobs::Guest as _;
use witgate_sdk::bindings::models::exports::witgate::adapter::models::Guest as _;
use witgate_sdk::bindings::streaming::exports::witgate::adapter::streaming::GuestDecoder as _;
use witgate_sdk::glue::{Export, Stream};

use crate::Replicate;
use crate::config::Settings;
use crate::exchange::Stage;
use crate::stream::Reader;

pub(super) use witgate_sdk::bindings::base::witgate::adapter::types::{
    Body, Context, Failure, Fetch, HttpRequest, HttpResponse, Payload, Resumption, Step,
};
pub(super) use witgate_sdk::bindings::streaming::exports::witgate::adapter::streaming::{Frame, Output};

type Adapter = Export<Replicate>;

/// The client's request.
pub(super) fn begin(ctx: &Context, body: &str) -> Result<Step, Failure> {
    Adapter::transform_request(ctx.clone(), body.to_owned())
}

/// A reply that was read whole.
pub(super) fn resume(ctx: &Context, state: String, response: HttpResponse) -> Result<Step, Failure> {
    Adapter::transform_response(ctx.clone(), Resumption { state, response })
}

/// The call is given up while a request with this state is under way.
pub(super) fn cancel(ctx: &Context, state: &str) -> Result<Step, Failure> {
    Adapter::cancel(ctx.clone(), state.to_owned())
}

/// The model list: its beginning, or its next page.
pub(super) fn get_models(ctx: &Context, reply: Option<HttpResponse>) -> Result<Step, Failure> {
    Adapter::get_models(
        ctx.clone(),
        reply.map(|response| Resumption {
            state: String::new(),
            response,
        }),
    )
}

/// A stream that opened. (Outside a component the contract's own resource cannot be made; this is what lies below it.)
pub(super) struct Opened(Stream);

pub(super) fn open(ctx: &Context, state: &str) -> Result<Opened, Failure> {
    let sdk = witgate_sdk::Context::from(ctx.clone());
    let pace = Settings::of(&sdk).map_err(witgate_sdk::Failure::into_wit)?.pace();
    let stage = Stage::parse(state).map_err(witgate_sdk::Failure::into_wit)?;
    Ok(Opened(Stream::new(Box::new(Reader::new(stage, pace)))))
}

impl Opened {
    pub(super) fn push(&self, frames: &[Frame]) -> Output {
        self.0.push(frames.to_vec()).expect("failures come out of finish")
    }

    pub(super) fn finish(&self, reason: &str) -> Result<Step, Failure> {
        self.0.finish(reason.to_owned())
    }
}
