//! What an answer says, kept so that the client's next request can bring it back: `thinking_blocks`, in the form that clients know from
//! Anthropic, and `extra_content` where the order or the kind of the blocks would be lost otherwise.
//!
//! A Chat Completions message has one text and one list of calls. A message here is a list of blocks; thoughts that the provider signed
//! must come back unchanged and in their places. Thinking, then text, then calls can be rebuilt from the plain message; any other list
//! is handed out whole, as `extra_content.bedrock.content`.

use crate::json::push_comma;

/// Where the blocks are in `extra_content`.
pub(crate) const KEY: &str = "bedrock";
/// More than this is not kept: the answer is complete without it, only the next request loses the provider's own blocks.
const KEPT_BYTES: usize = 8 << 20;

/// Where a block stands in a message that can be rebuilt from its plain form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
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
pub(crate) struct Kept {
    /// the blocks as JSON text, with commas between them
    blocks: String,
    thinking: usize,
    last: Place,
    special: bool,
    lost: bool,
}

impl Kept {
    /// Keeps one finished block.
    pub(crate) fn add(&mut self, place: Place, block: &str) {
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
    pub(crate) fn next_thinking(&mut self) -> usize {
        self.thinking += 1;
        self.thinking - 1
    }

    /// A block could not be kept whole, so none is handed out.
    pub(crate) fn lose(&mut self) {
        self.lost = true;
    }

    /// The value of `extra_content`, if the plain message does not tell everything.
    pub(crate) fn extra_content(&self) -> Option<String> {
        (self.special && !self.lost).then(|| format!("{{\"{KEY}\":{{\"content\":[{}]}}}}", self.blocks))
    }
}

/// Writes a thought as clients know it; all are pieces of JSON strings. Its fields only: the braces are the caller's.
pub(crate) fn push_thought(out: &mut String, thought: &Thought<'_>) {
    match thought {
        Thought::Readable { text, signature } => out.push_str(
            &[
                "\"type\":\"thinking\",\"thinking\":\"",
                text,
                "\",\"signature\":\"",
                signature,
                "\"",
            ]
            .concat(),
        ),
        Thought::Redacted(data) => {
            out.push_str(&["\"type\":\"redacted_thinking\",\"data\":\"", data, "\""].concat());
        }
    }
}

/// A thought, in pieces of JSON strings.
pub(crate) enum Thought<'a> {
    /// with its signature, "" if there is none
    Readable {
        text: &'a str,
        signature: &'a str,
    },
    Redacted(&'a str),
}
