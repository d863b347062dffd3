//! What of a call its provider does not get: what the operator wants dropped, and what the adapter says that its provider has nothing
//! for. Nothing is dropped in silence: the record has it, and from there the log and the client.

use crate::{
    call::Call,
    error::Result,
    gateway::{Provider, Speaks},
    record::Record,
};

/// Notes what is dropped of `call`, or refuses it where the operator wants that. Gives the call without what the operator wants
/// dropped, if it has any of that.
pub(super) fn before(provider: &Provider, call: &Call, record: &Record) -> Result<Option<Call>> {
    let rules = &provider.config.drop_params;
    let lighter = call.without(&rules.drop)?;
    let call = lighter.as_ref().map_or(call, |(lighter, _)| lighter);
    let dropped = adapters(provider, call);
    rules.check(dropped.iter().copied())?;
    record.dropped(lighter.iter().flat_map(|(_, dropped)| dropped.iter().copied()));
    record.dropped(dropped);
    Ok(lighter.map(|(lighter, _)| lighter))
}

/// The fields of `call` that ask for something and that the adapter always drops.
fn adapters<'c>(provider: &Provider, call: &'c Call) -> Vec<&'c str> {
    let Speaks::Adapter(site) = &provider.speaks else {
        return Vec::new();
    };
    let manifest = &site.adapter.manifest;
    call.members()
        .filter(|(key, value)| manifest.drops(call.operation.as_str(), key) && !asks_nothing(key, value))
        .map(|(key, _)| key)
        .collect()
}

/// True if a request says the same without this field.
fn asks_nothing(key: &str, value: &str) -> bool {
    if key == "parallel_tool_calls" {
        return value == "true";
    }
    let nothing = ["null", "false", "0", "0.0", "\"\"", "[]", "{}", "[\"text\"]"];
    nothing.contains(&value.trim())
}

#[cfg(test)]
mod tests {
    use super::asks_nothing;

    #[test]
    fn a_field_that_asks_for_nothing_is_not_dropped() {
        for nothing in ["null", "false", "0", "[]", "{}", "\"\"", "[\"text\"]"] {
            assert!(asks_nothing("store", nothing), "{nothing}");
        }
        for something in ["true", "1", "0.5", "{\"1\":2}", "\"x\"", "[\"audio\"]"] {
            assert!(!asks_nothing("store", something), "{something}");
        }
        assert!(asks_nothing("parallel_tool_calls", "true") && !asks_nothing("parallel_tool_calls", "false"));
    }
}
