//! The model's name in an answer of the Messages API, for clients that have to have the one that they asked for.

use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::{call::object::Object, dialect::json::quoted, reply::Events};

/// How much may come before the first event is whole.
const LONGEST: usize = 256 << 10;

/// A message with the name of the client's.
pub(super) fn whole(answer: Bytes, model: &str) -> Bytes {
    let renamed = std::str::from_utf8(&answer).ok().and_then(|text| message(text, model));
    renamed.map_or(answer, Bytes::from)
}

/// The same of a stream, whose first event has the name.
pub(super) fn events(events: Events, model: &str) -> Events {
    let begin = Begin {
        model: model.to_owned(),
        held: Vec::new(),
        over: false,
    };
    Box::pin(futures_util::stream::unfold(
        (events.fuse(), begin),
        async |(mut events, mut begin)| {
            loop {
                match events.next().await {
                    Some(Ok(read)) if !begin.over => match begin.take(&read) {
                        Some(bytes) => return Some((Ok(bytes), (events, begin))),
                        None => continue,
                    },
                    None if !begin.held.is_empty() => {
                        let rest = Bytes::from(std::mem::take(&mut begin.held));
                        return Some((Ok(rest), (events, begin)));
                    }
                    read => return Some((read?, (events, begin))),
                }
            }
        },
    ))
}

/// The beginning of a stream, up to the line with the name.
struct Begin {
    model: String,
    held: Vec<u8>,
    over: bool,
}

impl Begin {
    /// What can go on to the client, once the line has come.
    fn take(&mut self, read: &[u8]) -> Option<Bytes> {
        self.held.extend_from_slice(read);
        let data = |line: &&[u8]| line.starts_with(b"data:") && line.ends_with(b"\n");
        let line = self.held.split_inclusive(|byte| *byte == b'\n').find(data);
        if line.is_none() && self.held.len() < LONGEST {
            return None;
        }
        self.over = true;
        let held = std::mem::take(&mut self.held);
        Some(self.renamed(&held).map_or_else(|| Bytes::from(held), Bytes::from))
    }

    fn renamed(&self, held: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(held).ok()?;
        let line = text.split_inclusive('\n').find(|line| line.starts_with("data:"))?;
        let json = line.strip_prefix("data:")?.trim();
        let event = Object::parse(json).ok()?;
        let inner = message(event.get(json, "message")?, &self.model)?;
        let (before, after) = text.split_once(json)?;
        Some([before, &event.with(json, &[("message", &inner)]), after].concat())
    }
}

fn message(text: &str, model: &str) -> Option<String> {
    let fields = Object::parse(text).ok()?;
    fields.get(text, "model")?;
    Some(fields.with(text, &[("model", &quoted(model))]))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\", \"model\":\"up\",\"usage\":{}}}\n\n";
    const REST: &str = "event: ping\ndata: {\"type\":\"ping\",\"model\":\"up\"}\n\n";

    async fn renamed(pieces: Vec<&str>) -> String {
        let pieces: Vec<_> = pieces
            .into_iter()
            .map(|piece| Ok(Bytes::copy_from_slice(piece.as_bytes())))
            .collect();
        // One that must not be asked again after its end, like a body.
        let source = stream::unfold(pieces.into_iter(), async |mut rest| Some((rest.next()?, rest)));
        let all: Vec<_> = events(Box::pin(source), "a/up").collect().await;
        all.into_iter()
            .map(|read| String::from_utf8(read.unwrap().to_vec()).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_stream_has_the_clients_name_however_it_is_cut_and_is_the_same_otherwise() {
        let text = [START, REST].concat();
        let expected = text.replacen("\"model\":\"up\"", "\"model\":\"a/up\"", 1);
        for at in 0..=text.len() {
            let (one, other) = text.split_at(at);
            assert_eq!(renamed(vec![one, other]).await, expected, "{at}");
        }
    }

    #[tokio::test]
    async fn what_is_no_message_goes_by_as_it_is() {
        for text in [
            "",
            "data",
            "data: {\"type\":\"error\"}\n\n",
            REST,
            "data: [DONE]\n\n",
            ": x\n\n",
            "{}",
        ] {
            assert_eq!(renamed(vec![text]).await, text);
        }
        for answer in ["{\"type\":\"error\"}", "no JSON", ""] {
            assert_eq!(whole(Bytes::from_static(answer.as_bytes()), "a/up"), answer);
        }
        assert_eq!(
            whole(Bytes::from_static(b"{\"model\":\"up\",\"x\": 1.0}"), "a/up"),
            "{\"model\":\"a/up\",\"x\": 1.0}"
        );
    }
}
