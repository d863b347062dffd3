//! The admin API, behind the operator's key: one row per endpoint.

mod adapters;

use std::sync::Arc;

use hyper::{
    HeaderMap,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::Value;

use crate::{
    api::Answer,
    error::{Error, Result},
    gateway::shown_key,
    server::{App, Response},
};

/// An endpoint: what it shows of the application.
type Endpoint = fn(&App) -> Value;

/// The path below `/admin/`, and what is there.
const ENDPOINTS: &[(&str, Endpoint)] = &[("adapters", adapters::list)];

/// Answers `GET /admin/PATH`. Without an admin key in the configuration there is no admin API.
pub fn handle(app: &Arc<App>, headers: &HeaderMap, path: &str) -> Result<Response> {
    let gateway = app.gateway();
    let missing = || Error::NoSuchPath {
        method: "GET".to_owned(),
        path: format!("/admin/{path}"),
    };
    let Some(key) = &gateway.config.admin.key else {
        return Err(Error::NoAdmin);
    };
    if !shown_key(headers).is_some_and(|shown| key.is(shown)) {
        return Err(Error::Unauthorized(
            "The admin API wants the admin key, as `Authorization: Bearer KEY`.",
        ));
    }
    let (_, endpoint) = ENDPOINTS
        .iter()
        .find(|(name, _)| *name == path.trim_end_matches('/'))
        .ok_or_else(missing)?;
    let mut response = Response::new(Answer::whole(endpoint(app).to_string()));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
