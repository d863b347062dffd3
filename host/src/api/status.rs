//! How the gateway is: for probes and for Prometheus.

use std::sync::Arc;

use hyper::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};

use super::respond::Answer;
use crate::server::{App, Response};

/// `GET /`: there is somebody. Clients of Anthropic's API ask so, without a key, before they ask for more.
pub(super) fn root() -> Response {
    json(format!(
        r#"{{"name":"witgate","version":"{}"}}"#,
        env!("CARGO_PKG_VERSION")
    ))
}

/// `GET /healthz`: the process runs.
pub(super) fn healthy() -> Response {
    json(format!(
        r#"{{"status":"ok","version":"{}"}}"#,
        env!("CARGO_PKG_VERSION")
    ))
}

/// `GET /readyz`: requests are welcome. 503 while draining.
pub(super) fn ready(app: &Arc<App>) -> Response {
    if app.draining() {
        let mut response = json(r#"{"status":"draining"}"#.to_owned());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return response;
    }
    let gateway = app.gateway();
    let served = gateway.providers.iter().filter(|p| p.unusable().is_none()).count();
    json(format!(
        r#"{{"status":"ok","providers":{served},"configured":{}}}"#,
        gateway.providers.len()
    ))
}

/// `GET /metrics`
pub(super) fn metrics(app: &Arc<App>) -> Response {
    let mut response = Response::new(Answer::whole(app.telemetry.metrics()));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    );
    response
}

fn json(text: String) -> Response {
    let mut response = Response::new(Answer::whole(text));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
