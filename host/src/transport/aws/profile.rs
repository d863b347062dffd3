//! The files that AWS's tools share: `~/.aws/credentials` and `~/.aws/config`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{Credentials, chain::Reason};
use crate::secret::Secret;

/// These files are small; a larger one is a mistake.
const LIMIT: u64 = 1 << 20;

/// A profile.
#[derive(Debug, Default)]
pub(super) struct Profile {
    name: String,
    access_key_id: Option<String>,
    secret_access_key: Option<Secret>,
    session_token: Option<Secret>,
    pub(super) region: Option<String>,
    pub(super) role_arn: Option<String>,
    pub(super) role_session_name: Option<String>,
    pub(super) source_profile: Option<String>,
    pub(super) web_identity_token_file: Option<String>,
    /// It names a way to credentials that is not gone here.
    other: Option<&'static str>,
}

impl Profile {
    /// Its own keys.
    pub(super) fn keys(&self) -> Result<Credentials, Reason> {
        if let (Some(id), Some(secret)) = (&self.access_key_id, &self.secret_access_key) {
            return Ok(Credentials {
                access_key_id: id.clone(),
                secret_access_key: secret.clone(),
                session_token: self.session_token.clone(),
                expire: None,
            });
        }
        let name = &self.name;
        Err(match self.other {
            Some(other) => format!("the profile `{name}` gets its credentials by `{other}`, which is not done here"),
            None => format!("the profile `{name}` has no aws_access_key_id and aws_secret_access_key"),
        })
    }
}

/// Reads the profile `name` from the two files, credentials first; what both have counts in the first.
pub(super) fn read(files: &[PathBuf; 2], name: &str) -> Result<Profile, Reason> {
    let [credentials, config] = files;
    let in_config = format!("profile {name}");
    let mut keys = section(&load(config)?, |title| {
        title == in_config || (title == name && name == "default")
    });
    let own = section(&load(credentials)?, |title| title == name);
    if keys.is_none() && own.is_none() {
        let (credentials, config) = (credentials.display(), config.display());
        return Err(format!("there is no profile `{name}` in {credentials} or {config}"));
    }
    let mut keys = keys.take().unwrap_or_default();
    keys.extend(own.unwrap_or_default());
    let other = [
        "sso_session",
        "sso_start_url",
        "credential_process",
        "credential_source",
    ];
    let other = other.into_iter().find(|other| keys.contains_key(*other));
    let mut take = |key: &str| keys.remove(key).filter(|value| !value.is_empty());
    Ok(Profile {
        name: name.to_owned(),
        access_key_id: take("aws_access_key_id"),
        secret_access_key: take("aws_secret_access_key").map(Secret::new),
        session_token: take("aws_session_token").map(Secret::new),
        region: take("region"),
        role_arn: take("role_arn"),
        role_session_name: take("role_session_name"),
        source_profile: take("source_profile"),
        web_identity_token_file: take("web_identity_token_file"),
        other,
    })
}

/// A file's text; "" if there is none. The error names the path and never what a file holds.
fn load(path: &Path) -> Result<String, Reason> {
    let wrong = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        opened => opened.map_err(wrong)?,
    };
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).map_err(wrong)?;
    Ok(text)
}

/// The keys of a section. What is indented belongs to a key of settings that are not ours.
fn section(text: &str, wanted: impl Fn(&str) -> bool) -> Option<BTreeMap<String, String>> {
    let (mut found, mut within): (Option<BTreeMap<String, String>>, bool) = (None, false);
    for line in text.lines() {
        if line.starts_with([' ', '\t', '#', ';']) || line.trim().is_empty() {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let title = rest.split(']').next().unwrap_or_default();
            let title = title.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            within = wanted(&title);
            if within {
                found.get_or_insert_default();
            }
        } else if let (true, Some(found), Some((key, value))) = (within, &mut found, line.split_once('=')) {
            // A comment may follow after a blank.
            let value = value.split(" #").next().unwrap_or_default();
            let value = value.split(" ;").next().unwrap_or_default();
            found.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}
