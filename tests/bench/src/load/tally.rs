//! What the load counted: raw while it runs, summed up when it is over.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Grows as answers come in.
#[derive(Default)]
pub(crate) struct Tally {
    whole_us: Vec<f64>,
    first_byte_us: Vec<f64>,
    events: u64,
    errors: u64,
    first_error: Option<String>,
}

/// The sum, as the load prints it in JSON and the runner keeps it. Times are in microseconds.
#[derive(Serialize, Deserialize, Clone, Default)]
pub(crate) struct Summary {
    /// right and whole answers that ended inside the measured time
    pub(crate) answers: u64,
    /// answers a second
    pub(crate) answers_per_s: f64,
    /// from the first byte sent to the last received, half of the answers
    pub(crate) p50_us: f64,
    /// the same, 99 of 100
    pub(crate) p99_us: f64,
    /// from the first byte sent to the first of the body, half of the answers
    pub(crate) first_byte_p50_us: f64,
    /// stream events in one answer
    pub(crate) events_per_answer: f64,
    /// wrong, broken or refused answers, also before the measured time
    pub(crate) errors: u64,
    /// what was wrong with the first of them
    pub(crate) first_error: Option<String>,
}

impl Tally {
    /// One right answer.
    pub(crate) fn count(&mut self, first_byte: Duration, whole: Duration, events: u64) {
        self.first_byte_us.push(first_byte.as_secs_f64() * 1e6);
        self.whole_us.push(whole.as_secs_f64() * 1e6);
        self.events += events;
    }

    /// One that was not.
    pub(crate) fn fail(&mut self, reason: String) {
        self.errors += 1;
        self.first_error.get_or_insert(reason);
    }

    /// The sum over a measured time.
    pub(crate) fn sum_up(mut self, measured: Duration) -> Summary {
        let answers = self.whole_us.len() as u64;
        Summary {
            answers,
            answers_per_s: answers as f64 / measured.as_secs_f64(),
            p50_us: quantile(&mut self.whole_us, 0.5),
            p99_us: quantile(&mut self.whole_us, 0.99),
            first_byte_p50_us: quantile(&mut self.first_byte_us, 0.5),
            events_per_answer: self.events as f64 / answers.max(1) as f64,
            errors: self.errors,
            first_error: self.first_error,
        }
    }
}

/// The value that a share of the others do not exceed; 0 if there are none.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let place = (values.len().saturating_sub(1) as f64 * share).round() as usize;
    values.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values_and_nothing_is_zero() {
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&mut [3.0, 1.0, 2.0], 1.0), 3.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }
}
