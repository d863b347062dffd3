//! What a core module says of its types, looked at before anything follows it: the encoder that makes a component of it walks the
//! packages named there as deep as they depend on each other, and for ever where they do so in a circle.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{Parser, Payload};
use wit_parser::{Resolve, decoding::decode_world};

use super::{Unfit, unreadable};

/// How many packages the metadata may name. Adapters name two, or thirty with all of WASI.
const PACKAGES: usize = 200;

/// The packages each package depends on.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Refuses a module without metadata, and one whose metadata has no end.
pub(super) fn check(module: &[u8]) -> Result<(), Unfit> {
    let (mut described, mut graph) = (false, Graph::new());
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload.map_err(|e| unreadable(&e))? else {
            continue;
        };
        if section.name().starts_with("component-type") {
            described = true;
            read(section.data(), &mut graph)?;
        }
    }
    if !described {
        return Err(Unfit::BareModule);
    }
    if graph.len() > PACKAGES {
        return Err(bad("it names too many packages"));
    }
    if is_circular(graph) {
        return Err(bad("its packages depend on each other in a circle"));
    }
    Ok(())
}

fn bad(what: &str) -> Unfit {
    Unfit::Invalid(format!("its component-type metadata cannot be used: {what}"))
}

/// Adds what a section says. Sections are put together later, so their graphs are too.
fn read(section: &[u8], graph: &mut Graph) -> Result<(), Unfit> {
    // The format of before 2023, which says nothing that could be checked this way.
    if section.first() == Some(&3) {
        return Err(bad("it is of a very old wit-bindgen"));
    }
    let (resolve, _) = decode_world(section).map_err(|error| bad(&format!("{error:#}")))?;
    for (id, package) in &resolve.packages {
        let needs = resolve.package_direct_deps(id).map(|needed| name(&resolve, needed));
        graph.entry(package.name.to_string()).or_default().extend(needs);
    }
    Ok(())
}

fn name(resolve: &Resolve, package: wit_parser::PackageId) -> String {
    resolve
        .packages
        .get(package)
        .map(|package| package.name.to_string())
        .unwrap_or_default()
}

/// Takes away, again and again, what depends on nothing that is left.
fn is_circular(mut graph: Graph) -> bool {
    loop {
        let before = graph.len();
        let left: BTreeSet<_> = graph.keys().cloned().collect();
        graph.retain(|_, needs| !needs.is_disjoint(&left));
        if graph.is_empty() {
            return false;
        }
        if graph.len() == before {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            graph.entry((*to).to_owned()).or_default();
        }
        graph
    }

    #[test]
    fn only_a_circle_has_no_end() {
        assert!(!is_circular(graph(&[])));
        assert!(!is_circular(graph(&[("a", "b"), ("b", "c"), ("a", "c")])));
        assert!(is_circular(graph(&[("a", "a")])));
        assert!(is_circular(graph(&[("x", "a"), ("a", "b"), ("b", "c"), ("c", "a")])));
    }
}
