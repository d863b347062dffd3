//! Streams: nothing good is lost, and nothing broken passes for complete.

use witgate_sdk::testing::{Call, Played, Reply, aws_message};
use witgate_sdk::*;

/// `say` gives text, `stop` ends, `fail` fails, `usage` at the end is read elsewhere.
struct Speaker;

struct Stream {
    usage: String,
}

impl Adapter for Speaker {
    fn describe() -> Manifest {
        Manifest::new("speaker", "1.0.0")
    }
    fn transform_request(ctx: &Context, _: &str) -> Result<Step> {
        Request::post(ctx.url("/say")).sse().then(ctx.url("/usage"))
    }
    fn transform_response(_: &Context, reply: Response) -> Result<Step> {
        let mut out = Chunks::new();
        out.usage(&reply.ok()?.json()?);
        out.end()
    }
    fn open_stream(_: &Context, head: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Stream {
            usage: head.state().to_owned(),
        }))
    }
}

impl Decoder for Stream {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        match frame.event() {
            "say" => out.content(frame.text()?),
            "fail" => return Err(Failure::new(Kind::Overloaded, frame.text()?)),
            "stop" => {
                out.finish("stop");
                return Ok(Flow::Ended);
            }
            _ => {}
        }
        Ok(Flow::More)
    }
    fn finish(&mut self, end: End) -> Result<Step> {
        if end == End::Ended {
            Request::get(&*self.usage).send()
        } else {
            end.complete()
        }
    }
}

fn play(stream: Reply, more: Option<Reply>) -> Played {
    Call::says("Hi")
        .streaming()
        .play_cut_everywhere::<Speaker>([stream].into_iter().chain(more))
}

#[test]
fn a_stream_and_the_usage_read_after_it_make_one_answer() {
    let stream = ": hello\r\nevent: say\r\ndata: a\r\ndata:  b\r\n\r\nevent: new\ndata: {}\n\nid: 7\nevent:say\ndata:ü\n\nevent: stop\ndata\n\nevent: say\ndata: late\n\n";
    let usage = Reply::json(r#"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"#);
    let played = play(Reply::sse(stream), Some(usage));
    assert_eq!(played.text(), "a\n bü");
    assert_eq!(played.answer()["usage"]["total_tokens"], 3);
    assert_eq!(played.requests()[1].url, "https://api.example.com/usage");
}

#[test]
fn chunks_before_an_error_in_the_same_read_reach_the_client_and_then_the_error() {
    let played = play(
        Reply::sse("event: say\ndata: good\n\nevent: fail\ndata: too busy\n\nevent: say\ndata: late\n\n"),
        None,
    );
    assert_eq!(played.chunks().len(), 1);
    assert_eq!(
        (played.failure().kind.as_str(), played.failure().message.as_str()),
        ("overloaded", "too busy")
    );
}

#[test]
fn a_connection_that_closes_early_is_a_failure_and_one_that_breaks_is_for_accounting_only() {
    let cut_off = || Reply::sse("event: say\ndata: half\n\n");
    assert_eq!(play(cut_off(), None).failure().kind, "upstream");
    for reason in ["upstream-error", "timeout", "client-gone", "a word of tomorrow"] {
        let played = play(cut_off().breaks_off(reason), None);
        assert!(played.is_broken() && !played.is_failure(), "{reason}");
    }
}

#[test]
fn an_error_instead_of_a_stream_is_read_whole() {
    let played = play(Reply::status(401).body(r#"{"error":"who are you?"}"#), None);
    assert_eq!(
        (played.failure().kind.as_str(), played.failure().message.as_str()),
        ("authentication", "who are you?")
    );
}

/// As `Speaker`, in AWS's messages.
struct AwsSpeaker;

impl Adapter for AwsSpeaker {
    fn describe() -> Manifest {
        Manifest::new("aws-speaker", "1.0.0")
    }
    fn transform_request(ctx: &Context, _: &str) -> Result<Step> {
        Request::post(ctx.url("/say")).aws_events().send()
    }
    fn transform_response(_: &Context, reply: Response) -> Result<Step> {
        Err(reply
            .ok()
            .map_or_else(|failure| failure, |_| Failure::new(Kind::Upstream, "no stream")))
    }
    fn open_stream(_: &Context, _: StreamHead) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(AwsStream))
    }
}

struct AwsStream;

impl Decoder for AwsStream {
    fn push(&mut self, frame: &Frame, out: &mut Chunks) -> Result<Flow> {
        if frame.header(":message-type") == Some("exception") {
            return Err(Failure::new(Kind::Overloaded, frame.text()?).code(frame.event()));
        }
        out.content(frame.text()?);
        Ok(Flow::More)
    }
}

#[test]
fn messages_of_aws_come_with_their_names_and_headers_however_they_are_cut() {
    let message = |kind: &str, key: &str, name: &str, payload: &str| {
        aws_message(
            &[(key, name), (":content-type", "text/plain"), (":message-type", kind)],
            payload,
        )
    };
    let stream = [
        message("event", ":event-type", "say", "One, "),
        message("event", ":event-type", "say", "tw\u{f6}."),
        message("exception", ":exception-type", "throttlingException", "slow down"),
    ];
    let call = Call::says("Hi").streaming();
    let played = call.play_cut_everywhere::<AwsSpeaker>([Reply::aws_events(stream.concat())]);
    let said = played
        .chunks()
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["content"]);
    assert_eq!(said.collect::<Vec<_>>(), ["One, ", "tw\u{f6}."]);
    assert_eq!(played.failure().code.as_deref(), Some("throttlingException"));
}
