//! `witgate adapter new`: a project to begin with, that builds and whose tests pass.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::place::Place;
use crate::cli::{Failed, Outcome, print};

/// The SDK's template, and where its files go. In them its names stand for those of the new project.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("../../../../sdk/rust/template/Cargo.toml")),
    (".gitignore", include_str!("../../../../sdk/rust/template/.gitignore")),
    ("README.md", include_str!("../../../../sdk/rust/template/README.md")),
    ("src/lib.rs", include_str!("../../../../sdk/rust/template/src/lib.rs")),
    (
        "tests/adapter.rs",
        include_str!("../../../../sdk/rust/template/tests/adapter.rs"),
    ),
];

/// Names that cargo or Rust, the SDK or a configuration have for something else.
const TAKEN: [&str; 17] = [
    "alloc",
    "core",
    "crate",
    "custom-adapter",
    "fn",
    "impl",
    "mod",
    "openai-compatible",
    "proc-macro",
    "self",
    "serde",
    "std",
    "test",
    "trait",
    "type",
    "witgate",
    "witgate-sdk",
];

/// Make the project of a new adapter: a small one that builds, with tests that pass, to be changed into what your provider takes.
///
/// In a folder that is part of a cargo workspace, as adapters/ is, it becomes a member. It takes the SDK from the checkout of Witgate
/// that it or this program is in, and without one from Witgate's git repository.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate adapter new acme
  witgate adapter new acme --dir adapters/acme
  witgate adapter build acme -o adapters/acme.wasm")]
pub(super) struct New {
    /// The adapter's name, and the provider `type` that it serves
    #[arg(value_parser = name)]
    name: String,
    /// The folder to make, if it is not to be called NAME
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl New {
    pub(super) fn run(self) -> Outcome {
        let dir = self.dir.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let shown = dir.display();
        if fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
            let remedy = "name another folder with --dir DIR";
            return Err(Failed::new(format!("{shown} is there already: {remedy}")));
        }
        let unwritten = |error| Failed::new(format!("{shown} cannot be written: {error}"));
        fs::create_dir_all(&dir).map_err(unwritten)?;
        let place = Place::of(&fs::canonicalize(&dir).map_err(unwritten)?);
        for (file, text) in FILES {
            let text = match file {
                "Cargo.toml" => place.manifest(text),
                _ => text.to_owned(),
            };
            write(&dir.join(file), &renamed(&text, &self.name)).map_err(unwritten)?;
        }
        self.say(&dir, &place);
        Ok(())
    }

    fn say(&self, dir: &Path, place: &Place) {
        let (name, dir) = (&self.name, dir.display());
        let test = format!("cargo test --manifest-path {dir}/Cargo.toml");
        let build = format!("witgate adapter build {dir} -o adapters/{name}.wasm");
        if self.json {
            let files = FILES.map(|(file, _)| file);
            print::json(&json!({
                "adapter": name, "dir": dir.to_string(), "files": files, "sdk": place.sdk, "next": [test, build],
            }));
            return;
        }
        print::line(format_args!(
            "{dir} holds an adapter for providers of type `{name}`. It is yours to change: {dir}/src/lib.rs

Play it without a network:
  {test}
Build it into a gateway's folder, which takes it up at once:
  {build}
In that gateway's configuration:

  [[providers]]
  id = \"{name}\"
  type = \"{name}\"
  base_url = \"https://api.example.com\""
        ));
    }
}

/// What may be a crate, an adapter's id and a file name at once.
fn name(text: &str) -> Result<String, String> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if !text.bytes().all(letters) || !text.starts_with(|first: char| first.is_ascii_lowercase()) || text.len() > 64 {
        return Err("a name has lower-case letters, digits, `-` and `_`, and begins with a letter".to_owned());
    }
    if TAKEN.contains(&text.replace('_', "-").as_str()) {
        return Err("this name means something else already; add a word to it".to_owned());
    }
    Ok(text.to_owned())
}

/// A file of the template with the project's names in it: of the adapter, of the crate in code, of its struct, of its key.
fn renamed(text: &str, name: &str) -> String {
    let code = name.replace('-', "_");
    text.replace("MY_ADAPTER", &code.to_uppercase())
        .replace("MyAdapter", &type_name(name))
        .replace("my_adapter", &code)
        .replace("my-adapter", name)
}

/// `acme-chat` is `AcmeChatAdapter`: with the last word it can be none of the names that the template uses.
fn type_name(name: &str) -> String {
    let mut text: String = name
        .split(['-', '_'])
        .map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or_default();
            first.to_uppercase() + rest
        })
        .collect();
    text.push_str("Adapter");
    text
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::File::create_new(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_crate_can_have_are_refused_with_what_they_may_be() {
        for wrong in [
            "",
            "Acme",
            "9acme",
            "a.b",
            "../acme",
            "-",
            "serde",
            "witgate_sdk",
            "custom-adapter",
        ] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        for right in ["acme", "custom_ai", "a-2"] {
            assert_eq!(name(right).as_deref(), Ok(right));
        }
    }

    #[test]
    fn no_name_of_the_template_is_left() {
        for (file, text) in FILES {
            let text = renamed(text, "custom_ai-2").to_lowercase();
            assert!(
                !text.contains("my-adapter") && !text.contains("my_adapter"),
                "{file}: {text}"
            );
        }
        assert_eq!(type_name("custom_ai-2"), "CustomAi2Adapter");
    }
}
