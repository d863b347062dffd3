//! Whatever a guest does costs its own call: an error in our words, and the next call works.

use std::{sync::Arc, time::Duration};

use witgate::{
    adapter::{self, Limits},
    error::{Error, Side},
    transport::{Upstream, canned, http::Client},
};

use super::world::{KEY, World, call, content, entry, events, guest, record, said, site_of, whole};

/// The code a client sees.
fn code<T>(result: Result<T, Error>) -> String {
    let error = result.err().expect("the call should have failed");
    let text = error.to_string();
    assert!(!text.contains(KEY) && !text.contains("wgs_"), "{text}");
    assert_eq!(error.status(), 502, "{text}");
    error.code().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_trap_a_loop_and_a_hoard_cost_one_call_and_the_next_works() {
    let world = World::new("hostile").await;
    for (model, expected) in [
        ("trap", "adapter_trap"),
        ("loop", "adapter_timeout"),
        ("memory", "adapter_memory"),
        ("recursion", "adapter_trap"),
    ] {
        assert_eq!(code(world.call(model).await), expected, "{model}");
        assert_eq!(world.text("fine").await.unwrap(), "well behaved");
    }
}

#[tokio::test]
async fn a_lie_is_an_invalid_output_and_nothing_is_sent() {
    let world = World::new("hostile").await;
    for model in [
        "no-json",
        "no-answer",
        "chunk-no-json",
        "giant",
        "header-break",
        "header-name",
        "no-url",
        "relative-url",
        "url-with-user",
        "method",
        "framing",
        "foreign-host",
        "foreign-port",
        "secret-to-foreign-host",
        "upload",
    ] {
        assert_eq!(code(world.call(model).await), "adapter_invalid_output", "{model}");
    }
    assert_eq!(world.text("fine").await.unwrap(), "well behaved");
}

#[tokio::test]
async fn an_address_inside_is_out_of_reach_even_with_permission() {
    let world = World::new("hostile").await;
    for model in ["plain-http", "metadata", "metadata-name", "private"] {
        assert_eq!(code(world.call(model).await), "egress_denied", "{model}");
    }
}

#[tokio::test]
async fn a_secret_in_an_error_message_is_only_its_token() {
    let world = World::new("hostile").await;
    let error = world.call("secret-in-error").await.err().unwrap();
    assert!(!error.to_string().contains(KEY), "{error}");
    assert_eq!(error.status(), 400);
}

#[tokio::test]
async fn a_guests_words_are_cut_and_none_of_them_is_a_label() {
    let world = World::new("hostile").await;
    let error = world.call("huge-code").await.err().unwrap();
    for word in [error.code(), error.param(), Some(error.type_())] {
        assert!(word.unwrap().len() < 300, "{} bytes", word.unwrap().len());
    }
    let record = record();
    let error = world.call_as("new-code-each-time", false, &record).await.err().unwrap();
    assert!(error.code().unwrap().starts_with("code-"));
    record.failed(&error);
    assert_eq!(entry(&record).error, Some((Side::Upstream, "upstream")));
}

#[tokio::test]
async fn polling_without_end_ends() {
    let limits = Limits {
        steps: 5,
        ..Limits::default()
    };
    let world = World::with("hostile", limits).await;
    let (result, ()) = tokio::join!(world.call("poll-forever"), async {
        for _ in 0..5 {
            world.provider.expect("/", 200, "not yet").await;
        }
        world.provider.expect("/cancel", 200, "").await;
    });
    assert_eq!(code(result), "adapter_invalid_output");
    world.runtime.drain().await;
}

#[tokio::test]
async fn polling_too_long_ends_and_the_job_is_cancelled() {
    let limits = Limits {
        wall_clock: Duration::from_millis(300),
        ..Limits::default()
    };
    let world = World::with("hostile", limits).await;
    let (result, cancelled) = tokio::join!(world.call("poll-forever"), async {
        // The provider does not answer.
        let mut slow = world.provider.next().await;
        slow.closed().await;
        world.provider.expect("/cancel", 200, "").await
    });
    assert_eq!(code(result), "adapter_timeout");
    assert_eq!(cancelled.text, "a job");
    world.runtime.drain().await;
}

#[tokio::test]
async fn an_answer_made_of_a_refusal_is_a_lie() {
    let world = World::new("hostile").await;
    let (result, ()) = tokio::join!(world.call("answer-on-500"), async {
        world.provider.expect("/", 404, "no").await;
        world.provider.expect("/cancel", 200, "").await;
    });
    assert_eq!(code(result), "adapter_invalid_output");
}

#[tokio::test]
async fn after_a_trap_the_job_is_cancelled_by_a_fresh_instance() {
    let world = World::new("hostile").await;
    let (result, cancelled) = tokio::join!(world.call("trap-in-response"), async {
        world.provider.expect("/", 200, "").await;
        world.provider.expect("/cancel", 200, "").await
    });
    assert_eq!(code(result), "adapter_trap");
    assert_eq!(cancelled.text, "a job");
}

#[tokio::test]
async fn a_guest_that_breaks_in_a_stream_costs_that_stream() {
    let world = World::new("hostile").await;
    for (model, expected) in [
        ("push-loop", "adapter_timeout"),
        ("push-trap", "adapter_trap"),
        ("push-no-json", "adapter_invalid_output"),
    ] {
        let (result, ()) = tokio::join!(world.stream(model), async {
            let mut exchange = world.provider.next().await;
            exchange.stream().await;
            exchange.event("x").await;
            exchange.closed().await;
            if model != "push-no-json" {
                world.provider.expect("/cancel", 200, "").await;
            }
        });
        assert_eq!(code(result), expected, "{model}");
        world.runtime.drain().await;
    }
    assert_eq!(world.text("fine").await.unwrap(), "well behaved");
}

#[tokio::test]
async fn what_came_before_a_trap_in_a_stream_reaches_the_client_and_then_the_error() {
    let world = World::new("hostile").await;
    let (read, ()) = tokio::join!(
        async { events(world.stream("finish-trap").await.unwrap()).await },
        async {
            let mut exchange = world.provider.next().await;
            exchange.stream().await;
            exchange.event("x").await;
            drop(exchange);
            world.provider.expect("/cancel", 200, "").await;
        }
    );
    let (text, error) = read;
    assert_eq!(said(&text), "fine");
    assert!(!text.contains("[DONE]"));
    assert_eq!(error.unwrap().code(), Some("adapter_trap"));
}

#[tokio::test]
async fn a_log_flood_is_dropped_and_the_call_goes_on() {
    let world = World::new("hostile").await;
    assert_eq!(world.text("log-flood").await.unwrap(), "still here");
}

#[tokio::test]
async fn a_whole_answer_after_chunks_is_a_lie_that_comes_after_them() {
    let world = World::new("hostile").await;
    let (read, ()) = tokio::join!(
        async { events(world.stream("emit-then-done").await.unwrap()).await },
        async {
            world.provider.expect("/", 200, "x").await;
            world.provider.expect("/cancel", 200, "").await;
        }
    );
    assert_eq!(said(&read.0), "first");
    assert_eq!(read.1.unwrap().code(), Some("adapter_invalid_output"));
}

#[tokio::test]
async fn when_every_place_is_taken_a_call_waits_and_is_then_turned_away() {
    let limits = Limits {
        slots: 1,
        queue: Duration::from_millis(100),
        ..Limits::default()
    };
    let world = World::with("hostile", limits).await;
    let holding = tokio::join!(world.stream("push-no-json"), async {
        let mut exchange = world.provider.next().await;
        let error = world.call("fine").await.err().unwrap();
        assert_eq!(error.code(), Some("gateway_busy"));
        exchange.answer(404, &[], b"").await;
        world.provider.expect("/cancel", 200, "").await;
    });
    assert!(holding.0.is_err());
    world.runtime.drain().await;
    assert_eq!(world.text("fine").await.unwrap(), "well behaved");
}

#[tokio::test]
async fn an_adapter_whose_calls_never_end_leaves_room_for_the_others() {
    let limits = Limits {
        slots: 2,
        queue: Duration::from_millis(100),
        ..Limits::default()
    };
    let world = World::with("hostile", limits).await;
    let other = Arc::new(world.runtime.load(guest("plain")).await.unwrap());
    let other = site_of((*world.site.upstream).clone(), &other);
    let holding = tokio::join!(world.stream("push-no-json"), async {
        let mut exchange = world.provider.next().await;
        let error = world.call("fine").await.err().unwrap();
        assert_eq!(error.code(), Some("gateway_busy"));
        let (call, record) = (call("m", false), record());
        let (answered, _) = tokio::join!(
            adapter::call(&world.runtime, &other, &call, "m", 1, &record),
            world.provider.expect("/chat/completions", 200, r#"{"choices":[]}"#)
        );
        assert!(answered.is_ok());
        exchange.answer(404, &[], b"").await;
        world.provider.expect("/cancel", 200, "").await;
    });
    assert!(holding.0.is_err());
}

#[tokio::test]
async fn a_wait_that_outlasts_the_call_is_not_begun() {
    let world = World::new("hostile").await;
    assert_eq!(code(world.call("sleep-forever").await), "adapter_timeout");
    let (refused, ()) = tokio::join!(world.call("busy-forever"), async {
        world.provider.expect("/", 200, "").await;
    });
    assert_eq!(refused.err().unwrap().word(), "overloaded");
}

#[tokio::test]
async fn nothing_is_waited_for_where_there_is_no_provider() {
    let world = World::new("hostile").await;
    let reply = canned::Reply {
        status: 200,
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
    };
    let upstream = Upstream {
        client: Client::canned(canned::Canned::new([reply])),
        ..(*world.site.upstream).clone()
    };
    let site = site_of(upstream, &world.site.adapter);
    let call = call("sleep-forever", false);
    let reply = adapter::call(&world.runtime, &site, &call, &call.model, 1, &record()).await;
    assert_eq!(content(&whole(reply.unwrap())), "as if nothing had happened");
}

#[tokio::test]
async fn a_record_says_which_adapter_it_was_and_what_it_used() {
    let world = World::new("hostile").await;
    let record = record();
    world.call_as("fine", false, &record).await.unwrap();
    let entry = entry(&record);
    assert_eq!(entry.adapter.as_deref(), Some("hostile@1.0.0"));
    assert_eq!(entry.adapter_calls, 1);
    assert!(entry.adapter_cpu > Duration::ZERO);
}
