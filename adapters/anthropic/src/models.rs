//! The model list: Anthropic's pages to OpenAI's list.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::json::Raw;
use witgate_sdk::openai::Model;

/// One page of `GET /v1/models`.
#[derive(Deserialize)]
pub(crate) struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Listed<'a>>,
    #[serde(default)]
    has_more: bool,
    last_id: Option<String>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    id: String,
    created_at: Option<String>,
    display_name: Option<String>,
    max_input_tokens: Option<u64>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    capabilities: Option<&'a RawValue>,
}

impl<'a> Page<'a> {
    /// Reads a page; `None` if `body` is none.
    pub(crate) fn parse(body: &'a str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// The id after which the next page begins, if there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        self.last_id.as_deref().filter(|id| self.has_more && !id.is_empty())
    }

    /// The page's models in OpenAI's terms.
    pub(crate) fn models(&self) -> impl Iterator<Item = Model<'static>> {
        self.data.iter().map(Listed::to_model)
    }
}

impl Listed<'_> {
    fn to_model(&self) -> Model<'static> {
        let mut model = Model::new(self.id.clone());
        model.created = self.created_at.as_deref().and_then(unix_seconds);
        model.owned_by = Some("anthropic".into());
        model.name = self.display_name.clone().map(Into::into);
        model.context_window = self.max_input_tokens;
        model.max_output_tokens = self.max_tokens;
        if let Some(capabilities) = self.capabilities {
            model.rest.push("capabilities", Raw::from(capabilities).into_static());
        }
        model
    }
}

/// The seconds since 1970 of a time such as "2025-02-19T00:00:00Z".
fn unix_seconds(time: &str) -> Option<u64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
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
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    (days * 86_400 + hour * 3600 + minute * 60 + second).checked_sub(719_468 * 86_400)
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn times_become_seconds_since_1970() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2000-02-29T12:30:15Z"), Some(951_827_415));
        assert_eq!(unix_seconds("2025-09-29T00:00:00Z"), Some(1_759_104_000));
        assert_eq!(unix_seconds("soon"), None);
    }
}
