//! What is known of clients of the Messages API that is in no specification.

use hyper::{HeaderMap, header::USER_AGENT};

/// True if the client is Claude Code (2.1). It leaves out of its history what a model thought that is not called as it asked for, so an
/// answer has to name the model as the client does; and it takes the last block of an answer for all of it, so no provider's state may
/// stand behind the words.
pub(crate) fn is_claude_code(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| agent.starts_with("claude-cli/"))
}
