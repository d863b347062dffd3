//! Dates as AWS writes them, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;

/// A second, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    year: u64,
    month: u64,
    day: u64,
    second_of_day: u64,
}

impl Stamp {
    /// The second `time` lies in. Before 1970 it is 1970.
    pub(super) fn of(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        // Years that begin in March, so that the leap day comes last (H. Hinnant, "chrono-compatible low-level date algorithms").
        let days = seconds / DAY + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted + 2) / 5 + 1,
            second_of_day: seconds % DAY,
        }
    }

    /// `20150830T123600Z`
    pub(super) fn basic(&self) -> String {
        let (hour, minute, second) = (
            self.second_of_day / 3600,
            self.second_of_day / 60 % 60,
            self.second_of_day % 60,
        );
        format!("{}T{hour:02}{minute:02}{second:02}Z", self.date())
    }

    /// `20150830`
    pub(super) fn date(&self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }
}

/// Reads `2015-08-30T12:36:00Z`, with or without a fraction.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (date, time) = text.trim().strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time.split('.').next()?, ':')?;
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || !(1970..=9999).contains(&year)
        || hour > 23
        || minute > 59
    {
        return None;
    }
    let year = year - u64::from(month <= 2);
    let shifted = (month + 9) % 12;
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * shifted + 2) / 5 + day - 1;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    Some(UNIX_EPOCH + Duration::from_secs(days * DAY + hour * 3600 + minute * 60 + second))
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let mut words = text.split(between);
    let mut next = || words.next()?.parse().ok();
    let numbers = [next()?, next()?, next()?];
    words.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read_alike() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_440_938_160, "2015-08-30T12:36:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(parse(text), Some(time), "{text}");
            assert_eq!(Stamp::of(time).basic(), text.replace(['-', ':'], ""));
        }
        assert_eq!(parse("2015-08-30T12:36:00.123Z"), parse("2015-08-30T12:36:00Z"));
        for text in [
            "",
            "2015-08-30",
            "2015-13-30T12:36:00Z",
            "2015-08-30T12:36Z",
            "0001-01-01T00:00:00Z",
            "x-y-zT1:2:3Z",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
