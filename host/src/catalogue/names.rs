//! What providers and models are called: here, in the public list, by clients. The names of providers are data (`names.txt`).

/// A line of `names.txt`.
pub(super) struct Named {
    /// The provider's name in the table.
    pub(super) name: &'static str,
    /// What else its type may be called.
    also: &'static str,
    /// The list's names for it.
    listed: &'static str,
    /// Ids with a slash are not models.
    pub(super) flat: bool,
}

fn all() -> impl Iterator<Item = Named> {
    let rows = include_str!("names.txt").lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| {
        let (ours, listed) = line.split_once('=')?;
        let (name, also) = ours.trim().split_once(' ').unwrap_or((ours.trim(), ""));
        let (listed, flat) = listed
            .trim()
            .strip_suffix(" flat")
            .map_or((listed.trim(), false), |listed| (listed, true));
        Some(Named {
            name,
            also,
            listed,
            flat,
        })
    })
}

/// Whose models those are that the list has under the provider `listed`.
pub(super) fn of_listed(listed: &str) -> Option<Named> {
    let is = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => listed.starts_with(start),
        None => listed == pattern,
    };
    all().find(|named| named.listed.split(' ').any(is))
}

/// The name of the provider whose type is called so; case does not count.
pub(super) fn of_type(type_: &str) -> Option<&'static str> {
    let is = |name: &str| name.eq_ignore_ascii_case(type_);
    all()
        .find(|named| is(named.name) || named.also.split(' ').any(is))
        .map(|named| named.name)
}

/// The ids to look for, given what a provider is asked for (in lower case): that, and what is left without what providers let stand
/// around an id. A date is part of an id: another date is another model.
pub(super) fn of_model(model: &str) -> impl Iterator<Item = &str> {
    let path = model.rsplit_once("models/").map(|(_, id)| id);
    let resource = model.starts_with("arn:").then(|| model.rsplit('/').next()).flatten();
    let newest = model.strip_suffix(":latest");
    // `ft:BASE:organisation:name:id`: what was tuned has the price of a tuned BASE.
    let tuned = model.strip_prefix("ft:").and_then(|rest| {
        let base = rest.find(':')?;
        model.get(..base + "ft:".len())
    });
    [Some(model), path, resource, newest, tuned].into_iter().flatten()
}
