//! A response format on models that have none: a tool that must be called, whose input is the answer.

use witgate_sdk::openai::text::ToolChoice;

/// The tool's name.
pub const TOOL: &str = "structured_output";
/// What a request leaves for its reply when it has that tool.
pub const STATE: &str = "structured";

/// The request has that tool.
#[must_use]
pub fn is_state(state: &str) -> bool {
    state == STATE
}

/// Which tool must be called so that there is an answer: the format's, or one of the client's own, if it may call those. A model that
/// was told to think cannot be forced. `client`: its own choice.
#[must_use]
pub fn choice(client: ToolChoice, has_tools: bool, thinks: bool) -> ToolChoice {
    match client {
        ToolChoice::Tool(_) => client,
        _ if thinks => ToolChoice::Auto,
        ToolChoice::Unsaid | ToolChoice::Auto | ToolChoice::Any if has_tools => ToolChoice::Any,
        _ => ToolChoice::Tool(TOOL.to_owned()),
    }
}
