//! Between the generated bindings and an [`Adapter`]: only the export macro names this.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::base::witgate::adapter::types as wit;
use crate::bindings::streaming::exports::witgate::adapter::streaming;
use crate::bindings::{auth, base, jobs, models};
use crate::exchange::{Function, run};
use crate::openai::ModelList;
use crate::{Adapter, Chunks, Decoder, End, Failure, Flow, Frame, Result, Step, StreamHead};

/// `A` as the bindings want it.
pub struct Export<A>(PhantomData<A>);

#[expect(clippy::result_large_err, reason = "it is the contract's own type")]
fn give(step: Result<Step>) -> Result<wit::Step, wit::Failure> {
    step.map(Step::into_wit).map_err(Failure::into_wit)
}

impl<A: Adapter> base::exports::witgate::adapter::meta::Guest for Export<A> {
    fn describe() -> String {
        log_panics();
        A::describe()
            .to_json()
            .expect("a manifest is made of text, numbers and JSON")
    }
}

impl<A: Adapter> base::exports::witgate::adapter::transform::Guest for Export<A> {
    fn transform_request(ctx: wit::Context, body: String) -> Result<wit::Step, wit::Failure> {
        log_panics();
        give(A::transform_request(&ctx.into(), &body))
    }

    fn transform_response(ctx: wit::Context, reply: wit::Resumption) -> Result<wit::Step, wit::Failure> {
        give(A::transform_response(&ctx.into(), reply.into()))
    }
}

impl<A: Adapter> auth::exports::witgate::adapter::auth::Guest for Export<A> {
    fn authenticate(ctx: wit::Context, reply: Option<wit::Resumption>) -> Result<wit::Step, wit::Failure> {
        log_panics();
        give(run(Function::Authenticate, reply.map(Into::into), |http| {
            let credentials = A::authenticate(ctx.into(), http);
            async { Ok(serde_json::to_string(&credentials.await?)?) }
        }))
    }
}

impl<A: Adapter> models::exports::witgate::adapter::models::Guest for Export<A> {
    fn get_models(ctx: wit::Context, reply: Option<wit::Resumption>) -> Result<wit::Step, wit::Failure> {
        log_panics();
        give(run(Function::GetModels, reply.map(Into::into), |http| {
            let models = A::get_models(ctx.into(), http);
            async {
                let list = ModelList {
                    object: "list".into(),
                    data: models.await?,
                    ..ModelList::default()
                };
                Ok(serde_json::to_string(&list)?)
            }
        }))
    }
}

impl<A: Adapter> jobs::exports::witgate::adapter::jobs::Guest for Export<A> {
    fn cancel(ctx: wit::Context, state: String) -> Result<wit::Step, wit::Failure> {
        log_panics();
        give(A::cancel(&ctx.into(), &state))
    }
}

impl<A: Adapter> streaming::Guest for Export<A> {
    type Decoder = Stream;

    fn open(
        ctx: wit::Context,
        state: String,
        status: u16,
        headers: Vec<(String, String)>,
    ) -> Result<streaming::Decoder, wit::Failure> {
        A::open_stream(&ctx.into(), StreamHead { state, status, headers })
            .map(|decoder| streaming::Decoder::new(Stream::new(decoder)))
            .map_err(Failure::into_wit)
    }
}

/// A decoder and, once `push` failed, what it failed of: that is told by `finish`, after the good chunks.
pub struct Stream(RefCell<(Box<dyn Decoder>, Option<Failure>)>);

impl Stream {
    /// A stream at its beginning.
    #[must_use]
    pub fn new(decoder: Box<dyn Decoder>) -> Self {
        Self(RefCell::new((decoder, None)))
    }
}

impl streaming::GuestDecoder for Stream {
    fn push(&self, frames: Vec<streaming::Frame>) -> Result<streaming::Output, wit::Failure> {
        let (decoder, failed) = &mut *self.0.borrow_mut();
        let mut out = Chunks::new();
        let mut ended = false;
        for frame in frames {
            match decoder.push(&Frame::from(frame), &mut out) {
                Ok(Flow::More) => continue,
                Ok(Flow::Ended) => {}
                Err(failure) => *failed = Some(failure),
            }
            ended = true;
            break;
        }
        let (emit, unwritten) = out.into_parts();
        *failed = failed.take().or(unwritten);
        Ok(streaming::Output {
            emit,
            ended: ended || failed.is_some(),
        })
    }

    fn finish(&self, reason: String) -> Result<wit::Step, wit::Failure> {
        let (decoder, failed) = &mut *self.0.borrow_mut();
        give(match failed.take() {
            Some(failure) => Err(failure),
            None => decoder.finish(End::of(&reason)),
        })
    }
}

/// A panic ends the instance without a word; so that its author learns of it, its message is logged first.
fn log_panics() {
    #[cfg(target_arch = "wasm32")]
    {
        thread_local!(static HOOKED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
        if !HOOKED.replace(true) {
            std::panic::set_hook(Box::new(|panic| crate::log::error(&panic.to_string(), &[])));
        }
    }
}

/// Makes a component of an [`Adapter`]. After the colon come the optional interfaces that it has.
///
/// | name | function of the trait |
/// |---|---|
/// | `streaming` | [`open_stream`](crate::Adapter::open_stream) |
/// | `auth` | [`authenticate`](crate::Adapter::authenticate) |
/// | `models` | [`get_models`](crate::Adapter::get_models) |
/// | `jobs` | [`cancel`](crate::Adapter::cancel) |
///
/// The host takes each as a promise: name none whose function you did not write. And a function whose name is not there is never
/// called, nor does a test tell you so: in a native build the macro makes nothing.
///
/// ```
/// # use witgate_sdk::{Adapter, Chunks, Context, Decoder, Manifest, Response, Result, Step, StreamHead};
/// # struct Acme;
/// # impl Adapter for Acme {
/// #     fn describe() -> Manifest { Manifest::new("acme", "1.0.0") }
/// #     fn transform_request(_: &Context, _: &str) -> Result<Step> { Ok(Step::end()) }
/// #     fn transform_response(_: &Context, _: Response) -> Result<Step> { Ok(Step::end()) }
/// # }
/// witgate_sdk::export!(Acme: streaming, models);
/// ```
#[macro_export]
macro_rules! export {
    ($adapter:ty $(: $($interface:ident),+ $(,)?)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::glue::Export<$adapter>;
            $crate::__export!(base Exported);
            $( $( $crate::__export!($interface Exported); )+ )?
        };
        const _: fn() = || {
            fn adapter<A: $crate::Adapter>() {}
            adapter::<$adapter>();
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    (base $ty:ident) => { $crate::bindings::base::export_base!($ty with_types_in $crate::bindings::base); };
    (streaming $ty:ident) => { $crate::bindings::streaming::export_streaming!($ty with_types_in $crate::bindings::streaming); };
    (auth $ty:ident) => { $crate::bindings::auth::export_auth!($ty with_types_in $crate::bindings::auth); };
    (models $ty:ident) => { $crate::bindings::models::export_models!($ty with_types_in $crate::bindings::models); };
    (jobs $ty:ident) => { $crate::bindings::jobs::export_jobs!($ty with_types_in $crate::bindings::jobs); };
}
