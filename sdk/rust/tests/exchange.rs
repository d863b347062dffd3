//! Exchanges of several requests: straight-line code, polling, and a client that leaves.

use std::future::pending;
use witgate_sdk::openai::{ChatResponse, Model};
use witgate_sdk::testing::{Call, Reply, manifest, self_tests};
use witgate_sdk::*;

/// A provider that is polled, whose model list has pages.
struct Jobs;

impl Adapter for Jobs {
    fn describe() -> Manifest {
        Manifest::new("jobs", "1.0.0").hosts(&["*.files.example"]).test(
            SelfTest::new("one poll", "chat.completions", r#"{"messages":[]}"#)
                .reply(201, "https://api.example.com/jobs/1")
                .reply(200, "text")
                .expect_answer(r#"{"choices":[{"message":{"content":"text"}}]}"#),
        )
    }
    fn transform_request(ctx: &Context, _: &str) -> Result<Step> {
        Request::post(ctx.url("/jobs")).json("work").then("new")
    }
    fn transform_response(_: &Context, reply: Response) -> Result<Step> {
        match (reply.state(), reply.status()) {
            ("new", 201) => Request::get(reply.text()?).delay(100).then(reply.text()?),
            (job, 202) => Request::get(job).delay(200).then(job),
            _ => Step::done(&ChatResponse::text(reply.ok()?.text()?, "stop")),
        }
    }
    async fn get_models(ctx: Context, http: Http) -> Result<Vec<Model<'static>>> {
        let (mut models, mut page) = (Vec::new(), ctx.url("/models"));
        loop {
            let reply = http.fetch(Request::get(page)).await?.ok()?;
            let (id, next) = reply.text()?.split_once(' ').unwrap_or_default();
            models.push(Model::new(id.to_owned()));
            if next.is_empty() {
                return Ok(models);
            }
            page = next.to_owned();
        }
    }
    fn cancel(_: &Context, state: &str) -> Result<Step> {
        Request::post([state, "/cancel"].concat()).send()
    }
    async fn authenticate(ctx: Context, http: Http) -> Result<Credentials> {
        match ctx.ext("try") {
            Some("forever") => pending().await,
            Some("two at once") => {
                let first = http.fetch(Request::get(ctx.url("/a")));
                let mut first = std::pin::pin!(first);
                let _ = std::future::poll_fn(|task| std::task::Poll::Ready(first.as_mut().poll(task))).await;
                http.fetch(Request::get(ctx.url("/b"))).await?;
                Ok(Credentials::new())
            }
            _ => Ok(Credentials::new()
                .header("X-Key", ctx.secret("api_key")?)
                .expires_in(60)
                .var("region", "eu")),
        }
    }
}

export!(Jobs: models, jobs, auth);

const JOB: &str = "https://api.example.com/jobs/1";

#[test]
fn a_job_is_polled_until_it_is_done() {
    let replies = [
        Reply::status(201).body(JOB),
        Reply::status(202),
        Reply::status(202),
        Reply::status(200).body("done"),
    ];
    let played = Call::says("Hi").play::<Jobs>(replies);
    let delays: Vec<_> = played.requests().iter().map(|sent| sent.delay_ms).collect();
    assert_eq!(delays, [0, 100, 200, 200]);
    assert!(
        !played.requests()[0].idempotent && played.requests()[1].idempotent,
        "only the poll may be repeated"
    );
    assert_eq!(played.text(), "done");
}

#[test]
fn the_job_of_a_client_that_left_is_cancelled() {
    let replies = [Reply::status(201).body(JOB), Reply::client_gone(), Reply::status(200)];
    let played = Call::says("Hi").play::<Jobs>(replies);
    assert!(played.is_broken());
    assert_eq!(played.requests()[2].url, format!("{JOB}/cancel"));
}

#[test]
fn pages_are_read_in_a_loop_of_plain_code() {
    let second = "https://cdn.files.example/models2";
    let played = Call::says("").get_models::<Jobs>([
        Reply::status(200).body(format!("a {second}")),
        Reply::status(200).body("b "),
    ]);
    assert_eq!(played.requests()[1].url, second);
    let list = played.answer();
    assert_eq!(
        (list["object"].as_str(), list["data"][1]["id"].as_str()),
        (Some("list"), Some("b"))
    );
    let failed =
        Call::says("").get_models::<Jobs>([Reply::status(200).body(format!("a {second}")), Reply::status(503)]);
    assert_eq!(failed.failure().kind, "overloaded");
}

#[test]
fn credentials_may_need_no_request_and_code_that_cannot_go_on_is_told_so() {
    let credentials = Call::says("").authenticate::<Jobs>([]).answer();
    assert_eq!(credentials["headers"]["x-key"], "token-for-api_key");
    assert_eq!(
        (credentials["ttl_ms"].as_u64(), credentials["vars"]["region"].as_str()),
        (Some(60_000), Some("eu"))
    );
    for mistake in ["forever", "two at once"] {
        let played = Call::says("").ext("try", mistake).authenticate::<Jobs>([]);
        assert_eq!(played.failure().kind, "internal", "{mistake}");
    }
}

#[test]
fn the_tests_in_the_manifest_are_played() {
    assert_eq!(manifest::<Jobs>()["permissions"]["hosts"][0], "*.files.example");
    self_tests::<Jobs>();
}

#[test]
#[should_panic(expected = "the manifest permits no request to evil.example")]
fn a_request_to_a_foreign_host_is_a_mistake_that_a_test_shows() {
    let _ = Call::says("Hi").play::<Jobs>([Reply::status(201).body("https://evil.example/")]);
}

#[test]
#[should_panic(expected = "no reply is scripted")]
fn a_request_too_many_is_a_mistake_that_a_test_shows() {
    let _ = Call::says("Hi").play::<Jobs>([Reply::status(201).body(JOB), Reply::status(202)]);
}
