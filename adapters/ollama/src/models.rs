//! The model list: what is on the server's disk.

use serde::Deserialize;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::Model;
use witgate_sdk::{Response, Result};

#[derive(Deserialize)]
struct Tags<'a> {
    #[serde(borrow)]
    models: Option<Vec<Listed<'a>>>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    name: String,
    modified_at: Option<String>,
    #[serde(borrow)]
    size: Option<Raw<'a>>,
    #[serde(borrow)]
    details: Option<Raw<'a>>,
}

/// All models of `GET /api/tags`.
pub(crate) fn list(reply: &Response) -> Result<Vec<Model<'static>>> {
    let tags: Tags<'_> = reply.json()?;
    Ok(tags.models.iter().flatten().map(Listed::model).collect())
}

impl Listed<'_> {
    fn model(&self) -> Model<'static> {
        let mut model = Model::new(self.name.clone());
        model.owned_by = Some("library".into());
        model.created = self.modified_at.as_deref().and_then(unix_seconds);
        for (key, value) in [("size", &self.size), ("details", &self.details)] {
            if let Some(value) = value {
                model.rest.push(key, value.clone().into_static());
            }
        }
        model
    }
}

/// The seconds since 1970 of a time such as "2026-06-19T17:15:40.188240254-07:00".
fn unix_seconds(time: &str) -> Option<u64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years from March on: the leap day is then a year's last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let local = days * 86_400 + hour * 3600 + minute * 60 + second;
    u64::try_from(local - offset(time.get(19..)?)).ok()
}

/// The seconds east of Greenwich at the end of a time: "…-07:00", "…Z".
fn offset(rest: &str) -> i64 {
    let Some(at) = rest.rfind(['+', '-']) else {
        return 0;
    };
    let (_, zone) = rest.split_at(at);
    let number = |from: usize, to: usize| {
        zone.get(from..to)
            .and_then(|text| text.parse::<i64>().ok())
            .unwrap_or(0)
    };
    let seconds = number(1, 3) * 3600 + number(4, 6) * 60;
    if zone.starts_with('-') { -seconds } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn times_of_any_zone_become_seconds_since_1970() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2000-02-29T12:30:15.5Z"), Some(951_827_415));
        assert_eq!(unix_seconds("2000-02-29T05:30:15.188240254-07:00"), Some(951_827_415));
        assert_eq!(unix_seconds("2000-02-29T14:00:15+01:30"), Some(951_827_415));
        assert_eq!(unix_seconds("soon"), None);
    }
}
