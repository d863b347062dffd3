//! `GET /admin/adapters`: every adapter file, what has become of it, and why.

use serde_json::{Value, json};

use crate::server::App;

/// The states of all adapter files, as `{"adapters": [State]}`; see [`State`](crate::reload::State).
pub(super) fn list(app: &App) -> Value {
    json!({ "adapters": *app.adapters.states() })
}
