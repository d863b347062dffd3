//! What the smoke driver is told.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use witgate_fuzz::targets::{ALL, Target};

const HELP: &str = "\
Runs the fuzz targets. `N passed, N failed` counts targets.

  --seconds N     for all targets together; default 60
  --target NAME   only this one; may come more than once
  --seed N        the inputs of an earlier run again; default: the time
  --careful       keep each input in crashes/NAME/running while it runs, to have it when the process is killed
  --list          the targets
  FILE…           run these inputs and no others";

/// The options, read.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) seconds: Duration,
    pub(crate) targets: Vec<&'static Target>,
    pub(crate) seed: u64,
    pub(crate) careful: bool,
    pub(crate) list: bool,
    pub(crate) files: Vec<PathBuf>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut options = Self {
            seconds: Duration::from_secs(60),
            targets: Vec::new(),
            seed: now.as_secs(),
            careful: false,
            list: false,
            files: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--seconds" => options.seconds = Duration::from_secs(number(&value()?)?),
                "--seed" => options.seed = number(&value()?)?,
                "--target" => options.targets.push(named(&value()?)?),
                "--careful" => options.careful = true,
                "--list" => options.list = true,
                "--help" | "-h" => return Err(HELP.to_owned()),
                option if option.starts_with('-') => return Err(format!("there is no {option}\n\n{HELP}")),
                file => options.files.push(PathBuf::from(file)),
            }
        }
        if options.targets.is_empty() {
            options.targets = ALL.iter().collect();
        }
        Ok(options)
    }

    /// A target's share of the time.
    pub(crate) fn share(&self) -> Duration {
        self.seconds / u32::try_from(self.targets.len()).unwrap_or(u32::MAX).max(1)
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn named(name: &str) -> Result<&'static Target, String> {
    let found = ALL.iter().find(|target| target.name == name);
    found.ok_or_else(|| format!("there is no target {name}; see --list"))
}
