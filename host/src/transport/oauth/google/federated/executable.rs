//! A program of the operator's that gives out the workload's statement ("executable-sourced credentials", AIP-4117). It is run only
//! where the environment allows it, as Google's own tools have it: whoever can write a key file could run anything otherwise.

use std::{
    process::{ExitStatus, Stdio},
    time::{Duration, SystemTime},
};

use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
};

use super::{Federated, said};
use crate::{
    secret::Secret,
    transport::{environment::Environment, key_file},
};

/// The variable that allows it, by "1".
const ALLOW: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
/// The newest form of an answer.
const VERSION: u64 = 1;
/// How long the program may run if the key file does not say, and the bounds of what it may say, in milliseconds.
const TIMEOUT: u64 = 30_000;
const SHORTEST: u64 = 5_000;
const LONGEST: u64 = 120_000;
/// An answer is a few kilobytes.
const LIMIT: u64 = 64 << 10;

/// What the key file says of the program.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Executable {
    command: Option<String>,
    timeout_millis: Option<u64>,
    /// Where the program keeps its last answer.
    output_file: Option<String>,
}

/// What the program answers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    version: Option<u64>,
    success: Option<bool>,
    token_type: Option<String>,
    id_token: Option<Secret>,
    saml_response: Option<Secret>,
    /// In seconds since 1970.
    expiration_time: Option<f64>,
    code: Value,
    message: Option<String>,
}

impl Executable {
    /// The statement about the workload of this key file: that of the last answer while it holds, else of a new one.
    pub(super) async fn statement(&self, of: &Federated, environment: &Environment) -> Result<Secret, String> {
        if environment.get(ALLOW).as_deref() != Some("1") {
            return Err(format!(
                "the key file's credential_source is a program, which is run only where {ALLOW} is 1"
            ));
        }
        if let Some(kept) = self.kept().await {
            return Ok(kept);
        }
        let answered = self.run(of).await.and_then(|text| Answer::read(&text)?.token());
        answered.map_err(|reason| format!("the program of the key file's credential_source {reason}"))
    }

    /// What the program said before, if it says until when that holds.
    async fn kept(&self) -> Option<Secret> {
        let text = key_file::read(self.output_file.as_deref()?).await.ok()?;
        let answer = Answer::read(&text).ok()?;
        answer.expiration_time?;
        answer.token().ok()
    }

    /// What the program says.
    async fn run(&self, of: &Federated) -> Result<String, String> {
        let patience = self.patience()?;
        let mut command = self.command(of)?;
        let mut child = command.spawn().map_err(|error| {
            let called = command.as_std().get_program().to_string_lossy();
            format!("cannot be run: {}: {error}", key_file::shown(&called))
        })?;
        let ended = tokio::time::timeout(patience, output(&mut child)).await;
        let (text, status) = ended.map_err(|_| format!("has not ended within {patience:?}"))??;
        if !status.success() {
            let refusal = Answer::read(&text).ok().and_then(|answer| answer.refusal());
            return Err(refusal.unwrap_or_else(|| format!("has failed: {status}")));
        }
        match &self.output_file {
            Some(file) if text.trim().is_empty() => {
                let read = key_file::read(file).await;
                read.map_err(|error| format!("says nothing, and its output_file cannot be read: {error}"))
            }
            _ => Ok(text),
        }
    }

    fn patience(&self) -> Result<Duration, String> {
        let said = self.timeout_millis.unwrap_or(TIMEOUT);
        let good = (SHORTEST..=LONGEST).contains(&said);
        good.then(|| Duration::from_millis(said))
            .ok_or_else(|| format!("has a timeout_millis that is not from {SHORTEST} to {LONGEST}"))
    }

    fn command(&self, of: &Federated) -> Result<Command, String> {
        let words = said(&self.command, "command")?;
        let words = shlex::split(words).filter(|words| !words.is_empty());
        let words = words.ok_or("has a command whose quotes are not closed, or none")?;
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", said(&of.audience, "audience")?)
            .env(
                "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE",
                said(&of.subject_token_type, "subject_token_type")?,
            )
            .env("GOOGLE_EXTERNAL_ACCOUNT_ID", of.robot().unwrap_or_default())
            .env("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "0")
            .env("GOOGLE_EXTERNAL_ACCOUNT_REVOKE", "0")
            .envs(
                of.robot()
                    .map(|robot| ("GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL", robot)),
            )
            .envs(
                self.output_file
                    .iter()
                    .map(|file| ("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", file)),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // It may hold secrets, and is nobody's answer.
            .stderr(Stdio::null())
            .kill_on_drop(true);
        Ok(command)
    }
}

/// What a program has written when it ends, and how it ends.
async fn output(child: &mut Child) -> Result<(String, ExitStatus), String> {
    let mut text = String::new();
    if let Some(out) = child.stdout.take() {
        let read = out.take(LIMIT + 1).read_to_string(&mut text).await;
        read.map_err(|error| format!("cannot be read: {error}"))?;
    }
    if text.len() as u64 > LIMIT {
        return Err("has written too long an answer".to_owned());
    }
    let ended = child.wait().await;
    let ended = ended.map_err(|error| format!("has not ended: {error}"))?;
    Ok((text, ended))
}

impl Answer {
    fn read(text: &str) -> Result<Self, String> {
        let answer: Self =
            serde_json::from_str(text).map_err(|_| "has not answered in JSON as it should".to_owned())?;
        match (answer.version, answer.success) {
            (None, _) => Err("has answered without version".to_owned()),
            (Some(version), _) if version > VERSION => {
                Err(format!("has answered in version {version}, and not {VERSION}"))
            }
            (_, None) => Err("has answered without success".to_owned()),
            _ => Ok(answer),
        }
    }

    /// Why there is no token.
    fn refusal(&self) -> Option<String> {
        let message = self.message.as_deref().and_then(|message| message.lines().next());
        let code = self.code.as_str().map_or_else(|| self.code.to_string(), str::to_owned);
        let refused = self.success != Some(true);
        refused.then(|| format!("gives no token: {code}: {}", message.unwrap_or_default()))
    }

    fn token(self) -> Result<Secret, String> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
        if self.expiration_time.is_some_and(|at| at < now) {
            return Err("gives a token that has expired".to_owned());
        }
        let (token, name) = match self.token_type.as_deref() {
            Some("urn:ietf:params:oauth:token-type:jwt" | "urn:ietf:params:oauth:token-type:id_token") => {
                (self.id_token, "id_token")
            }
            Some("urn:ietf:params:oauth:token-type:saml2") => (self.saml_response, "saml_response"),
            Some(_) => return Err("gives a token of a type other than jwt, id_token and saml2".to_owned()),
            None => return Err("has answered without token_type".to_owned()),
        };
        token.ok_or_else(|| format!("has answered without {name}"))
    }
}
