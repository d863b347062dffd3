//! Credentials of the machine itself: from a container's endpoint (ECS, EKS), or from an instance's metadata service (EC2, by its
//! second version: a token first).

use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, HeaderName},
};
use serde::Deserialize;

use super::{Credentials, chain::Reason, time};
use crate::{
    secret::Secret,
    transport::{
        environment::Environment,
        key_file,
        metadata::{self, Reach, header},
    },
};

/// Where the services are.
const CONTAINER: &str = "http://169.254.170.2";
const INSTANCE: &str = "http://169.254.169.254";
/// How long a token of the instance's service is good, in seconds.
const TOKEN_LIFE: &str = "300";

/// What both services answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

/// Those of the container that the gateway runs in.
pub(super) async fn container(environment: &Environment) -> Result<Credentials, Reason> {
    let url = match environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        Some(path) => format!("{CONTAINER}{path}"),
        None => environment
            .get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
            .ok_or("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set")?,
    };
    let token = match environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => {
            let read = key_file::read(&path).await;
            Some(read.map_err(|error| format!("the container's token file {path} cannot be read: {error}"))?)
        }
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    let headers = match token {
        Some(token) => header(AUTHORIZATION, token.trim())?,
        None => HeaderMap::new(),
    };
    let text = ask(Method::GET, &url, headers).await;
    read(&text.map_err(|reason| format!("the container's credentials: {reason}"))?)
}

/// Those of the instance's role.
pub(super) async fn instance(environment: &Environment) -> Result<Credentials, Reason> {
    let named = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let base = named.unwrap_or_else(|| INSTANCE.to_owned());
    let base = base.trim_end_matches('/');
    let answered = async {
        let session = session(&format!("{base}/latest/api/token")).await?;
        of_role(&format!("{base}/latest/meta-data/iam/security-credentials/"), session).await
    };
    answered
        .await
        .map_err(|reason| format!("the instance's credentials: {reason}"))
}

/// The header that the second version of the instance's service wants: a token, which it gives out at this address.
pub(super) async fn session(url: &str) -> Result<HeaderMap, Reason> {
    let life = header(
        HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds"),
        TOKEN_LIFE,
    )?;
    let token = ask(Method::PUT, url, life).await?;
    header(HeaderName::from_static("x-aws-ec2-metadata-token"), token.trim())
}

/// The credentials of the role that the instance has; at `roles` it is named, and its credentials are below.
pub(super) async fn of_role(roles: &str, session: HeaderMap) -> Result<Credentials, Reason> {
    let role = ask(Method::GET, roles, session.clone()).await?;
    let role = role.lines().next().map(str::trim).filter(|role| !role.is_empty());
    let role = role.ok_or_else(|| "the instance has no role".to_owned())?;
    read(&ask(Method::GET, &format!("{}/{role}", roles.trim_end_matches('/')), session).await?)
}

/// The region of the zone that is named at this address: a zone has a letter more, as in `us-east-2b`.
pub(super) async fn region(zone: &str, session: HeaderMap) -> Result<String, Reason> {
    let mut zone = ask(Method::GET, zone, session).await?.trim().to_owned();
    zone.pop()
        .map(|_| zone)
        .ok_or_else(|| "the instance is in no zone".to_owned())
}

fn read(text: &str) -> Result<Credentials, Reason> {
    let answer: Answer =
        serde_json::from_str(text).map_err(|_| "the metadata service's answer holds no credentials".to_owned())?;
    Ok(Credentials {
        access_key_id: answer.access_key_id,
        secret_access_key: Secret::new(answer.secret_access_key),
        session_token: answer.token.map(Secret::new),
        expire: answer.expiration.as_deref().and_then(time::parse),
    })
}

/// The text of an answer of status 200.
async fn ask(method: Method, url: &str, headers: HeaderMap) -> Result<String, Reason> {
    match metadata::ask(method, url, headers, Reach::Known).await? {
        (200, text) => Ok(text),
        (status, _) => Err(format!("status {status}")),
    }
}
