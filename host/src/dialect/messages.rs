//! Anthropic's Messages API, for providers that do not have it themselves.
//!
//! # What becomes of a request
//!
//! Targets are of two kinds: *adapters*, which know the members the gateway adds to a chat, and *servers* of OpenAI's API, which do not.
//! What is dropped is named in the response header `x-witgate-dropped` and in the log; what is refused is a 400 that names the field,
//! after every other target has been asked.
//!
//! | Messages | chat |
//! |---|---|
//! | `system`, string or blocks; messages of role `system` | `system` messages, in their places |
//! | `text` blocks | `text` parts; for a server one string, since many take no parts |
//! | `image` (base64, url) | `image_url`; of a server's tool results in a user's message after them |
//! | `document` (text, content) | its title, context and text, as text |
//! | `document` (base64, url) | `file`; by url refused for a server |
//! | `search_result` | its title, source and text, as text |
//! | `image`, `document` with a `file` id, `container_upload` | refused |
//! | `tool_use` | `tool_calls` |
//! | `tool_result` | `tool` messages, before the rest of their turn; `is_error` for adapters, dropped for a server |
//! | `thinking`, `redacted_thinking` of this provider | its own fields again (`reasoning_content`, `reasoning_details`, `extra_content`) |
//! | those that a provider of this API has signed | `thinking_blocks` for adapters, dropped for a server |
//! | server tools and their results in messages | refused |
//! | `tools` of type `custom` | `function` tools with `strict`; other members dropped |
//! | any other tool, `mcp_servers`, `container` | refused |
//! | `tool_choice` | auto, required, none, a function; `disable_parallel_tool_use` is `parallel_tool_calls: false` |
//! | `max_tokens`, `temperature`, `top_p`, `stop_sequences` | the same, `stop` |
//! | `top_k`, `cache_control` | the same for adapters, dropped for a server |
//! | `thinking` | the same for adapters; for a server `reasoning_effort` by its budget |
//! | `output_config.effort` | `reasoning_effort` |
//! | `output_config.format`, `output_format` | `response_format` |
//! | `metadata.user_id` | `user`, as its SHA-256 where it is longer than the 64 characters that OpenAI takes |
//! | `service_tier` | `auto`, `default` |
//! | `citations` that were made here | left out: what they belong to says all there is to say |
//! | `context_management`, other `citations`, and whatever is unknown | dropped |
//!
//! # What becomes of an answer
//!
//! `reasoning_content` (or `reasoning`) is a `thinking` block whose signature is the provider's own, or what the gateway has sealed
//! ([`super::state`]): then text, then calls, in the order they come. State of a call (`extra_content`) is a `redacted_thinking`
//! block before its `tool_use`. `function_call`, as chats had it once, is a `tool_use` with an id made here. `stop` is `end_turn`
//! or `stop_sequence`, `length` is `max_tokens`, `tool_calls` (or `function_call`) is `tool_use`, `content_filter` is `refusal`.
//! `input_tokens` leave out what was read from, or written to, a cache. Blocks are not mixed: what comes between two pieces of a
//! call waits until it is whole. `client` says what Claude Code gets otherwise.
//!
//! What the text is from (`annotations` of type `url_citation`, and `citations` and `search_results` beside the choices) are `citations`
//! of a text block, `web_search_result_location`. Their `encrypted_index` is sealed here: on the way back they are left out, for
//! Anthropic, too. Each is told once. In a stream:
//!
//! | a source comes | and is told |
//! |---|---|
//! | while a text block is open | in it, at once; what stands beside the choices when it ends, if no annotation has told it |
//! | before any text, amid thoughts or a call, or between blocks | at the start of the next text block: none is opened again |
//! | and no text follows | in a text block of its own at the end, which says nothing; to Claude Code not at all (see `client`) |

pub mod answer;
mod block;
mod cite;
pub(crate) mod client;
pub mod error;
pub mod estimate;
pub mod request;
mod stop;
pub mod stream;
pub mod usage;

/// What the way back needs of a request.
#[derive(Debug)]
pub struct Memo {
    /// The request's id, of which the message gets its own.
    pub id: String,
    /// The provider's id: what is sealed is sealed for it.
    pub provider: String,
    /// As the client wrote it: for answers that do not name their model, and for Claude Code.
    pub model: String,
    /// The client is Claude Code (see `client`).
    pub claude_code: bool,
    /// The client wants to see thoughts: it did not say that there should be none.
    pub thinking: bool,
    /// Its stop sequences.
    pub stops: Vec<String>,
}

#[cfg(test)]
mod tests;
