//! `adapter::manifest::Manifest::parse`: what an adapter says about itself.

use witgate::{adapter::Manifest, transport::egress::HostRule};

use crate::memory;

/// Reads the bytes as the JSON of `describe`.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A tree of JSON, of which an object of one member takes a whole node.
    match memory::within(256 * data.len() + (1 << 20), || Manifest::parse(text)) {
        Ok(manifest) => accepted(&manifest),
        Err(error) => assert!(!error.to_string().is_empty(), "who is refused is told why"),
    }
}

fn accepted(manifest: &Manifest) {
    assert!(
        !manifest.name.is_empty() && !manifest.version.is_empty(),
        "an adapter without a name"
    );
    assert!(
        !manifest.id().contains(char::is_control),
        "a name that breaks a line of the log"
    );
    assert!(manifest.operations.iter().all(|operation| manifest.serves(operation)));
    for rule in &manifest.permissions.hosts {
        assert_eq!(
            HostRule::parse(&rule.to_string()).as_ref(),
            Ok(rule),
            "a rule is what it shows"
        );
    }
}
