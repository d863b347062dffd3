//! The model list: pages of models, and each as OpenAI lists one.

use serde::Deserialize;

use witgate_sdk::json::Str;
use witgate_sdk::openai::Model;
use witgate_sdk::{Context, Http, Request, Result};

use crate::config::Settings;
use crate::{endpoint, error};

/// One page of `GET /v1/models`.
#[derive(Debug, Deserialize)]
struct Page<'a> {
    /// the URL of the next page
    #[serde(borrow, default)]
    next: Option<Str<'a>>,
    #[serde(borrow, default)]
    results: Vec<Entry<'a>>,
}

#[derive(Debug, Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    owner: Str<'a>,
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow, default)]
    latest_version: Option<Version<'a>>,
}

#[derive(Debug, Deserialize)]
struct Version<'a> {
    #[serde(borrow, default)]
    created_at: Option<Str<'a>>,
}

impl<'a> Page<'a> {
    /// Its models.
    fn models(&self) -> impl Iterator<Item = Model<'static>> {
        self.results.iter().map(|entry| Model {
            created: entry
                .latest_version
                .as_ref()
                .and_then(|version| unix_seconds(version.created_at.as_deref()?)),
            owned_by: Some(entry.owner.reborrow().into_static()),
            ..Model::new(format!("{}/{}", entry.owner, entry.name))
        })
    }
}

/// Reads the first pages of the list: there are thousands of models, and few are meant.
pub(crate) async fn list(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
    let pages = Settings::of(&ctx)?.models_pages();
    let mut url = Some(format!("{}/models", endpoint::root(ctx.base_url())));
    let mut models = Vec::new();
    for _ in 0..pages {
        let Some(page_url) = url else { break };
        let reply = http.fetch(Request::get(page_url)).await?;
        if !reply.is_success() {
            return Err(error::of_reply(&reply));
        }
        let page: Page<'_> = reply.json()?;
        models.extend(page.models());
        // Our key goes with it, so it must lead to where the key may go.
        url = page
            .next
            .filter(|next| endpoint::same_origin(ctx.base_url(), next))
            .map(Str::into_string);
    }
    Ok(models)
}

/// Seconds since 1970 of a time in UTC such as `2024-04-17T22:53:53.100Z`.
fn unix_seconds(time: &str) -> Option<u64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    // Years counted from March put the leap day last, so the days before a month follow one formula.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let since_1970 = days.checked_sub(719_468)?;
    Some(((since_1970 * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn a_time_is_counted_in_seconds_since_1970() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2000-02-29T12:00:01.5Z"), Some(951_825_601));
        assert_eq!(unix_seconds("2024-04-17T22:53:53.100Z"), Some(1_713_394_433));
        assert_eq!(unix_seconds("yesterday"), None);
    }
}
