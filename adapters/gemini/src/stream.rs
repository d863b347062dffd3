//! A streamed answer: Gemini's events, each a whole response with the next parts in it, to chunks.
//!
//! Nothing marks the end but the closed connection, and a reason for it may come more than once. So the last chunks are made when the
//! stream is over.

use witgate_sdk::{Chunks, Context, Decoder, End, Flow, Frame, Result, Step};

use crate::answer::{Candidate, Choice, Piece, Reply, logprobs};
use crate::error;
use crate::json::push_field;
use crate::stop::Stop;
use crate::usage::Usage;

/// More candidates than this are not asked for by anybody.
const MAX_CHOICES: usize = 128;

/// The state of one stream.
#[derive(Debug)]
pub struct Events {
    ctx: Context,
    choices: Vec<Choice>,
    usage: Usage,
    blocked: Option<Stop>,
}

impl Events {
    /// The stream of this call.
    #[must_use]
    pub fn new(ctx: &Context) -> Self {
        Self {
            ctx: ctx.clone(),
            choices: Vec::new(),
            usage: Usage::default(),
            blocked: None,
        }
    }

    /// Reads one event and adds the chunks it makes to `out`.
    fn event(&mut self, data: &str, out: &mut Chunks) -> Result<()> {
        let Some(replies) = Reply::parse(data) else {
            if error::is_error(data) {
                return Err(error::from_event(data));
            }
            let text = "The provider sent an event that cannot be read.";
            return Err(error::unreadable(0, text, data));
        };
        for reply in replies {
            self.blocked = reply.blocked().or_else(|| self.blocked.take());
            for candidate in reply.candidates.iter().flatten() {
                self.candidate(candidate, out);
            }
            if let Some(counts) = reply.usage_metadata {
                self.usage.update(counts);
            }
        }
        Ok(())
    }

    fn candidate(&mut self, candidate: &Candidate<'_>, out: &mut Chunks) {
        let Some(at) = self.choice(candidate.index.unwrap_or(0), out) else {
            return;
        };
        let choice = &mut self.choices[at];
        choice.update(candidate);
        let mut logprobs = candidate.logprobs_result.and_then(|result| logprobs(result.get()));
        for raw in candidate.parts() {
            for piece in choice.read(raw, &self.ctx) {
                push_piece(choice.index, piece, &mut logprobs, out);
            }
        }
        if let Some(logprobs) = logprobs {
            out.push_text(chunk(choice.index, "", Some(&logprobs)));
        }
    }

    /// The place of the candidate of this number. Its first chunk tells the role.
    fn choice(&mut self, index: u64, out: &mut Chunks) -> Option<usize> {
        let known = self.choices.iter().position(|choice| choice.index == index);
        if known.is_some() || self.choices.len() >= MAX_CHOICES {
            return known;
        }
        out.push_text(chunk(index, "\"role\":\"assistant\",\"content\":\"\"", None));
        self.choices.push(Choice::new(index));
        Some(self.choices.len() - 1)
    }

    /// The provider has said how each answer ended.
    fn complete(&self) -> bool {
        !self.choices.is_empty() && self.choices.iter().all(|choice| choice.stop.known())
    }

    /// Adds the last chunks: finish reasons, then usage.
    fn push_last(&mut self, out: &mut Chunks) {
        for choice in &mut self.choices {
            let call = choice.end_call(&self.ctx);
            push_piece(choice.index, call, &mut None, out);
            let mut last = format!("{{\"choices\":[{{\"index\":{},\"delta\":{{", choice.index);
            choice.push_last(&mut last);
            last.push('}');
            choice.push_end(&mut last);
            last.push_str("}]}");
            out.push_text(last);
        }
        self.push_usage(out);
    }

    fn push_usage(&self, out: &mut Chunks) {
        if let Some(usage) = self.usage.to_json() {
            out.push_text(["{\"choices\":[],\"usage\":", &usage, "}"].concat());
        }
    }
}

fn push_piece(index: u64, piece: Piece<'_>, logprobs: &mut Option<String>, out: &mut Chunks) {
    let fields = match piece {
        Piece::Text("") | Piece::Thought("") | Piece::Nothing => return,
        Piece::Text(text) => {
            let fields = ["\"content\":\"", text, "\""].concat();
            return out.push_text(chunk(index, &fields, logprobs.take().as_deref()));
        }
        Piece::Thought(text) => ["\"reasoning_content\":\"", text, "\""].concat(),
        Piece::Call(number, fields) => {
            ["\"tool_calls\":[{\"index\":", &number.to_string(), ",", &fields, "}]"].concat()
        }
        Piece::Image(fields) => ["\"images\":[{", &fields, "}]"].concat(),
    };
    out.push_text(chunk(index, &fields, None));
}

/// A chunk that is not the last; `fields` are those of its delta.
fn chunk(index: u64, fields: &str, logprobs: Option<&str>) -> String {
    let mut chunk = String::with_capacity(fields.len() + 96);
    chunk.push_str("{\"choices\":[{\"index\":");
    chunk.push_str(&index.to_string());
    chunk.push_str(",\"delta\":{");
    chunk.push_str(fields);
    chunk.push('}');
    if let Some(logprobs) = logprobs {
        push_field(&mut chunk, "logprobs", logprobs);
    }
    chunk.push_str(",\"finish_reason\":null}]}");
    chunk
}

impl Decoder for Events {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        let data = frame.text()?.trim();
        // A proxy in front may end the stream as OpenAI does.
        if !matches!(data, "" | "[DONE]") {
            self.event(data, out)?;
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, end: End) -> Result<Step> {
        let mut out = Chunks::new();
        if end.is_broken() {
            self.push_usage(&mut out);
            return out.end();
        }
        if self.choices.is_empty()
            && let Some(stop) = self.blocked.take()
            && let Some(at) = self.choice(0, &mut out)
        {
            self.choices[at].stop = stop;
        }
        if !self.complete() {
            return end.complete();
        }
        self.push_last(&mut out);
        out.end()
    }
}
