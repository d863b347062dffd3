//! The files that AWS's tools share: `~/.aws/credentials` and `~/.aws/config`.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use super::{Credentials, chain::Reason};
use crate::{secret::Secret, transport::key_file};

/// Both files, as they are now.
pub(super) struct Files {
    paths: Paths,
    credentials: Secret,
    config: String,
}

/// Where they are.
pub(super) struct Paths {
    pub(super) credentials: PathBuf,
    pub(super) config: PathBuf,
}

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
    /// Another profile, whose keys its role is assumed with; or itself.
    pub(super) source_profile: Option<String>,
    /// The same, from elsewhere: "Environment", "EcsContainer", "Ec2InstanceMetadata".
    pub(super) credential_source: Option<String>,
    pub(super) web_identity_token_file: Option<String>,
    /// It names a way to credentials that is not gone here.
    other: Option<&'static str>,
}

impl Profile {
    fn of(name: &str, mut keys: BTreeMap<String, String>) -> Self {
        let other = ["sso_session", "sso_start_url", "credential_process"];
        let other = other.into_iter().find(|other| keys.contains_key(*other));
        let mut take = |key: &str| keys.remove(key).filter(|value| !value.is_empty());
        Self {
            name: name.to_owned(),
            access_key_id: take("aws_access_key_id"),
            secret_access_key: take("aws_secret_access_key").map(Secret::new),
            session_token: take("aws_session_token").map(Secret::new),
            region: take("region"),
            role_arn: take("role_arn"),
            role_session_name: take("role_session_name"),
            source_profile: take("source_profile"),
            credential_source: take("credential_source"),
            web_identity_token_file: take("web_identity_token_file"),
            other,
        }
    }

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

impl Files {
    /// Reads both. One that is not there is empty.
    pub(super) fn read_blocking(paths: Paths) -> Result<Self, Reason> {
        Ok(Self {
            credentials: Secret::new(load(&paths.credentials)?),
            config: load(&paths.config)?,
            paths,
        })
    }

    /// The same beside the requests that are under way.
    pub(super) async fn read(paths: Paths) -> Result<Self, Reason> {
        let read = key_file::beside(|| Self::read_blocking(paths)).await;
        read.map_err(|error| error.to_string())?
    }

    /// The profile `name`; what both files have counts in that of the credentials.
    pub(super) fn profile(&self, name: &str) -> Result<Profile, Reason> {
        let in_config = format!("profile {name}");
        let keys = section(&self.config, |title| {
            title == in_config || (title == name && name == "default")
        });
        let own = section(self.credentials.expose(), |title| title == name);
        if keys.is_none() && own.is_none() {
            let (credentials, config) = (self.paths.credentials.display(), self.paths.config.display());
            return Err(format!("there is no profile `{name}` in {credentials} or {config}"));
        }
        let mut keys = keys.unwrap_or_default();
        keys.extend(own.unwrap_or_default());
        if keys.contains_key("source_profile") && keys.contains_key("credential_source") {
            return Err(format!(
                "the profile `{name}` has both source_profile and credential_source"
            ));
        }
        Ok(Profile::of(name, keys))
    }
}

/// A file's text; "" if there is none. The error names the path and never what a file holds.
fn load(path: &Path) -> Result<String, Reason> {
    match key_file::read_blocking(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| format!("{} cannot be read: {error}", path.display())),
    }
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
