//! Times as providers write them.

/// The seconds since 1970 of a time such as `2025-02-19T00:00:00Z` or `2026-06-19T17:15:40.188-07:00`: what
/// [`Model::created`](crate::openai::Model::created) is. `None` for what is no such time.
///
/// ```
/// assert_eq!(witgate_sdk::time::unix_seconds("2000-02-29T14:00:15.5+01:30"), Some(951_827_415));
/// ```
#[must_use]
pub fn unix_seconds(time: &str) -> Option<u64> {
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
        assert_eq!(unix_seconds("2024-04-17T22:53:53.100Z"), Some(1_713_394_433));
        assert_eq!(unix_seconds("2025-09-29T00:00:00Z"), Some(1_759_104_000));
        assert_eq!(unix_seconds("9999-12-31T23:59:59Z"), Some(253_402_300_799));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
            "yesterday",
            "1969-12-31T23:59:59Z",
            "2025-13-01T00:00:00Z",
            "2025-01-00T00:00:00Z",
            "2025-01-01",
        ] {
            assert_eq!(unix_seconds(text), None, "{text}");
        }
    }
}
