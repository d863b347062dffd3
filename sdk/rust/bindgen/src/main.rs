//! Generates `sdk/rust/src/bindings/` from `wit/adapter.wit`, one file per world below.
//!
//! `cargo run --manifest-path sdk/rust/bindgen/Cargo.toml` writes the files; `cargo test` there fails if they are stale. The
//! generated files are checked in, so that building an adapter needs neither this crate nor its dependencies.
//!
//! There is one tiny world per optional interface, because an adapter must export only what it implements: the host takes an
//! exported interface as a promise. Each world's export macro carries its own type section, and the encoder of components
//! merges however many of them an adapter uses.

use std::error::Error;
use std::path::{Path, PathBuf};

use wit_bindgen_core::{Files, WorldGenerator, wit_parser::Resolve};
use wit_bindgen_rust::{Opts, WithOption};

/// World, the interfaces it exports, those it imports. The first one owns the types that the others share.
const WORLDS: [(&str, &[&str], &[&str]); 5] = [
    ("base", &["meta", "transform"], &["host-log", "host-crypto"]),
    ("streaming", &["streaming"], &[]),
    ("auth", &["auth"], &[]),
    ("models", &["models"], &[]),
    ("jobs", &["jobs"], &[]),
];

fn main() -> Result<(), Box<dyn Error>> {
    for (world, ..) in WORLDS {
        std::fs::write(target(world), generate(world)?)?;
    }
    Ok(())
}

fn target(world: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../src/bindings")
        .join(format!("{world}.rs"))
}

/// The bindings of one world, as Rust source.
fn generate(world: &str) -> Result<String, Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let (contract, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit"))?;
    let version = resolve.packages[contract]
        .name
        .version
        .clone()
        .ok_or("the contract has no version")?;
    let sdk = resolve.push_str("worlds.wit", &worlds(&version.to_string()))?;
    let world = resolve.select_world(&[sdk], Some(world))?;
    let mut files = Files::default();
    options(&resolve.worlds[world].name, &version.to_string())
        .build()
        .generate(&mut resolve, world, &mut files)?;
    let (_, source) = files.iter().next().ok_or("nothing was generated")?;
    Ok(String::from_utf8(source.to_vec())?)
}

/// The text of all worlds, for the contract's version.
fn worlds(version: &str) -> String {
    let mut text = "package witgate:sdk;\n".to_owned();
    for (world, exports, imports) in WORLDS {
        let items = |verb: &str, names: &[&str]| -> String {
            names
                .iter()
                .map(|name| format!("  {verb} witgate:adapter/{name}@{version};\n"))
                .collect()
        };
        text += &format!(
            "world {world} {{\n{}{}}}\n",
            items("import", imports),
            items("export", exports)
        );
    }
    text
}

fn options(world: &str, version: &str) -> Opts {
    let shared = (
        format!("witgate:adapter/types@{version}"),
        WithOption::Path("crate::bindings::base::witgate::adapter::types".to_owned()),
    );
    Opts {
        format: true,
        pub_export_macro: true,
        generate_unused_types: true,
        default_bindings_module: Some(format!("$crate::bindings::{world}")),
        export_macro_name: Some(format!("export_{world}")),
        with: if world == "base" { Vec::new() } else { vec![shared] },
        generate_all: true,
        ..Opts::default()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bindings_checked_in_are_those_of_the_contract() {
        for (world, ..) in super::WORLDS {
            let stored = std::fs::read_to_string(super::target(world)).unwrap_or_default();
            let fresh = super::generate(world).unwrap();
            assert!(
                stored == fresh,
                "{world}.rs is stale: cargo run --manifest-path sdk/rust/bindgen/Cargo.toml"
            );
        }
    }
}
