//! The configurations in `examples/`.

use std::{fs, path::Path};

use crate::config::{Config, Format, LATER};

fn example(name: &str) -> String {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples")).join(name);
    fs::read_to_string(path).expect("an example")
}

#[test]
fn the_smallest_example_is_a_whole_configuration() {
    let config = Config::parse(&example("smallest.toml"), Format::Toml, "smallest.toml", &|_| None).expect("valid");
    assert_eq!((config.providers.len(), config.warnings.len()), (1, 0));
}

#[test]
fn the_full_example_has_every_key_of_the_schema() {
    let text = example("every-key.toml");
    let (_, report) = Config::read(&text, Format::Toml, &|_| None);
    assert_eq!(report.problems, []);
    let missing: Vec<_> = report.asked.difference(&report.found).collect();
    assert!(missing.is_empty(), "in the schema and not in the example: {missing:?}");
    for (key, _) in LATER {
        assert!(report.asked.contains(*key), "{key} acts later, and is no key");
    }
}

#[test]
fn the_readme_names_what_acts_later() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("the README");
    let (_, section) = readme.split_once("## Read now, acting later").expect("a section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let named: Vec<_> = section
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|key| !key.contains(' '))
        .collect();
    let keys: Vec<_> = LATER
        .iter()
        .filter_map(|(key, _)| key.strip_prefix("providers."))
        .collect();
    for key in &keys {
        assert!(named.contains(key), "the README does not name {key}");
    }
    assert_eq!(named.len(), keys.len(), "{named:?}");
}

#[test]
fn what_the_full_example_shows_as_defaults_are_the_defaults() {
    let shown = Config::parse(&example("every-key.toml"), Format::Toml, "every-key.toml", &|_| None).expect("valid");
    let default = Config::default();
    assert_eq!(shown.adapters, default.adapters);
    assert_eq!(shown.limits, default.limits);
    assert_eq!(shown.server.listen, default.server.listen);
    assert_eq!(shown.server.shutdown_grace, default.server.shutdown_grace);
    let bare = "[[providers]]\nid = \"a\"\nbase_url = \"http://localhost:1/v1\"";
    let bare = Config::parse(bare, Format::Toml, "bare.toml", &|_| None).expect("valid");
    let (shown, bare) = (&shown.providers[0], &bare.providers[0]);
    assert_eq!(
        (shown.timeout, shown.idle_timeout, shown.max_retries),
        (bare.timeout, bare.idle_timeout, bare.max_retries)
    );
    assert_eq!(
        (shown.priority, shown.enabled, shown.api),
        (bare.priority, bare.enabled, bare.api)
    );
}
