//! The way of one prediction: create it, then read its stream or ask until it is over, then say what it used.
//!
//! ```text
//! create ──► (over already) ──────────────────────────► answer
//!    ├─────► stream ──► (cut, or refused) ──┐
//!    │          └─────► usage ──────────────┼─────────► last chunks
//!    └─────► poll ◄─────────────────────────┘
//!              └─► poll ─► … ─────────────────────────► answer, or last chunks
//! ```
//! What one step must know of the steps before is its [`Stage`], which travels in the request's state. A create call is never
//! repeated; all others may be.

use serde::{Deserialize, Serialize};
use witgate_sdk::{Chunks, Context, Failure, Kind, Request, Response, Result, Step};

use crate::answer;
use crate::config::{Pace, Settings};
use crate::embeddings;
use crate::endpoint::{self, Endpoint};
use crate::error;
use crate::prediction::{Prediction, State};

/// What a request is for, and what its reply needs.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Stage {
    /// what the request is
    pub(crate) what: What,
    /// where to ask again, "" if that is not known
    #[serde(default)]
    pub(crate) get: String,
    /// where to stop it, "" if that is not known
    #[serde(default)]
    pub(crate) cancel: String,
    /// bytes of text the client has
    #[serde(default)]
    pub(crate) sent: usize,
    /// milliseconds waited before this request
    #[serde(default)]
    pub(crate) pause: u32,
}

/// What a request is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    /// starts the prediction
    Create,
    /// asks how far it is
    Poll,
    /// reads along
    Stream,
    /// asks what it used, after its stream
    Usage,
    /// stops it
    Cancel,
}

impl Stage {
    /// The stage of a request, as it was left with the host.
    pub(crate) fn parse(state: &str) -> Result<Self> {
        serde_json::from_str(state)
            .map_err(|e| Failure::new(Kind::Internal, format!("the state of a request cannot be read: {e}")))
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers can always be written")
    }

    /// Creates a prediction.
    pub(crate) fn create(
        ctx: &Context,
        settings: &Settings<'_>,
        endpoint: &Endpoint<'_>,
        body: String,
        dropped: &[String],
    ) -> Result<Step> {
        let stage = Self {
            what: What::Create,
            get: String::new(),
            cancel: String::new(),
            sent: 0,
            pause: 0,
        };
        let url = format!("{}{}", endpoint::root(ctx.base_url()), endpoint.path);
        let request = Request::post(url).json_text(body).dropped(dropped);
        // Whoever reads along wants the URL of the stream at once.
        match settings.prefer().filter(|_| !(ctx.streaming() && settings.streams())) {
            Some(prefer) => request.header("prefer", prefer).then(stage.text()),
            None => request.then(stage.text()),
        }
    }

    /// Reads along.
    fn stream(mut self, url: &str) -> Result<Step> {
        self.what = What::Stream;
        let request = Request::get(url)
            .header("accept", "text/event-stream")
            .header("cache-control", "no-store");
        request.sse().then(self.text())
    }

    /// Gives the client `chunks`, and asks how far it is after a pause that grows.
    pub(crate) fn poll(mut self, pace: Pace, chunks: Chunks) -> Result<Step> {
        self.what = What::Poll;
        self.pause = pace.next(self.pause);
        Request::get(&self.get).delay(self.pause).emit(chunks).then(self.text())
    }

    /// Gives the client the last of the text, and asks what it took.
    pub(crate) fn usage(mut self, chunks: Chunks) -> Result<Step> {
        self.what = What::Usage;
        self.pause = 0;
        Request::get(&self.get).emit(chunks).then(self.text())
    }

    /// Asks once more: the figures lag behind the stream's end.
    fn usage_again(mut self, pace: Pace) -> Result<Step> {
        self.pause = pace.next(self.pause);
        Request::get(&self.get).delay(self.pause).then(self.text())
    }

