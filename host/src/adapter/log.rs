//! What guests say goes to the gateway's log, marked with who said it, and only so much of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::contract::types::Pairs;

/// The log of one adapter: all its calls share one allowance.
pub(super) struct Logger {
    adapter: Arc<str>,
    /// Bytes a second.
    rate: u32,
    window: Mutex<Window>,
}

struct Window {
    started: Instant,
    written: usize,
    dropped: u64,
}

impl Logger {
    pub(super) fn new(adapter: Arc<str>, rate: u32) -> Self {
        let window = Window {
            started: Instant::now(),
            written: 0,
            dropped: 0,
        };
        Self {
            adapter,
            rate,
            window: Mutex::new(window),
        }
    }

    /// Writes one line, or drops it if this second's allowance is used up.
    pub(super) fn write(&self, provider: &str, request: &str, level: &str, message: &str, fields: &Pairs) {
        let length = message.len() + fields.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        let (allowed, missed) = self.admit(length, Instant::now());
        if missed > 0 {
            tracing::warn!(
                adapter = &*self.adapter,
                "{missed} log lines of this adapter were dropped: it logs too much"
            );
        }
        if !allowed {
            return;
        }
        let adapter = &*self.adapter;
        let message = one_line(message);
        let fields: String = fields
            .iter()
            .map(|(key, value)| format!(" {}={}", one_line(key), one_line(value)))
            .collect();
        match level {
            "error" => tracing::error!(adapter, provider, request, "{message}{fields}"),
            "warn" => tracing::warn!(adapter, provider, request, "{message}{fields}"),
            "debug" => tracing::debug!(adapter, provider, request, "{message}{fields}"),
            _ => tracing::info!(adapter, provider, request, "{message}{fields}"),
        }
    }

    /// Whether `length` more bytes fit, and how many lines were dropped in the second that has just ended.
    fn admit(&self, length: usize, now: Instant) -> (bool, u64) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missed = 0;
        if now.duration_since(window.started) >= Duration::from_secs(1) {
            missed = window.dropped;
            *window = Window {
                started: now,
                written: 0,
                dropped: 0,
            };
        }
        let allowed = window.written.saturating_add(length) <= self.rate as usize;
        if allowed {
            window.written += length;
        } else {
            window.dropped += 1;
        }
        (allowed, missed)
    }
}

/// A guest's text cannot break out of its line, nor send a terminal control codes.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_off_and_counted_and_the_next_second_is_heard() {
        let logger = Logger::new("noisy".into(), 100);
        let start = logger.window.lock().unwrap().started;
        assert_eq!(logger.admit(90, start), (true, 0));
        assert_eq!(logger.admit(20, start), (false, 0));
        assert_eq!(logger.admit(20, start), (false, 0));
        assert_eq!(logger.admit(20, start + Duration::from_secs(1)), (true, 2));
    }

    #[test]
    fn a_message_stays_on_its_line() {
        assert_eq!(one_line("a\nlevel=ERROR \u{1b}[31m"), "a level=ERROR  [31m");
    }
}
