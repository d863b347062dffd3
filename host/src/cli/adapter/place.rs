//! Where a new project lies: in a cargo workspace or alone, near a checkout of Witgate or not. Its Cargo.toml follows from that.

use std::{
    env, fs,
    path::{Component, Path, PathBuf},
};

use toml::{Table, Value};

/// The template's line for the SDK.
const SDK: &str = "witgate-sdk = { path = \"..\" }";
/// Where the template's Cargo.toml begins to say what a member leaves to its workspace.
const ALONE: &str = "\n# A fresh instance";

/// What a project's folder means for its Cargo.toml.
pub(super) struct Place {
    /// Where the SDK is: a folder, or the repository's address.
    pub(super) sdk: String,
    from_git: bool,
    workspace: Option<Table>,
}

impl Place {
    /// Looks around a folder, whose path is absolute.
    pub(super) fn of(dir: &Path) -> Self {
        let program = env::current_exe().and_then(fs::canonicalize).unwrap_or_default();
        let checkout = dir.ancestors().chain(program.ancestors()).find(|root| has_sdk(root));
        Self {
            sdk: checkout.map_or_else(
                || env!("CARGO_PKG_REPOSITORY").to_owned(),
                |root| path_to_sdk(dir, root),
            ),
            from_git: checkout.is_none(),
            workspace: workspace(dir),
        }
    }

    /// The project's Cargo.toml, made of the template's.
    pub(super) fn manifest(&self, template: &str) -> String {
        let source = if self.from_git { "git" } else { "path" };
        let sdk = format!("witgate-sdk = {{ {source} = {} }}", Value::from(self.sdk.as_str()));
        let text = template.replace(SDK, &sdk);
        let Some(workspace) = &self.workspace else {
            return text;
        };
        let mut text = text.split(ALONE).next().unwrap_or_default().to_owned();
        if workspace.contains_key("lints") {
            text.push_str("\n[lints]\nworkspace = true\n");
        }
        text
    }
}

fn has_sdk(root: &Path) -> bool {
    let manifest = read(&root.join("sdk/rust"));
    manifest.is_some_and(|manifest| {
        manifest.get("package").and_then(|package| package.get("name")) == Some(&Value::from("witgate-sdk"))
    })
}

/// From inside the checkout the path is relative, so that the checkout may be moved.
fn path_to_sdk(dir: &Path, root: &Path) -> String {
    let inside = dir
        .strip_prefix(root)
        .map(|inside| "../".repeat(inside.components().count()));
    inside.map_or_else(|_| root.join("sdk/rust").display().to_string(), |up| up + "sdk/rust")
}

/// The workspace that a crate in this folder is a member of, as cargo looks for it: upwards, past those that exclude it.
fn workspace(dir: &Path) -> Option<Table> {
    for root in dir.ancestors().skip(1) {
        let found = read(root).and_then(|mut manifest| manifest.remove("workspace"));
        let (Some(Value::Table(workspace)), Ok(inside)) = (found, dir.strip_prefix(root)) else {
            continue;
        };
        let listed = |key, fits: fn(&Path, &Path) -> bool| {
            let list = workspace.get(key).and_then(Value::as_array);
            let mut paths = list.into_iter().flatten().filter_map(Value::as_str);
            paths.any(|path| fits(inside, Path::new(path)))
        };
        if listed("members", is_match) {
            return Some(workspace);
        }
        if !listed("exclude", |inside, path| inside.starts_with(path)) {
            return None;
        }
    }
    None
}

/// Is the path what a pattern such as `crates/*` names? A star stands for any part of one folder's name.
fn is_match(inside: &Path, pattern: &Path) -> bool {
    let parts = |path: &Path| -> Vec<PathBuf> {
        let named = path.components().filter(|part| *part != Component::CurDir);
        named.map(|part| part.as_os_str().into()).collect()
    };
    let (inside, pattern) = (parts(inside), parts(pattern));
    let same = |(name, pattern): (&PathBuf, &PathBuf)| {
        let (name, pattern) = (name.to_string_lossy(), pattern.to_string_lossy());
        pattern.split_once('*').map_or(name == pattern, |(begin, end)| {
            name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
        })
    };
    inside.len() == pattern.len() && inside.iter().zip(&pattern).all(same)
}

fn read(folder: &Path) -> Option<Table> {
    fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../../../sdk/rust/template/Cargo.toml");

    /// The Cargo.toml of a project in a folder `inside` of a checkout, whose root has this Cargo.toml.
    fn manifest(root: &str, inside: &str) -> Table {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Cargo.toml", root);
        write("sdk/rust/Cargo.toml", "[package]\nname = \"witgate-sdk\"");
        Place::of(&folder.path().join(inside))
            .manifest(TEMPLATE)
            .parse()
            .unwrap()
    }

    fn sdk(manifest: &Table) -> Option<&str> {
        manifest["dependencies"]["witgate-sdk"]["path"].as_str()
    }

    #[test]
    fn a_member_leaves_to_its_workspace_what_only_that_may_say() {
        let root = "[workspace]\nmembers = [\"adapters/*\"]\n[workspace.lints.clippy]\nall = \"warn\"";
        let member = manifest(root, "adapters/acme");
        assert_eq!(sdk(&member), Some("../../sdk/rust"));
        assert!(!member.contains_key("workspace") && !member.contains_key("profile"));
        assert_eq!(member["lints"]["workspace"], Value::from(true));
    }

    #[test]
    fn where_no_workspace_lists_it_a_project_is_one_of_its_own() {
        let others = [
            "",
            "[workspace]\nmembers = [\"adapters/*\"]",
            "[workspace]\nmembers = [\"*\"]\nexclude = [\"odd\"]",
        ];
        for root in others {
            let alone = manifest(root, "odd/acme");
            assert_eq!(sdk(&alone), Some("../../sdk/rust"), "{root}");
            assert!(
                alone.contains_key("workspace") && alone.contains_key("profile"),
                "{root}"
            );
            assert!(!alone.contains_key("lints"), "{root}");
        }
    }

    #[test]
    fn the_sdk_comes_from_git_where_no_checkout_is_near() {
        let far = Place {
            sdk: "https://example.com/w".to_owned(),
            from_git: true,
            workspace: None,
        };
        let manifest: Table = far.manifest(TEMPLATE).parse().unwrap();
        assert_eq!(
            manifest["dependencies"]["witgate-sdk"]["git"].as_str(),
            Some("https://example.com/w")
        );
    }
}