    /// Stops a prediction nobody waits for, if there is one that runs.
    pub(crate) fn stop(mut self) -> Result<Step> {
        let runs = matches!(self.what, What::Poll | What::Stream) && !self.cancel.is_empty();
        if !runs {
            return Ok(Step::end());
        }
        self.what = What::Cancel;
        Request::post(&self.cancel).idempotent().then(self.text())
    }
}

/// The figures of a finished stream are asked for again until a pause was this long, in milliseconds.
const LAST_PAUSE: u32 = 500;

/// What follows a reply that was read whole.
pub(crate) fn next(ctx: &Context, settings: &Settings<'_>, stage: Stage, reply: &Response) -> Result<Step> {
    let body = reply.text().unwrap_or_default();
    let prediction = if reply.is_success() {
        Prediction::parse(body)
    } else {
        None
    };
    match (stage.what, prediction) {
        (What::Create | What::Poll, Some(prediction)) => advance(ctx, settings, stage, &prediction),
        (What::Create | What::Poll, None) if reply.is_success() => Err(error::unreadable(body)),
        (What::Create, None) if reply.status() == 404 && !ctx.model().contains(':') => Err(error::needs_version(reply)),
        (What::Create | What::Poll, None) => Err(error::of_reply(reply)),
        // The stream is a convenience: where it is refused, the prediction still runs and can be asked for.
        (What::Stream, _) => stage.poll(settings.pace(), Chunks::new()),
        (What::Usage, Some(prediction)) if prediction.state() == State::Pending && stage.pause < LAST_PAUSE => {
            stage.usage_again(settings.pace())
        }
        (What::Usage | What::Cancel, prediction) => {
            let mut out = Chunks::new();
            prediction
                .iter()
                .for_each(|prediction| answer::accounts(&mut out, prediction));
            out.end()
        }
    }
}

fn advance(ctx: &Context, settings: &Settings<'_>, mut stage: Stage, prediction: &Prediction<'_>) -> Result<Step> {
    if stage.what == What::Create {
        stage.get = endpoint::get_url(ctx.base_url(), prediction).unwrap_or_default();
        stage.cancel = endpoint::cancel_url(ctx.base_url(), prediction).unwrap_or_default();
    }
    match prediction.state() {
        State::Pending => wait(ctx, settings, stage, prediction),
        State::Succeeded if ctx.operation() == "embeddings" => embeddings::answer(prediction).map(Step::done_text),
        State::Succeeded if stage.sent == 0 => Step::done(&answer::whole(prediction)),
        // Whoever canceled it wanted no more; what there is stands.
        State::Canceled if stage.sent == 0 => Err(error::of_prediction(prediction)),
        State::Succeeded | State::Canceled => last_chunks(stage, prediction),
        State::Failed | State::Aborted => Err(error::of_prediction(prediction)),
    }
}

/// The next step while it runs: its stream, or another question, with the text that is new.
fn wait(ctx: &Context, settings: &Settings<'_>, mut stage: Stage, prediction: &Prediction<'_>) -> Result<Step> {
    let stream = endpoint::stream_url(ctx.base_url(), prediction).filter(|_| ctx.streaming() && settings.streams());
    if let (What::Create, Some(url)) = (stage.what, stream) {
        return stage.stream(url);
    }
    if stage.get.is_empty() {
        return Err(error::unreadable("a prediction without an id"));
    }
    let mut out = Chunks::new();
    if ctx.streaming() {
        new_text(&mut out, &mut stage, prediction);
    }
    stage.poll(settings.pace(), out)
}

/// The text the client does not have yet.
fn new_text(out: &mut Chunks, stage: &mut Stage, prediction: &Prediction<'_>) {
    let text = prediction.text();
    if let Some(new) = text.get(stage.sent..).filter(|new| !new.is_empty()) {
        answer::more(out, new, stage.sent == 0);
        stage.sent = text.len();
    }
}

fn last_chunks(mut stage: Stage, prediction: &Prediction<'_>) -> Result<Step> {
    let mut out = Chunks::new();
    new_text(&mut out, &mut stage, prediction);
    answer::end(&mut out, stage.sent == 0);
    answer::accounts(&mut out, prediction);
    out.end()
}
