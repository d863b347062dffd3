//! The host, in a test: takes steps until the call is over.

use std::collections::VecDeque;
use std::marker::PhantomData;

use serde_json::Value;

use super::frames::Cutter;
use super::{Call, Played, Reply, Sent, rules};
use crate::bindings::auth::exports::witgate::adapter::auth::Guest as _;
use crate::bindings::base::exports::witgate::adapter::transform::Guest as _;
use crate::bindings::base::witgate::adapter::types as wit;
use crate::bindings::jobs::exports::witgate::adapter::jobs::Guest as _;
use crate::bindings::models::exports::witgate::adapter::models::Guest as _;
use crate::bindings::streaming::exports::witgate::adapter::streaming::GuestDecoder as _;
use crate::glue::{Export, Stream};
use crate::{Adapter, Failure, StreamHead};

type StepResult = Result<wit::Step, wit::Failure>;

/// One call under way.
pub(super) struct Host<'a, A> {
    call: &'a Call,
    replies: VecDeque<Reply>,
    hosts: Vec<String>,
    last_status: Option<u16>,
    played: Played,
    adapter: PhantomData<A>,
}

#[expect(clippy::result_large_err, reason = "it is the contract's own type")]
impl<'a, A: Adapter> Host<'a, A> {
    pub(super) fn new(call: &'a Call, replies: impl IntoIterator<Item = Reply>) -> Self {
        let hosts = &super::manifest::<A>()["permissions"]["hosts"];
        let hosts = hosts
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let replies = replies.into_iter().collect();
        Self {
            call,
            replies,
            hosts,
            last_status: None,
            played: Played::default(),
            adapter: PhantomData,
        }
    }

    fn context(&self) -> wit::Context {
        self.call.context.clone()
    }

    pub(super) fn chat(self) -> Played {
        let first = Export::<A>::transform_request(self.context(), self.call.body.clone());
        self.drive(first, Export::<A>::transform_response)
    }

    pub(super) fn authenticate(self) -> Played {
        let first = Export::<A>::authenticate(self.context(), None);
        self.drive(first, |context, reply| Export::<A>::authenticate(context, Some(reply)))
    }

    pub(super) fn get_models(self) -> Played {
        let first = Export::<A>::get_models(self.context(), None);
        self.drive(first, |context, reply| Export::<A>::get_models(context, Some(reply)))
    }

    pub(super) fn first_request(mut self) -> Sent {
        match Export::<A>::transform_request(self.context(), self.call.body.clone()) {
            Ok(wit::Step::Fetch(fetch)) => self.send(&fetch),
            other => panic!("the adapter plans no request but {other:?}"),
        }
    }

    /// Takes steps to the end. `resume` is the function that gets the replies.
    fn drive(mut self, mut step: StepResult, resume: fn(wit::Context, wit::Resumption) -> StepResult) -> Played {
        loop {
            match step {
                Ok(wit::Step::Fetch(fetch)) => match self.exchange(fetch, resume) {
                    Some(next) => step = next,
                    None => break,
                },
                Ok(wit::Step::Done(answer)) => {
                    rules::check_done(self.last_status, !self.played.chunks.is_empty());
                    self.played.done = Some(rules::object("the answer", &answer));
                    break;
                }
                Ok(wit::Step::End(chunks)) => {
                    self.emit(&chunks);
                    break;
                }
                Err(failure) => {
                    rules::check_failure(&failure);
                    self.played.failure = Some(failure.into());
                    break;
                }
            }
        }
        assert!(
            self.replies.is_empty(),
            "{} of the scripted replies were not asked for",
            self.replies.len()
        );
        self.played
    }

    fn emit(&mut self, chunks: &[String]) {
        self.played
            .chunks
            .extend(chunks.iter().map(|chunk| rules::object("a chunk", chunk)));
    }

    fn send(&mut self, fetch: &wit::Fetch) -> Sent {
        let sent = Sent::of(fetch);
        rules::check_request(&sent, &self.call.context.base_url, &self.hosts);
        self.emit(&fetch.emit);
        self.played.requests.push(sent.clone());
        sent
    }

    /// Sends a request and gives its reply to whom it is for. `None`: the call is over.
    fn exchange(
        &mut self,
        fetch: wit::Fetch,
        resume: fn(wit::Context, wit::Resumption) -> StepResult,
    ) -> Option<StepResult> {
        let sent = self.send(&fetch);
        let Some(reply) = self.replies.pop_front() else {
            panic!("no reply is scripted for {} {}", sent.method, sent.url);
        };
        if reply.status == 0 {
            self.played.broken = true;
            return Some(Export::<A>::cancel(self.context(), fetch.state));
        }
        self.last_status = Some(reply.status);
        let framing = match sent.framing.as_str() {
            "sse" if reply.is_one_value() => "buffered",
            framing => framing,
        };
        match (framing, reply.status) {
            ("buffered", _) | (_, ..200 | 300..) => {
                let body = match String::from_utf8(reply.body) {
                    Ok(text) => wit::Payload::Text(text),
                    Err(error) => wit::Payload::Bytes(error.into_bytes()),
                };
                let response = wit::HttpResponse {
                    status: reply.status,
                    headers: reply.headers,
                    body,
                };
                Some(resume(
                    self.context(),
                    wit::Resumption {
                        state: fetch.state,
                        response,
                    },
                ))
            }
            ("relay", _) => {
                self.played.relayed = Some(reply.body);
                None
            }
            (framing, _) => Some(self.stream(framing, fetch.state, &reply)),
        }
    }

    /// Decodes a reply frame by frame, all frames of a piece at once.
    fn stream(&mut self, framing: &str, state: String, reply: &Reply) -> StepResult {
        let head = StreamHead {
            state,
            status: reply.status,
            headers: reply.headers.clone(),
        };
        let decoder = A::open_stream(&self.context().into(), head).map_err(Failure::into_wit)?;
        let decoder = Stream::new(decoder);
        let mut cutter = Cutter::new(framing);
        let mut batches: Vec<_> = reply.pieces().map(|piece| cutter.feed(piece)).collect();
        if reply.end == "eof" {
            batches.push(cutter.end().into_iter().collect());
        }
        for frames in batches.into_iter().filter(|frames| !frames.is_empty()) {
            let output = decoder.push(frames)?;
            self.emit(&output.emit);
            if output.ended {
                return decoder.finish("ended".to_owned());
            }
        }
        self.played.broken = reply.end != "eof";
        decoder.finish(reply.end.to_owned())
    }
}
