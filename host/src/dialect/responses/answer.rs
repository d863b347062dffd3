//! A whole answer: a `chat.completion` to a response. It is the stream of one chunk, of which only the end is wanted, so that both say
//! the same.

use super::{memo::Memo, stream::Writer};

/// The response that says what `answer` says.
pub fn from_chat(answer: &str, memo: &Memo) -> Result<String, &'static str> {
    Writer::whole(answer, memo)
}
