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

/// The fields of `call` that ask for something and that the adapter always drops: by name, or by the way to them.
fn adapters<'c>(provider: &'c Provider, call: &'c Call) -> Vec<&'c str> {
    let Speaks::Adapter(site) = &provider.speaks else {
        return Vec::new();
    };
    let dropped = site.adapter.manifest.drops(call.operation.as_str());
    dropped.filter(|path| call.body().asks(path)).collect()
}
