//! The words for why an answer ended.

/// What a finish reason is to OpenAI's clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// One of OpenAI's own words.
    Known,
    /// It has not ended yet.
    NotYet,
    /// A word of the provider's own, and OpenAI's for it.
    Foreign(&'static str),
    /// The provider failed.
    Failed,
}

/// What OpenAI-shaped servers write where OpenAI has another word (seen in recordings of Together, Hugging Face, TGI, Azure's hosted
/// models, Mistral, Zhipu, watsonx and the native words that some proxies leave in).
pub(super) fn read(word: &[u8]) -> Finish {
    match word {
        b"stop" | b"length" | b"tool_calls" | b"content_filter" | b"function_call" => Finish::Known,
        b"" | b"null" | b"not_finished" => Finish::NotYet,
        // The last two are Z.ai's and DeepSeek's for an answer that was broken off.
        b"error" | b"ERROR" | b"network_error" | b"insufficient_system_resource" => Finish::Failed,
        b"tool_call" | b"tool_use" | b"TOOL_CALL" => Finish::Foreign("tool_calls"),
        b"model_length" | b"max_tokens" | b"MAX_TOKENS" | b"max_output_tokens" | b"model_context_window_exceeded" => {
            Finish::Foreign("length")
        }
        b"sensitive" | b"refusal" | b"safety" | b"SAFETY" | b"RECITATION" | b"content_filtered" => {
            Finish::Foreign("content_filter")
        }
        _ => Finish::Foreign("stop"),
    }
}
