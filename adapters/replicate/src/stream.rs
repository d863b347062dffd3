//! Reading a prediction's event stream.
//!
//! Events are `output` (a piece of text, plain), `error` and `done`; anything else is passed over. What the prediction used is not in
//! the stream, so its end is followed by one more question. A stream that breaks off costs nothing: the prediction goes on, and the
//! text it lacks is asked for. Cog, Replicate's model server, speaks a dialect: `start`, `output` with JSON around each piece,
//! `completed` with the prediction itself.

use serde::Deserialize;
use witgate_sdk::json::Str;
use witgate_sdk::{Chunks, Decoder, End, Flow, Frame, Result, Step};

use crate::answer;
use crate::config::Pace;
use crate::error;
use crate::exchange::Stage;
use crate::prediction::{Prediction, State, is_file};

/// The state of one stream.
pub(crate) struct Reader {
    stage: Stage,
    pace: Pace,
    dialect: Dialect,
    /// every piece so far is the URL of a file
    files: bool,
    said: Said,
}

/// Who writes the stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// no output yet
    Unknown,
    /// plain text
    Replicate,
    /// JSON
    Cog,
}

/// How much of the answer was there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// not all of the text
    Part,
    /// all of the text
    Text,
    /// all of what there will be: somebody stopped the prediction
    Canceled,
    /// text and figures, and the client has them
    All,
}

impl Reader {
    pub(crate) fn new(stage: Stage, pace: Pace) -> Self {
        Self {
            stage,
            pace,
            dialect: Dialect::Unknown,
            files: true,
            said: Said::Part,
        }
    }

    fn output(&mut self, data: &str, out: &mut Chunks) {
        let chunk = cog_chunk(data).filter(|_| self.dialect != Dialect::Replicate);
        self.dialect = if chunk.is_some() {
            Dialect::Cog
        } else {
            Dialect::Replicate
        };
        let text = chunk.as_deref().unwrap_or(data);
        if text.is_empty() {
            return;
        }
        self.files = self.files && is_file(text);
        if self.files && self.stage.sent > 0 {
            self.give("\n", out);
        }
        self.give(text, out);
    }

    fn give(&mut self, text: &str, out: &mut Chunks) {
        answer::more(out, text, self.stage.sent == 0);
        self.stage.sent += text.len();
    }

    /// Cog's last event is the prediction.
    fn completed(&mut self, data: &str, out: &mut Chunks) -> Result<()> {
        let Some(prediction) = Prediction::parse(data) else {
            self.said = Said::Text;
            return Ok(());
        };
        match prediction.state() {
            State::Failed | State::Aborted => return Err(error::of_prediction(&prediction)),
            State::Canceled => self.said = Said::Canceled,
            State::Succeeded | State::Pending => {
                answer::end(out, self.stage.sent == 0);
                answer::accounts(out, &prediction);
                self.said = Said::All;
            }
        }
        Ok(())
    }
}

impl Decoder for Reader {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        let data = frame.text()?;
        match frame.event() {
            "output" => self.output(data, out),
            "start" if self.dialect == Dialect::Unknown => self.dialect = Dialect::Cog,
            "error" => return Err(error::of_event(data)),
            "done" => self.said = done(data)?,
            "completed" if self.dialect == Dialect::Cog => self.completed(data, out)?,
            _ => {}
        }
        Ok(if self.said == Said::Part {
            Flow::More
        } else {
            Flow::Ended
        })
    }

    fn finish(&mut self, end: End) -> Result<Step> {
        let stage = self.stage.clone();
        if end.is_broken() {
            // Nobody reads on, so it must not run on. What it used so far comes with the reply.
            return stage.stop();
        }
        let (first, known) = (stage.sent == 0, !stage.get.is_empty());
        match self.said {
            Said::All => Ok(Step::end()),
            Said::Canceled if first => Err(error::canceled()),
            // Cut off: Replicate closes long streams. The prediction itself knows the rest.
            Said::Part if known => stage.poll(self.pace, Chunks::new()),
            Said::Part => end.complete(),
            Said::Text | Said::Canceled => {
                let mut out = Chunks::new();
                answer::end(&mut out, first);
                if known { stage.usage(out) } else { out.end() }
            }
        }
    }
}

/// A piece of text as Cog writes it: an object with the text, and at most its number beside it.
fn cog_chunk(data: &str) -> Option<Str<'_>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Chunk<'a> {
        #[serde(borrow)]
        chunk: Str<'a>,
        #[serde(default, rename = "index")]
        _index: u64,
    }
    if !data.starts_with("{\"chunk\"") {
        return None;
    }
    serde_json::from_str::<Chunk<'_>>(data).ok().map(|chunk| chunk.chunk)
}

/// What a `done` event says: `{}`, or why it is done.
fn done(data: &str) -> Result<Said> {
    #[derive(Deserialize)]
    struct Done<'a> {
        #[serde(borrow, default)]
        reason: Option<Str<'a>>,
    }
    let done = serde_json::from_str::<Done<'_>>(data).ok();
    match done.and_then(|done| done.reason).as_deref() {
        Some("canceled") => Ok(Said::Canceled),
        Some("error") => Err(error::of_message("")),
        _ => Ok(Said::Text),
    }
}
