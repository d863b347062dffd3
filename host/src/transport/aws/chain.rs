//! Where credentials come from: the provider's own settings, else the environment, a web identity, the profile's files. What a cloud's
//! metadata service hands out is asked for only where the operator says so (`credentials = "container"` or `"instance"`): it gives
//! the machine's rights to whoever asks.

use std::path::PathBuf;

use super::{
    Credentials, metadata,
    profile::{self, Profile},
    sts,
};
use crate::{
    secret::Secret,
    transport::{environment::Environment, key_file},
};

/// Why there are no credentials: what is missing and where it was looked for, or what broke.
pub(super) type Reason = String;

/// How many profiles may stand behind one another.
const DEEPEST: usize = 5;

/// What was found.
#[derive(Clone, Debug)]
pub enum Found {
    /// To sign with.
    Keys(Credentials),
    /// A key that travels as it is.
    Bearer(Secret),
}

/// What the operator said, and where else to look.
pub(super) struct Chain {
    pub(super) access_key_id: Option<String>,
    pub(super) secret_access_key: Option<Secret>,
    pub(super) session_token: Option<Secret>,
    pub(super) profile: Option<String>,
    pub(super) role_arn: Option<String>,
    pub(super) role_session_name: Option<String>,
    pub(super) web_identity_token_file: Option<String>,
    /// The one place to look: "environment", "web-identity", "profile", "container", "instance".
    pub(super) only: Option<String>,
    /// The variable that may hold a key instead.
    pub(super) bearer_variable: String,
    pub(super) environment: Environment,
}

impl Chain {
    /// The region that the environment or the profile names. For the time when a configuration is read: it reads files.
    pub(super) fn region(&self) -> Option<String> {
        region_of_variables(&self.environment).or_else(|| {
            let files = profile::Files::read_blocking(self.files()).ok()?;
            files.profile(&self.profile_name()).ok()?.region
        })
    }

    /// Credentials, from the first place that has any. A role of the operator's is assumed with them.
    pub(super) async fn find(&self, region: Option<&str>) -> Result<Found, Reason> {
        let found = self.find_own(region).await?;
        match (found, &self.role_arn, &self.web_identity_token_file) {
            (Found::Keys(keys), Some(role), None) => {
                let assumed = sts::assume(&self.sts(region), role, self.session(), &keys).await?;
                Ok(Found::Keys(assumed))
            }
            (found, ..) => Ok(found),
        }
    }

    async fn find_own(&self, region: Option<&str>) -> Result<Found, Reason> {
        if let (Some(id), Some(secret)) = (&self.access_key_id, &self.secret_access_key) {
            return Ok(Found::Keys(Credentials {
                access_key_id: id.clone(),
                secret_access_key: secret.clone(),
                session_token: self.session_token.clone(),
                expire: None,
            }));
        }
        if self.access_key_id.is_some() || self.secret_access_key.is_some() {
            return Err(none(
                "it has one of `access_key_id` and `secret_access_key` without the other",
            ));
        }
        if let (Some(role), Some(file)) = (&self.role_arn, &self.web_identity_token_file) {
            let assumed = self.by_web_identity(role, file, self.session(), region).await?;
            return Ok(Found::Keys(assumed));
        }
        match self.only.as_deref() {
            Some("environment") => self.by_variables().ok_or_else(|| none("AWS_ACCESS_KEY_ID is not set")),
            Some("web-identity") => match self.by_token_of_environment(region).await {
                Some(found) => found,
                None => Err(none("AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not set")),
            },
            Some("profile") => self.by_profile(region).await,
            Some("container") => metadata::container(&self.environment).await.map(Found::Keys),
            Some("instance") => metadata::instance(&self.environment).await.map(Found::Keys),
            Some(_) => Err(none(
                "its `credentials` is not one of \"environment\", \"web-identity\", \"profile\", \"container\" and \"instance\"",
            )),
            None => self.by_what_is_there(region).await,
        }
    }

    async fn by_what_is_there(&self, region: Option<&str>) -> Result<Found, Reason> {
        // A profile that the operator names is meant.
        if self.profile.is_none() {
            if let Some(found) = self.by_variables() {
                return Ok(found);
            }
            if let Some(found) = self.by_token_of_environment(region).await {
                return found;
            }
        }
        self.by_profile(region).await.map_err(|reason| match &self.profile {
            Some(_) => reason,
            None => format!(
                "it has neither `access_key_id` and `secret_access_key` nor `api_key`, the environment neither AWS_ACCESS_KEY_ID \
                 nor {} nor AWS_WEB_IDENTITY_TOKEN_FILE, and {reason}; where the machine has a role, set `credentials` to \
                 \"container\" or \"instance\"",
                self.bearer_variable
            ),
        })
    }

    fn by_variables(&self) -> Option<Found> {
        if let Some(key) = self.environment.get(&self.bearer_variable) {
            return Some(Found::Bearer(Secret::new(key)));
        }
        keys_of_variables(&self.environment).map(Found::Keys)
    }

