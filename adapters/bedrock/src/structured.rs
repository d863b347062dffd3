//! A response format: a tool that must be called, whose input is the answer.

/// The tool's name.
pub(crate) const TOOL: &str = "structured_output";
/// What a request leaves for its reply when it has that tool.
pub(crate) const STATE: &str = "structured";

/// The request has that tool.
pub(crate) fn is_state(state: &str) -> bool {
    state == STATE
}
