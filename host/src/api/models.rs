//! `GET /v1/models` and `GET /v1/models/{id}`: what a client may write as `model`.

use std::sync::Arc;

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::json;

use super::respond::Answer;
use crate::{
    error::{Error, Result},
    pipeline,
    server::{App, Response},
};

/// All models of all providers in service.
pub(super) async fn list(app: &Arc<App>, headers: &HeaderMap) -> Result<Response> {
    let gateway = app.gateway();
    gateway.admit(headers)?;
    let models = pipeline::models::list(&gateway).await;
    Ok(respond(&json!({ "object": "list", "data": models })))
}

/// One model, under the id a client would write.
pub(super) async fn one(app: &Arc<App>, headers: &HeaderMap, id: &str) -> Result<Response> {
    let gateway = app.gateway();
    gateway.admit(headers)?;
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    match pipeline::models::find(&gateway, &id).await {
        Some(model) => Ok(respond(&model)),
        None => Err(Error::ModelNotFound {
            model: id.into_owned(),
            hint: "`GET /v1/models` lists those there are".to_owned(),
        }),
    }
}

fn respond(value: &serde_json::Value) -> Response {
    let mut response = Response::new(Answer::whole(value.to_string()));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
