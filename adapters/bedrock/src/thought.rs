//! A thought, written for clients: an entry of `thinking_blocks`, in the form that they know from Anthropic.

/// A thought, in pieces of JSON strings.
pub(crate) enum Thought<'a> {
    /// with its signature, "" if there is none
    Readable {
        text: &'a str,
        signature: &'a str,
    },
    Redacted(&'a str),
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
