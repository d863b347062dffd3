//! Credentials: an API key for the Gemini API; for Vertex AI an access token, or what a key file of Google's is exchanged for.
//!
//! The file of a service account holds a private key: a signed statement (a JWT, RFC 7523) is exchanged for an access token. The file
//! that `gcloud auth application-default login` leaves holds a refresh token instead. Neither secret is seen here.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;
use witgate_sdk::{Context, Credentials, Failure, Http, Kind, Request, Response, Result, crypto};

use crate::endpoint;
use crate::error;

/// Where tokens are exchanged if the key file does not say.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// What a token is asked to allow.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long the signed statement holds, in seconds; Google takes no longer one.
const HOLDS: u64 = 3600;
/// The setting that holds the private key.
pub(crate) const PRIVATE_KEY: &str = "service_account_key.private_key";
/// The setting that holds the secret of the application that a user has let in.
pub(crate) const CLIENT_SECRET: &str = "service_account_key.client_secret";
/// The setting that holds what the user gave that application.
pub(crate) const REFRESH_TOKEN: &str = "service_account_key.refresh_token";

/// A key file of Google's, without its secrets.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Account<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    /// the project that the account belongs to
    #[serde(borrow)]
    pub(crate) project_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_email: Option<Cow<'a, str>>,
    #[serde(borrow)]
    private_key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    token_uri: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_id: Option<Cow<'a, str>>,
}

/// What the token endpoint answers.
#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: Option<u64>,
}

/// What requests must carry.
pub(crate) async fn credentials(ctx: Context, http: Http) -> Result<Credentials> {
    let (config, endpoint) = endpoint::of(&ctx)?;
    if let Some(account) = &config.service_account_key {
        let reply = http.fetch(account.exchange(&ctx)?).await?;
        return token(&reply);
    }
    match (config.api_key, endpoint.vertex) {
        (Some(key), true) => Ok(Credentials::bearer(&key)),
        (Some(key), false) => Ok(Credentials::new().header("x-goog-api-key", key.into_owned())),
        (None, true) => Err(wrong(
            "Vertex AI needs service_account_key, or an access token as api_key.",
        )),
        // The operator's own headers may carry it.
        (None, false) => Ok(Credentials::new()),
    }
}

impl Account<'_> {
    /// The request that exchanges what the file holds for an access token.
    fn exchange(&self, ctx: &Context) -> Result<Request> {
        let uri = self.token_uri.as_deref().unwrap_or(TOKEN_URI);
        let request = Request::post(uri).credentials(false).idempotent();
        match self.r#type.as_deref() {
            Some("service_account") | None => {
                let statement = self.statement(uri, ctx.now_unix())?;
                Ok(request.form(&[
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", &statement),
                ]))
            }
            Some("authorized_user") => {
                let id = self.client_id.as_deref();
                Ok(request.form(&[
                    ("grant_type", "refresh_token"),
                    (
                        "client_id",
                        id.ok_or_else(|| wrong("service_account_key lacks client_id."))?,
                    ),
                    ("client_secret", &ctx.secret(CLIENT_SECRET)?),
                    ("refresh_token", &ctx.secret(REFRESH_TOKEN)?),
                ]))
            }
            Some(_) => Err(wrong(
                "service_account_key is of a type other than service_account and authorized_user.",
            )),
        }
    }

    /// The statement "I am this account", signed.
    fn statement(&self, audience: &str, now: u64) -> Result<String> {
        let email = self.client_email.as_deref();
        let email = email
            .ok_or_else(|| wrong("service_account_key is no key file of a service account: it lacks client_email."))?;
        let mut head = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(id) = self.private_key_id.as_deref() {
            head["kid"] = id.into();
        }
        let claims = json!({"iss": email, "scope": SCOPE, "aud": audience, "iat": now, "exp": now + HOLDS});
        let mut statement = base64url(head.to_string().as_bytes());
        statement.push('.');
        statement.push_str(&base64url(claims.to_string().as_bytes()));
        let signature = crypto::sign("rs256", PRIVATE_KEY, statement.as_bytes())?;
        statement.push('.');
        statement.push_str(&base64url(&signature));
        Ok(statement)
    }
}

fn token(reply: &Response) -> Result<Credentials> {
    if !reply.is_success() {
        return Err(error::from_reply(reply).with_kind(Kind::Authentication));
    }
    let token: Token = reply.json()?;
    let credentials = Credentials::bearer(&token.access_token);
    Ok(match token.expires_in {
        Some(seconds) => credentials.expires_in(seconds),
        None => credentials,
    })
}

fn wrong(text: &str) -> Failure {
    Failure::new(Kind::Config, text)
}

/// Base64 for URLs, without padding (RFC 4648, 5).
fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let padded = chunk.iter().chain([&0, &0]).take(3);
        let bits = padded.fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[bits >> (18 - 6 * digit) & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64url;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, 10, without the padding.
        let cases = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
        ];
        for (text, encoded) in cases {
            assert_eq!(base64url(text.as_bytes()), encoded);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }
}
