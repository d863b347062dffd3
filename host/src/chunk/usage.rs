//! What an answer cost, as the providers that speak OpenAI's API write it.

use super::scan::{Malformed, Scan};
use crate::reply::Usage;

/// Reads a `usage` object; `None` if it is none, or counts nothing. Where the total says that completion tokens leave reasoning out
/// (xAI does so), they are put together.
pub(crate) fn read(json: &str) -> Option<Usage> {
    let mut wire = Wire::default();
    wire.read(json).ok()?;
    let mut usage = wire.usage;
    if let (Some(input), Some(output), Some(total), Some(reasoning)) =
        (usage.input, usage.output, wire.total, usage.reasoning)
        && total == input.saturating_add(output).saturating_add(reasoning)
    {
        usage.output = Some(output + reasoning);
    }
    (usage != Usage::default()).then_some(usage)
}

#[derive(Default)]
struct Wire {
    usage: Usage,
    total: Option<u64>,
}

impl Wire {
    fn read(&mut self, json: &str) -> Result<(), Malformed> {
        let mut scan = Scan::new(json);
        scan.members(|scan, key| {
            if key.name.ends_with(b"_tokens_details") && scan.peek() == b'{' {
                return scan.members(|scan, key| self.count(key.name, scan, json));
            }
            self.count(key.name, scan, json)
        })
    }

    fn count(&mut self, key: &[u8], scan: &mut Scan<'_>, json: &str) -> Result<(), Malformed> {
        let number = json.get(scan.skip()?).and_then(|value| value.parse().ok());
        let place = match key {
            b"prompt_tokens" => &mut self.usage.input,
            b"completion_tokens" => &mut self.usage.output,
            b"total_tokens" => &mut self.total,
            b"cached_tokens" | b"prompt_cache_hit_tokens" | b"num_cached_tokens" => &mut self.usage.cached,
            b"cache_creation_tokens" | b"cache_write_tokens" => &mut self.usage.cache_written,
            b"reasoning_tokens" => &mut self.usage.reasoning,
            _ => return Ok(()),
        };
        if number.is_some() {
            *place = number;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::reply::Usage;

    #[test]
    fn cached_and_reasoning_tokens_are_found_where_providers_put_them() {
        let expected = Usage {
            input: Some(10),
            cached: Some(4),
            cache_written: None,
            output: Some(7),
            reasoning: Some(5),
        };
        for json in [
            r#"{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":5}}"#,
            r#"{"prompt_tokens":10,"completion_tokens":7,"prompt_tokens_details":null,"prompt_cache_hit_tokens":4,"reasoning_tokens":5}"#,
            r#"{"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,"cached_tokens":4,"completion_tokens_details":{"reasoning_tokens":5}}"#,
        ] {
            assert_eq!(read(json), Some(expected), "{json}");
        }
    }

    #[test]
    fn what_is_not_said_is_unknown_and_not_zero() {
        let usage = read(r#"{"prompt_tokens":3,"total_tokens":3}"#).expect("a count");
        assert_eq!((usage.input, usage.output), (Some(3), None));
        assert_eq!(read("{}"), None);
        assert_eq!(read("null"), None);
    }
}
