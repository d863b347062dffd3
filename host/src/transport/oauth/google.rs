//! Google's tokens. A key file is exchanged for them: a service account's key signs a statement (RFC 7523), what `gcloud auth
//! application-default login` left holds a refresh token, and `federated` is for whom another issuer vouches. The file is the operator's
//! `service_account_key`, else that of Google's own tools. The machine's metadata service is asked only where the operator says so
//! (`credentials = "instance"`).

mod federated;

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::{Method, header::HeaderName};
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use self::federated::Federated;
use super::{Said, exchange, form, read, worded};
use crate::{
    crypto,
    secret::Secret,
    transport::{
        environment::Environment,
        key_file,
        metadata::{self, Reach, header},
        renewed::Held,
    },
};

/// The settings that are for it.
pub(super) const SETTINGS: &[&str] = &[KEY, "credentials", "scope"];
const KEY: &str = "service_account_key";
/// What names the key file for Google's own tools.
const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// Where tokens are given out if the key file does not say.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// What a token allows if nobody says.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// The machine's metadata service, unless GCE_METADATA_HOST says otherwise: its name, and the address that the name has everywhere.
const MACHINE: [&str; 2] = ["metadata.google.internal", "169.254.169.254"];
/// How long a statement holds, in seconds: Google takes no longer one.
const HOLDS: u64 = 3600;

/// Who asks for tokens.
pub(super) struct Account {
    key: Option<Value>,
    /// The one place to look: "application-default", "instance".
    only: Option<String>,
    scope: String,
    environment: Environment,
}

/// Where a key file is.
enum Place {
    /// In the settings.
    Here(Secret),
    /// Where a setting or variable says.
    Named(PathBuf, &'static str),
    /// Where `gcloud` leaves it.
    Gcloud(PathBuf),
}

/// What a key file says. Which of it is there depends on its type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct KeyFile {
    r#type: Option<String>,
    project_id: Option<String>,
    client_email: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<Secret>,
    token_uri: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
    #[serde(flatten)]
    federated: Federated,
}

impl Account {
    /// What the operator says of it, with a `scope` for where he names none.
    pub(super) fn new(said: Said<'_>, scope: Option<&str>) -> Self {
        let key = said.settings.get(KEY).cloned();
        let scope = said.text("scope").or_else(|| scope.map(str::to_owned));
        Self {
            key: key.filter(|key| key.is_object() || key.as_str().and_then(worded).is_some()),
            only: said.text("credentials"),
            scope: scope.unwrap_or_else(|| SCOPE.to_owned()),
            environment: said.environment,
        }
    }

    /// The operator says where the tokens come from.
    pub(super) fn is_named(&self) -> bool {
        self.key.is_some() || self.only.is_some()
    }

    /// Whether its tokens may go to `base`. What the operator did not name opens more than one service: it goes to Google's own hosts.
    pub(super) fn goes_to(&self, base: &Url) -> bool {
        let googles = |host: &str| host.ends_with(".googleapis.com");
        self.is_named() || (base.scheme() == "https" && base.domain().is_some_and(googles))
    }

    /// The project that the key file or the environment names. For the time when a configuration is read: it reads files.
    pub(super) fn project(&self) -> Option<String> {
        let file = match self.only.as_deref() {
            Some("instance") => None,
            _ => self.place().and_then(Place::read).ok(),
        };
        let project = file.and_then(|file| file.project_id);
        project.or_else(|| self.environment.get("GOOGLE_CLOUD_PROJECT"))
    }

    /// A token.
    pub(super) async fn fetch(&self) -> Result<Held<Secret>, String> {
        match (&self.key, self.only.as_deref()) {
            (Some(_), Some(_)) => Err(format!("it has both `{KEY}` and `credentials`")),
            (None, Some("instance")) => self.of_machine().await,
            (_, None | Some("application-default")) => self.of_file().await,
            (None, Some(_)) => {
                Err("its `credentials` is not one of \"application-default\" and \"instance\"".to_owned())
            }
        }
    }

