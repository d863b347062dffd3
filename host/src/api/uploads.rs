//! Calls that come as a form: pictures to change, sound to write down. Of the form as much is read as it takes to find the model; the
//! rest goes through to the provider.

use std::{ops::Range, sync::Arc};

use bytes::BytesMut;
use hyper::{
    body::{Body as _, Incoming},
    header::CONTENT_TYPE,
    http::request::Parts,
};

use crate::{
    call::{Call, Form, Operation, Rest, Seen, Upload},
    config::Limits,
    error::{Error, Result},
};

/// Names the model of a form that does not, or not soon enough; the query `model` does the same.
const MODEL: &str = "x-witgate-model";

/// True for a call that comes as a form. Pictures to change may also come as JSON.
pub(super) fn is_form(operation: Operation, head: &Parts) -> bool {
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let json = kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/json"));
    operation.is_form() && !(operation == Operation::ImageEdits && json)
}

/// Reads a form up to its model. `limits.body_bytes` is how far that may be, `limits.upload_bytes` how long the whole.
pub(super) async fn read(operation: Operation, id: &str, head: Parts, body: Incoming, limits: &Limits) -> Result<Call> {
    let content_type = head.headers.get(CONTENT_TYPE).cloned();
    let form = content_type.as_ref().and_then(|kind| Form::of(kind.to_str().ok()?));
    let (Some(content_type), Some(form)) = (content_type, form) else {
        let message = "The body must be a form: `content-type: multipart/form-data` with a boundary.";
        return Err(Error::invalid(message, None));
    };
    let limit = limits.upload_bytes;
    if body.size_hint().lower() > limit as u64 {
        return Err(Error::BodyTooLarge { limit });
    }
    let mut rest = Rest::new(body, limit as u64, limit, limits.read_timeout);
    let (head_of_form, model) = match named(&head) {
        Some(model) => (BytesMut::from(&*form.model_part(&model)), form.model_value(&model)),
        None => {
            let found = search(form, &rest, limits).await;
            if found.is_err() {
                rest.hear_out().await;
            }
            let found = found?;
            rest.begin(found.0.len());
            found
        }
    };
    let name = String::from_utf8_lossy(head_of_form.get(model.clone()).unwrap_or_default()).into_owned();
    if name.trim().is_empty() {
        rest.hear_out().await;
        return Err(Error::invalid("you must provide a model parameter", Some("model")));
    }
    let upload = Upload {
        content_type,
        head: head_of_form.freeze(),
        model,
        rest: (rest.length() != Some(0)).then(|| Arc::new(rest)),
    };
    Call::form(operation, id.to_owned(), head.headers, &name, upload)
}

/// The model, where the request names it beside its body.
fn named(head: &Parts) -> Option<String> {
    let header = head.headers.get(MODEL).and_then(|model| model.to_str().ok());
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let asked = || url::form_urlencoded::parse(query).find(|(key, _)| key == "model");
    let name = header
        .map(str::to_owned)
        .or_else(|| asked().map(|(_, model)| model.into_owned()))?;
    // It becomes a part of the form.
    (!name.contains(['\r', '\n'])).then_some(name)
}

/// Reads a form up to its model: what was read, and where in it the model stands.
async fn search(mut form: Form, rest: &Rest, limits: &Limits) -> Result<(BytesMut, Range<usize>)> {
    let mut head = BytesMut::new();
    loop {
        let wrong = |what| Error::invalid(format!("The form cannot be read: {what}."), None);
        match form.look(&head).map_err(wrong)? {
            Seen::Model(model) => return Ok((head, model)),
            Seen::Over => return Err(Error::invalid("you must provide a model parameter", Some("model"))),
            Seen::Nothing if head.len() > limits.body_bytes => return Err(too_late(limits)),
            Seen::Nothing => {}
        }
        match rest.next().await {
            None => return Err(Error::invalid("The form ends in the middle of a part.", None)),
            Some(Err(_)) => return Err(rest.failure().unwrap_or(Error::ClientGone)),
            Some(Ok(piece)) => head.extend_from_slice(&piece),
        }
    }
}

fn too_late(limits: &Limits) -> Error {
    let message = format!(
        "The form names no `model` in its first {} bytes: put that field before the file, or name the model in the query (`?model=NAME`) \
         or the header `{MODEL}` and leave it out of the form.",
        limits.body_bytes
    );
    Error::invalid(message, Some("model"))
}
