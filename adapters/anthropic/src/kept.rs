//! What an answer says, kept so that the client's next request can bring it back: `thinking_blocks`, and `extra_content` where the
//! order or the kind of the blocks would be lost otherwise.
//!
//! A Chat Completions message has one text and one list of calls. An Anthropic message is a list of blocks, and so is that of hosts with
//! forms of their own for it; those that the provider signed or encrypted must come back unchanged and in their places. `thinking`, then
//! text, then calls can be rebuilt from the plain message and `thinking_blocks`; any other list is handed out whole, as
//! `extra_content.PROVIDER.content`; beside it the container that Anthropic ran its tools in.

use crate::json::{push_comma, push_field};

/// More than this is not kept: the answer is complete without it, only the next request loses the provider's own blocks.
const KEPT_BYTES: usize = 8 << 20;

/// Where a block stands in a message that can be rebuilt from its plain form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// thinking, redacted or not
    #[default]
    Thinking,
    /// text
    Text,
    /// a call of the client's tool
    Call,
    /// anything else: the message cannot be rebuilt
    Other,
}

/// The blocks of one answer.
#[derive(Debug, Default)]
pub struct Kept {
    /// the blocks as JSON text, with commas between them
    blocks: String,
    container: String,
    thinking: usize,
    last: Place,
    special: bool,
    lost: bool,
}

impl Kept {
    /// Keeps one finished block.
    pub fn add(&mut self, place: Place, block: &str) {
        self.special |= place == Place::Other || place < self.last;
        self.last = place;
        if self.blocks.len() + block.len() > KEPT_BYTES {
            self.lost = true;
        }
        if !self.lost {
            push_comma(&mut self.blocks);
            self.blocks.push_str(block);
        }
    }

    /// The number a thinking block has in `thinking_blocks`.
    pub fn next_thinking(&mut self) -> usize {
        self.thinking += 1;
        self.thinking - 1
    }

    /// A block could not be kept whole, so none is handed out.
    pub fn lose(&mut self) {
        self.lost = true;
    }

    /// Keeps where the provider ran its own tools (`container`, JSON text), which a client may name in its next request.
    pub(crate) fn contained(&mut self, container: &str) {
        container.clone_into(&mut self.container);
    }

    /// The value of `extra_content`, with the blocks under this provider's name, if the plain message does not tell everything.
    #[must_use]
    pub fn extra_content(&self, provider: &str) -> Option<String> {
        let mut told = String::from("{");
        if self.special && !self.lost {
            push_field(&mut told, "content", &["[", &self.blocks, "]"].concat());
        }
        if !self.container.is_empty() {
            push_field(&mut told, "container", &self.container);
        }
        (told.len() > 1).then(|| format!("{{\"{provider}\":{told}}}}}"))
    }
}