    async fn of_file(&self) -> Result<Held<Secret>, String> {
        let place = self.place()?;
        let read = key_file::beside(|| place.read()).await;
        let file = read.map_err(|error| error.to_string())??;
        let uri = file.token_uri.as_deref().unwrap_or(TOKEN_URI);
        match file.r#type.as_deref() {
            Some("service_account") | None => {
                let statement = file.statement(&self.scope, uri, SystemTime::now())?;
                let fields = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", statement.expose()),
                ];
                exchange(form(uri, &fields)?).await
            }
            Some("authorized_user") => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("client_id", said(&file.client_id, "client_id")?.as_str()),
                    ("client_secret", said(&file.client_secret, "client_secret")?.expose()),
                    ("refresh_token", said(&file.refresh_token, "refresh_token")?.expose()),
                ];
                exchange(form(uri, &fields)?).await
            }
            Some("external_account") => {
                let federated = &file.federated;
                federated.fetch(&self.scope, file.client(), &self.environment).await
            }
            Some("external_account_authorized_user") => {
                let token = said(&file.refresh_token, "refresh_token")?;
                file.federated.refresh(token, file.client()).await
            }
            Some(_) => Err(
                "the key file is of a type other than service_account, authorized_user, external_account and \
                            external_account_authorized_user"
                    .to_owned(),
            ),
        }
    }

    fn place(&self) -> Result<Place, String> {
        match &self.key {
            Some(Value::String(text)) if text.trim_start().starts_with('{') => {
                Ok(Place::Here(Secret::new(text.as_str())))
            }
            Some(Value::String(path)) => Ok(Place::Named(path.trim().into(), KEY)),
            Some(object) => Ok(Place::Here(Secret::new(object.to_string()))),
            None => match self.environment.get(VARIABLE) {
                Some(path) => Ok(Place::Named(path.into(), VARIABLE)),
                None => self.of_gcloud().map(Place::Gcloud),
            },
        }
    }

    fn of_gcloud(&self) -> Result<PathBuf, String> {
        let below = |variable: &str, folder: &str| Some(Path::new(&self.environment.get(variable)?).join(folder));
        let folder = below("CLOUDSDK_CONFIG", "")
            .or_else(|| below("APPDATA", "gcloud"))
            .or_else(|| below("HOME", ".config/gcloud"));
        let folder = folder.ok_or_else(|| nothing("there is no home folder"))?;
        Ok(folder.join("application_default_credentials.json"))
    }

    /// A token of the account that the machine runs as.
    async fn of_machine(&self) -> Result<Held<Secret>, String> {
        let [name, address] = MACHINE;
        let host = self.environment.get("GCE_METADATA_HOST").filter(|host| host != name);
        let host = host.as_deref().unwrap_or(address);
        let scopes: String = form_urlencoded::byte_serialize(self.scope.as_bytes()).collect();
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token?scopes={scopes}");
        let meant = header(HeaderName::from_static("metadata-flavor"), "Google")?;
        let answered = metadata::ask(Method::GET, &url, meant, Reach::Known).await;
        let token = answered.and_then(|(status, text)| read(status, &text));
        token.map_err(|reason| format!("the machine's account: {reason}"))
    }
}

impl Place {
    /// Reads the key file. Errors say where it is, and never what it holds.
    fn read(self) -> Result<KeyFile, String> {
        let (text, called) = match self {
            Self::Here(text) => (text, format!("`{KEY}`")),
            Self::Named(path, by) => {
                let shown = path.to_string_lossy();
                let called = format!("`{by}` ({})", key_file::shown(&shown));
                let read = key_file::read_blocking(&path);
                let text = read.map_err(|error| format!("its {called} cannot be read: {error}"))?;
                (Secret::new(text), called)
            }
            Self::Gcloud(path) => {
                let read = key_file::read_blocking(&path);
                let called = path.display().to_string();
                let text = read.map_err(|error| nothing(&format!("{called} cannot be read: {error}")))?;
                (Secret::new(text), called)
            }
        };
        serde_json::from_str(text.expose()).map_err(|_| format!("its {called} is no key file of Google's"))
    }
}

impl KeyFile {
    /// What the file calls its client, if it has one.
    fn client(&self) -> federated::Client<'_> {
        Some((self.client_id.as_deref()?, self.client_secret.as_ref()?))
    }

    /// The statement "I am this account", signed.
    fn statement(&self, scope: &str, audience: &str, now: SystemTime) -> Result<Secret, String> {
        let email = said(&self.client_email, "client_email")?;
        let key = said(&self.private_key, "private_key")?;
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut head = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = self.private_key_id.as_deref() {
            head["kid"] = id.into();
        }
        let claims = json!({ "iss": email, "scope": scope, "aud": audience, "iat": now, "exp": now + HOLDS });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&head), encode(&claims));
        let signature = crypto::sign("rs256", key, signed.as_bytes());
        let signature = signature.map_err(|reason| format!("the key file's private_key: {reason}"))?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

/// What a key file has to say.
fn said<'a, T>(field: &'a Option<T>, name: &str) -> Result<&'a T, String> {
    field.as_ref().ok_or_else(|| format!("the key file lacks {name}"))
}

fn nothing(gcloud: &str) -> String {
    format!(
        "it has neither an `api_key` nor a `{KEY}`, {VARIABLE} is not set, and {gcloud}; where the machine has an account, set \
         `credentials` to \"instance\""
    )
}

#[cfg(test)]
mod tests;
