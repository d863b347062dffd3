//! OpenAI's Responses API, for providers that do not have it themselves.
//!
//! # What becomes of a request
//!
//! Targets are of two kinds: *adapters*, which know the members the gateway adds to a chat, and *servers* of OpenAI's API, which do not.
//! What is dropped is named in the response header `x-witgate-dropped` and in the log; what is refused is a 400 that names the field,
//! after every other target has been asked.
//!
//! | Responses | chat |
//! |---|---|
//! | `instructions`, items of role `system` or `developer` | `system` messages; those that the conversation begins with are one |
//! | `input` as a string, items of role `user` | `user` messages |
//! | reasoning items, messages of the assistant, calls that follow each other | one `assistant` message |
//! | `input_text`, `output_text` | text; several are one string for a server, since many take no parts |
//! | `input_image` (address, data), its `detail` | `image_url` |
//! | `input_file` (data, `file_id`, name), `input_audio` | `file`, `input_audio` |
//! | `input_file` by address | `file` for adapters, refused for a server |
//! | `input_image` by `file_id` | refused |
//! | `refusal` | `refusal` |
//! | `function_call`, `custom_tool_call`, `local_shell_call` | `tool_calls` |
//! | their outputs | `tool` messages; images in them go into a user's message after them for a server |
//! | `reasoning` with the state of this provider | the provider's own fields again (`state`) |
//! | `reasoning` of any other | dropped: no other provider takes it |
//! | calls of OpenAI's own tools and their results | dropped: the messages say what came of them |
//! | `item_reference`, approvals, compactions, computer calls, unknown items | refused |
//! | `tools` of type `function` | functions; members beside name, description, parameters, strict dropped |
//! | of type `custom` | functions with one text, `input`; a grammar is told in the description |
//! | of type `namespace` | its functions, named `GROUP__NAME` |
//! | of type `local_shell` | a function |
//! | `web_search` beside functions, or that may not go to the web (Codex always sends one) | dropped |
//! | any other tool | refused |
//! | `tool_choice`: words, a function, `allowed_tools`; `parallel_tool_calls` | the same; what is the default is left out |
//! | `max_output_tokens` | `max_tokens` |
//! | `reasoning.effort` | `reasoning_effort`; `reasoning.summary` decides nothing: thoughts that can be seen are told |
//! | `text.format`, `text.verbosity` | `response_format`, `verbosity` |
//! | `top_logprobs`, `include: message.output_text.logprobs` | `logprobs`, `top_logprobs` |
//! | `include: reasoning.encrypted_content` | nothing: what a provider wants back is always told |
//! | other `include` | dropped: they are of tools that are not here |
//! | `temperature`, `top_p`, `user`, `service_tier`, `seed`, and whatever else a chat may have | the same |
//! | `metadata` | repeated in the response |
//! | `store: true`, `truncation: auto`, `prompt_cache_*`, `safety_identifier`, `max_tool_calls`, `context_management`, `stream_options`, `client_metadata` | dropped |
//! | `previous_response_id`, `conversation`, `background`, `prompt`, `moderation` | refused |
//!
//! # What becomes of an answer
//!
//! | chat | Responses |
//! |---|---|
//! | `reasoning_content`, else `reasoning` | a reasoning item's summary |
//! | members of the provider's own, of the message and of calls | `encrypted_content` of a reasoning item, before what they belong to |
//! | `content`, its `annotations` and log probabilities; `refusal` | parts of a message |
//! | `citations`, `search_results` beside the choices (Perplexity, xAI) | `url_citation`s at the end of the text, but for what `annotations` say |
//! | `annotations` of any other kind: the files that OpenRouter has read | left out: there are none in a response |
//! | `images` as data URLs | `image_generation_call` items |
//! | `tool_calls` | items of the tool's own kind |
//! | `function_call`, as chats had it once | the same, with an id made here |
//! | `stop`, `tool_calls` and unknown reasons | `completed` |
//! | `length`, `content_filter` | `incomplete`: `max_output_tokens`, `content_filter` |
//! | `usage` | `usage`; null if it does not count both sides |
//! | an error in the stream | `error`, and `response.failed` |

pub mod answer;
mod error;
mod memo;
pub mod request;
mod state;
pub mod stream;
pub mod usage;

pub use memo::Memo;
