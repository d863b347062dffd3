//! Straight-line code over steps: how an `async fn` runs where nothing can wait.
//!
//! `authenticate` and `get_models` are futures. When one awaits a fetch, the request becomes a step for the host and the future stays
//! behind in this instance's memory; when the reply comes, it is put in its place and the future is polled again. The host runs all
//! steps of an exchange on one instance, one exchange at a time, so one place for each of the two functions is enough.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll, Waker};

use crate::bindings::base::witgate::adapter::types as wit;
use crate::{Failure, Kind, Request, Response, Result, Step};

/// What an `async` function of an adapter reaches the provider through: [`fetch`](Self::fetch), and nothing else can be awaited.
#[derive(Clone, Debug, Default)]
pub struct Http {
    wire: Rc<RefCell<Wire>>,
}

/// Between the future and the host: at most one request, or its reply.
#[derive(Debug, Default)]
enum Wire {
    #[default]
    Idle,
    Planned(Box<wit::Fetch>),
    Waiting,
    Arrived(Response),
}

impl Http {
    /// Has the host send `request` and waits for the reply, whatever its status. One at a time: a second one that is begun before
    /// the first is answered fails.
    ///
    /// # Errors
    /// If the request could not be made. (If it cannot be sent, the host ends the call itself.)
    pub async fn fetch(&self, request: Request) -> Result<Response> {
        let fetch = request.into_wit()?;
        match &mut *self.wire.borrow_mut() {
            idle @ Wire::Idle => *idle = Wire::Planned(Box::new(fetch)),
            _ => {
                return Err(Failure::new(
                    Kind::Internal,
                    "one fetch at a time: await the first before the second",
                ));
            }
        }
        poll_fn(|_| match self.wire.take() {
            Wire::Arrived(reply) => Poll::Ready(Ok(reply)),
            unanswered => {
                self.wire.replace(unanswered);
                Poll::Pending
            }
        })
        .await
    }
}

/// A function that waits for a reply.
struct Suspended {
    http: Http,
    future: Pin<Box<dyn Future<Output = Result<String>>>>,
}

/// Which of the functions that can wait: each has a place of its own.
#[derive(Clone, Copy)]
pub(crate) enum Function {
    Authenticate,
    GetModels,
}

thread_local! {
    static SUSPENDED: RefCell<[Option<Suspended>; 2]> = const { RefCell::new([None, None]) };
}

/// Begins the function, or goes on with it where `reply` was awaited. Its output is the JSON text of the answer.
pub(crate) fn run<F>(function: Function, reply: Option<Response>, begin: impl FnOnce(Http) -> F) -> Result<Step>
where
    F: Future<Output = Result<String>> + 'static,
{
    let suspended = match reply {
        None => {
            let http = Http::default();
            Suspended {
                future: Box::pin(begin(http.clone())),
                http,
            }
        }
        Some(reply) => {
            let suspended = SUSPENDED.with_borrow_mut(|places| places[function as usize].take());
            let suspended =
                suspended.ok_or_else(|| Failure::new(Kind::Internal, "a reply came to a call that is not here"))?;
            suspended.http.wire.replace(Wire::Arrived(reply));
            suspended
        }
    };
    advance(function, suspended)
}

/// Polls until the function needs the host, or is done.
fn advance(function: Function, mut suspended: Suspended) -> Result<Step> {
    let mut task = task::Context::from_waker(Waker::noop());
    match suspended.future.as_mut().poll(&mut task) {
        Poll::Ready(answer) => answer.map(Step::done_text),
        Poll::Pending => match suspended.http.wire.replace(Wire::Waiting) {
            Wire::Planned(fetch) => {
                SUSPENDED.with_borrow_mut(|places| places[function as usize] = Some(suspended));
                Ok(Step::fetch(*fetch))
            }
            _ => Err(Failure::new(
                Kind::Internal,
                "an adapter can await nothing but `http.fetch`",
            )),
        },
    }
}