    async fn by_token_of_environment(&self, region: Option<&str>) -> Option<Result<Found, Reason>> {
        let file = self.environment.get("AWS_WEB_IDENTITY_TOKEN_FILE")?;
        let role = self.environment.get("AWS_ROLE_ARN")?;
        let session = self.environment.get("AWS_ROLE_SESSION_NAME");
        let assumed = self.by_web_identity(&role, &file, session.as_deref(), region).await;
        Some(assumed.map(Found::Keys))
    }

    async fn by_web_identity(
        &self,
        role: &str,
        file: &str,
        session: Option<&str>,
        region: Option<&str>,
    ) -> Result<Credentials, Reason> {
        let token = key_file::read(file).await;
        let token = token.map_err(|error| format!("the web identity token file {file} cannot be read: {error}"))?;
        sts::assume_by_web_identity(&self.sts(region), role, session, token.trim()).await
    }

    async fn by_profile(&self, region: Option<&str>) -> Result<Found, Reason> {
        let files = profile::Files::read(self.files()).await?;
        let mut found: Option<Credentials> = None;
        for profile in self.profiles(&files)?.iter().rev() {
            let session = profile.role_session_name.as_deref();
            found = Some(match (&profile.role_arn, &profile.web_identity_token_file, found) {
                (Some(role), Some(file), _) => self.by_web_identity(role, file, session, region).await?,
                (Some(role), None, Some(source)) => sts::assume(&self.sts(region), role, session, &source).await?,
                (Some(role), None, None) => {
                    let source = self.source_of(profile).await?;
                    sts::assume(&self.sts(region), role, session, &source).await?
                }
                (None, ..) => profile.keys()?,
            });
        }
        found.map(Found::Keys).ok_or_else(|| none("there is no profile"))
    }

    /// The profile itself, then those that are the source of the one before.
    fn profiles(&self, files: &profile::Files) -> Result<Vec<Profile>, Reason> {
        let mut profiles: Vec<Profile> = Vec::new();
        let mut name = Some(self.profile_name());
        while let Some(next) = name.take() {
            if profiles.len() >= DEEPEST {
                let first = self.profile_name();
                return Err(format!("the profile `{first}` has too many others behind it"));
            }
            let profile = files.profile(&next)?;
            name = profile
                .source_profile
                .clone()
                .filter(|source| *source != next && profile.role_arn.is_some());
            profiles.push(profile);
        }
        Ok(profiles)
    }

    /// The keys that a profile's role is assumed with, where no other profile has them. A container's and an instance's are asked for
    /// since the profile says so, which is the operator's.
    async fn source_of(&self, profile: &Profile) -> Result<Credentials, Reason> {
        match profile.credential_source.as_deref() {
            None => profile.keys(),
            Some("Environment") => {
                keys_of_variables(&self.environment).ok_or_else(|| none("AWS_ACCESS_KEY_ID is not set"))
            }
            Some("EcsContainer") => metadata::container(&self.environment).await,
            Some("Ec2InstanceMetadata") => metadata::instance(&self.environment).await,
            Some(_) => Err(none(
                "the profile's credential_source is not one of Environment, EcsContainer and Ec2InstanceMetadata",
            )),
        }
    }

    fn profile_name(&self) -> String {
        let named = self.profile.clone().or_else(|| self.environment.get("AWS_PROFILE"));
        named.unwrap_or_else(|| "default".to_owned())
    }

    /// Where the shared files are.
    fn files(&self) -> profile::Paths {
        let home = self
            .environment
            .get("HOME")
            .or_else(|| self.environment.get("USERPROFILE"))
            .unwrap_or_default();
        let path = |variable: &str, name: &str| {
            let named = self.environment.get(variable).map(PathBuf::from);
            named.unwrap_or_else(|| PathBuf::from(&home).join(".aws").join(name))
        };
        profile::Paths {
            credentials: path("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            config: path("AWS_CONFIG_FILE", "config"),
        }
    }

    fn session(&self) -> Option<&str> {
        self.role_session_name.as_deref()
    }

    fn sts(&self, region: Option<&str>) -> sts::Endpoint {
        let named = self
            .environment
            .get("AWS_ENDPOINT_URL_STS")
            .or_else(|| self.environment.get("AWS_ENDPOINT_URL"));
        sts::Endpoint::new(named, region)
    }
}

/// The keys that the environment holds.
pub(super) fn keys_of_variables(environment: &Environment) -> Option<Credentials> {
    Some(Credentials {
        access_key_id: environment.get("AWS_ACCESS_KEY_ID")?,
        secret_access_key: Secret::new(environment.get("AWS_SECRET_ACCESS_KEY")?),
        session_token: environment.get("AWS_SESSION_TOKEN").map(Secret::new),
        expire: None,
    })
}

/// The region that the environment names.
pub(super) fn region_of_variables(environment: &Environment) -> Option<String> {
    ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .iter()
        .find_map(|name| environment.get(name))
}

fn none(what: &str) -> Reason {
    what.to_owned()
}
