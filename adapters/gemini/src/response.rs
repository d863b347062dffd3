//! A whole answer: Gemini's candidates to a `chat.completion`.

use witgate_sdk::Context;

use crate::answer::{Candidate, Choice, Piece, Reply, logprobs};
use crate::json::{push_comma, push_field, push_list, push_number, push_quoted};
use crate::stop::Stop;
use crate::usage::Usage;

/// One candidate as it grows, part by part. What are strings here are pieces of JSON strings: still escaped, without their quotes.
#[derive(Default)]
struct Answer {
    choice: Choice,
    text: Option<String>,
    reasoning: String,
    tool_calls: String,
    images: String,
    logprobs: Option<String>,
}

/// The answer's JSON text, or `None` if `body` is none.
pub(crate) fn translate(body: &str, ctx: &Context) -> Option<String> {
    let replies = Reply::parse(body)?;
    let (mut answers, mut usage) = (Vec::new(), Usage::default());
    let mut blocked = None;
    for reply in replies {
        blocked = reply.blocked().or(blocked);
        for candidate in reply.candidates.iter().flatten() {
            answer(&mut answers, candidate.index.unwrap_or(0)).add(candidate, ctx);
        }
        if let Some(counts) = reply.usage_metadata {
            usage.update(counts);
        }
    }
    for answer in &mut answers {
        let call = answer.choice.end_call(ctx);
        answer.add_piece(call);
    }
    let usage = usage.to_json();
    if answers.is_empty() {
        // A prompt that was refused, or a model that had nothing to say: an answer without words, if it is one at all.
        let stop = blocked.or_else(|| usage.is_some().then(Stop::default))?;
        answer(&mut answers, 0).choice.stop = stop;
    }
    let mut out = String::with_capacity(body.len() + 256);
    out.push_str("{\"choices\":[");
    for answer in &answers {
        answer.push(&mut out);
    }
    out.push(']');
    if let Some(usage) = usage {
        push_field(&mut out, "usage", &usage);
    }
    out.push('}');
    Some(out)
}

/// The answer of this number, a new one if it is the first time.
fn answer(answers: &mut Vec<Answer>, index: u64) -> &mut Answer {
    let at = answers.iter().position(|answer| answer.choice.index == index);
    let at = at.unwrap_or_else(|| {
        answers.push(Answer {
            choice: Choice::new(index),
            ..Answer::default()
        });
        answers.len() - 1
    });
    &mut answers[at]
}

impl Answer {
    fn add(&mut self, candidate: &Candidate<'_>, ctx: &Context) {
        self.choice.update(candidate);
        for raw in candidate.parts() {
            for piece in self.choice.read(raw, ctx) {
                self.add_piece(piece);
            }
        }
        let found = candidate.logprobs_result.and_then(|result| logprobs(result.get()));
        self.logprobs = found.or_else(|| self.logprobs.take());
    }

    fn add_piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Text(text) => self.text.get_or_insert_default().push_str(text),
            Piece::Thought(text) => self.reasoning.push_str(text),
            Piece::Call(_, fields) => push_object(&mut self.tool_calls, &fields),
            Piece::Image(fields) => push_object(&mut self.images, &fields),
            Piece::Nothing => {}
        }
    }

    fn push(&self, out: &mut String) {
        push_comma(out);
        out.push('{');
        push_number(out, "index", self.choice.index);
        out.push_str(",\"message\":{\"role\":\"assistant\",\"content\":");
        match &self.text {
            Some(text) => push_quoted(out, text),
            None if self.tool_calls.is_empty() => out.push_str("\"\""),
            None => out.push_str("null"),
        }
        if !self.reasoning.is_empty() {
            out.push_str(",\"reasoning_content\":");
            push_quoted(out, &self.reasoning);
        }
        for (key, list) in [("images", &self.images), ("tool_calls", &self.tool_calls)] {
            push_list(out, key, list);
        }
        self.choice.push_last(out);
        out.push('}');
        if let Some(logprobs) = &self.logprobs {
            push_field(out, "logprobs", logprobs);
        }
        self.choice.push_end(out);
        out.push('}');
    }
}

fn push_object(list: &mut String, fields: &str) {
    push_comma(list);
    list.push('{');
    list.push_str(fields);
    list.push('}');
}
