//! What an answer cost, as the providers that speak OpenAI's API write it.

use crate::reply::Usage;
use crate::scan::{Malformed, Scan};

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

/// Which object a count stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Usage,
    Prompt,
    Completion,
    Other,
}

impl Wire {
    fn read(&mut self, json: &str) -> Result<(), Malformed> {
        let mut scan = Scan::new(json);
        scan.members(|scan, key| {
            if scan.peek() != b'{' {
                return self.count(Inside::Usage, key.name, scan, json);
            }
            let inside = match key.name {
                b"prompt_tokens_details" | b"prompt_token_details" | b"input_tokens_details" => Inside::Prompt,
                b"completion_tokens_details" | b"output_tokens_details" => Inside::Completion,
                _ => Inside::Other,
            };
            scan.members(|scan, key| self.count(inside, key.name, scan, json))
        })
    }

    fn count(&mut self, inside: Inside, key: &[u8], scan: &mut Scan<'_>, json: &str) -> Result<(), Malformed> {
        let number = json.get(scan.skip()?).and_then(number);
        let usage = &mut self.usage;
        let place = match (inside, key) {
            (Inside::Usage, b"prompt_tokens" | b"input_tokens") => &mut usage.input,
            (Inside::Usage, b"completion_tokens" | b"output_tokens") => &mut usage.output,
            (Inside::Usage, b"total_tokens") => &mut self.total,
            (Inside::Usage, b"seconds") => &mut usage.seconds,
            (Inside::Usage, b"num_search_queries") => &mut usage.requests,
            (Inside::Usage | Inside::Prompt, b"cached_tokens" | b"prompt_cache_hit_tokens" | b"num_cached_tokens") => {
                &mut usage.cached
            }
            (Inside::Usage | Inside::Prompt, b"cache_creation_tokens" | b"cache_write_tokens") => {
                &mut usage.cache_written
            }
            (Inside::Usage | Inside::Completion, b"reasoning_tokens") => &mut usage.reasoning,
            (Inside::Prompt, b"audio_tokens") => &mut usage.audio_input,
            (Inside::Prompt, b"image_tokens") => &mut usage.image_input,
            (Inside::Completion, b"audio_tokens") => &mut usage.audio_output,
            (Inside::Completion, b"image_tokens") => &mut usage.image_output,
            // Of Anthropic's `cache_creation` and `server_tool_use`, which an adapter passes on as they are.
            (Inside::Other, b"ephemeral_1h_input_tokens") => &mut usage.cache_written_hour,
            (Inside::Other, b"web_search_requests" | b"web_fetch_requests") => {
                let both = number.map(|number| usage.requests.unwrap_or(0).saturating_add(number));
                usage.requests = both.or(usage.requests);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if number.is_some() {
            *place = number;
        }
        Ok(())
    }
}

/// A count; of a fraction (seconds are some) the next whole number.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| {
        let fraction: f64 = text.parse().ok()?;
        (fraction.is_finite() && fraction >= 0.0).then(|| fraction.ceil() as u64)
    })
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
            output: Some(7),
            reasoning: Some(5),
            ..Usage::default()
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

    #[test]
    fn each_kind_of_token_has_its_place() {
        let usage = read(
            r#"{"prompt_tokens":20,"completion_tokens":9,"prompt_tokens_details":{"audio_tokens":3,"image_tokens":4,"cache_creation_tokens":6},
                "completion_tokens_details":{"audio_tokens":2},"cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":5},
                "server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}}"#,
        );
        let expected = Usage {
            input: Some(20),
            cache_written: Some(6),
            cache_written_hour: Some(5),
            audio_input: Some(3),
            image_input: Some(4),
            output: Some(9),
            audio_output: Some(2),
            requests: Some(3),
            ..Usage::default()
        };
        assert_eq!(usage, Some(expected));
        let heard = read(r#"{"type":"duration","seconds":12.3}"#).expect("a count");
        assert_eq!(heard.seconds, Some(13));
    }
}
