//! Who is measured: the entries of `conf/contenders.toml`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One gateway, or none.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contender {
    /// for `--only` and the tables
    pub(crate) name: String,
    /// what it is
    pub(crate) label: String,
    /// where it listens
    pub(crate) address: String,
    /// how it is started; empty: it is there already
    #[serde(default)]
    pub(crate) command: Vec<String>,
    /// set for its process
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// "name: value"
    #[serde(default)]
    headers: Vec<String>,
    /// passed on as it is
    pub(crate) chat: Route,
    /// through the provider's own format
    pub(crate) translated: Option<Route>,
    /// the adapter and the model of a request to the provider behind it; all go the path of `translated`
    #[serde(default)]
    pub(crate) adapters: BTreeMap<String, String>,
}

/// How a request reaches one of the mock's two APIs.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    /// the request's target
    pub(crate) path: String,
    /// the model it asks for
    pub(crate) model: String,
    /// how a stream ends
    #[serde(default = "done")]
    pub(crate) end: String,
}

fn done() -> String {
    "[DONE]".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    contender: Vec<Contender>,
}

/// The folders and programs that commands name.
pub(crate) struct Places {
    /// the whole project
    pub(crate) repository: PathBuf,
    /// the suite's configurations
    pub(crate) conf: PathBuf,
    /// for pid files, logs and results
    pub(crate) work: PathBuf,
    /// the program
    pub(crate) nginx: PathBuf,
}

impl Places {
    /// The suite's own, with an nginx.
    pub(crate) fn new(nginx: &Path) -> Result<Self, String> {
        let suite = Path::new(env!("CARGO_MANIFEST_DIR"));
        let repository = suite
            .join("../..")
            .canonicalize()
            .map_err(|error| format!("{}: {error}", suite.display()))?;
        let work = suite.join("target/work");
        std::fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
        Ok(Self {
            repository,
            conf: suite.join("conf"),
            work,
            nginx: nginx.to_path_buf(),
        })
    }

    fn fill_in(&self, word: &str) -> String {
        let peers = self.repository.join("target/peers");
        let known = [
            ("{repository}", &self.repository),
            ("{conf}", &self.conf),
            ("{work}", &self.work),
        ];
        let known = known.into_iter().chain([("{nginx}", &self.nginx), ("{peers}", &peers)]);
        let filled = known.fold(word.to_owned(), |word, (name, path)| {
            word.replace(name, &path.display().to_string())
        });
        filled.replace("{mock}", crate::mock::LISTEN)
    }
}

impl Contender {
    /// Those named by `only` (all if it is empty) whose programs are there, with their commands filled in.
    pub(crate) fn list(places: &Places, only: &[String]) -> Result<Vec<Self>, String> {
        let file = places.conf.join("contenders.toml");
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut list = toml::from_str::<List>(&text)
            .map_err(|error| format!("{}: {error}", file.display()))?
            .contender;
        if let Some(unknown) = only
            .iter()
            .find(|name| list.iter().all(|contender| contender.name != **name))
        {
            return Err(format!("there is no contender `{unknown}` in {}", file.display()));
        }
        list.retain(|contender| only.is_empty() || only.contains(&contender.name));
        for contender in &mut list {
            contender.command = contender.command.iter().map(|word| places.fill_in(word)).collect();
        }
        list.retain(Contender::is_here);
        Ok(list)
    }

    fn is_here(&self) -> bool {
        let missing = self.command.first().filter(|program| !Path::new(program).is_file());
        if let Some(program) = missing {
            println!("{}: left out, {program} is not there", self.name);
        }
        missing.is_none()
    }

    /// The headers to send, as pairs.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let pairs = self.headers.iter().filter_map(|header| header.split_once(':'));
        pairs
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect()
    }

    /// The way to the provider that a scenario takes, if there is one.
    pub(crate) fn route(&self, translated: bool) -> Option<&Route> {
        if translated {
            self.translated.as_ref()
        } else {
            Some(&self.chat)
        }
    }

    /// The adapters to compare, each with its way to the provider.
    pub(crate) fn adapters(&self) -> impl Iterator<Item = (&str, Route)> {
        let to = |model: &String| {
            let route = self.translated.clone()?;
            Some(Route {
                model: model.clone(),
                ..route
            })
        };
        self.adapters
            .iter()
            .filter_map(move |(name, model)| Some((name.as_str(), to(model)?)))
    }
}
