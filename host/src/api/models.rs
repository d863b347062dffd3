//! `GET /v1/models` and `GET /v1/models/{id}`: what a client may write as `model`, in the shape of the API it speaks.

use std::sync::Arc;

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::{error::Shape, respond::Answer};
use crate::{
    error::{Error, Result},
    pipeline,
    server::{App, Response},
};

/// When a model was made whose provider does not say: Anthropic's clients want a time.
const UNKNOWN: &str = "1970-01-01T00:00:00Z";

/// All models of all providers in service. `query` is the request's, for clients that ask for pages.
pub(super) async fn list(app: &Arc<App>, headers: &HeaderMap, query: &str, shape: Shape) -> Result<Response> {
    let gateway = app.gateway();
    gateway.admit(headers)?;
    let models = pipeline::models::list(&gateway).await;
    Ok(respond(&match shape {
        Shape::OpenAi => json!({ "object": "list", "data": models }),
        Shape::Messages => page(&models.iter().map(as_messages_has_it).collect::<Vec<_>>(), query)?,
    }))
}

/// One model, under the id a client would write.
pub(super) async fn one(app: &Arc<App>, headers: &HeaderMap, id: &str, shape: Shape) -> Result<Response> {
    let gateway = app.gateway();
    gateway.admit(headers)?;
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    match (pipeline::models::find(&gateway, &id).await, shape) {
        (Some(model), Shape::OpenAi) => Ok(respond(&model)),
        (Some(model), Shape::Messages) => Ok(respond(&as_messages_has_it(&model))),
        (None, _) => Err(Error::ModelNotFound {
            model: id.into_owned(),
            hint: "`GET /v1/models` lists those there are".to_owned(),
        }),
    }
}

/// A model as Anthropic's API shows one.
fn as_messages_has_it(model: &Value) -> Value {
    let id = model["id"].as_str().unwrap_or_default();
    let name = [&model["display_name"], &model["name"]]
        .into_iter()
        .find_map(Value::as_str);
    let made = model["created"].as_i64().filter(|seconds| *seconds > 0).map(time);
    json!({
        "type": "model",
        "id": id,
        "display_name": name.unwrap_or(id),
        "created_at": made.unwrap_or_else(|| UNKNOWN.to_owned()),
    })
}

/// Seconds since 1970 as a time of RFC 3339.
fn time(seconds: i64) -> String {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days to a date as in <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>: years begin in March.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A page of the list: all of it, unless the client says how many, or where to begin or end.
fn page(models: &[Value], query: &str) -> Result<Value> {
    let (mut from, mut to, mut limit, mut backwards) = (0, models.len(), models.len(), false);
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let place = || models.iter().position(|model| model["id"] == *value);
        let no_such = || Error::invalid(format!("{key}: there is no model '{value}'"), Some(&key));
        match &*key {
            "after_id" => from = place().ok_or_else(no_such)? + 1,
            "before_id" => (to, backwards) = (place().ok_or_else(no_such)?, true),
            "limit" => {
                let number = value.parse().ok().filter(|number| (1..=1000).contains(number));
                limit =
                    number.ok_or_else(|| Error::invalid("limit: must be a number from 1 to 1000", Some("limit")))?;
            }
            _ => {}
        }
    }
    let (from, to) = (from.min(to), to);
    let more = to - from > limit;
    let (from, to) = match more {
        true if backwards => (to - limit, to),
        true => (from, from + limit),
        false => (from, to),
    };
    let data = models.get(from..to).unwrap_or_default();
    let id = |model: Option<&Value>| model.map(|model| model["id"].clone());
    Ok(json!({ "data": data, "has_more": more, "first_id": id(data.first()), "last_id": id(data.last()) }))
}

fn respond(value: &Value) -> Response {
    let mut response = Response::new(Answer::whole(value.to_string()));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{page, time};

    #[test]
    fn seconds_become_a_time() {
        assert_eq!(time(1), "1970-01-01T00:00:01Z");
        assert_eq!(time(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(time(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(time(i64::MAX).len(), "292277026596-12-04T15:30:07Z".len());
    }

    #[test]
    fn a_client_that_asks_page_by_page_sees_every_model_once() {
        let models: Vec<_> = ["a", "b", "c"].map(|id| json!({ "id": id })).to_vec();
        let first = page(&models, "limit=2").expect("a page");
        assert_eq!((&first["has_more"], &first["last_id"]), (&json!(true), &json!("b")));
        let rest = page(&models, "limit=2&after_id=b").expect("a page");
        assert_eq!(
            rest,
            json!({ "data": [{ "id": "c" }], "has_more": false, "first_id": "c", "last_id": "c" })
        );
        let before = page(&models, "limit=1&before_id=c").expect("a page");
        assert_eq!((&before["first_id"], &before["has_more"]), (&json!("b"), &json!(true)));
        assert_eq!(page(&models, "limit=0").expect_err("no page").param(), Some("limit"));
    }
}
