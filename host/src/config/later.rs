//! What is read and checked today and acts in a later capability. `witgate check` prints what of it a file uses.

/// The key, as its path in the schema, and the capability in which it acts.
pub const LATER: &[(&str, &str)] = &[
    ("providers.rate_limit", "limits"),
    ("providers.budget", "budgets"),
    ("providers.cache", "caching"),
    ("providers.models.input", "routing by capability"),
    ("providers.models.max_output_tokens", "routing by capability"),
];

/// The capability in which `key` acts, if that is a later one.
pub(super) fn acts_in(key: &str) -> Option<&'static str> {
    LATER
        .iter()
        .find(|(later, _)| *later == key)
        .map(|(_, capability)| *capability)
}
