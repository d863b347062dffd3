//! The gateway's HTTP face: one table of endpoints, and the one place where an [`Error`] becomes a response.

mod calls;
pub mod error;
mod models;
mod respond;
mod status;
mod uploads;

use std::sync::Arc;

use hyper::{Method, Request, body::Incoming};
use matchit::Router;

use crate::{
    call::Operation,
    error::{Error, Result},
    server::{App, Response},
};
use error::Shape;
pub use respond::Answer;

/// What there is to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Call(Operation),
    Models,
    Model,
    Root,
    Healthy,
    Ready,
    Metrics,
    Admin,
}

/// To add an endpoint: a row here, and its file.
const ENDPOINTS: &[(Method, &str, Endpoint)] = &[
    (Method::POST, "/v1/chat/completions", Endpoint::Call(Operation::Chat)),
    (Method::POST, "/v1/completions", Endpoint::Call(Operation::Completions)),
    (Method::POST, "/v1/embeddings", Endpoint::Call(Operation::Embeddings)),
    (Method::POST, "/v1/messages", Endpoint::Call(Operation::Messages)),
    (Method::POST, "/v1/responses", Endpoint::Call(Operation::Responses)),
    (
        Method::POST,
        "/v1/messages/count_tokens",
        Endpoint::Call(Operation::CountTokens),
    ),
    (
        Method::POST,
        "/v1/images/generations",
        Endpoint::Call(Operation::Images),
    ),
    (Method::POST, "/v1/audio/speech", Endpoint::Call(Operation::Speech)),
    (Method::POST, "/v1/images/edits", Endpoint::Call(Operation::ImageEdits)),
    (
        Method::POST,
        "/v1/images/variations",
        Endpoint::Call(Operation::ImageVariations),
    ),
    (
        Method::POST,
        "/v1/audio/transcriptions",
        Endpoint::Call(Operation::Transcriptions),
    ),
    (
        Method::POST,
        "/v1/audio/translations",
        Endpoint::Call(Operation::Translations),
    ),
    (Method::POST, "/v1/moderations", Endpoint::Call(Operation::Moderations)),
    (Method::POST, "/v1/rerank", Endpoint::Call(Operation::Rerank)),
    (Method::GET, "/v1/models", Endpoint::Models),
    (Method::GET, "/v1/models/{*id}", Endpoint::Model),
    (Method::GET, "/", Endpoint::Root),
    (Method::GET, "/healthz", Endpoint::Healthy),
    (Method::GET, "/readyz", Endpoint::Ready),
    (Method::GET, "/metrics", Endpoint::Metrics),
    (Method::GET, "/admin/{*path}", Endpoint::Admin),
];

/// The table, ready to look up.
pub struct Endpoints(Router<Vec<(Method, Endpoint)>>);

impl Endpoints {
    /// Builds the look-up from the table.
    pub fn new() -> Self {
        let mut router: Router<Vec<(Method, Endpoint)>> = Router::new();
        for (method, path, endpoint) in ENDPOINTS {
            let row = (method.clone(), *endpoint);
            match router.at_mut(path) {
                Ok(found) => found.value.push(row),
                Err(_) => router
                    .insert(*path, vec![row])
                    .expect("the table's paths do not conflict"),
            }
        }
        Self(router)
    }

    /// The endpoint, and the rest of the path where it takes one.
    fn find(&self, method: &Method, path: &str) -> Result<(Endpoint, String)> {
        let (asked, path) = (method.to_string(), path.to_owned());
        let Ok(found) = self.0.at(&path) else {
            return Err(Error::NoSuchPath { method: asked, path });
        };
        // HEAD is GET without a body; the server leaves the body out.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let Some((_, endpoint)) = found.value.iter().find(|(m, _)| m == method) else {
            let allowed: Vec<_> = found.value.iter().map(|(m, _)| m.as_str()).collect();
            return Err(Error::WrongMethod {
                method: asked,
                allowed: allowed.join(", "),
                path,
            });
        };
        let rest = found
            .params
            .iter()
            .next()
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default();
        Ok((*endpoint, rest))
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self::new()
    }
}

/// Answers one request. Every error has been turned into a response.
pub async fn handle(app: &Arc<App>, request: Request<Incoming>) -> Response {
    let id = respond::request_id(request.headers());
    let (endpoint, rest) = match app.endpoints.find(request.method(), request.uri().path()) {
        Ok(found) => found,
        Err(error) => return error::response(&error, &id, Shape::of(&request)),
    };
    let shape = Shape::of(&request);
    let answer = match endpoint {
        Endpoint::Call(operation) => return calls::handle(app, operation, id, request).await,
        Endpoint::Models => {
            models::list(app, request.headers(), request.uri().query().unwrap_or_default(), shape).await
        }
        Endpoint::Model => models::one(app, request.headers(), &rest, shape).await,
        Endpoint::Root => Ok(status::root()),
        Endpoint::Healthy => Ok(status::healthy()),
        Endpoint::Ready => Ok(status::ready(app)),
        Endpoint::Metrics => Ok(status::metrics(app)),
        Endpoint::Admin => crate::admin::handle(app, request.headers(), &rest),
    };
    match answer {
        Ok(response) => respond::with_id(response, &id, shape),
        Err(error) => error::response(&error, &id, shape),
    }
}
