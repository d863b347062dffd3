//! A whole answer on its way to a client.

use bytes::{Bytes, BytesMut};

use super::{Flaw, Stamp, embeddings, reader::Reader, usage};
use crate::{
    call::{Operation, object::Object},
    reply::Usage,
};

/// An answer as the client is to see it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its JSON.
    pub body: Bytes,
    /// What it cost, if it says so.
    pub usage: Option<Usage>,
}

/// Makes the answer to `operation` what OpenAI's clients expect: missing members are spliced in, foreign words replaced. An answer
/// that is right is not copied.
pub fn complete(stamp: Stamp, operation: Operation, answer: Bytes) -> Result<Answer, Flaw> {
    let text = std::str::from_utf8(&answer).map_err(|_| Flaw::Malformed("it is not valid UTF-8"))?;
    let mut reader = match operation {
        Operation::Chat | Operation::Completions => Reader::whole(stamp, operation),
        Operation::Embeddings => return embeddings(&stamp, &answer, 1),
        Operation::Images
        | Operation::ImageEdits
        | Operation::ImageVariations
        | Operation::Speech
        | Operation::Transcriptions
        | Operation::Translations
        | Operation::Moderations
        | Operation::Rerank => {
            return Ok(Answer {
                usage: plain_usage(text),
                body: answer,
            });
        }
        Operation::Models | Operation::Messages | Operation::CountTokens | Operation::Responses => {
            return Ok(Answer {
                body: answer,
                usage: None,
            });
        }
    };
    let top = reader.read(text)?;
    if top.empty && !top.listed {
        return Err(Flaw::Malformed("it has no choices"));
    }
    let usage = usage(&reader.usage);
    if reader.edits.is_empty() {
        return Ok(Answer { body: answer, usage });
    }
    let mut out = BytesMut::with_capacity(answer.len() + 256);
    reader.edits.apply(text, &mut out);
    Ok(Answer {
        body: out.freeze(),
        usage,
    })
}

/// The usage of an answer that passes as it is.
pub(crate) fn plain_usage(answer: &str) -> Option<Usage> {
    let fields = Object::parse(answer).ok()?;
    usage(fields.get(answer, "usage")?)
}
